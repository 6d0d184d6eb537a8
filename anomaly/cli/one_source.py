"""What an answer without rows means where one publisher was asked: it said nothing, nothing of it is held, or it never was."""

from __future__ import annotations

import polars as pl

from anomaly.contract.periods import Window
from anomaly.query.question import Question
from anomaly.store.store import Store

REPORTED, NOTHING_REPORTED, NOTHING_HELD, NOT_ASKED = "reported", "nothing_reported", "nothing_held", "not_asked"


def source_answer(store: Store, question: Question, period: Window | None, rows: pl.DataFrame) -> tuple[str, str]:
    """What the rows of one publisher mean, and a sentence where there are none.

    Parameters
    ----------
    store : Store
        With coverage of what was read.
    question : Question
        With a source.
    period : Window or None
        Asked for; None where any will do.
    rows : polars.DataFrame
        The answer.

    Returns
    -------
    word : str
        reported; nothing_reported: a side has published such a period and the publisher's data hold the good, without a
        row of it; nothing_held: no period of either side, or not the good, is in what was read of the publisher; not_asked:
        no file of it was read. Empty where no source was named.
    sentence : str
        Empty where rows are reported.
    """
    name = question.source
    if name is None:
        return "", ""
    if rows.height:
        return REPORTED, ""
    coverage = store.read("coverage", where=pl.col("source") == name) if store.exists("coverage") else pl.DataFrame()
    if coverage.is_empty():
        return NOT_ASKED, (
            f"not asked: no file of {name} was read, so it says neither 0 nor anything else; lay its files under the raw "
            "folder and run again, or leave --source out"
        )
    of_sides = coverage.filter(_is_of_sides(question))
    if of_sides.is_empty():
        return NOTHING_HELD, f"nothing held: what was read of {name} has no report of either side, so 0 is not known"
    in_period = of_sides if period is None else of_sides.filter(_is_in(period))
    if in_period.is_empty():
        first, last = of_sides.select(pl.col("ref_date").min().alias("f"), pl.col("ref_date").max().alias("l")).row(0)
        return NOTHING_HELD, (
            f"nothing held: what was read of {name} has reports of these sides from {first:%Y-%m} to {last:%Y-%m} only, "
            "so 0 is not known"
        )
    if question.goods is not None and store.exists("coverage.scope"):
        scope = store.read("coverage.scope", where=pl.col("source") == name).filter(pl.col("dimension") == "good")
        held = scope.join(
            in_period.select("dataset", "freq_code", "flow_code").unique(), on=["dataset", "freq_code", "flow_code"]
        )
        if held.with_columns(good="code").filter(question.goods).is_empty():
            return (
                NOTHING_HELD,
                f"nothing held: what was read of {name} has no trade of anybody in this good, so 0 is not known",
            )
    return NOTHING_REPORTED, f"nothing reported: {name} has reports of these sides for it, and no such trade in them"


def _is_of_sides(question: Question) -> pl.Expr:
    reporter = pl.col("reporter_iso")

    def is_among(side: object) -> pl.Expr:
        return pl.lit(value=True) if side is None else reporter.is_in(list(side.members))  # type: ignore[attr-defined]

    exports = (pl.col("flow_code") == "X") & is_among(question.exporter)
    return exports | ((pl.col("flow_code") == "M") & is_among(question.importer))


def _is_in(period: Window) -> pl.Expr:
    """A year's report is dated at its first day, which may lie before the period."""
    begins = pl.col("ref_date")
    is_year = (pl.col("freq_code") == "A") & (begins.dt.year() == period.end.year)
    return begins.is_between(pl.lit(period.start), pl.lit(period.end)) | is_year
