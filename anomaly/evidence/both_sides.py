"""A flagged route as each side reports it: the window, the year before and the baseline, and re-exports within."""

from __future__ import annotations

import polars as pl

from anomaly.bilateral.sums import Window
from anomaly.evidence.other_sellers import years_of

_ROUTE = ("freq_code", "good", "exporter_iso", "importer_iso")
_SPANS = ("window", "year before", "baseline")
_AMOUNTS = ("export_value_fob_usd", "import_value_cif_usd", "reexport_value_fob_usd", "net_wgt_g")


def build(
    flags: pl.DataFrame, cells: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame, broken: pl.DataFrame
) -> pl.DataFrame:
    """flag_id and `sides`: three rows each, window, year before and baseline mean.

    flags   flags with value_basis and baseline_years of their features
    broken  families.broken: goods of which silence may be a change of codes
    cells   bilateral rows of the flags' routes, and of their exporters' other routes of the goods where at hand

    The side that the flag's own figures come from shows those. On the other side absence is 0 only where that
    side reported the period and its dataset holds the good; a sum is null where one of its periods is unknown.
    Re-exports are null where the exporter has none of the good in that year on any route at hand: it may not
    report them.
    """
    periods = _periods(flags)
    found = periods.join(
        cells.select(*_ROUTE, "ref_date", *_AMOUNTS, "value_usd"), on=[*_ROUTE, "ref_date"], how="left"
    )
    imported = pl.coalesce("import_value_cif_usd", pl.when(pl.col("is_told")).then(0))
    reexported = pl.coalesce("reexport_value_fob_usd", pl.when(pl.col("has_reexports")).then(0))
    weight = pl.when(pl.col("value_usd") > 0).then(pl.col("net_wgt_g")).otherwise(0)
    sums = (
        found.join(_importers_told(flags, coverage, scope, broken), on=[*_ROUTE, "ref_date"], how="left")
        .join(_exporters_with_reexports(cells), on=["freq_code", "good", "exporter_iso", "year"], how="left")
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


def _sum(value: pl.Expr) -> pl.Expr:
    return pl.when(value.null_count() == 0).then(value.sum())


def _periods(flags: pl.DataFrame) -> pl.DataFrame:
    """A row per flag, span and period; `years` is over how many years the span's mean goes."""
    rows = []
    for flag in flags.select("flag_id", *_ROUTE, "window_months", "window_end", "baseline_years").to_dicts():
        window = Window(flag["freq_code"], flag["window_months"], flag["window_end"])
        year = window.end.year
        for span, years in zip(_SPANS, ([year], [year - 1], years_of(flag["baseline_years"])), strict=True):
            for one in years:
                first, last, _ = window.span(one)
                route = {name: flag[name] for name in _ROUTE}
                rows.append(
                    {"flag_id": flag["flag_id"], **route, "span": span, "years": len(years), "f": first, "l": last}
                )
    schema = {"flag_id": pl.String, **dict.fromkeys(_ROUTE, pl.String), "span": pl.String, "years": pl.Int64}
    spans = pl.DataFrame(rows, schema={**schema, "f": pl.Date, "l": pl.Date}, orient="row")
    every = (
        pl.when(pl.col("freq_code") == "A")
        .then(pl.date_ranges("f", "f", "1mo"))
        .otherwise(pl.date_ranges("f", "l", "1mo"))
    )
    return (
        spans.with_columns(ref_date=every)
        .drop("f", "l")
        .explode("ref_date")
        .with_columns(year=pl.col("ref_date").dt.year())
    )


def _importers_told(
    flags: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame, broken: pl.DataFrame
) -> pl.DataFrame:
    """Periods in which an importer's silence on a good from an exporter is a nothing.

    A re-coded good, or one that an edition breaks, may lie under codes that the importer moved to.
    """
    dataset = ["source", "dataset", "freq_code"]
    year = pl.col("ref_date").dt.year().alias("year")
    imports = pl.col("flow_code") == "M"
    told = coverage.filter(imports, "is_complete").select(*dataset, "ref_date", year, importer_iso="reporter_iso")
    held = scope.filter(imports).select(*dataset, year, "dimension", "code").unique()
    goods = held.filter(
        pl.col("dimension") == "good",
        ~pl.col("code").str.ends_with("+") & ~pl.col("code").is_in(broken["good"].unique().implode()),
    )
    partners = held.filter(pl.col("dimension") == "partner")
    return (
        flags.select(_ROUTE)
        .unique()
        .join(told, on=["freq_code", "importer_iso"])
        .join(goods.rename({"code": "good"}), on=[*dataset, "year", "good"], how="semi")
        .join(partners.rename({"code": "exporter_iso"}), on=[*dataset, "year", "exporter_iso"], how="semi")
        .select(*_ROUTE, "ref_date", is_told=pl.lit(value=True))
        .unique()
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
