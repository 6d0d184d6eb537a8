"""A maker of the good fills the gap that the coalition left: legal trade, and no detour."""

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.flags.types.amounts import happened, own_then, when
from anomaly.flags.types.base import FlagType, Row
from anomaly.flags.types.conditions import direct_or_neighbour_fell, is_relabelled
from anomaly.flags.types.explanations import changed_supplier, other_buyers, own_production, price_rose, unknowable
from anomaly.indicators.base import usd

MAKES = 1.0  # revealed advantage: the good's part in its exports is as large as in everyone's
TO_MANY = 4  # times as much to everyone else as to this importer, in the baseline
CARRIED = 0.2  # of the rise, by what the coalition sells it more: as much could be re-export


def _rise_usd(name: str) -> pl.Expr:
    return (pl.col(f"{name}_usd") - pl.col(f"{name}_baseline_usd")).clip(lower_bound=0).fill_null(0)


def is_maker() -> pl.Expr:
    """Exporters that are known to make the good: by the table of makers, or by what they sold to many in the baseline."""
    sells_many = pl.col("elsewhere_baseline_usd") >= TO_MANY * pl.col("value_baseline_usd")
    is_by_trade = (pl.col("revealed_advantage") >= MAKES) & sells_many
    return pl.col("is_maker").fill_null(value=False) | is_by_trade.fill_null(value=False)


def is_carried() -> pl.Expr:
    """Whether what the coalition sells the exporter more could carry a part of the route's rise worth speaking of."""
    return _rise_usd("coalition_to_hub") >= CARRIED * _rise_usd("value")


def _sentence(row: Row) -> str:
    maker = row["exporter_name"]
    reason = (
        f"{maker} is a large maker of it ({row['maker_source']}, {row['maker_year']})"
        if row.get("is_maker")
        else f"{maker} sold it to many before, {usd(row['elsewhere_baseline_usd'])} in the baseline"
    )
    hub_then, hub_now, direct_then, direct_now = (
        row[f"coalition_to_{country}_{span}usd"] for country in ("hub", "target") for span in (f"{row['since']}_", "")
    )
    parts = [
        happened(f"what it sold {row['importer_name']}", own_then(row), row["value_usd"]),
        happened("the coalition's own sales there", direct_then, direct_now),
        happened(f"the coalition's sales to {maker}", hub_then, hub_now),
    ]
    unknown = [
        side
        for side, now in ((f"sells {maker}", hub_now), (f"sells {row['importer_name']} itself", direct_now))
        if now is None
    ]
    lacks = f" What the coalition {' and what it '.join(unknown)} is not in the data." if unknown else ""
    went = ", ".join(part for part in parts if part)
    against = f" Against {when(row).removeprefix('in ').replace('a year', 'the year')}, {went}." if went else ""
    return f"{reason}.{against}{lacks} A maker needs no detour: this looks like trade that took a place left free."


TYPE = FlagType(
    name="backfill",
    words="backfill",
    says=(
        "A country that makes the good sells the target more of it, and the coalition's direct sales, or another good of the "
        "heading, fell or are not in the data. What the coalition is known to sell that country more could not carry the "
        "rise. Told apart: no re-export alarm."
    ),
    leg=HUB_TO_TARGET,
    sentence=_sentence,
    explanations=(own_production, other_buyers, changed_supplier, price_rose, unknowable),
    next_steps=(
        "Are the goods of {exporter}'s own makes, or of makes that the coalition's firms have left?",
        "Do goods of the coalition's makes that are assembled in {exporter} go to {importer}?",
    ),
    shows=is_maker() & ~is_carried() & ~is_relabelled(),
    beside=direct_or_neighbour_fell,
    is_alarm=False,
    most_severe="low",
)
