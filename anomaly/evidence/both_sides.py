"""A flagged route as each side reports it: the window, the year before and the baseline, and re-exports within."""

from __future__ import annotations

import polars as pl

from anomaly.bilateral.known import is_broken, silences, silences_beside
from anomaly.contract.keys import SERIES_KEY
from anomaly.contract.periods import window_of
from anomaly.evidence.other_sellers import years_of

_SPANS = ("window", "year before", "baseline")
_AMOUNTS = ("export_value_fob_usd", "import_value_cif_usd", "reexport_value_fob_usd", "net_wgt_g")


def build(
    flags: pl.DataFrame,
    trade: pl.DataFrame,
    around: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    broken: pl.DataFrame,
) -> pl.DataFrame:
    """What each side of a flagged route reports in the window, the year before and the baseline years.

    The side that the flag's own figures come from shows those. Of the importer's side `known.silences_beside` says in
    which periods a row is whole, and where none means nothing: not where the good is another thing in the editions of
    the two sides. A sum is null where one of its periods is unknown. No re-exports are a nothing where the exporter can
    speak of the period, and has some of the good in that year on a route at hand: else it may not report them.

    Parameters
    ----------
    flags : polars.DataFrame
        Flags with value_basis and baseline_years of their features.
    trade : polars.DataFrame
        Rows of bilateral of the flags' routes, and of their exporters' other routes of the goods where at hand.
    around : polars.DataFrame
        Rows of bilateral with all routes of the flags' goods that are re-coded.
    coverage, scope : polars.DataFrame
        Rows of coverage and of coverage.scope.
    broken : polars.DataFrame
        families.broken.

    Returns
    -------
    polars.DataFrame
        flag_id and `sides`: three rows each, window, year before and baseline mean.
    """
    periods = _heard(_periods(flags), flags, trade, around, coverage, scope)
    periods = periods.with_columns(is_other_good=is_broken(periods, broken, "oldest_edition", "newest_edition"))
    is_nothing = pl.col("is_nothing") & ~pl.col("is_other_good")
    imported = pl.when(pl.col("is_nothing").is_not_null()).then(
        pl.coalesce("import_value_cif_usd", pl.when(is_nothing).then(0))
    )
    is_none = pl.col("has_reexports") & pl.col("own_edition").is_not_null()
    reexported = pl.coalesce("reexport_value_fob_usd", pl.when(is_none).then(0))
    weight = pl.when(pl.col("value_usd") > 0).then(pl.col("net_wgt_g")).otherwise(0)
    sums = (
        periods.join(_exporters_with_reexports(trade), on=["freq_code", "good", "exporter_iso", "year"], how="left")
        .group_by("flag_id", "span", "years")
        .agg(
            _sum(pl.col("export_value_fob_usd")).alias("export_value_fob_usd"),
            _sum(imported).alias("import_value_cif_usd"),
            _sum(reexported).alias("reexport_value_fob_usd"),
            _sum(weight).alias("net_wgt_g"),
        )
        .with_columns((pl.col(_AMOUNTS) + pl.col("years") // 2) // pl.col("years"))
    )
    return _with_own(flags, sums)


def _heard(
    periods: pl.DataFrame,
    flags: pl.DataFrame,
    trade: pl.DataFrame,
    around: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
) -> pl.DataFrame:
    """What is reported in each period, what the importer can say, and the editions that both sides are in over all."""
    key = [*SERIES_KEY, "ref_date"]
    rows = trade.join(flags.select(SERIES_KEY).unique(), on=SERIES_KEY, how="semi")
    exports = rows.filter(pl.col("value_basis") != "import")
    own = silences(exports, coverage, scope, around).rename({"hs_edition": "own_edition"})
    beside = silences_beside(flags, "M", around, coverage, scope).rename({"hs_edition": "importers_edition"})
    editions = ("own_edition", "importers_edition")
    return (
        periods.join(rows.select(*key, *_AMOUNTS, "value_usd"), on=key, how="left")
        .join(own, on=key, how="left")
        .join(beside, on=key, how="left")
        .with_columns(
            oldest_edition=pl.min_horizontal(editions).min().over("flag_id"),
            newest_edition=pl.max_horizontal(editions).max().over("flag_id"),
        )
    )


def _sum(value: pl.Expr) -> pl.Expr:
    return pl.when(value.null_count() == 0).then(value.sum())


def _periods(flags: pl.DataFrame) -> pl.DataFrame:
    """A row per flag, span and period; `years` is over how many years the span's mean goes."""
    rows = []
    for flag in flags.select("flag_id", *SERIES_KEY, "window_months", "window_end", "baseline_years").to_dicts():
        window = window_of(flag)
        year = window.year
        for span, years in zip(_SPANS, ([year], [year - 1], years_of(flag["baseline_years"])), strict=True):
            for span_year in years:
                first, last, _ = window.in_year(span_year).span()
                route = {name: flag[name] for name in SERIES_KEY}
                rows.append(
                    {"flag_id": flag["flag_id"], **route, "span": span, "years": len(years), "f": first, "l": last}
                )
    schema = {"flag_id": pl.String, **dict.fromkeys(SERIES_KEY, pl.String), "span": pl.String, "years": pl.Int64}
    spans = pl.DataFrame(rows, schema={**schema, "f": pl.Date, "l": pl.Date}, orient="row")
    months = (
        pl.when(pl.col("freq_code") == "A")
        .then(pl.date_ranges("f", "f", "1mo"))
        .when(pl.col("freq_code") == "Q")
        .then(pl.date_ranges("f", "l", "3mo"))
        .otherwise(pl.date_ranges("f", "l", "1mo"))
    )
    return (
        spans.with_columns(ref_date=months)
        .drop("f", "l")
        .explode("ref_date")
        .with_columns(year=pl.col("ref_date").dt.year())
    )


def _exporters_with_reexports(cells: pl.DataFrame) -> pl.DataFrame:
    return (
        cells.filter(pl.col("reexport_value_fob_usd").is_not_null())
        .select("freq_code", "good", "exporter_iso", pl.col("ref_date").dt.year().alias("year"))
        .unique()
        .with_columns(has_reexports=pl.lit(value=True))
    )


def _with_own(flags: pl.DataFrame, sums: pl.DataFrame) -> pl.DataFrame:
    """The flag's own figures on the side they come from, and the three spans as one list in their order."""
    own = pl.concat(
        [
            flags.select("flag_id", "value_basis", span=pl.lit(span), own_usd=name, order=pl.lit(number))
            for number, (span, name) in enumerate(
                zip(_SPANS, ("value_usd", "value_prior_year_usd", "value_baseline_usd"), strict=True)
            )
        ]
    )
    is_import = pl.col("value_basis") == "import"
    return (
        own.join(sums, on=["flag_id", "span"], how="left")
        .with_columns(
            export_value_fob_usd=pl.when(is_import).then("export_value_fob_usd").otherwise("own_usd"),
            import_value_cif_usd=pl.when(is_import).then("own_usd").otherwise("import_value_cif_usd"),
            net_wgt_g=pl.when(pl.col("own_usd").is_not_null()).then("net_wgt_g"),
        )
        .sort("flag_id", "order")
        .group_by("flag_id", maintain_order=True)
        .agg(sides=pl.struct("span", *_AMOUNTS))
    )
