"""One date of the backtest: what would have been flagged on it, from what was out by then, through the stages of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from anomaly.backtest import as_of as replay
from anomaly.backtest import judge
from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame
from anomaly.sources import vintages
from anomaly.stages.order import through

_SCORED = ("scores", "scores.calibration", "scores.contributions")


@dataclass(frozen=True, slots=True)
class Day:
    """What a date's knowledge gives.

    Parameters
    ----------
    rows : polars.DataFrame
        judge.ranked: the routes of the newest windows, by ours and by every rival.
    calibration : polars.DataFrame
        schema.Calibration of these windows, with `as_of`.
    """

    rows: pl.DataFrame
    calibration: pl.DataFrame


def releases(flows: pl.LazyFrame) -> pl.DataFrame:
    """Which release holds which part of the trade; the same for all dates.

    Parameters
    ----------
    flows : polars.LazyFrame
        schema.Flows, every release.

    Returns
    -------
    polars.DataFrame
        vintages.GROUP, vintages.RELEASE and classification_code, each once.
    """
    return flows.select(*vintages.GROUP, *vintages.RELEASE, "classification_code").unique().collect(engine="streaming")


def replayed(
    flows: pl.LazyFrame,
    hidden: pl.DataFrame,
    released: pl.DataFrame,
    families: pl.DataFrame,
    broken: pl.DataFrame,
    freq: str,
    as_of: date,
    settings: Settings,
) -> Day | None:
    """The flags of one date from what was out by then, in memory.

    Families are those of the run, of all editions: a date that knew fewer would compare the same goods under other names.

    Parameters
    ----------
    flows : polars.LazyFrame
        schema.Flows, every release.
    hidden : polars.DataFrame
        flows.withheld, every release.
    released : polars.DataFrame
        `releases` of them.
    families, broken : polars.DataFrame
        The run's families and families.broken.
    freq : str
        A annual, M monthly.
    as_of : date
        The last day of a month.
    settings : Settings
        The scenario, and how long after a period each publisher's data are out.

    Returns
    -------
    Day or None
        None where nothing could be asked yet.
    """
    out = flows.filter(replay.is_out(as_of, settings))
    tables: dict[str, Frame] = {"flows": replay.current(out, released, as_of), "families": families}
    tables["flows.withheld"] = hidden.filter(replay.is_out(as_of, settings))
    reported = through(["current", "coverage", "coverage.scope"], tables, settings)
    if freq not in reported.read("coverage")["freq_code"].unique():
        return None
    tables = {**reported.frames, "families": families, "families.broken": broken}
    measured = through(["features", "inputs"], tables, settings)
    features, inputs = measured.read("features"), measured.read("inputs")
    windows = replay.newest(inputs, freq)
    scored = through(_SCORED, {"inputs": replay.of_windows(inputs, windows, settings)}, settings)
    tables = {**scored.frames, "features": features, "families": families, "policy_events": pl.DataFrame()}
    flags = through(["flagged"], tables, settings).read("flagged")
    routes = replay.routes(features, windows, scored.read("scores"), flags, settings)
    if not routes["is_candidate"].any():
        return None
    calibration = scored.read("scores.calibration").join(windows, on=WINDOW_KEY, how="semi")
    return Day(judge.ranked(routes, as_of), calibration.with_columns(as_of=pl.lit(as_of)))
