"""A route period by period, as each side reports it, in USD or in the currency it was reported in."""

from __future__ import annotations

import polars as pl

from anomaly.bilateral import withheld
from anomaly.bilateral.known import cut_by_value, own_side, silences, silences_beside
from anomaly.contract.keys import ROUTE, SERIES_KEY
from anomaly.contract.periods import period_name
from anomaly.query.held import BOTH_SIDES

AMOUNTS = (*BOTH_SIDES, "value_usd")
_TRADE = {
    **dict.fromkeys((*SERIES_KEY, "source", "dataset", "value_basis"), pl.String),
    "ref_date": pl.Date,
    **dict.fromkeys(AMOUNTS, pl.Int64),
}


NOTHING_WITHHELD = pl.DataFrame(schema={"freq_code": pl.String, "ref_date": pl.Date, "withheld": pl.String})


def series(
    cells: pl.DataFrame, nothing: pl.DataFrame, freq_code: str, hidden: pl.DataFrame = NOTHING_WITHHELD
) -> pl.DataFrame:
    """A route period by period, in order of time: what each side reports, and the value that is taken.

    Parameters
    ----------
    cells : polars.DataFrame
        Rows of bilateral; those of several goods or countries are added up. A sum holds what is reported; its absent
        parts add nothing.
    nothing : polars.DataFrame
        `known_nothing`: periods for which a side has said that there was nothing.
    freq_code : str
        A, M or Q.
    hidden : polars.DataFrame, optional
        `withheld_periods`.

    Returns
    -------
    polars.DataFrame
        A row a period: freq_code, period, AMOUNTS (USD, or the currency of `cells`; net_wgt_g in grams), value_basis,
        source, and withheld: export, import or both, where a value of that side is withheld. null is not reported, or
        withheld; 0 is reported as nothing.
    """
    own = cells.filter(pl.col("freq_code") == freq_code)
    sums = own.group_by("ref_date").agg(
        *[pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in AMOUNTS],
        value_basis=pl.col("value_basis").unique().sort().str.join(" and "),
        source=pl.col("source").unique().sort().str.join(" and "),
    )
    basis = own.sort("ref_date")["value_basis"].last() if own.height else "export"
    side = "has_nothing_imported" if basis == "import" else "has_nothing_exported"
    zeros = nothing.filter(pl.col("freq_code") == freq_code).drop("freq_code")
    without_figure = hidden.filter(pl.col("freq_code") == freq_code).drop("freq_code")
    periods = sums.join(zeros, on="ref_date", how="full", coalesce=True)
    periods = periods.join(without_figure, on="ref_date", how="full", coalesce=True)
    zero = pl.lit(0, dtype=pl.Int64)
    return periods.select(
        freq_code=pl.lit(freq_code),
        period=period_name(freq_code),
        export_value_fob_usd=pl.coalesce("export_value_fob_usd", pl.when("has_nothing_exported").then(zero)),
        import_value_cif_usd=pl.coalesce("import_value_cif_usd", pl.when("has_nothing_imported").then(zero)),
        reexport_value_fob_usd="reexport_value_fob_usd",
        net_wgt_g="net_wgt_g",
        value_usd=pl.coalesce("value_usd", pl.when(side).then(zero)),
        value_basis="value_basis",
        source="source",
        withheld="withheld",
        ref_date="ref_date",
    ).sort("ref_date").drop("ref_date")  # fmt: skip


def withheld_periods(scope: pl.DataFrame, is_asked: pl.Expr) -> pl.DataFrame:
    """Periods in which a side withholds a value of the routes asked for: what was traded is not known.

    Parameters
    ----------
    scope : polars.DataFrame
        Rows of coverage.scope.
    is_asked : polars.Expr
        Over the columns of ROUTE.

    Returns
    -------
    polars.DataFrame
        freq_code, ref_date, and withheld: export, import, or export and import.
    """
    is_import = pl.col("flow_code") == "M"
    routes = withheld.periods(scope).with_columns(
        exporter_iso=pl.when(is_import).then("partner_iso").otherwise("reporter_iso"),
        importer_iso=pl.when(is_import).then("reporter_iso").otherwise("partner_iso"),
        withheld=pl.when(is_import).then(pl.lit("import")).otherwise(pl.lit("export")),
    )
    sides = routes.filter(is_asked).select("freq_code", "ref_date", "withheld").unique()
    return sides.group_by("freq_code", "ref_date").agg(pl.col("withheld").sort().str.join(" and "))


