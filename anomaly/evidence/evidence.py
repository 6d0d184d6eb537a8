"""Evidence for a person: what fits together, what else could explain it, who reported what, and what compares.

flags + the tables they come from → flags with `evidence`, `benign_if`, `comparables` and `sides`. Flags are
questions; this is what one needs to answer them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, WINDOW_KEY
from anomaly.contract.schema import ROUTE_KEY, Flags, is_own_gap
from anomaly.contract.settings import Settings
from anomaly.evidence import both_sides, comparables, other_sellers
from anomaly.flags import naming
from anomaly.reference.makers import makes

_COLUMNS = ("evidence", "benign_if", "comparables", "sides")


@dataclass(frozen=True, slots=True)
class Tables:
    """What evidence is drawn from; each may hold more than the flags' rows.

    Parameters
    ----------
    features : polars.DataFrame
        Rows of the windows of the flags.
    scores : polars.DataFrame
        The table scores.
    calibration : polars.DataFrame
        scores.calibration.
    refused : polars.DataFrame
        features.refused.
    bilateral : polars.DataFrame
        The flags' goods, to their importers and to their exporters; those that are re-coded to everyone.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is not compared.
    coverage, scope : polars.DataFrame
        The tables coverage and coverage.scope.
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
    flagged : polars.DataFrame
        flags.build.
    features, bilateral : polars.LazyFrame
        The run's tables.

    Returns
    -------
    tuple of polars.DataFrame
        Features of the flags' windows, of routes to their importers and of the coalition's to their hubs; bilateral of
        the flags' goods to the countries on their routes, and to everyone of those that are re-coded.
    """
    windows = flagged.select(WINDOW_KEY).unique()
    countries = pl.concat([flagged["importer_iso"], flagged["exporter_iso"]]).unique().implode()
    ghosts = flagged.filter(naming.is_on(COALITION_TO_HUB))
    asked_about = pl.col("importer_iso").is_in(flagged["importer_iso"].unique().implode()) | (
        pl.col("exporter_iso").is_in(ghosts["exporter_iso"].unique().implode()) & (pl.col("role") == "other")
    )
    needed = pl.col("importer_iso").is_in(countries) | pl.col("good").str.ends_with("+")
    sides = pl.col("good").is_in(flagged["good"].unique().implode()) & needed
    near = features.filter(asked_about).join(windows.lazy(), on=WINDOW_KEY, how="semi")
    return near.collect(engine="streaming"), bilateral.filter(sides).collect()


def build(flags: pl.DataFrame, tables: Tables, names: Mapping[str, str], settings: Settings) -> pl.DataFrame:
    """The flags in their order with the four columns of evidence filled.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags without evidence.
    tables : Tables
        What evidence is drawn from.
    names : mapping of str to str
        Country → English name, for the sentences.
    settings : Settings
        Scenario: coalition, baseline years, floor and limits.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Flags.
    """
    if flags.is_empty():
        return flags
    features = tables.features.filter(is_own_gap(settings.baseline_years))
    columns = [name for name in features.columns if name not in flags.columns and name not in ROUTE_KEY]
    rows = flags.drop(_COLUMNS, strict=False).join(
        features.select(*ROUTE_KEY, *columns), on=ROUTE_KEY, how="left", maintain_order="left"
    )
    rows = makes(rows).with_columns(
        since=pl.when(_only_above_baseline()).then(pl.lit("baseline")).otherwise(pl.lit("prior"))
    )
    around, coverage, scope, broken = tables.bilateral, tables.coverage, tables.scope, tables.broken
    countries = pl.concat([flags["importer_iso"], flags["exporter_iso"]]).unique().implode()
    trade = around.filter(pl.col("importer_iso").is_in(countries))
    traded = other_sellers.build(trade, coverage, scope, broken, rows, around)
    for part in (
        both_sides.build(rows, trade, around, coverage, scope, broken),
        comparables.build(flags, features, tables.scores, tables.refused, traded, tables.calibration, settings),
        other_sellers.sold_by_others(rows, traded, around, coverage, scope, broken, settings.coalition.countries),
        other_sellers.recorded_from_others(flags, trade),
    ):
        rows = rows.join(part, on="flag_id", how="left", maintain_order="left")
    kinds = {name: column.dtype for name, column in Flags.columns().items()}
    texts = [_sentences(row, names, settings) for row in rows.to_dicts()]
    return rows.with_columns(
        evidence=pl.Series([sentence for sentence, _ in texts], dtype=pl.String),
        benign_if=pl.Series([items for _, items in texts], dtype=kinds["benign_if"]),
        comparables=pl.coalesce("comparables", pl.lit([], dtype=kinds["comparables"])),
    ).select(pl.col(name).cast(kind) for name, kind in kinds.items())


def _only_above_baseline() -> pl.Expr:
    """Routes that stand above their baseline and not above the year before: they are compared with the baseline."""
    before, base = pl.col("value_prior_year_usd"), pl.col("value_baseline_usd")
    # what has ended is held against the year before
    return ~naming.has_ended() & base.is_not_null() & (before.is_null() | (pl.col("value_usd") <= before))


def _sentences(
    row: Mapping[str, Any], names: Mapping[str, str], settings: Settings
) -> tuple[str, list[dict[str, str]]]:
    named = {
        **row,
        "exporter_name": names.get(row["exporter_iso"], row["exporter_iso"]),
        "importer_name": names.get(row["importer_iso"], row["importer_iso"]),
        "direct_target_name": names.get(row["direct_target_iso"] or "", row["direct_target_iso"]),
        "floor_usd": settings.floor_usd,
    }
    return sentence(named, row["flag_type"]), benign_if(named, row["flag_type"])


def sentence(row: Mapping[str, Any], flag_type: str) -> str:
    """What fits together in a flag of this type, and what is missing.

    Parameters
    ----------
    row : mapping of str to Any
        A flag beside its features and evidence, with names of countries.
    flag_type : str
        Name of one of flags.types.

    Returns
    -------
    str
        Sentences.
    """
    return naming.type_of(flag_type).sentence(row)


def benign_if(row: Mapping[str, Any], flag_type: str) -> list[dict[str, str]]:
    """The innocent explanations of a flag of this type: what the data can say of each, and last what no trade figure says.

    Parameters
    ----------
    row : mapping of str to Any
        A flag beside its features and evidence, with names of countries.
    flag_type : str
        Name of one of flags.types.

    Returns
    -------
    list of dict of str to str
        explanation, verdict and text of each.
    """
    return [explanation(row) for explanation in naming.type_of(flag_type).explanations]
