"""What the flags of every date are held against: what was planted, or goods lists and published cases."""

from __future__ import annotations

import polars as pl

from anomaly.backtest import judge, truth
from anomaly.contract.settings import Settings

MOST_GOODS_OF_AN_EXTRACT = 2_500  # with more, the dataset is the whole nomenclature and says nothing of a good


def planted(rows: pl.DataFrame, calibration: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The figures of a simulated world: every route is held against what was planted.

    Parameters
    ----------
    rows, calibration : polars.DataFrame
        Those of every day.Day.
    settings : Settings
        Scenario: whose world it is.

    Returns
    -------
    polars.DataFrame
        schema.Backtest.
    """
    from anomaly import world

    labels = world.build(description=world.describe(settings.facts_of)).labels
    rows = truth.planted(rows, labels).drop("planted").rename({"is_evasion": judge.PLANTED})
    events, evasions = truth.of_labels(rows, labels), int(labels["is_evasion"].sum())
    return judge.build(rows, [judge.PLANTED], events, calibration, judge.PLANTED, evasions)


def published(
    rows: pl.DataFrame, calibration: pl.DataFrame, lists: pl.DataFrame, scope: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """The figures of reported trade, held against dated goods lists and against published cases.

    Parameters
    ----------
    rows, calibration : polars.DataFrame
        Those of every day.Day.
    lists : polars.DataFrame
        The scenario's goods lists: good, tier, valid_from, valid_to.
    scope : polars.DataFrame
        coverage.scope, for the goods of `listed_dataset`.
    settings : Settings
        Scenario: whose cases, and which dataset holds listed goods only.

    Returns
    -------
    polars.DataFrame
        schema.Backtest.
    """
    from anomaly.reference import cases

    rows = rows.with_columns(
        list_as_of=truth.listed(rows, lists, is_dated=True), list_final=truth.listed(rows, lists, is_dated=False)
    )
    judges = ["list_as_of", "list_final"]
    extract = goods_of_extract(scope, settings.listed_dataset)
    if len(extract):
        rows = rows.with_columns(listed_dataset=pl.col("good").is_in(extract.implode()))
        judges.append("listed_dataset")
    of_regime = cases.read().filter(pl.col("regime") == settings.facts_of)
    evasions = int(of_regime["is_evasion"].sum())
    return judge.build(rows, judges, truth.of_cases(rows, of_regime), calibration, judge.CASES, evasions)


def goods_of_extract(scope: pl.DataFrame, dataset: str | None) -> pl.Series:
    """Goods of a publisher's dataset that holds goods under the measures only.

    Parameters
    ----------
    scope : polars.DataFrame
        coverage.scope.
    dataset : str, optional
        A part of the dataset's name.

    Returns
    -------
    polars.Series
        Sorted; none where there is no such dataset, or it is whole.
    """
    if not dataset:
        return pl.Series([], dtype=pl.String)
    of_extract = (pl.col("dimension") == "good") & pl.col("dataset").str.contains(dataset, literal=True)
    goods = scope.filter(of_extract)["code"].unique().sort()
    return goods if len(goods) <= MOST_GOODS_OF_AN_EXTRACT else goods.clear()
