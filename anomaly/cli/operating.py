"""The commands that run and keep the tables, for a person or a schedule: run, fetch, health, prune, revisions, verify."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from anomaly.cli.options import (
    as_of_option,
    asked_data_option,
    data_option,
    folder_or_none,
    format_option,
    log_format_option,
    no_control,
    no_control_each,
    raw_option,
    scenario_option,
    text_option,
)
from anomaly.cli.spoken import spoken


@click.command()
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
@click.option(
    "--fetch",
    "sources_fetched",
    is_flag=False,
    flag_value="all",
    default=None,
    callback=no_control,
    metavar="[SOURCES]",
    help="Fetch first, as `anomaly fetch`: all, or names such as comext,ecb. What fails there does not stop the run: it ends with 3.",
)
@as_of_option
@scenario_option
@data_option
@spoken
def run(
    raw: Path,
    log_format: str | None,
    sources_fetched: str | None,
    as_of: date | None,
    scenario: str,
    data: Path,
    *,
    is_quarantine: bool,
) -> None:
    """Read the raw files, compute every table, write the reports, and read again what was written.

    Nobody is asked over the network without --fetch. With --as-of tables and reports go to a folder of their own beside
    that of --data, which questions with the same --as-of read.
    """
    from anomaly.cli import lists

    named = None if sources_fetched is None else sources_fetched.replace(",", " ").split()
    fetched = None if named is None else [] if named == ["all"] else named
    code = lists.run(raw, scenario, data, log_format, is_quarantine=is_quarantine, as_of=as_of, fetched=fetched)
    raise click.exceptions.Exit(code)


@click.command()
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


@click.command()
@click.option(
    "--hours", type=click.IntRange(1, 10_000), default=36, show_default=True, help="A last run is too old after these."
)
@data_option
@format_option
@spoken
def health(hours: int, data: Path, form: str) -> None:
    """Whether the nights go well: how the last run ended, age of the figures, rows, rejected rows.

    Ends with 0 where all is well, with 3 where something needs a look. For a schedule of its own.
    """
    from anomaly.cli import health as checks

    raise click.exceptions.Exit(checks.health(data, form, hours))


@click.command()
@click.option(
    "--raw", default=None, callback=folder_or_none, metavar="DIR", help="Raw files; the last run's if not told."
)
@asked_data_option
@format_option
@spoken
def verify(raw: Path | None, data: Path, form: str) -> None:
    """Read tables, documents and raw files again and name any that is not what was written or read."""
    from anomaly.cli import whole

    whole.verify(data, raw, form)


@click.command()
@click.option("--years", type=click.IntRange(1, 1_000), default=10, show_default=True, help="What is younger is kept.")
@click.option("--dry-run/--yes", "is_dry", default=True, show_default=True, help="Say what would go, or delete it.")
@raw_option
@data_option
@format_option
@spoken
def prune(years: int, raw: Path, data: Path, form: str, *, is_dry: bool) -> None:
    """What is older than it has to be kept: reports, raw releases that newer ones replaced, left over versions.

    Nothing is deleted without --yes, and never what a report that stays, or one of the two last runs, names.
    """
    from anomaly.cli import pruned

    pruned.prune(data, raw, form, years, is_deleted=not is_dry)


@click.command()
@data_option
@format_option
@spoken
def revisions(data: Path, form: str) -> None:
    """Flags that appeared, vanished or moved since the run before: because figures were revised, or of new periods.

    Takes a run's time: all is reckoned once more from the revised figures without the new periods.
    """
    from anomaly.cli import revised

    revised.changed(data, form)


COMMANDS: tuple[click.Command, ...] = (run, fetch, health, prune, revisions, verify)
