"""How a command ends: with what it answers, or with a sentence on stderr and its own exit code."""

from __future__ import annotations

import functools
from typing import Any

import click

from anomaly.cli.options import Command
from anomaly.contract.errors import AnomalyError
from pipelines.streams import leave_stdout, written_out

_FAULT = 70  # a fault of this program, sysexits.h EX_SOFTWARE


def spoken(command: Command) -> Command:
    """Let an error end the command as a sentence on stderr with its own exit code, never as a traceback.

    Parameters
    ----------
    command : Command
        As it is.

    Returns
    -------
    Command
        The same, with its ends.
    """

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        from anomaly.cli.output import say

        try:
            with written_out():
                command(*arguments, **options)
        except AnomalyError as error:
            say(str(error))
            raise click.exceptions.Exit(error.exit_code) from error
        except BrokenPipeError as error:  # `anomaly … | head`: who reads has enough
            leave_stdout()
            raise click.exceptions.Exit(0) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            say(f"a fault of this program, not of the question: {type(error).__name__}: {str(error)[:300]}")
            raise click.exceptions.Exit(_FAULT) from error

    return wrapped
