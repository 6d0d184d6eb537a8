"""features + scores → flags."""

import polars as pl

from anomaly.schema import ROUTE_KEY
from pipelines.goods import families_of, links_read
from pipelines.job import Job, Run


def build(run: Run) -> None:
    """Routes that deserve a question, with the evidence."""
    from anomaly import codes, flags

    names = dict(codes.countries().select("iso3", "name").rows())
    found = flags.build(
        run.store.scan("features").join(run.store.scan("scores"), on=ROUTE_KEY, how="semi").collect(engine="streaming"),
        run.read("scores"),
        run.read("scores.contributions"),
        run.read("scores.calibration"),
        goods_lists(run),
        names,
        run.settings,
    )
    with run.writer() as writer:
        writer.add(found)


def goods_lists(run: Run) -> pl.DataFrame:
    """The scenario's goods lists with the family each code is compared in; a code of HS 2022 unless it says otherwise."""
    from anomaly import codes

    families = families_of(run).filter(pl.col("edition") == 6).select(hs6="cmd_code", family="good")
    lists = [codes.goods_list(one.file) for one in run.settings.goods_lists]
    if not lists:
        return pl.DataFrame(schema={"good": pl.String, "tier": pl.String, "valid_from": pl.Date, "valid_to": pl.Date})
    return (
        pl.concat(lists)
        .join(families, on="hs6", how="left")
        .select("tier", "valid_from", "valid_to", good=pl.coalesce("family", "hs6"))
    )


JOB = Job(
    "flags",
    "routes that deserve a question, with the evidence",
    build,
    reads=("flows", "features", "scores"),
    inputs=links_read,
)
