"""The commands about cases: cases, diff."""

from __future__ import annotations

from pathlib import Path

import click

from anomaly.cli.completion import countries
from anomaly.cli.options import asked_data_option, folder_or_none, format_option, text_option
from anomaly.cli.spoken import spoken


@click.command()
@text_option("--hub", countries, help="Only this country.")
@text_option("--good", help="Only this good, or the goods that begin so.")
@click.option("--severity", type=click.Choice(["high", "medium", "low"]), help="Worst of a case's windows.")
@text_option("--type", argument="flag_type", help="Only this type now, in its words or by its name.")
@text_option("--since", help="Newest window ends in this period or later.")
@click.option("--new", "is_new", is_flag=True, help="Only those that the run before did not have.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most cases.")
@asked_data_option
@format_option
@spoken
def cases(
    hub: str | None,
    good: str | None,
    severity: str | None,
    flag_type: str | None,
    since: str | None,
    limit: int,
    data: Path,
    form: str,
    *,
    is_new: bool,
) -> None:
    """Cases: routes with all their flagged windows, the most pressing first.

    Figures are those of the newest window.
    """
    from anomaly.cli import cases as answers

    answers.cases(
        answers.Filters(hub, good, severity, flag_type, since, is_new=is_new), limit=limit, data=data, form=form
    )


@click.command()
@click.option("--against", default=None, callback=folder_or_none, metavar="DIR", help="Tables to compare with.")
@click.option("--exit-code", "is_exit_code", is_flag=True, help="End with 1 where a case changed.")
@asked_data_option
@format_option
@spoken
def diff(against: Path | None, data: Path, form: str, *, is_exit_code: bool) -> None:
    """Cases that are new, worse, better, resolved, gone or revised since the run before.

    With --against beside the last run of another folder.
    """
    from anomaly.cli import cases as answers

    code = answers.diff(data, against, form)
    raise click.exceptions.Exit(code if is_exit_code else 0)


COMMANDS: tuple[click.Command, ...] = (cases, diff)
