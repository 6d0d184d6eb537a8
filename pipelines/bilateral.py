"""flows + coverage → bilateral, some thousands of goods at a time."""

from collections.abc import Iterator

import polars as pl

from pipelines.goods import breaks_of, broken_of, current_flows, editions_of, families_of, links_read
from pipelines.job import Job, Run

ROWS_AT_A_TIME = 1_000_000


def build(run: Run) -> None:
    """Both sides of every route side by side."""
    from anomaly import sources
    from anomaly.bilateral import bilateral
    from anomaly.reference import countries

    who = run.read("coverage")
    families = families_of(run)
    flows = current_flows(run, families)
    precedence = {source.name: source.precedence for source in sources.SOURCES}
    scope, since = run.read("coverage.scope"), min(run.settings.baseline_years)
    with run.writer(sort=("good",)) as writer, run.progress("goods", scope["code"].n_unique()) as advance:
        for goods in portions(scope):
            some = flows.filter(of_goods(goods, families), pl.col("good").is_in(goods.implode()))
            writer.add(bilateral.build(some, who, scope, countries.table(), precedence, since))
            advance(goods.len())
        # What a question must know of the goods: the raw folder, where a table of links may lie, is not at its hand.
        goods = scope.filter(pl.col("dimension") == "good")["code"].unique().sort()
        writer.add(families.select("edition", "cmd_code", "good"), "bilateral.families")
        writer.add(broken_of(goods, editions_of(run), breaks_of(run)), "bilateral.broken")


def of_goods(goods: pl.Series, families: pl.DataFrame) -> pl.Expr:
    """Codes from the first good of a portion to its last, and members of its families that lie elsewhere.

    A range is what row groups can be left out by: flows are sorted by code within a part.
    """
    first, last = str(goods[0]).rstrip("+"), str(goods[-1]).rstrip("+") + "~"
    code = pl.col("cmd_code")
    inside = code.is_between(pl.lit(first), pl.lit(last))
    members = families.filter(pl.col("good").is_in(goods.implode()))["cmd_code"]
    elsewhere = members.filter((members < first) | (members > last)).unique().sort()
    if elsewhere.is_empty():
        return inside
    return inside | pl.any_horizontal(code.is_between(pl.lit(one), pl.lit(f"{one}~")) for one in elsewhere)


def portions(scope: pl.DataFrame) -> Iterator[pl.Series]:
    """Goods in order, in portions of about ROWS_AT_A_TIME rows of flows; those of a heading stay together."""
    from anomaly.features.neighbour_codes import HEADING_DIGITS

    rows = scope.filter(pl.col("dimension") == "good").group_by("code").agg(pl.col("rows").sum()).sort("code")
    heading = pl.col("code").str.slice(0, HEADING_DIGITS)
    portion = (pl.col("rows").cum_sum() - 1) // ROWS_AT_A_TIME  # over all goods, and only then over a heading
    begins = rows.with_columns(portion=portion).with_columns(pl.col("portion").first().over(heading))
    for part in begins.partition_by("portion", maintain_order=True):
        yield part["code"]


JOB = Job("bilateral", "both sides of every route side by side", build, reads=("flows", "coverage"), inputs=links_read)
