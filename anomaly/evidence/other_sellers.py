"""What everyone sold of the flagged goods to the countries of the flags, in the flags' own windows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from anomaly.bilateral.sums import Window, fill, reported, within

WINDOW = ("freq_code", "window_months", "window_end")
_ROUTE = ("good", "exporter_iso", "importer_iso")
_VALUES = ("value_usd", "value_prior_year_usd", "value_baseline_usd")
_SCHEMA = {
    **{"freq_code": pl.String, "window_months": pl.Int16, "window_end": pl.Date},
    **dict.fromkeys(_ROUTE, pl.String),
    **dict.fromkeys(_VALUES, pl.Int64),
}


def years_of(baseline_years: str) -> list[int]:
    """2019-2021 in its years; none where the text names no years."""
    first, _, last = baseline_years.partition("-")
    return list(range(int(first), int(last) + 1)) if first.isdigit() and last.isdigit() else []


def build(
    cells: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame, broken: pl.DataFrame, windows: pl.DataFrame
) -> pl.DataFrame:
    """A row per window and route: WINDOW, good, exporter_iso, importer_iso, value_usd, value_prior_year_usd,
    value_baseline_usd.

    cells     bilateral rows of the goods, to any importers
    broken    families.broken: a route is not compared across a change of edition that breaks its good
    windows   WINDOW and baseline_years, any number of rows a window

    null is unknown: a period that its reporter did not report, or that the dataset does not hold. Routes of which
    nothing is known are left out.
    """
    parts = [pl.DataFrame(schema=_SCHEMA)]
    wanted = windows.select(*WINDOW, "baseline_years").unique(WINDOW).sort(WINDOW)
    for (freq,), part in wanted.group_by("freq_code", maintain_order=True):
        own = cells.filter(pl.col("freq_code") == freq)
        if own.is_empty():
            continue
        filled = fill(own, reported(own, coverage.filter(pl.col("freq_code") == freq), scope))
        for freq_code, months, end, baseline in part.rows():
            window = Window(freq_code, months, end)
            parts.append(_window(filled, window, years_of(baseline), broken["good"]))
    known = pl.any_horizontal(pl.col(_VALUES).is_not_null())
    return pl.concat(parts).filter(known).sort(*WINDOW, *_ROUTE)


def _window(filled: pl.DataFrame, window: Window, baseline: Sequence[int], broken: pl.Series) -> pl.DataFrame:
    year, count = window.end.year, len(baseline)
    is_broken = pl.col("good").is_in(broken.unique().implode())
    sums = filled.group_by(_ROUTE).agg(
        **{f"_{one}": _sum(window, one) for one in {year, year - 1, *baseline}},
        **{
            f"_edition_{one}": pl.col("hs_edition").filter(within(window, one)).max()
            for one in {year, year - 1, *baseline}
        },
    )
    kept = [
        pl.when(~(is_broken & (pl.col(f"_edition_{one}") != pl.col(f"_edition_{year}"))))
        .then(f"_{one}")
        .alias(f"_{one}")
        for one in {year - 1, *baseline}
    ]
    sums = sums.with_columns(kept)
    mean = (pl.sum_horizontal([pl.col(f"_{one}") for one in baseline], ignore_nulls=False) + count // 2) // max(
        count, 1
    )
    return sums.select(
        pl.lit(window.freq_code).alias("freq_code"),
        pl.lit(window.months, dtype=pl.Int16).alias("window_months"),
        pl.lit(window.end, dtype=pl.Date).alias("window_end"),
        *_ROUTE,
        pl.col(f"_{year}").alias("value_usd"),
        pl.col(f"_{year - 1}").alias("value_prior_year_usd"),
        (mean if baseline else pl.lit(None)).cast(pl.Int64).alias("value_baseline_usd"),
    )


def _sum(window: Window, year: int) -> pl.Expr:
    inside = pl.col("value_usd").filter(within(window, year))
    return pl.when(inside.len() == window.span(year)[2]).then(inside.sum())


def sold_by_others(
    flags: pl.DataFrame,
    market: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    coalition: Sequence[str],
) -> pl.DataFrame:
    """What sellers outside the coalition, other than the route's exporter, sold of each flag's good.

    flags   with `since`, prior or baseline: what the window is compared with

    Returns flag_id and others_to_hub_usd, others_to_hub_then_usd, others_to_target_usd, others_to_target_then_usd. A
    sum holds only routes of which both are known. Where there is no such route, it is 0 if such sellers report their
    trade with the country in a dataset that holds the good, else null.
    """
    then = pl.when(pl.col("since") == "prior").then("value_prior_year_usd").otherwise("value_baseline_usd")
    told = flags.select("flag_id")
    outside = market.filter(~pl.col("exporter_iso").is_in(list(coalition)))
    for side, country in (("hub", "exporter_iso"), ("target", "importer_iso")):
        route = flags.select("flag_id", "since", *WINDOW, "good", own="exporter_iso", importer_iso=country)
        names = [f"others_to_{side}_usd", f"others_to_{side}_then_usd"]
        sums = (
            route.join(outside, on=[*WINDOW, "good", "importer_iso"])
            .with_columns(then_usd=then)
            .filter(
                pl.col("exporter_iso") != pl.col("own"),
                pl.all_horizontal(pl.col("value_usd", "then_usd").is_not_null()),
            )
            .group_by("flag_id")
            .agg(pl.col("value_usd").sum().alias(names[0]), pl.col("then_usd").sum().alias(names[1]))
        )
        is_told = route.join(_told_by_others(route, coverage, scope, coalition), on=["flag_id"], how="semi")
        told = (
            told.join(sums, on="flag_id", how="left", maintain_order="left")
            .with_columns(is_told=pl.col("flag_id").is_in(is_told["flag_id"].implode()))
            .with_columns(pl.coalesce(name, pl.when("is_told").then(0)) for name in names)
            .drop("is_told")
        )
    return told


def _told_by_others(
    route: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame, coalition: Sequence[str]
) -> pl.DataFrame:
    """Flags of which a dataset with sellers outside the coalition holds both the good and the country in the year."""
    key = ["source", "dataset", "freq_code", "year"]
    year = pl.col("ref_date").dt.year().alias("year")
    exports = scope.filter(pl.col("flow_code") == "X").with_columns(year)
    outside = coverage.filter(
        pl.col("flow_code") == "X", pl.col("is_complete"), ~pl.col("reporter_iso").is_in(list(coalition))
    )
    goods = exports.filter(pl.col("dimension") == "good").select(*key, good="code").unique()
    partners = exports.filter(pl.col("dimension") == "partner").select(*key, importer_iso="code").unique()
    return (
        route.with_columns(year=pl.col("window_end").dt.year())
        .join(goods, on=["freq_code", "year", "good"])
        .join(partners, on=[*key, "importer_iso"], how="semi")
        .join(outside.select(*key[:3], year), on=key, how="semi")
        .select("flag_id")
        .unique()
    )


def recorded_from_others(flags: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """What each flag's importer records of the good from all other countries than the route's exporter.

    Returns flag_id, recorded_from_others_usd and recorded_from_others_prior_usd, CIF, as recorded; null where the
    importer records nothing from anyone in one of the two windows.
    """
    told = flags.select("flag_id")
    for name, years_back in (("recorded_from_others_usd", 0), ("recorded_from_others_prior_usd", 1)):
        spans = [
            (*row, *Window(*row).span(row[2].year - years_back)[:2]) for row in flags.select(WINDOW).unique().rows()
        ]
        schema = {**{name: _SCHEMA[name] for name in WINDOW}, "first": pl.Date, "last": pl.Date}
        spans_of = pl.DataFrame(spans, schema=schema, orient="row")
        recorded = (
            flags.select("flag_id", *WINDOW, "good", "importer_iso", own="exporter_iso")
            .join(spans_of, on=WINDOW)
            .join(cells.filter(pl.col("import_value_cif_usd").is_not_null()), on=["freq_code", "good", "importer_iso"])
            .filter(pl.col("ref_date").is_between(pl.col("first"), pl.col("last")))
            .group_by("flag_id")
            .agg(pl.col("import_value_cif_usd").filter(pl.col("exporter_iso") != pl.col("own")).sum().alias(name))
        )
        told = told.join(recorded, on="flag_id", how="left", maintain_order="left")
    return told
