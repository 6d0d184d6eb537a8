"""The command line: `anomaly query`, `series`, `explain` and what a person needs around them.

Thin: it reads tables, asks a pure function and writes the answer. Data go to stdout and everything else to stderr;
the exit code is that of errors.AnomalyError. Commands import what they need when they run, so that help is quick.
"""

from __future__ import annotations

import atexit
import gc
from pathlib import Path
from typing import Any

import click

from anomaly.cli import case_commands
from anomaly.cli.options import (
    by_option,
    data_option,
    folder_or_none,
    format_option,
    leg_option,
    log_format_option,
    no_control,
    no_control_each,
    raw_option,
    scenario_option,
    text_argument,
    text_option,
)
from anomaly.cli.spoken import spoken
from pipelines.streams import as_process

_OBJECTS_BEFORE_A_WALK = 200_000  # imports make 62,000, and all of them stay


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="anomaly", message="%(version)s")
def main() -> None:
    """Find routes on which sanctioned goods may go round, in public trade statistics.

    A flag is a question to ask, with its evidence; it accuses nobody. Countries are ISO-2, ISO-3 or English
    names; codes have two to eight digits, with or without dots; periods are 2022, 2022H1, 2022Q3, 2022-07 or
    a range such as 2022-01:2022-11.
    """


def program() -> None:
    """`main` as a process of its own: what is imported stays to the end, so that no time goes into looking it over."""
    gc.set_threshold(_OBJECTS_BEFORE_A_WALK)
    atexit.register(gc.freeze)  # else it is all looked over once more on the way out, a sixth of a short answer's time
    as_process(main)


@main.command()
@text_argument("code")
@text_option("--exporter", help="Country, or EU27 or coalition added up.")
@text_option("--importer", help="Country, or EU27 or coalition added up.")
@text_option("--period", help="2022, 2022H1, 2022Q3, 2022-07 or 2022-01:2022-11; the newest if not told.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most rows.")
@text_option("--source", help="Only this publisher's figures, a name of `anomaly sources`.")
@text_option("--currency", default="USD", show_default=True, help="Amounts as reported in this currency, from flows.")
@data_option
@format_option
@spoken
def query(
    code: str,
    exporter: str | None,
    importer: str | None,
    period: str | None,
    limit: int,
    source: str | None,
    currency: str,
    data: Path,
    form: str,
) -> None:
    """Routes of a good in a window: value, year before, change, baseline, flagged or not, and why.

    CODE is a good (8517.12 and 8517.13 are the same family), the first two to five digits of several, or TOTAL
    for all goods added up. 0 is known to be nothing; "not reported" is unknown. A window is flagged where it is as a
    whole or, which is then said, a quarter or a half of it is; several looks find more by chance than one, so q is
    that of the part.
    """
    from anomaly.cli import answers, store

    answers.query(store.Asked(code, exporter, importer, period, source, currency), limit=limit, data=data, form=form)


@main.command()
@text_argument("code")
@text_argument("exporter")
@text_argument("importer")
@click.option(
    "--freq", type=click.Choice(["A", "M", "Q"]), help="Annual, monthly or quarterly data only; all if not told."
)
@text_option("--period", help="Only these periods, such as 2021:2023.")
@text_option("--source", help="Only this publisher's figures, a name of `anomaly sources`.")
@text_option("--currency", default="USD", show_default=True, help="Amounts as reported in this currency, from flows.")
@data_option
@format_option
@spoken
def series(
    code: str,
    exporter: str,
    importer: str,
    freq: str | None,
    period: str | None,
    source: str | None,
    currency: str,
    data: Path,
    form: str,
) -> None:
    """One route period by period, as its exporter and its importer report it.

    CODE, EXPORTER and IMPORTER as for `anomaly query`; several goods or countries are added up.
    """
    from anomaly.cli import answers, store

    answers.series(store.Asked(code, exporter, importer, period, source, currency), freq=freq, data=data, form=form)


@main.command()
@text_argument("subject")
@click.option("--reproduce", is_flag=True, help="Fit the forest again and compare the score.")
@text_option("--scenario", help="An error unless it is the one that made the tables, which is used in any case.")
@data_option
@format_option
@spoken
def explain(subject: str, reproduce: bool, scenario: str | None, data: Path, form: str) -> None:
    """Everything about one flag or route: windows, indicators, score, both mirror sides, and the raw files.

    SUBJECT is a flag's name as `anomaly query` gives it, or CODE:EXPORTER:IMPORTER[:PERIOD]; the exporter coalition is
    all of it as one, and the importer then the hub.
    """
    from anomaly.cli import explain

    explain.explain(subject, reproduce=reproduce, scenario=scenario, data=data, form=form)


def _rollup(name: str, period: str | None, limit: int, data: Path, form: str) -> None:
    from anomaly.cli import answers

    answers.rollup(name, period, limit=limit, data=data, form=form)


@main.command()
@text_option("--period", help="As for `anomaly query`; the newest if not told.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most rows.")
@data_option
@format_option
@spoken
def goods(period: str | None, limit: int, data: Path, form: str) -> None:
    """Goods by how much of their trade to the targets is flagged."""
    _rollup("good", period, limit, data, form)


@main.command()
@text_option("--period", help="As for `anomaly query`; the newest if not told.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most rows.")
@data_option
@format_option
@spoken
def hubs(period: str | None, limit: int, data: Path, form: str) -> None:
    """Exporters by how much of their trade to the targets is flagged."""
    _rollup("hub", period, limit, data, form)


