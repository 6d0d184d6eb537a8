"""A route period by period, as each side reports it, in USD or in the currency it was reported in."""

from __future__ import annotations

import polars as pl

from anomaly.query.held import BOTH_SIDES

AMOUNTS = (*BOTH_SIDES, "value_usd")
_ROUTE = ("good", "freq_code", "exporter_iso", "importer_iso", "ref_date")


def series(cells: pl.DataFrame, known: pl.DataFrame, freq_code: str) -> pl.DataFrame:
    """One row a period: AMOUNTS, value_basis and source, in order of time.

    cells   bilateral rows; those of several goods or countries are added up
    known   `known_nothing`: periods for which a side has said that there was nothing

    null is not reported, 0 is reported as nothing. A sum holds what is reported; its absent parts add nothing.
    """
    own = cells.filter(pl.col("freq_code") == freq_code)
    sums = own.group_by("ref_date").agg(
        *[pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in AMOUNTS],
        value_basis=pl.col("value_basis").unique().sort().str.join(" and "),
        source=pl.col("source").unique().sort().str.join(" and "),
    )
    basis = own.sort("ref_date")["value_basis"].last() if own.height else "export"
    side = "has_nothing_imported" if basis == "import" else "has_nothing_exported"
    told = known.filter(pl.col("freq_code") == freq_code).drop("freq_code")
    whole = sums.join(told, on="ref_date", how="full", coalesce=True)
    zero = pl.lit(0, dtype=pl.Int64)
    return whole.select(
        freq_code=pl.lit(freq_code),
        period=pl.col("ref_date").dt.strftime("%Y" if freq_code == "A" else "%Y-%m"),
        export_value_fob_usd=pl.coalesce("export_value_fob_usd", pl.when("has_nothing_exported").then(zero)),
        import_value_cif_usd=pl.coalesce("import_value_cif_usd", pl.when("has_nothing_imported").then(zero)),
        reexport_value_fob_usd="reexport_value_fob_usd",
        net_wgt_g="net_wgt_g",
        value_usd=pl.coalesce("value_usd", pl.when(side).then(zero)),
        value_basis="value_basis",
        source="source",
        ref_date="ref_date",
    ).sort("ref_date").drop("ref_date")  # fmt: skip


