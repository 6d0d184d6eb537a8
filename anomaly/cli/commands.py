"""The command line: `anomaly query`, `series`, `explain` and what a person needs around them.

Thin: it reads tables, asks a pure function and writes the answer. Data go to stdout and everything else to stderr;
the exit code is that of errors.AnomalyError. Commands import what they need when they run, so that help is quick.
"""

from __future__ import annotations

import atexit
import gc
from pathlib import Path

import click

from anomaly.cli import case_commands, operating
from anomaly.cli.completion import codes, countries, countries_or_codes
from anomaly.cli.examples import with_examples
from anomaly.cli.options import (
    asked_data_option,
    by_option,
    data_option,
    format_option,
    leg_option,
    no_control,
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
    names, several with commas between; codes have two to ten digits, with or without dots, or are words such as
    smartphones; periods are 2022, 2022H1, H1 2022, 2022Q3, 2022-07, Jul 2022 or a range such as 2022-01:2022-11 or
    January to June 2022.
    """


def program() -> None:
    """`main` as a process of its own: what is imported stays to the end, so that no time goes into looking it over."""
    gc.set_threshold(_OBJECTS_BEFORE_A_WALK)
    atexit.register(gc.freeze)  # else it is all looked over once more on the way out, a sixth of a short answer's time
    as_process(main)


@main.command()
@text_argument("code", codes)
@text_option("--exporter", countries, help="Country, several with commas between, or EU27 or coalition added up.")
@text_option("--importer", countries, help="Country, several with commas between, or EU27 or coalition added up.")
@text_option(
    "--period",
    help="2022, 2022H1, 2022Q3, Jul 2022 or 2022-01:2022-11; the newest with a flag if not told, else the newest.",
)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most rows.")
@text_option("--source", help="Only this publisher's figures, a name of `anomaly sources`.")
@text_option("--currency", default="USD", show_default=True, help="Amounts as reported in this currency, from flows.")
@asked_data_option
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

    CODE is a good (8517.12 and 8517.13 are the same family), its name, the first two to five digits of several, or TOTAL
    for all goods added up. Flagged routes stand first. 0 is known to be nothing; "not reported" is unknown. A window is flagged where it is as a
    whole or, which is then said, a quarter or a half of it is; several looks find more by chance than one, so q is
    that of the part.
    """
    from anomaly.cli import answers, store

    answers.query(store.Asked(code, exporter, importer, period, source, currency), limit=limit, data=data, form=form)


@main.command()
@text_argument("code", codes)
@text_argument("exporter", countries)
@text_argument("importer", countries)
@click.option(
    "--freq", type=click.Choice(["A", "M", "Q"]), help="Annual, monthly or quarterly data only; all if not told."
)
@text_option("--period", help="Only these periods, such as 2021:2023.")
@text_option("--source", help="Only this publisher's figures, a name of `anomaly sources`.")
@text_option("--currency", default="USD", show_default=True, help="Amounts as reported in this currency, from flows.")
@asked_data_option
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

    CODE, EXPORTER and IMPORTER as for `anomaly query`; several goods or countries are added up. A terminal
    shows each side as a line of blocks too, from 0 to its largest.
    """
    from anomaly.cli import answers, store

    answers.series(store.Asked(code, exporter, importer, period, source, currency), freq=freq, data=data, form=form)


@main.command()
@text_argument("subject")
@click.option("--reproduce", is_flag=True, help="Fit the forest again and compare the score.")
@text_option("--scenario", help="An error unless it is the one that made the tables, which is used in any case.")
@asked_data_option
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
@asked_data_option
@format_option
@spoken
def goods(period: str | None, limit: int, data: Path, form: str) -> None:
    """Goods by how much of their trade to the targets is flagged."""
    _rollup("good", period, limit, data, form)


@main.command()
@text_option("--period", help="As for `anomaly query`; the newest if not told.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most rows.")
@asked_data_option
@format_option
@spoken
def hubs(period: str | None, limit: int, data: Path, form: str) -> None:
    """Exporters by how much of their trade to the targets is flagged."""
    _rollup("hub", period, limit, data, form)


@main.command()
@text_argument("first", countries_or_codes)
@text_argument("second", countries_or_codes)
@text_option("--period", help="As for `anomaly query`; all windows of the run if not told.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most windows.")
@asked_data_option
@format_option
@spoken
def compare(first: str, second: str, period: str | None, limit: int, data: Path, form: str) -> None:
    """Two hubs, or two goods, side by side in the same windows: trade with the targets, and what of it is flagged.

    FIRST and SECOND are two countries, or two codes or names of goods. People see a row a window; csv and json hold a row
    a window and subject, with routes, year before, share and best q too.
    """
    from anomaly.cli import compare as comparing

    comparing.compare(first, second, period, limit=limit, data=data, form=form)


@main.command()
@leg_option
@by_option
@text_option("--hub", countries, help="Only this country.")
@text_option("--period", help="As for `anomaly query`; the newest if not told.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most rows.")
@asked_data_option
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
@asked_data_option
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
@asked_data_option
@format_option
@spoken
def tables(name: str | None, data: Path, form: str) -> None:
    """The tables with their rows, or the columns of table NAME with type, unit and meaning."""
    from anomaly.cli import lists

    lists.tables(name, data, form)


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
@asked_data_option
@format_option
@spoken
def report(data: Path, form: str) -> None:
    """Where the newest reports lie, one line per format."""
    from anomaly.cli import lists

    lists.report(data, form)


for command in (*operating.COMMANDS, *case_commands.COMMANDS):
    main.add_command(command)
with_examples(main)
