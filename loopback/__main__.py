"""`python -m loopback`: start the publishers on 127.0.0.1, say their address and the variables that lead there, and wait;
or `python -m loopback -- COMMAND`: run a command that finds its way there, and end with it.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from loopback.facts import facts_of
from loopback.faults import parsed
from loopback.limits import FREE, PREMIUM, Limits
from loopback.publishers import PUBLISHERS
from loopback.server import Loopback, Outage, serving

KEY_VARIABLES = ("COMTRADE_API_KEY", "CENSUS_API_KEY")  # as the clients name them
NUMBERS = ("preview_rows", "key_rows", "periods", "url_characters", "slice_rows", "page_rows", "forbidden_of")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted, or for as long as a command runs.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; by default the process's own.

    Returns
    -------
    int
        Exit code: that of the command.
    """
    asked = _parser().parse_args(arguments)
    limits = replace(
        Limits(),
        **{name: getattr(asked, name) for name in NUMBERS if getattr(asked, name) is not None},
    )
    if asked.calls_a_second is not None:
        limits = replace(limits, calls_a_second=dict.fromkeys(limits.calls_a_second, asked.calls_a_second))
    if asked.calls_a_day is not None:
        limits = replace(limits, calls_a_day=dict.fromkeys(limits.calls_a_day, asked.calls_a_day))
    facts = facts_of(asked.regime, asked.seed)
    with serving(facts, limits, asked.faults, asked.outages, asked.today, asked.port) as loopback:
        if asked.command:
            return _run(asked.command, loopback)
        _wait(loopback)
        return 0


def _run(command: Sequence[str], loopback: Loopback) -> int:
    """Run a command that finds its way here, and say what it asked for; its exit code."""
    environment = {**os.environ, **loopback.variables(), **_key(loopback)}
    code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 (what the caller typed)
    asked = sum(loopback.counts().values())
    print(f"{loopback.url} was asked {asked:,} times by {command[0]}", file=sys.stderr)
    return code


def _wait(loopback: Loopback) -> None:
    """Serve until the process is told to end."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    print(_says(loopback), flush=True)
    stopped.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loopback", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0: any that is free")
    add("--regime", default="", help="whose simulated world; by default the demo's")
    add("--seed", type=int, help="of the world; by default its own")
    add("--today", type=date.fromisoformat, help="what is out on this day; by default all, and final")
    add(
        "--faults",
        action="append",
        type=_fault,
        default=[],
        metavar="FAULT",
        help="429*2@/data/v1, reset@full_v2, random:0.1:7, @FILE",
    )
    add("--outage", action="append", default=[], dest="outages", type=_outage, metavar="PUBLISHER:FIRST:LAST")
    for name in NUMBERS:
        add(f"--{name.replace('_', '-')}", type=int, metavar="N", help=f"by default {getattr(Limits(), name)}")
    add("--calls-a-second", type=float, help="of publishers that have a rate; 0: no limit")
    add("--calls-a-day", type=int, help="of a key")
    add("command", nargs="*", help="after --: run it with the variables set, and end with it")
    return parser


def _fault(text: str) -> str:
    """A fault of the command line, refused at once where nobody knows it."""
    try:
        parsed([text])
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _outage(text: str) -> Outage:
    """PUBLISHER:FIRST:LAST of the command line."""
    publisher, first, last = text.split(":")
    if publisher not in {known.name for known in PUBLISHERS}:
        raise argparse.ArgumentTypeError(f"no publisher {publisher!r}")
    return Outage(publisher, date.fromisoformat(first), date.fromisoformat(last))


def _keys(loopback: Loopback) -> dict[str, str]:
    """A key of each grade."""
    return {grade: key for key, grade in loopback.limits.keys.items()}


def _key(loopback: Loopback) -> dict[str, str]:
    """The variables with a key that is good here, and nowhere else."""
    return dict.fromkeys(KEY_VARIABLES, _keys(loopback)[FREE])


def _says(loopback: Loopback) -> str:
    """The address, who is there, and what to put into a shell."""
    keys = _keys(loopback)
    lines = [
        f"# {loopback.url} answers from the simulated world {loopback.facts.world.name}, {loopback.published.today}"
    ]
    lines += [f"# {publisher.name}: {publisher.title}" for publisher in PUBLISHERS]
    lines += [f"# keys, made up: {keys[FREE]} (free), {keys[PREMIUM]} (bulk too); the log: {loopback.url}/-/log"]
    lines += [
        f"export {name}={shlex.quote(value)}" for name, value in {**loopback.variables(), **_key(loopback)}.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
