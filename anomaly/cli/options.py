"""Options and arguments that commands share, and how what a person types is held against what it may be."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from anomaly.cli.output import FORMATS
from anomaly.contract.scenario import DEFAULT
from anomaly.store import as_of as dated
from pipelines.log import FORMATS as FORMATS_OF_LOG
from pipelines.log import VARIABLE

Command = Callable[..., Any]


def folder_or_none(context: click.Context, option: click.Parameter, text: str | None) -> Path | None:
    """A folder that may be left out.

    Parameters
    ----------
    context, option : click.Context, click.Parameter
        As click gives them.
    text : str, optional
        What was typed.

    Returns
    -------
    Path or None
        None where nothing was.
    """
    return None if text is None else folder(context, option, text)


def folder(_context: click.Context, _option: click.Parameter, text: str) -> Path:
    """A folder by its path.

    Parameters
    ----------
    _context, _option : click.Context, click.Parameter
        Not looked at.
    text : str
        What was typed.

    Returns
    -------
    Path
        It need not be there.

    Raises
    ------
    click.BadParameter
        For an empty text or one with a null character.
    """
    if "\0" in text or not text.strip():
        raise click.BadParameter("expected the path of a folder")
    return Path(text)


def no_control(_context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """A short printable text.

    Parameters
    ----------
    _context : click.Context
        Not looked at.
    option : click.Parameter
        For its name.
    text : str, optional
        What was typed.

    Returns
    -------
    str or None
        The text.

    Raises
    ------
    click.BadParameter
        For more than 200 characters, or one that cannot be printed.
    """
    if text is not None and (len(text) > 200 or not text.isprintable()):
        raise click.BadParameter(f"expected at most 200 printable characters for {option.name}")
    return text


def no_control_each(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Short printable texts.

    Parameters
    ----------
    context, option : click.Context, click.Parameter
        As click gives them.
    texts : tuple of str
        What was typed.

    Returns
    -------
    tuple of str
        The texts.
    """
    return tuple(no_control(context, option, text) or "" for text in texts)


def day_or_none(_context: click.Context, _option: click.Parameter, text: str | None) -> date | None:
    """A day that may be left out.

    Parameters
    ----------
    _context, _option : click.Context, click.Parameter
        Not looked at.
    text : str, optional
        What was typed.

    Returns
    -------
    datetime.date or None
        None where nothing was.

    Raises
    ------
    click.BadParameter
        It is no day.
    """
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("expected a day such as 2024-06-30") from error


data_option = click.option(
    "--data",
    envvar="ANOMALY_DATA",
    default="data/processed",
    show_default=True,
    show_envvar=True,
    callback=folder,
    metavar="DIR",
    help="Folder that holds the tables.",
)
as_of_option = click.option(
    "--as-of",
    callback=day_or_none,
    metavar="DAY",
    help="As of a day such as 2024-06-30: raw files that came later are not seen.",
)


def asked_data_option(command: Command) -> Command:
    """--data and --as-of of a question: as of a day the tables lie in a folder of their own, which `run --as-of` fills.

    Parameters
    ----------
    command : Command
        Takes `data`.

    Returns
    -------
    Command
        Takes `data` and `as_of`.
    """

    @functools.wraps(command)
    def of_the_day(*arguments: Any, data: Path, as_of: date | None, **options: Any) -> Any:
        return command(*arguments, data=dated.folder(data, as_of), **options)

    return data_option(as_of_option(of_the_day))


format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How the answer is written to stdout.",
)
raw_option = click.option(
    "--raw", default="data/raw", show_default=True, callback=folder, metavar="DIR", help="Folder of raw files."
)
log_format_option = click.option(
    "--log-format",
    type=click.Choice(FORMATS_OF_LOG),
    envvar=VARIABLE,
    show_envvar=True,
    help="Form of the log on stderr; plain if not told.",
)
scenario_option = click.option(
    "--scenario", default=DEFAULT, show_default=True, callback=no_control, help="Scenario's name or TOML file."
)


Completion = Callable[[click.Context, click.Parameter, str], list[Any]]


def text_option(
    name: str, completion: Completion | None = None, *, argument: str | None = None, **attributes: Any
) -> Callable[[Command], Command]:
    """An option that is a short printable text.

    Parameters
    ----------
    name : str
        As click.option has it.
    completion : callable, optional
        What a shell offers.
    argument : str, optional
        What the command calls it, where it is not the option's own name.
    **attributes : Any
        As click.option has them.

    Returns
    -------
    callable
        The decorator.
    """
    names = (name,) if argument is None else (name, argument)
    return click.option(*names, callback=no_control, shell_complete=completion, **attributes)


def text_argument(name: str, completion: Completion | None = None) -> Callable[[Command], Command]:
    """An argument that is a short printable text.

    Parameters
    ----------
    name : str
        Its name.
    completion : callable, optional
        What a shell offers.

    Returns
    -------
    callable
        The decorator.
    """
    return click.argument(name, callback=no_control, shell_complete=completion)


leg_option = click.option(
    "--leg",
    type=click.Choice(["coalition-to-hub", "hub-to-target"]),
    default="coalition-to-hub",
    show_default=True,
    help="What the coalition sold hubs, or these the targets.",
)
by_option = click.option(
    "--by",
    type=click.Choice(["hub", "good", "hub_good", "all", "maker"]),
    default="hub",
    show_default=True,
    help="What is summed.",
)
