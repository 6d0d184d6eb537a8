"""Mirror reports side by side: one row per route, good and period, in one currency and one edition of the HS."""

from __future__ import annotations

from typing import Literal

import polars as pl

from anomaly.bilateral import withheld
from anomaly.bilateral.known import DATASET, active_years, full_reports, speaking_years, without_moved
from anomaly.contract.keys import SERIES_KEY

KEY = ("good", "freq_code", "exporter_iso", "importer_iso", "ref_date")


def with_goods(flows: pl.LazyFrame, families: pl.DataFrame, edition: pl.Expr) -> pl.LazyFrame:
    """Give every row of trade the good it counts to, whichever edition of the HS its code is of.

    The edition is the row's own: countries switch in different years.

    Parameters
    ----------
    flows : polars.LazyFrame
        cmd_code (six digits or more), what `edition` reads, and anything else.
    families : polars.DataFrame
        edition, cmd_code (six digits) and good; a code that is not in it is its own good.
    edition : polars.Expr
        Number of the edition of a row: 4 for HS 2012, 5 for 2017, 6 for 2022.

    Returns
    -------
    polars.LazyFrame
        The rows in their order, with hs_edition and good (the HS family the code belongs to in its edition).
    """
    links = families.select(
        hs_edition=pl.col("edition").cast(pl.Int8), _hs6=pl.col("cmd_code"), _family=pl.col("good")
    ).lazy()
    return (
        flows.with_columns(hs_edition=edition.cast(pl.Int8), _hs6=pl.col("cmd_code").str.slice(0, 6))
        .join(links, on=["hs_edition", "_hs6"], how="left", maintain_order="left")
        .with_columns(good=pl.coalesce("_family", "_hs6"))
        .drop("_hs6", "_family")
    )


def build(
    flows: pl.LazyFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    countries: pl.DataFrame,
    precedence: dict[str, int],
    since: int,
) -> pl.DataFrame:
    """Both sides of every route, period by period: what the exporter reports beside what the importer reports.

    A route has one basis in all periods: the exporter's report where it reports exports of that frequency at all, else
    the importer's; a windowed sum never mixes FOB and CIF.

    Parameters
    ----------
    flows : polars.LazyFrame
        Current flows with `good`; whole goods, any number of them.
    coverage, scope : polars.DataFrame
        coverage.build's frames: exporters with X rows speak for themselves.
    countries : polars.DataFrame
        iso3 and kind: special areas and groups are left out, they are no exporters or importers.
    precedence : dict of str to int
        Source → rank; the lower wins where two publishers know as much of a route.
    since : int
        First year of the baseline.

    Returns
    -------
    polars.DataFrame
        Columns of schema.Bilateral, sorted by KEY: values in USD (exports FOB, imports CIF), weights in grams. A side
        that has no row is null; so is value_usd where the route's basis has none.
    """
    real = countries.filter(pl.col("kind") == "country")["iso3"].implode()
    sided = (
        flows.filter(
            pl.col("reporter_iso").is_in(real),
            pl.col("partner_iso").is_in(real),
            pl.col("reporter_iso") != pl.col("partner_iso"),
            pl.col("flow_code").is_in(["M", "X", "RX"]),
        )
        .with_columns(
            exporter_iso=pl.when(pl.col("flow_code") == "M").then("partner_iso").otherwise("reporter_iso"),
            importer_iso=pl.when(pl.col("flow_code") == "M").then("reporter_iso").otherwise("partner_iso"),
        )
        .group_by(*KEY, "flow_code", "source", "dataset")
        .agg(
            value_usd=pl.col("primary_value_usd").sum(),
            net_wgt_g=pl.when(pl.col("net_wgt_g").null_count() == 0).then(pl.col("net_wgt_g").sum()),
        )
        .collect(engine="streaming")
    )
    return _side_by_side(_single_publisher(sided, coverage, scope, precedence, since), _speaks_for_itself(coverage))


def _speaks_for_itself(coverage: pl.DataFrame) -> pl.DataFrame:
    return (
        coverage.filter(pl.col("flow_code") == "X")
        .select("freq_code", exporter_iso="reporter_iso", speaks=pl.lit(value=True))
        .unique()
    )


def _single_publisher(
    sided: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame, precedence: dict[str, int], since: int
) -> pl.DataFrame:
    """Keep, for each route and side, the dataset that knows most periods of it since the baseline.

    Then the source's precedence, then the periods before, then the name. Periods are known, with trade or without:
    old years that nothing is compared with do not outweigh the newest, nor a publisher's small estimates its silence.
    """
    side = [*SERIES_KEY, "flow_code"]
    publisher = [*side, "source", "dataset"]
    datasets = (
        sided.select(publisher).unique() if sided.select(pl.struct("source", "dataset").n_unique()).item() > 1 else None
    )
    disputed = sided.clear(0) if datasets is None else datasets.filter(pl.len().over(side) > 1)
    if disputed.is_empty():
        return sided
    rank = pl.col("source").replace_strict(
        precedence, default=max(precedence.values(), default=0) + 1, return_dtype=pl.Int64
    )
    ranked = disputed.join(
        _periods_known(disputed, sided, coverage, scope, since), on=publisher, how="left"
    ).with_columns(pl.col("periods_since", "periods").fill_null(0), rank=rank)
    order = [*side, "periods_since", "rank", "periods", "dataset"]
    ordered = ranked.sort(order, descending=[name.startswith("periods") for name in order])
    return sided.join(ordered.filter(~pl.struct(side).is_first_distinct()), on=publisher, how="anti")


