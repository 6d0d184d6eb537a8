"""A maker of the good fills the gap that the coalition left: legal trade, and no detour."""

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.flags.types.amounts import when
from anomaly.flags.types.base import FlagType, Row
from anomaly.flags.types.conditions import direct_or_neighbour_fell, is_relabelled
from anomaly.flags.types.explanations import changed_supplier, other_buyers, own_production, price_rose, unknowable
from anomaly.indicators.base import usd

MAKES = 1.0  # revealed advantage: the good's part in its exports is as large as in everyone's
TO_MANY = 4  # times as much to everyone else as to this importer, in the baseline
CARRIED = 0.2  # of the rise, by what the coalition sells it more: as much could be re-export


def _more(name: str) -> pl.Expr:
    return (pl.col(f"{name}_usd") - pl.col(f"{name}_baseline_usd")).clip(lower_bound=0).fill_null(0)


def is_maker() -> pl.Expr:
    """Exporters that are known to make the good: by the table of makers, or by what they sold to many in the baseline."""
    sells_many = pl.col("elsewhere_baseline_usd") >= TO_MANY * pl.col("value_baseline_usd")
    is_by_trade = (pl.col("revealed_advantage") >= MAKES) & sells_many
    return pl.col("is_maker").fill_null(value=False) | is_by_trade.fill_null(value=False)


def is_carried() -> pl.Expr:
    """Whether what the coalition sells the exporter more could carry a part of the route's rise worth speaking of."""
    return _more("coalition_to_hub") >= CARRIED * _more("value")


def _sentence(row: Row) -> str:
    maker = row["exporter_name"]
    known = (
        f"{maker} is a large maker of it ({row['maker_source']}, {row['maker_year']})"
        if row.get("is_maker")
        else f"{maker} sold it to many before, {usd(row['elsewhere_baseline_usd'])} in the baseline"
    )
    supply = (
        "what the coalition sells it is not in the data"
        if row["coalition_to_hub_usd"] is None
        else f"the coalition's sales to it ({usd(row['coalition_to_hub_usd'])}) could not carry this rise"
    )
    return (
        f"{known}, and {supply}: it sells {row['importer_name']} {usd(row['value_usd'])} where the coalition's own sales "
        f"fell. A maker needs no detour; against {when(row).removeprefix('in ')} this looks like trade that took its place."
    )


TYPE = FlagType(
    name="backfill",
    words="a maker filling the gap",
    says=(
        "The direct trade of the good fell, and a country that makes it sells the target more. What the coalition sells that "
        "country could not carry the rise. Told apart: no re-export alarm."
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
