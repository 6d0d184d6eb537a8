"""Published cases of goods that went round, or that only looked so: `reference/cases.csv`, read and taken apart."""

from __future__ import annotations

from functools import cache

import polars as pl

from anomaly.contract import periods
from anomaly.contract.keys import ROUTE_KEY
from anomaly.reference import tables
from anomaly.reference.statements import is_about, parse_goods

CONTESTED = "contested"
KINDS = ("rise", "gap", "fall", "not_a_hub", "finding")
EVIDENCE = ("second_hand", "recomputed")
# Whether a flag on a case's route is right. Null: nobody can say so. Contested is what people disagree on, stopped was
# flagged with right before it fell, other is a way of another kind.
IS_EVASION: dict[str, bool | None] = {
    "evasion": True, "relabel": True, "benign": False, "backfill": False, CONTESTED: None, "stopped": None, "other": None,
}  # fmt: skip

# Judgements that disagree with a flag on the case's route, and what each claims.
CLAIMS_AGAINST = {
    CONTESTED: "both sides", "benign": "honest trade", "backfill": "a maker's own sales, no re-export",
}  # fmt: skip


@cache
def read() -> pl.DataFrame:
    """Published cases, one row a published statement, in the order of the file.

    Returns
    -------
    polars.DataFrame
        case_id; kind (rise: trade rose; gap: more was sent than arrived; fall: it fell; not_a_hub: a country whose rise has
        another reason; finding: an authority's, without a figure); judgement, one of IS_EVASION; exporters, importers,
        goods (lists, empty: all; goods are HS codes of two to six digits); goods_named; is_inferred (the codes are our
        reading of the words); start, end (first day of the first and last month of the period the case is about, null
        where none was published); period, before_period (text); before, after, change_percent (Float64, null where not
        published) in `unit`; publisher, source, url, published (date, null where not established), reviewed (date of our
        last look), evidence, says, says_otherwise (the other side of what is contested), pair (the same good and origin,
        judged for several hubs), regime (Settings.facts_of), is_evasion (see `_is_evasion`).

    Raises
    ------
    BadRequest
        For a period or list that cannot be read.
    """
    table = tables.read("cases.csv")
    spans = [_span(text) for text in table["period"]]
    return table.with_columns(
        pl.col("exporters", "importers").fill_null("").str.extract_all(r"[A-Z0-9]+"),
        goods=pl.Series([parse_goods(text) for text in table["goods"]], dtype=pl.List(pl.String)),
        is_inferred=pl.col("goods_inferred").is_not_null(),
        start=pl.Series([span[0] for span in spans], dtype=pl.Date),
        end=pl.Series([span[1] for span in spans], dtype=pl.Date),
        before=pl.col("before").cast(pl.Float64),
        after=pl.col("after").cast(pl.Float64),
        change_percent=pl.col("change_percent").cast(pl.Float64),
        published=pl.col("published").str.to_date(),
        reviewed=pl.col("reviewed").str.to_date(),
        is_evasion=_is_evasion(),
    ).drop("goods_inferred")


def _is_evasion() -> pl.Expr:
    """The label of a case. That a sum without codes holds what went round says of no good that it did: that is null."""
    judged = pl.col("judgement").replace_strict(IS_EVASION, return_dtype=pl.Boolean)
    return pl.when(pl.col("goods").is_not_null() | ~judged).then(judged)


def about(routes: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """The routes in windows that each case is about.

    A window is about a case where a month of it lies in the case's period; a case without one is about every window.

    Parameters
    ----------
    routes : polars.DataFrame
        schema.ROUTE_KEY and anything else.
    cases : polars.DataFrame
        `read`, or some of its rows.

    Returns
    -------
    polars.DataFrame
        schema.ROUTE_KEY and case_id; case by case, each route in a window once.
    """
    windows = routes.select(ROUTE_KEY).unique(maintain_order=True)
    traded = windows["good"].unique().sort().to_list()
    parts = [windows.head(0).with_columns(case_id=pl.lit(None, dtype=pl.String))]
    for case in cases.to_dicts():
        in_time = pl.lit(value=True)
        if case["start"] is not None:
            in_time = (pl.col("window_end") >= case["start"]) & (periods.first_month() <= case["end"])
        is_its_own = is_about(case["exporters"], case["importers"], case["goods"], traded)
        parts.append(windows.filter(in_time, is_its_own).with_columns(case_id=pl.lit(case["case_id"])))
    return pl.concat(parts)


def _span(text: str | None) -> tuple[object, object]:
    """First and last month of a period such as 2022, 2022H1 or 2022-01:2022-11."""
    if text is None:
        return None, None
    first, _, last = text.partition(":")
    return periods.parse_period(first).start, periods.parse_period(last or first).end
