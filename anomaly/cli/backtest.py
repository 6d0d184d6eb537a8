"""`anomaly backtest`: the job, the figures side by side, and the tables of docs and README."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anomaly.backtest import page
from anomaly.backtest.judge import ALL
from anomaly.cli.output import line, say, show
from anomaly.cli.store import open_store
from anomaly.contract.errors import BadRequest
from anomaly.store.store import Store

FIGURES, CHART = "backtest.csv", "backtest.svg"  # beside the page


def backtest(
    raw: Path, page_file: Path | None, summary_file: Path | None, *, scenario: str, data: Path, form: str
) -> None:
    """Answer `anomaly backtest`: run the job, print its figures, and write them into pages where told.

    Parameters
    ----------
    raw : pathlib.Path
        Folder of the raw files.
    page_file : pathlib.Path, optional
        Page whose block between marks is written anew, FIGURES and CHART beside it.
    summary_file : pathlib.Path, optional
        Page that gets the short table; only beside page_file.
    scenario : str
        Its name or TOML file.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS; table and markdown show a summary, the others every figure.

    Raises
    ------
    BadRequest
        Where there is a summary_file without a page_file.
    AnomalyError
        Where there are no flows, or no marks in the page.
    """
    from pipelines import run as jobs

    if summary_file is not None and page_file is None:
        raise BadRequest("--page beside --summary", "--summary alone", hint="the short table stands for the page's")
    open_store(data)  # an error that says so, where there is nothing to replay
    jobs.main(raw, data, scenario, "backtest")
    table = Store(data).read(
        "backtest"
    )  # what the job has just made, also where it is not of the run that questions see
    if page_file is not None:
        _write(table, page_file, summary_file)
    if form != "table" and form != "markdown":
        show(table, form)
    elif table.is_empty():
        line("there is no date at which a route to a target could be asked about")
    else:
        rows = page.summary(table)
        plain = [{key: text.replace(page.BOLD, "*") for key, text in row.items()} for row in rows]
        show(rows if form == "markdown" else plain, form)


def dates_of(table: pl.DataFrame) -> list[str]:
    """As-of dates of the figures, in order.

    Parameters
    ----------
    table : polars.DataFrame
        The table backtest.

    Returns
    -------
    list of str
        Each once, without the rows that stand for all dates.
    """
    return sorted(set(table["as_of"]) - {ALL})


def _write(table: pl.DataFrame, page_file: Path, summary_file: Path | None) -> None:
    """The page's block, the chart and the figures beside it, and the few rows of the other page."""
    dates = dates_of(table)
    _put(page_file, page.block(table, dates, CHART))
    page.rows_shown(table).with_columns(dates=pl.lit(" ".join(dates))).write_csv(page_file.parent / FIGURES)
    (page_file.parent / CHART).write_text(page.draw(table), encoding="utf-8")
    if summary_file is not None:
        _put(summary_file, page.brief(table, dates))
    also = f", and {summary_file}" if summary_file is not None else ""
    say(f"{page_file} is written, {FIGURES} and {CHART} beside it{also}")


def _put(file: Path, block: str) -> None:
    file.write_text(page.put(file.read_text(encoding="utf-8"), block), encoding="utf-8")
