"""Evidence for a person: what fits together, what else could explain it, who reported what, and what compares.

flags + the tables they come from → flags with `evidence`, `benign_if`, `comparables` and `sides`. Flags are
questions; this is what one needs to answer them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from anomaly.contract.schema import ROUTE_KEY, Flags, is_own_gap
from anomaly.contract.settings import Settings
from anomaly.evidence import both_sides, comparables, other_sellers
from anomaly.evidence.benign import amount, benign_if, own_then, went, when
from anomaly.indicators.base import usd

_COLUMNS = ("evidence", "benign_if", "comparables", "sides")


@dataclass(frozen=True, slots=True)
class Tables:
    """What evidence is drawn from; each may hold more than the flags' rows.

    features    rows of the windows of the flags
    bilateral   the flags' goods, to their importers and to their exporters
    broken      families.broken: changes of HS edition across which a good is not compared
    """

    features: pl.DataFrame
    scores: pl.DataFrame
    calibration: pl.DataFrame
    refused: pl.DataFrame
    bilateral: pl.DataFrame
    broken: pl.DataFrame
    coverage: pl.DataFrame
    scope: pl.DataFrame


def around(flagged: pl.DataFrame, features: pl.LazyFrame, bilateral: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What lies around the flags, of tables that may be too large to hold.

    Parameters
    ----------
    flagged : DataFrame
        flags.build.
    features, bilateral : LazyFrame
        The run's tables.

    Returns
    -------
    tuple of DataFrame
        Features of the flags' windows, of routes to their importers and of the coalition's to their hubs; bilateral of
        the flags' goods to the countries on their routes.
    """
    windows = flagged.select(other_sellers.WINDOW).unique()
    countries = pl.concat([flagged["importer_iso"], flagged["exporter_iso"]]).unique().implode()
    ghosts = flagged.filter(pl.col("flag_type") == "ghost_transit")
    asked_about = pl.col("importer_iso").is_in(flagged["importer_iso"].unique().implode()) | (
        pl.col("exporter_iso").is_in(ghosts["exporter_iso"].unique().implode()) & (pl.col("role") == "other")
    )
    sides = pl.col("good").is_in(flagged["good"].unique().implode()) & pl.col("importer_iso").is_in(countries)
    near = features.filter(asked_about).join(windows.lazy(), on=other_sellers.WINDOW, how="semi")
    return near.collect(engine="streaming"), bilateral.filter(sides).collect()


def build(flags: pl.DataFrame, tables: Tables, names: Mapping[str, str], settings: Settings) -> pl.DataFrame:
    """The flags in their order with the four columns of evidence filled; columns of schema.Flags.

    names   country → English name, for the sentences
    """
    if flags.is_empty():
        return flags
    features = tables.features.filter(is_own_gap(settings.baseline_years))
    more = [name for name in features.columns if name not in flags.columns and name not in ROUTE_KEY]
    rows = flags.drop(_COLUMNS, strict=False).join(
        features.select(*ROUTE_KEY, *more), on=ROUTE_KEY, how="left", maintain_order="left"
    )
    rows = rows.with_columns(since=pl.when(_only_above_baseline()).then(pl.lit("baseline")).otherwise(pl.lit("prior")))
    traded = other_sellers.build(tables.bilateral, tables.coverage, tables.scope, tables.broken, rows)
    for one in (
        both_sides.build(rows, tables.bilateral, tables.coverage, tables.scope, tables.broken),
        comparables.build(flags, features, tables.scores, tables.refused, traded, tables.calibration, settings),
        other_sellers.sold_by_others(rows, traded, tables.coverage, tables.scope, settings.coalition.countries),
        other_sellers.recorded_from_others(flags, tables.bilateral),
    ):
        rows = rows.join(one, on="flag_id", how="left", maintain_order="left")
    kinds = {name: column.dtype for name, column in Flags.columns().items()}
    told = [_told(row, names, settings) for row in rows.to_dicts()]
    return rows.with_columns(
        evidence=pl.Series([sentence for sentence, _ in told], dtype=pl.String),
        benign_if=pl.Series([items for _, items in told], dtype=kinds["benign_if"]),
        comparables=pl.coalesce("comparables", pl.lit([], dtype=kinds["comparables"])),
    ).select(pl.col(name).cast(kind) for name, kind in kinds.items())