def known_nothing(
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    good: str,
    exporter: str,
    importer: str,
    extract_floor_usd: int,
    cells: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Periods a side reported in full, in a dataset that holds the good and the partner: no row there means nothing.

    extract_floor_usd   of the scenario: a dataset without smaller rows was cut by value
    cells   the route's rows of bilateral, where there are any: they come from one dataset a side

    An extract that was cut by value cannot say so: a missing row may be a small one. Nor can a dataset that the
    route's rows do not come from: its own were left out.

    Returns freq_code, ref_date, has_nothing_exported, has_nothing_imported. Without a route's own rows this is all
    that tells "nothing" from "not reported".
    """
    said = [
        _of_the_route(_said(coverage, scope, good, (reporter, partner), flow, extract_floor_usd), cells, flow)
        for reporter, partner, flow in ((exporter, importer, "X"), (importer, exporter, "M"))
    ]
    return (
        pl.concat(said)
        .group_by("freq_code", "ref_date")
        .agg(
            has_nothing_exported=(pl.col("flow_code") == "X").any(),
            has_nothing_imported=(pl.col("flow_code") == "M").any(),
        )
    )


def _of_the_route(said: pl.DataFrame, cells: pl.DataFrame | None, flow: str) -> pl.DataFrame:
    """What the side's own dataset says. Which one an importer's rows beside an export came from is not kept: all must."""
    every = said.select("freq_code", "ref_date", "flow_code").unique()
    if cells is None or cells.is_empty():
        return every
    is_told = pl.col("value_basis") == "import" if flow == "M" else pl.col("value_basis") != "import"
    own = cells.filter(is_told).select("source", "dataset", "freq_code").unique()
    if own.height:
        return said.join(own, on=own.columns, how="semi").select(every.columns).unique()
    column = "import_value_cif_usd" if flow == "M" else "export_value_fob_usd"
    if cells[column].null_count() == cells.height:
        return every
    datasets = pl.struct("source", "dataset")
    all_say = datasets.n_unique().over("freq_code", "ref_date") == datasets.n_unique().over("freq_code")
    return said.filter(all_say).select(every.columns).unique()


def _said(
    coverage: pl.DataFrame, scope: pl.DataFrame, good: str, sides: tuple[str, str], flow: str, extract_floor_usd: int
) -> pl.DataFrame:
    """source, dataset, freq_code, ref_date, flow_code: periods for which a dataset's silence means nothing.

    sides   reporter and partner
    """
    reporter, partner = sides
    dataset = ["source", "dataset", "freq_code"]
    told = coverage.filter(pl.col("reporter_iso") == reporter, pl.col("flow_code") == flow, pl.col("is_complete"))
    year = pl.col("ref_date").dt.year().alias("year")
    held = scope.filter(pl.col("flow_code") == flow).with_columns(year)
    goods = held.filter(pl.col("dimension") == "good", pl.col("code") == good)
    partners = held.filter(
        pl.col("dimension") == "partner",
        pl.col("code") == partner,
        pl.col("smallest_value_usd").min().over(dataset) <= extract_floor_usd,
    )
    return (
        told.with_columns(year)
        .join(goods, on=[*dataset, "year"], how="semi")
        .join(partners, on=[*dataset, "year"], how="semi")
        .select(*dataset, "ref_date", "flow_code")
        .unique()
    )


def in_currency(flows: pl.DataFrame, families: pl.DataFrame, edition: pl.Expr, currency: str) -> pl.DataFrame:
    """Current flows as rows of bilateral whose amounts are in `currency`, as reported; other currencies are left out.

    flows      schema.Flows, current rows
    families   codes.family_map: edition, cmd_code, good
    edition    codes.edition_number of classification_code

    A route with an export report is told by its exporter, any other by its importer.
    """
    links = families.select(_edition=pl.col("edition").cast(pl.Int8), _hs6="cmd_code", _family="good")
    is_import = pl.col("flow_code") == "M"
    sided = (
        flows.filter(pl.col("currency") == currency, pl.col("is_current"))
        .with_columns(_edition=edition.cast(pl.Int8), _hs6=pl.col("cmd_code").str.slice(0, 6))
        .join(links, on=["_edition", "_hs6"], how="left")
        .with_columns(
            good=pl.coalesce("_family", "_hs6"),
            exporter_iso=pl.when(is_import).then("partner_iso").otherwise("reporter_iso"),
            importer_iso=pl.when(is_import).then("reporter_iso").otherwise("partner_iso"),
        )
    )
    amount = {"X": "export_value_fob_usd", "M": "import_value_cif_usd", "RX": "reexport_value_fob_usd"}
    summed = sided.group_by(*_ROUTE, "source", "dataset").agg(
        *[_sum("reported_value", flow).alias(name) for flow, name in amount.items()],
        net_wgt_g=_sum("net_wgt_g", "X"),
    )
    route = ["good", "freq_code", "exporter_iso", "importer_iso"]
    is_export = pl.col("export_value_fob_usd").is_not_null().any().over(route)
    return summed.with_columns(
        value_usd=pl.when(is_export).then("export_value_fob_usd").otherwise("import_value_cif_usd"),
        value_basis=pl.when(is_export).then(pl.lit("export")).otherwise(pl.lit("import")),
    )


def _sum(column: str, flow: str) -> pl.Expr:
    own = pl.col(column).filter(pl.col("flow_code") == flow)
    return pl.when((own.len() > 0) & (own.null_count() == 0)).then(own.sum())
