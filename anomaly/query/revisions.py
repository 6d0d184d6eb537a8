"""What became of the flags from one run to the next, and whether revised figures or new periods did it. Pure.

Between the two runs stands a third, on the figures of the new one without the periods that the old one did not have: what it
changes is because figures were revised, what the new run changes beyond it is because of new periods.
"""

from __future__ import annotations

import polars as pl

PERIOD = ("source", "freq_code", "ref_date", "reporter_iso")
STATE = ("severity", "flag_type", "value_usd")  # a flag with another of these has moved
SHOWN = (*STATE, "q_value")
REVISED, NEW, BOTH = "revised", "new periods", "both"
APPEARED, VANISHED, MOVED = "appeared", "vanished", "moved"


def without_new(flows: pl.LazyFrame, coverage_before: pl.DataFrame) -> pl.LazyFrame:
    """The figures of a run without the periods that the run before did not have.

    Parameters
    ----------
    flows : polars.LazyFrame
        schema.Flows, of the new run.
    coverage_before : polars.DataFrame
        PERIOD: who had reported which period in the run before.

    Returns
    -------
    polars.LazyFrame
        The same columns, rows in their order.
    """
    return flows.join(coverage_before.select(PERIOD).unique().lazy(), on=PERIOD, how="semi", maintain_order="left")


def periods(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The reporters' periods that are new, revised or gone.

    Parameters
    ----------
    before, now : polars.DataFrame
        The table coverage of both runs.

    Returns
    -------
    polars.DataFrame
        PERIOD and change (new, revised, gone), sorted; periods with the same rows and the same value are left out.
    """
    of_period = [
        coverage.group_by(PERIOD)
        .agg(pl.sum("rows"), pl.sum("value_usd"))
        .rename({"rows": f"rows_{name}", "value_usd": f"usd_{name}"})
        for name, coverage in (("before", before), ("now", now))
    ]
    joined = of_period[0].join(of_period[1], on=PERIOD, how="full", coalesce=True)
    is_same = pl.col("rows_before").eq_missing(pl.col("rows_now")) & pl.col("usd_before").eq_missing(pl.col("usd_now"))
    change = (
        pl.when(pl.col("rows_before").is_null())
        .then(pl.lit("new"))
        .when(pl.col("rows_now").is_null())
        .then(pl.lit("gone"))
        .otherwise(pl.lit("revised"))
    )
    return joined.filter(~is_same).select(*PERIOD, change=change).sort(PERIOD)


def changes(before: pl.DataFrame, revised: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Flags that appeared, vanished or moved, and why.

    Parameters
    ----------
    before, revised, now : polars.DataFrame
        flag_id and SHOWN: flags of the run before, of the figures of now without new periods, of now.

    Returns
    -------
    polars.DataFrame
        flag_id, change (APPEARED, VANISHED or MOVED), because (REVISED, NEW or BOTH), and SHOWN before and now, null where
        there is no flag; sorted by change and flag_id. A flag that is as it was is left out.
    """
    joined = _named(before, "before").join(_named(now, "now"), on="flag_id", how="full", coalesce=True)
    joined = joined.join(_named(revised, "revised"), on="flag_id", how="left")
    is_new, is_old = (_same("revised", name) for name in ("now", "before"))
    change = (
        pl.when(pl.col("severity_before").is_null())
        .then(pl.lit(APPEARED))
        .when(pl.col("severity_now").is_null())
        .then(pl.lit(VANISHED))
        .otherwise(pl.lit(MOVED))
    )
    because = pl.when(is_new).then(pl.lit(REVISED)).when(is_old).then(pl.lit(NEW)).otherwise(pl.lit(BOTH))
    shown = [f"{name}_{when}" for name in SHOWN for when in ("before", "now")]
    differ = joined.filter(~_same("before", "now"))
    return (
        differ.select("flag_id", *shown, change=change, because=because)
        .select("flag_id", "change", "because", *shown)
        .sort("change", "flag_id")
    )


def _named(flags: pl.DataFrame, when: str) -> pl.DataFrame:
    return flags.select("flag_id", *(pl.col(name).alias(f"{name}_{when}") for name in SHOWN))


def _same(one: str, other: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(f"{name}_{one}").eq_missing(pl.col(f"{name}_{other}")) for name in STATE)