def known_nothing(
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
    good: str,
    exporter: str,
    importer: str,
    extract_floor_usd: int,
    trade: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Periods in which no row of a route means that a side said nothing was traded.

    An extract that was cut by value cannot say so: a missing row may be a small one. Nor can a dataset that the
    route's rows do not come from, where they come from one that is known: its own were left out.

    Parameters
    ----------
    coverage, scope : polars.DataFrame
        Rows of coverage, and of coverage.scope with all partners.
    good, exporter, importer : str
        The route.
    extract_floor_usd : int
        Of the scenario: a dataset of many rows without smaller ones was cut by value.
    trade : polars.DataFrame, optional
        Rows of bilateral of the good, the two sides' other routes among them; where it has none of the route, any
        dataset can speak.

    Returns
    -------
    polars.DataFrame
        freq_code, ref_date, has_nothing_exported, has_nothing_imported.
    """
    route = pl.DataFrame([(good, exporter, importer)], schema=dict.fromkeys(ROUTE, pl.String), orient="row")
    scope = scope.join(cut_by_value(scope, extract_floor_usd), on=["source", "dataset"], how="anti")
    trade = pl.DataFrame(schema=_TRADE) if trade is None else trade
    own = own_side(trade.join(route, on=ROUTE, how="semi"))
    by_side = [
        _silences_of_side(flow, own, route, trade, coverage, scope).with_columns(flow_code=pl.lit(flow))
        for flow in ("X", "M")
    ]
    return (
        pl.concat(by_side)
        .group_by("freq_code", "ref_date")
        .agg(
            has_nothing_exported=(pl.col("flow_code") == "X").any(),
            has_nothing_imported=(pl.col("flow_code") == "M").any(),
        )
    )


def _silences_of_side(
    flow: str,
    own: pl.DataFrame,
    route: pl.DataFrame,
    trade: pl.DataFrame,
    coverage: pl.DataFrame,
    scope: pl.DataFrame,
) -> pl.DataFrame:
    """freq_code, ref_date: periods in which the side of a flow means nothing by silence."""
    reported = own.filter(pl.col("flow_code") == flow)
    freqs = (own if own.height else coverage).select("freq_code").unique()
    beside = freqs.join(reported, on="freq_code", how="anti").join(route, how="cross")
    silent = silences_beside(beside, flow, trade, coverage, scope)
    parts = [
        silences(reported, coverage, scope, trade),
        silent.filter("is_nothing") if own.height else silent,
    ]
    return pl.concat([part.select("freq_code", "ref_date") for part in parts])


def in_currency(flows: pl.DataFrame, families: pl.DataFrame, edition: pl.Expr, currency: str) -> pl.DataFrame:
    """Current reports as rows of bilateral whose amounts are in the currency they were reported in.

    A route with an export report is told by its exporter, any other by its importer.

    Parameters
    ----------
    flows : polars.DataFrame
        Rows of flows; those that are not current are left out.
    families : polars.DataFrame
        editions.family_map: edition, cmd_code, good.
    edition : polars.Expr
        editions.edition_number of classification_code.
    currency : str
        The currency of `flows` to keep; reports in any other are left out.

    Returns
    -------
    polars.DataFrame
        SERIES_KEY, ref_date, source, dataset, AMOUNTS and value_basis; the columns named _usd are in whole units of
        `currency`, net_wgt_g in grams. null where a side does not report, or where the amount
        of one of its reports is unknown.
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
    summed = sided.group_by(*SERIES_KEY, "ref_date", "source", "dataset").agg(
        *[_sum("reported_value", flow).alias(name) for flow, name in amount.items()],
        net_wgt_g=_sum("net_wgt_g", "X"),
    )
    is_export = pl.col("export_value_fob_usd").is_not_null().any().over(SERIES_KEY)
    return summed.with_columns(
        value_usd=pl.when(is_export).then("export_value_fob_usd").otherwise("import_value_cif_usd"),
        value_basis=pl.when(is_export).then(pl.lit("export")).otherwise(pl.lit("import")),
    )


def _sum(column: str, flow: str) -> pl.Expr:
    own = pl.col(column).filter(pl.col("flow_code") == flow)
    return pl.when((own.len() > 0) & (own.null_count() == 0)).then(own.sum())