@main.command()
@leg_option
@by_option
@text_option("--hub", help="Only this country.")
@text_option("--period", help="As for `anomaly query`; the newest if not told.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most rows.")
@data_option
@format_option
@spoken
def leakage(leg: str, by: str, hub: str | None, period: str | None, limit: int, data: Path, form: str) -> None:
    """What went to hubs, and from hubs to targets, beyond what can be explained, with its interval.

    Of goods whose direct trade fell, beside what the direct trade lost. The legs are the same goods on one way: never add
    them up. How often such intervals held where nothing can have gone round is said on stderr.
    """
    from anomaly.cli import legs

    legs.leakage(leg.replace("-", " "), by, hub, period, limit=limit, data=data, form=form)


@main.command()
@click.option("--doubts", is_flag=True, help="What the data leave in doubt instead: file, rule, figures, what to do.")
@data_option
@format_option
@spoken
def sources(*, doubts: bool, data: Path, form: str) -> None:
    """Publishers' formats that can be read, or what of the files that were read is in doubt or set aside."""
    from anomaly.cli import lists

    if doubts:
        lists.doubts(data, form)
    else:
        lists.sources(data, form)


@main.command("map")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--write", is_flag=True, help="Write it beside the file as <name>.toml, unless one is there.")
@spoken
def map_file(file: Path, *, write: bool) -> None:
    """Look at a table and write a first mapping for it, its doubts as comments."""
    from anomaly.cli import lists

    lists.draft(file, is_written=write)


@main.command()
@data_option
@format_option
@spoken
def scenarios(data: Path, form: str) -> None:
    """Sanctions regimes that come with the program, and which of them made the tables."""
    from anomaly.cli import lists

    lists.scenarios(data, form)


@main.command()
@format_option
@spoken
def indicators(form: str) -> None:
    """What is measured of a route, with unit, threshold and source."""
    from anomaly.cli import lists

    lists.indicators(form)


@main.command()
@click.argument("name", required=False, callback=no_control)
@data_option
@format_option
@spoken
def tables(name: str | None, data: Path, form: str) -> None:
    """The tables with their rows, or the columns of table NAME with type, unit and meaning."""
    from anomaly.cli import lists

    lists.tables(name, data, form)


@main.command()
@raw_option
@log_format_option
@click.option(
    "--quarantine/--strict",
    "is_quarantine",
    default=False,
    show_default=True,
    envvar="ANOMALY_QUARANTINE",
    show_envvar=True,
    help="Set files that cannot be read aside and end with 3; strict: end at once, all of them named.",
)
@scenario_option
@data_option
@spoken
def run(raw: Path, log_format: str | None, scenario: str, data: Path, *, is_quarantine: bool) -> None:
    """Read the raw files, compute every table and write the reports."""
    from anomaly.cli import lists

    raise click.exceptions.Exit(lists.run(raw, scenario, data, log_format, is_quarantine=is_quarantine))


@main.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...", callback=no_control_each)
@click.option("--plan", "is_plan", is_flag=True, help="Say what would be asked, and ask nobody.")
@raw_option
@text_option("--since", help="Only periods from this one on, such as 2024 or 2024-07.")
@click.option(
    "--key-file",
    type=click.File("r", encoding="utf-8"),
    metavar="FILE",
    help="File with the key of the one source that is named; else the variable that docs/fetch.md names.",
)
@log_format_option
@scenario_option
@format_option
@spoken
def fetch(
    names: tuple[str, ...],
    raw: Path,
    since: str | None,
    key_file: Any,
    log_format: str | None,
    scenario: str,
    form: str,
    *,
    is_plan: bool,
) -> None:
    """Bring raw files from their publishers: what the scenario needs, is out and does not lie there.

    All publishers if no SOURCE is told. What was brought stays, whatever happens, and the same command goes on from there.
    """
    from anomaly.cli import fetching

    key_text = key_file.read(10_000) if key_file else None
    asked = fetching.Asked(names, raw, scenario, since, key_text)
    if is_plan:
        fetching.plan(asked, form)
    else:
        raise click.exceptions.Exit(fetching.fetch(asked, form, log_format))


@main.command()
@raw_option
@click.option(
    "--page",
    "page_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Put all figures into this page, between its two marks, and chart and figures into files beside it.",
)
@click.option(
    "--summary",
    "summary_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Put a few rows into this page too, between its two marks; with --page.",
)
@scenario_option
@data_option
@format_option
@spoken
def backtest(
    raw: Path, page_file: Path | None, summary_file: Path | None, scenario: str, data: Path, form: str
) -> None:
    """What would have been flagged as of each date, and how much of it was right, beside simpler rankings.

    People see the figures over all dates; csv and json hold every figure of every date. Minutes of work the first
    time; nothing is done again where nothing has changed.
    """
    from anomaly.cli import backtest

    backtest.backtest(raw, page_file, summary_file, scenario=scenario, data=data, form=form)


@main.command()
@data_option
@format_option
@spoken
def report(data: Path, form: str) -> None:
    """Where the newest reports lie, one line per format."""
    from anomaly.cli import lists

    lists.report(data, form)


@main.command()
@click.option(
    "--raw", default=None, callback=folder_or_none, metavar="DIR", help="Raw files; the last run's if not told."
)
@data_option
@format_option
@spoken
def verify(raw: Path | None, data: Path, form: str) -> None:
    """Read tables, documents and raw files again and name any that is not what was written or read."""
    from anomaly.cli import whole

    whole.verify(data, raw, form)


for command in case_commands.COMMANDS:
    main.add_command(command)
