"""`anomaly backtest`: the job, the figures side by side, and the table of the README."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anomaly.backtest import page
from anomaly.backtest.judge import ALL
from anomaly.cli.output import line, say, show
from anomaly.cli.store import open_store

FIGURES, CHART = "docs/backtest.csv", "docs/backtest.svg"


def backtest(raw: Path, readme: Path | None, *, scenario: str, data: Path, form: str) -> None:
    """Answer `anomaly backtest`. Raises AnomalyError where there are no flows, or no marks in the page."""
    from pipelines import run as jobs

    store = open_store(data)
    jobs.main(raw, data, scenario, "backtest")
    table = store.read("backtest")
    if readme is not None:
        _write(table, readme)
    if form != "table" and form != "markdown":
        show(table, form)
    elif table.is_empty():
        line("there is no date at which a route to a target could be asked about")
    else:
        rows = page.summary(table)
        plain = [{key: text.replace(page.BOLD, "*") for key, text in row.items()} for row in rows]
        show(rows if form == "markdown" else plain, form)


def dates_of(table: pl.DataFrame) -> list[str]:
    """As-of dates of the figures, in order."""
    return sorted(set(table["as_of"]) - {ALL})


def _write(table: pl.DataFrame, readme: Path) -> None:
    """The page's block, the chart, and the figures that both are made of."""
    figures = readme.parent / FIGURES
    told = page.block(table, dates_of(table), CHART)
    readme.write_text(page.put(readme.read_text(encoding="utf-8"), told), encoding="utf-8")
    figures.parent.mkdir(exist_ok=True)
    page.kept(table).with_columns(dates=pl.lit(" ".join(dates_of(table)))).write_csv(figures)
    (readme.parent / CHART).write_text(page.draw(table), encoding="utf-8")
    say(f"{readme}, {FIGURES} and {CHART} are written")
