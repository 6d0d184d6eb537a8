"""The evidence of one flag in parts, or why there is none: what `anomaly explain` shows beside the numbers."""

from __future__ import annotations

from typing import Any

import polars as pl

from anomaly.contract.keys import ROUTE_KEY
from anomaly.contract.periods import window_of
from anomaly.flags import naming, rule
from anomaly.flags.types.base import Limits
from anomaly.query import same_case
from anomaly.query.held import COLUMNS, Tables, table
from anomaly.reference import countries, goods

Row = dict[str, Any]

_SHOWN = (
    "flag_id", "flag_type", "severity", "priority", "list_tier", "excess_usd", "excess_low_usd", "excess_high_usd",
    "stability_share", "compares", "evidence",
)  # fmt: skip
NOT_TRIED = "not tried for this flag; it is for those of the highest priority that stand now"


def flag_part(flag: Row) -> Row:
    """The flag itself: its name, type, severity, place in the list and excess over what was expected.

    Parameters
    ----------
    flag : dict
        A row of flags by column.

    Returns
    -------
    dict
        Columns of the row, excess_usd in USD; those that the run's flags do not have are left out.
    """
    return {name: flag[name] for name in _SHOWN if name in flag}


def evidence_parts(flag: Row | None, without: pl.DataFrame) -> dict[str, list[Any]]:
    """Other explanations, comparable routes, both sides and what is left of a flag without each publisher.

    Parameters
    ----------
    flag : dict or None
        A row of flags by column; None where the route is no flag.
    without : polars.DataFrame
        Rows of flags.without, of this flag or of all; may be empty.

    Returns
    -------
    dict of str to list
        other_explanations, comparable_routes, both_sides and without_a_publisher: all empty without a flag; the last is
        NOT_TRIED alone where the flag was not counted again without a publisher.
    """
    if flag is None:
        return {"other_explanations": [], "comparable_routes": [], "both_sides": [], "without_a_publisher": []}
    of_flag = without.filter(pl.col("flag_id") == flag["flag_id"]) if without.height else without
    tried: list[Any] = (
        [{name: row[name] for name in row if name != "flag_id"} for row in of_flag.sort("source_left_out").to_dicts()]
        if of_flag.height
        else [NOT_TRIED]
    )
    return {
        "other_explanations": flag.get("benign_if") or [],
        "comparable_routes": flag.get("comparables") or [],
        "both_sides": flag.get("sides") or [],
        "without_a_publisher": tried,
    }


def why_not(row: Row, tables: Tables, limits: Limits) -> str:
    """The first condition of a flag that a measured route does not keep, in words.

    Parameters
    ----------
    row : dict
        A row of features by column: ROUTE_KEY and rule.MEASURES.
    tables : mapping of str to polars.DataFrame
        The store's tables by name: of them features.refused, scores, scores.calibration and flags.
    limits : Limits
        Of the scenario that made the tables.

    Returns
    -------
    str
        A sentence of rule.why_not.
    """
    kinds = {name: COLUMNS["features"][name] for name in (*ROUTE_KEY, *rule.MEASURES)}
    route = pl.DataFrame([{name: row[name] for name in kinds}], schema=kinds)
    refused = table(tables, "features.refused").join(route, on=ROUTE_KEY, how="semi")["says"]
    judged_route = (
        rule.beside_scores(route, table(tables, "scores"), table(tables, "scores.calibration"), limits)
        .with_columns(refused_because=pl.lit(refused.first(), dtype=pl.String))
        .with_columns(why_not=rule.why_not(limits))
    )
    named = same_case.with_case(judged_route.lazy(), table(tables, "flags"), window_of(row), limits)
    return str(named.select("why_not").collect().item())


def next_steps(flag: Row, measures: str) -> list[str]:
    """The questions to ask next about a flag, in the names of its countries and its good.

    Parameters
    ----------
    flag : dict
        A row of flags by column: flag_type, good, exporter_iso and importer_iso.
    measures : str
        Of the scenario (Limits.measures): the trade measures in question, such as sanctions.

    Returns
    -------
    list of str
        In the order to ask them; a country or good without a name in the reference stands by its code.
    """
    names: dict[str, str] = dict(countries.table().select("iso3", "name").iter_rows())
    exporter, importer = (names.get(flag[side]) or flag[side] for side in ("exporter_iso", "importer_iso"))
    return naming.next_steps(
        flag["flag_type"], exporter, importer, goods.good_name(flag["good"]) or flag["good"], measures
    )
