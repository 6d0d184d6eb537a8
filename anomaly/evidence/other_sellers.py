"""What everyone sold of the flagged goods to the countries of the flags, in the flags' own windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from anomaly.bilateral import withheld
from anomaly.bilateral.known import (
    DATASET,
    active_years,
    full_reports,
    is_broken,
    own_side,
    silences,
    speaking_years,
    without_moved,
)
from anomaly.bilateral.sums import by_year, fill
from anomaly.contract.keys import ROUTE, WINDOW_KEY, WINDOW_TYPES
from anomaly.contract.periods import Window

_VALUES = ("value_usd", "value_prior_year_usd", "value_baseline_usd")
_SCHEMA = {
    **WINDOW_TYPES,
    **dict.fromkeys(ROUTE, pl.String),
    **dict.fromkeys(_VALUES, pl.Int64),
}


def years_of(baseline_years: str) -> list[int]:
    """The years that a text such as 2019-2021 names.

    Parameters
    ----------
    baseline_years : str
        First and last year with a dash between.

    Returns
    -------
    list of int
        Ascending; empty where the text names no years.
    """
    first, _, last = baseline_years.partition("-")
    return list(range(int(first), int(last) + 1)) if first.isdigit() and last.isdigit() else []


def build(
    trade: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
    windows: pl.DataFrame,
    around: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """What every route of the goods carried in the flags' windows, the years before and the baselines.

    Parameters
    ----------
    trade : polars.DataFrame
        Rows of bilateral of the goods, to any importers.
    coverage, scope : polars.DataFrame
        Rows of coverage and of coverage.scope.
    broken : polars.DataFrame
        families.broken: a route is not compared across a change of edition that breaks its good.
    windows : polars.DataFrame
        WINDOW_KEY and baseline_years, any number of rows a window.
    around : polars.DataFrame, optional
        Rows of bilateral with all routes of the goods that are re-coded; `trade` has them if not given.

    Returns
    -------
    polars.DataFrame
        A row per window and route: WINDOW_KEY, ROUTE, value_usd, value_prior_year_usd, value_baseline_usd, sorted by the
        first two. null is unknown; routes of which nothing is known are left out.
    """
    parts = [pl.DataFrame(schema=_SCHEMA)]
    windows_once = windows.select(*WINDOW_KEY, "baseline_years").unique(WINDOW_KEY).sort(WINDOW_KEY)
    for (freq,), part in windows_once.group_by("freq_code", maintain_order=True):
        own = trade.filter(pl.col("freq_code") == freq)
        if own.is_empty():
            continue
        filled = fill(own, silences(own, coverage, scope, around))
        for freq_code, months, end, baseline in part.rows():
            window = Window(freq_code, months, end)
            parts.append(_window(filled, window, years_of(baseline), broken))
    is_any_known = pl.any_horizontal(pl.col(_VALUES).is_not_null())
    return pl.concat(parts).filter(is_any_known).sort(*WINDOW_KEY, *ROUTE)


def _window(filled: pl.DataFrame, window: Window, baseline: Sequence[int], broken: pl.DataFrame) -> pl.DataFrame:
    year, count = window.year, len(baseline)
    sums = by_year(filled, window, baseline)
    sums = sums.with_columns(
        is_broken=is_broken(sums, broken, "oldest_edition", "newest_edition"),
        is_broken_since=is_broken(sums, broken, "oldest_edition_since", "newest_edition_since"),
    )
    mean = (pl.sum_horizontal([pl.col(f"_{year}") for year in baseline], ignore_nulls=False) + count // 2) // max(
        count, 1
    )
    return sums.select(
        pl.lit(window.freq_code).alias("freq_code"),
        pl.lit(window.months, dtype=pl.Int16).alias("window_months"),
        pl.lit(window.end, dtype=pl.Date).alias("window_end"),
        *ROUTE,
        pl.col(f"_{year}").alias("value_usd"),
        pl.when(~pl.col("is_broken")).then(f"_{year - 1}").alias("value_prior_year_usd"),
        pl.when(~pl.col("is_broken_since")).then(mean if baseline else None).cast(pl.Int64).alias("value_baseline_usd"),
    )


def sold_by_others(
    flags: pl.DataFrame,
    market: pl.DataFrame,
    around: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
    coalition: Sequence[str],
) -> pl.DataFrame:
    """What sellers outside the coalition, other than the route's exporter, sold of each flag's good.

    Parameters
    ----------
    flags : polars.DataFrame
        Flags with baseline_years of their features, and `since`, prior or baseline: what the window is compared with.
    market : polars.DataFrame
        `build`.
    around : polars.DataFrame
        Rows of bilateral with all routes of the goods that are re-coded.
    coverage, scope, broken : polars.DataFrame
        As for `build`.
    coalition : sequence of str
        Countries that are not meant.

    Returns
    -------
    polars.DataFrame
        flag_id and others_to_hub_usd, others_to_hub_then_usd, others_to_target_usd, others_to_target_then_usd. A sum holds
        only routes of which both are known. Where there is no such route it is 0 if one of these sellers at least could
        have said so of both, else null.
    """
    base_usd = pl.when(pl.col("since") == "prior").then("value_prior_year_usd").otherwise("value_baseline_usd")
    sums = flags.select("flag_id")
    outside = market.filter(~pl.col("exporter_iso").is_in(list(coalition)))
    reports = coverage.filter(pl.col("flow_code") == "X", ~pl.col("reporter_iso").is_in(list(coalition)))
    sellers = _full_publishers(flags, reports)
    active = active_years(own_side(around), "value_usd")
    for side, country in (("hub", "exporter_iso"), ("target", "importer_iso")):
        route = flags.select("flag_id", "since", *WINDOW_KEY, "good", own="exporter_iso", importer_iso=country)
        names = [f"others_to_{side}_usd", f"others_to_{side}_then_usd"]
        sold = (
            route.join(outside, on=[*WINDOW_KEY, "good", "importer_iso"])
            .with_columns(then_usd=base_usd)
            .filter(
                pl.col("exporter_iso") != pl.col("own"),
                pl.all_horizontal(pl.col("value_usd", "then_usd").is_not_null()),
            )
            .group_by("flag_id")
            .agg(pl.col("value_usd").sum().alias(names[0]), pl.col("then_usd").sum().alias(names[1]))
        )
        speak = sellers.with_columns(partner_iso=country).filter(pl.col("reporter_iso") != pl.col("partner_iso"))
        speak = speak.filter(~is_broken(speak, broken, "oldest_edition", "newest_edition"))
        years = without_moved(withheld.without(speaking_years(speak, reports, scope), scope), active)
        years = years.filter(pl.col("year").is_in("years"))
        publishers = years.group_by("flag_id", *DATASET, "reporter_iso").agg(
            is_whole=pl.col("year").n_unique() == pl.col("years").first().list.len()
        )
        nothing = publishers.filter("is_whole")["flag_id"].unique().implode()
        sums = sums.join(sold, on="flag_id", how="left", maintain_order="left").with_columns(
            pl.coalesce(name, pl.when(pl.col("flag_id").is_in(nothing)).then(0)) for name in names
        )
    return sums


def _full_publishers(flags: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """Each flag beside the reporters, its exporter aside, that published all its window and all that it is compared with.

    Columns of the flag, DATASET and reporter_iso, `years` that these lie in, oldest_edition and newest_edition.
    """
    compared = [*WINDOW_KEY, "since", "baseline_years"]
    spans = []
    for row in flags.select(compared).unique().rows():
        window = Window(*row[:3])
        for year in (window.year, *([window.year - 1] if row[3] == "prior" else years_of(row[4]))):
            spans.append((*row, *window.in_year(year).span()))
    schema: dict[str, Any] = {**flags.select(compared).schema, "first": pl.Date, "last": pl.Date, "periods": pl.Int64}
    span_rows = pl.DataFrame(spans, schema=schema, orient="row")
    publishers = (
        full_reports(reports)
        .join(span_rows, on="freq_code")
        .filter(pl.col("ref_date").is_between(pl.col("first"), pl.col("last")))
        .group_by(*compared, "source", "dataset", "flow_code", "reporter_iso")
        .agg(
            reported=pl.len(),
            years=pl.col("year").unique(),
            oldest_edition=pl.col("hs_edition").min(),
            newest_edition=pl.col("hs_edition").max(),
        )
        .join(span_rows.group_by(compared).agg(pl.col("periods").sum()), on=compared)
        .filter(pl.col("reported") == pl.col("periods"))
    )
    sellers = flags.select("flag_id", *compared, *ROUTE).join(publishers, on=compared)
    return sellers.filter(pl.col("reporter_iso") != pl.col("exporter_iso"))


def recorded_from_others(flags: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """What each flag's importer records of the good from all other countries than the route's exporter.

    Parameters
    ----------
    flags : polars.DataFrame
        flag_id, window, good, exporter_iso and importer_iso.
    cells : polars.DataFrame
        Rows of bilateral of the flags' goods and importers.

    Returns
    -------
    polars.DataFrame
        flag_id, recorded_from_others_usd and recorded_from_others_prior_usd, CIF, as recorded; null where the importer
        records nothing from anyone in that window.
    """
    sums = flags.select("flag_id")
    for name, years_back in (("recorded_from_others_usd", 0), ("recorded_from_others_prior_usd", 1)):
        windows = [Window(*row) for row in flags.select(WINDOW_KEY).unique().rows()]
        spans = [
            (window.freq_code, window.months, window.end, *window.in_year(window.year - years_back).span()[:2])
            for window in windows
        ]
        schema = {**{name: _SCHEMA[name] for name in WINDOW_KEY}, "first": pl.Date, "last": pl.Date}
        spans_of = pl.DataFrame(spans, schema=schema, orient="row")
        recorded = (
            flags.select("flag_id", *WINDOW_KEY, "good", "importer_iso", own="exporter_iso")
            .join(spans_of, on=WINDOW_KEY)
            .join(cells.filter(pl.col("import_value_cif_usd").is_not_null()), on=["freq_code", "good", "importer_iso"])
            .filter(pl.col("ref_date").is_between(pl.col("first"), pl.col("last")))
            .group_by("flag_id")
            .agg(pl.col("import_value_cif_usd").filter(pl.col("exporter_iso") != pl.col("own")).sum().alias(name))
        )
        sums = sums.join(recorded, on="flag_id", how="left", maintain_order="left")
    return sums
