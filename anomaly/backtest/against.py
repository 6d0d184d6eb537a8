"""What the flags of every date are held against: what was planted, or goods lists and published cases."""

from __future__ import annotations

import polars as pl

from anomaly.backtest import judge, truth

EXTRACT = "DS-045409"  # of the Comext file that is an extract of goods under EU sanctions
MOST_GOODS_OF_AN_EXTRACT = 2_500  # with more, the dataset is the whole nomenclature and says nothing of a good


def planted(rows: pl.DataFrame, calibration: pl.DataFrame) -> pl.DataFrame:
    """The figures of a simulated world: every route is held against what was planted.

    Parameters
    ----------
    rows, calibration : polars.DataFrame
        Those of every day.Day.

    Returns
    -------
    polars.DataFrame
        schema.Backtest.
    """
    from anomaly import world

    labels = world.build().labels
    rows = truth.planted(rows, labels).drop("planted").rename({"is_evasion": judge.PLANTED})
    events, known = truth.of_labels(rows, labels), int(labels["is_evasion"].sum())
    return judge.build(rows, [judge.PLANTED], events, calibration, judge.PLANTED, known)


def published(rows: pl.DataFrame, calibration: pl.DataFrame, lists: pl.DataFrame, extract: pl.Series) -> pl.DataFrame:
    """The figures of reported trade, held against dated goods lists and against published cases.

    Parameters
    ----------
    rows, calibration : polars.DataFrame
        Those of every day.Day.
    lists : polars.DataFrame
        The scenario's goods lists: good, tier, valid_from, valid_to.
    extract : polars.Series
        `goods_of_extract`.

    Returns
    -------
    polars.DataFrame
        schema.Backtest.
    """
    from anomaly.reference import cases

    rows = rows.with_columns(
        chpl_as_of=truth.listed(rows, lists, is_dated=True), chpl_final=truth.listed(rows, lists, is_dated=False)
    )
    judges = ["chpl_as_of", "chpl_final"]
    if len(extract):
        rows = rows.with_columns(comext_extract=pl.col("good").is_in(extract.implode()))
        judges.append("comext_extract")
    every = cases.read()
    known = int(every["kind"].is_in([kind for kind, is_evasion in truth.IS_EVASION.items() if is_evasion]).sum())
    return judge.build(rows, judges, truth.of_cases(rows, every), calibration, judge.CASES, known)


def goods_of_extract(scope: pl.DataFrame) -> pl.Series:
    """Goods of a publisher's extract of goods under EU sanctions.

    Parameters
    ----------
    scope : polars.DataFrame
        coverage.scope.

    Returns
    -------
    polars.Series
        Sorted; none where the dataset is no extract.
    """
    of_extract = (pl.col("dimension") == "good") & pl.col("dataset").str.contains(EXTRACT, literal=True)
    goods = scope.filter(of_extract)["code"].unique().sort()
    return goods if len(goods) <= MOST_GOODS_OF_AN_EXTRACT else goods.clear()
