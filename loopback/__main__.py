"""`python -m loopback`: start the publishers on 127.0.0.1, say their address and the variables that lead there, wait."""

from __future__ import annotations

import argparse
import shlex
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from loopback.facts import facts_of
from loopback.limits import FREE, PREMIUM, Limits
from loopback.publishers import PUBLISHERS
from loopback.server import Loopback, Outage, serving

NUMBERS = ("preview_rows", "key_rows", "periods", "url_characters", "slice_rows", "page_rows", "forbidden_of")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; by default the process's own.
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
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with serving(facts, limits, asked.faults, asked.outages, asked.today, asked.port) as loopback:
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
        default=[],
        metavar="FAULT",
        help="429*2@/data/v1, reset@full_v2, random:0.1:7, @FILE",
    )
    add("--outage", action="append", default=[], dest="outages", type=_outage, metavar="PUBLISHER:FIRST:LAST")
    for name in NUMBERS:
        add(f"--{name.replace('_', '-')}", type=int, metavar="N", help=f"by default {getattr(Limits(), name)}")
    add("--calls-a-second", type=float, help="of publishers that have a rate; 0: no limit")
    add("--calls-a-day", type=int, help="of a key")
    return parser


def _outage(text: str) -> Outage:
    """PUBLISHER:FIRST:LAST of the command line."""
    publisher, first, last = text.split(":")
    if publisher not in {known.name for known in PUBLISHERS}:
        raise argparse.ArgumentTypeError(f"no publisher {publisher!r}")
    return Outage(publisher, date.fromisoformat(first), date.fromisoformat(last))


def _says(loopback: Loopback) -> str:
    """The address, who is there, and what to put into a shell."""
    keys = {grade: key for key, grade in loopback.limits.keys.items()}
    lines = [
        f"# {loopback.url} answers from the simulated world {loopback.facts.world.name}, {loopback.published.today}"
    ]
    lines += [f"# {publisher.name}: {publisher.title}" for publisher in PUBLISHERS]
    lines += [f"# keys, made up: {keys[FREE]} (free), {keys[PREMIUM]} (bulk too); the log: {loopback.url}/-/log"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in loopback.variables().items()]
    lines.append(f"export COMTRADE_API_KEY={keys[FREE]}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