def _periods_known(
    routes: pl.DataFrame, sided: pl.DataFrame, coverage: pl.DataFrame, scope: pl.DataFrame, since: int
) -> pl.DataFrame:
    """periods_since, periods: those for which a dataset can speak of a route, from the baseline on and in all."""
    is_import = pl.col("flow_code") == "M"
    reporter = pl.when(is_import).then("importer_iso").otherwise("exporter_iso")
    sides = routes.with_columns(
        reporter_iso=reporter,
        partner_iso=pl.when(is_import).then("exporter_iso").otherwise("importer_iso"),
        flow="flow_code",
        flow_code=pl.col("flow_code").replace("RX", "X"),  # re-exports are inside exports
    )
    years = without_moved(
        speaking_years(sides, coverage, scope), active_years(sided.with_columns(reporter_iso=reporter), "value_usd")
    )
    reports, reporter_year = full_reports(coverage), [*DATASET, "reporter_iso", "year"]
    hidden = withheld.periods(scope).join(reports, on=[*reporter_year, "ref_date"], how="semi")
    route_year = [*DATASET, *withheld.WHO, "year"]
    return (
        years.join(reports.group_by(reporter_year).agg(periods=pl.len().cast(pl.Int64)), on=reporter_year)
        .join(hidden.group_by(route_year).agg(_hidden=pl.len().cast(pl.Int64)), on=route_year, how="left")
        .with_columns(flow_code="flow", periods=pl.col("periods") - pl.col("_hidden").fill_null(0))
        .group_by(routes.columns)
        .agg(periods_since=pl.col("periods").filter(pl.col("year") >= since).sum(), periods=pl.col("periods").sum())
    )


def _side_by_side(sided: pl.DataFrame, speaks: pl.DataFrame) -> pl.DataFrame:
    exports = _side(sided, "X", "export", "export_value_fob_usd")
    imports = _side(sided, "M", "import", "import_value_cif_usd")
    reexports = _side(sided, "RX", "reexport", "reexport_value_fob_usd").select(*KEY, "reexport_value_fob_usd")
    sides = _beside(exports, imports, "full")
    sides = _beside(sides, reexports, "left")
    if not imports.is_empty():
        sides = _with_single_basis(sides, speaks)
    is_export = pl.col("export_source").is_not_null()
    return (
        sides.with_columns(
            source=pl.coalesce("export_source", "import_source"),
            dataset=pl.coalesce("export_dataset", "import_dataset"),
            value_usd=pl.when(is_export).then("export_value_fob_usd").otherwise("import_value_cif_usd"),
            net_wgt_g=pl.when(is_export).then("export_wgt_g").otherwise("import_wgt_g"),
        )
        .with_columns(
            value_basis=pl.when(pl.col("source") == "baci")
            .then(pl.lit("reconciled"))
            .when(is_export)
            .then(pl.lit("export"))
            .otherwise(pl.lit("import"))
        )
        .select(
            *SERIES_KEY, "ref_date", "source", "dataset", "value_usd",
            "value_basis", "export_value_fob_usd", "import_value_cif_usd", "reexport_value_fob_usd", "net_wgt_g",
        )
        .sort(*KEY)
    )  # fmt: skip


def _beside(sides: pl.DataFrame, added: pl.DataFrame, how: Literal["full", "left"]) -> pl.DataFrame:
    """A join on KEY that costs nothing where the side to be added reports nothing."""
    if added.is_empty():
        nulls = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in added.schema.items() if name not in KEY]
        return sides.with_columns(nulls)
    return sides.join(added, on=KEY, how=how, coalesce=True)


def _side(sided: pl.DataFrame, flow: str, side: str, value: str) -> pl.DataFrame:
    return sided.filter(pl.col("flow_code") == flow).select(
        *KEY,
        pl.col("value_usd").alias(value),
        pl.col("net_wgt_g").alias(f"{side}_wgt_g"),
        pl.col("source").alias(f"{side}_source"),
        pl.col("dataset").alias(f"{side}_dataset"),
    )


def _with_single_basis(sides: pl.DataFrame, speaks: pl.DataFrame) -> pl.DataFrame:
    """Give a route its one basis: where the exporter reports the route at all, periods it is silent in stay its own.

    Such a row keeps the importer's value beside it, and its `value_usd` is null: unknown until coverage says zero.
    """
    routes = (
        sides.filter(pl.col("export_source").is_not_null())
        .join(speaks, on=["freq_code", "exporter_iso"], how="semi")
        .group_by(SERIES_KEY)
        .agg(_source=pl.col("export_source").min(), _dataset=pl.col("export_dataset").min())
    )
    return (
        sides.join(routes, on=SERIES_KEY, how="left")
        .with_columns(
            export_source=pl.coalesce("_source", "export_source"),
            export_dataset=pl.coalesce("_dataset", "export_dataset"),
        )
        .drop("_source", "_dataset")
    )