def _only_above_baseline() -> pl.Expr:
    """Routes that stand above their baseline and not above the year before: they are compared with the baseline."""
    before, base = pl.col("value_prior_year_usd"), pl.col("value_baseline_usd")
    is_risen = pl.col("flag_type") != "resolved"  # what has ended is held against the year before
    return is_risen & base.is_not_null() & (before.is_null() | (pl.col("value_usd") <= before))


def _told(row: Mapping[str, Any], names: Mapping[str, str], settings: Settings) -> tuple[str, list[dict[str, str]]]:
    named = {
        **row,
        "exporter_name": names.get(row["exporter_iso"], row["exporter_iso"]),
        "importer_name": names.get(row["importer_iso"], row["importer_iso"]),
        "floor_usd": settings.floor_usd,
    }
    return sentence(named, row["flag_type"]), benign_if(named, row["flag_type"])


def sentence(row: Mapping[str, Any], flag_type: str) -> str:
    """What fits together in a flag of this type, and what is missing; a type not known here is told as a re-export."""
    return {
        "ghost_transit": _ghost,
        "relabel": _relabel,
        "price_only": _price,
        "resolved": _resolved,
    }.get(flag_type, _detour)(row)


def _detour(row: Mapping[str, Any]) -> str:
    hub, target = row["exporter_name"], row["importer_name"]
    direct, inward = (
        (row[f"coalition_to_{to}_{row['since']}_usd"], row[f"coalition_to_{to}_usd"]) for to in ("target", "hub")
    )
    parts = [
        _went(f"the coalition's sales to {target}", *direct),
        _went(f"its sales to {hub}", *inward),
        _went(f"what {hub} sold to {target}", own_then(row), row["value_usd"]),
    ]
    lacks = [
        _lack(
            direct, -1, f"whether the coalition's sales to {target} fell is not known", "the direct sales did not fall"
        ),
        _lack(
            inward, 1, f"whether the coalition sold more to {hub} is not known", f"the coalition sold no more to {hub}"
        ),
    ]
    told = ", ".join(part for part in parts if part)
    missing = "; ".join(text for text in lacks if text)
    end = f"It does not close: {missing}." if missing else f"All three fit goods that go by way of {hub}."
    return f"Against {when(row).removeprefix('in ').replace('a year', 'the year')}, {told}. {end}"


def _lack(leg: tuple[int | None, int | None], sign: int, unknown: str, otherwise: str) -> str:
    """What is missing from a leg that should have risen (sign 1) or fallen (-1); empty where nothing is."""
    then, now = leg
    if then is None or now is None:
        return unknown
    return "" if sign * (now - then) > 0 else otherwise


def _went(what: str, then: int | None, now: int | None) -> str:
    return "" if now is None or then is None else f"{what} went {went(then, now)}"


def _ghost(row: Mapping[str, Any]) -> str:
    sender, hub = row["exporter_name"], row["importer_name"]
    return (
        f"{sender} reports {amount(row['leg_exported_usd'])} sent to {hub}, which records "
        f"{amount(row['leg_imported_usd'])} of it; in {row['baseline_years']} it was "
        f"{amount(row['leg_exported_baseline_usd'])} and {amount(row['leg_imported_baseline_usd'])}. More left than before, "
        "and a smaller part of it arrived where it was declared to go."
    )


def _relabel(row: Mapping[str, Any]) -> str:
    fell, by = row.get("neighbour_fell_good"), row.get("neighbour_fell_usd")
    named = (
        "other goods of the heading"
        if fell is None
        else f"{fell} of the same heading fell by {usd(by)}, most of those that"
    )
    rose = _went("this good", row["value_prior_year_usd"], row["value_usd"])
    return f"On the same route {named} fell, while {rose}: what a change of label would look like."


def _price(row: Mapping[str, Any]) -> str:
    price, volume = row.get("price_surge_log"), row.get("volume_surge_log")
    rose = _went("trade", row["value_prior_year_usd"], row["value_usd"])
    if price is None or volume is None:
        return f"On the route {rose}; the price carries the rise more than the quantity does."
    return f"On the route {rose}: {_percent(price)} by the price of a kilogram, {_percent(volume)} by the weight."


def _percent(log: float) -> str:
    return f"{100 * math.expm1(log):+,.0f} %".replace("-", "−")


def _resolved(row: Mapping[str, Any]) -> str:
    fell = _went("trade", row["value_prior_year_usd"], row["value_usd"])
    base = row["value_baseline_usd"]
    rest = "" if base is None else f"; the baseline is {usd(base)}"
    return f"A route that stood out before: {fell}{rest}. It is shown as having ended, not forgotten."
