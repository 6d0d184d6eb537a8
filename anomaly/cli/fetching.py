"""`anomaly fetch`: what would be asked of publishers, and what was brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomaly.cli.output import say, show
from anomaly.contract.errors import BadRequest

if TYPE_CHECKING:
    from anomaly.fetch.base import Call, Publisher


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks to fetch.

    Parameters
    ----------
    names : tuple of str
        Of publishers; none: all.
    raw : pathlib.Path
        The raw folder.
    scenario : str
        Its name, or the path of its TOML file.
    since : str or None
        A period; None for all that the scenario looks at.
    key_text : str or None
        Content of a key file, for the one publisher that is named; never shown.
    """

    names: tuple[str, ...]
    raw: Path
    scenario: str
    since: str | None
    key_text: str | None = field(default=None, repr=False)

    def first_day(self) -> date | None:
        """The first day of `since`."""
        from anomaly.contract.periods import parse_period

        return parse_period(self.since).start if self.since else None

    def publishers(self) -> list[Publisher]:
        """Those that are named."""
        from pipelines.fetch import chosen

        publishers = chosen(self.names)
        if self.key_text is not None and len(publishers) != 1:
            raise BadRequest(
                "one source beside --key-file", f"{len(publishers)}", hint="name the source whose key it is"
            )
        return publishers


def plan(asked: Asked, form: str) -> None:
    """Answer `anomaly fetch --plan`: calls, rows, bytes and time of each dataset, and what is left out.

    Parameters
    ----------
    asked : Asked
        Whose, and of when.
    form : str
        One of output.FORMATS.
    """
    from anomaly.fetch import run
    from pipelines import fetch as job

    rows: list[dict[str, Any]] = []
    plans = job.plans(asked.publishers(), asked.raw, asked.scenario, asked.first_day(), asked.key_text)
    for publisher, planned in plans:
        groups: dict[tuple[str, str], list[Call]] = {}
        for call in planned.calls:
            groups.setdefault((call.dataset, call.why), []).append(call)
        rows += [
            {
                "source": publisher.name,
                "dataset": dataset,
                "why": why,
                "first": min(call.period for call in calls),
                "last": max(call.period for call in calls),
                "calls": len(calls),
                "rows": sum(call.rows or 0 for call in calls),
                "bytes": sum(call.size_bytes or 0 for call in calls),
            }
            for (dataset, why), calls in groups.items()
        ]
        minutes = run.seconds_of(planned, publisher) / 60
        limits = publisher.service.limits
        a_day = f", at most {limits.calls_a_day:,} calls a day" if limits.calls_a_day else ""
        pace = f"a call each {limits.least_seconds:g} s{a_day}"
        say(
            f"{publisher.name}: {len(planned.calls):,} calls, {minutes:,.0f} minutes at {pace}; {planned.there:,} pieces lie there"
        )
        for sentence in planned.says:
            say(f"{publisher.name}: {sentence}")
    show(rows, form)


def fetch(asked: Asked, form: str, log_format: str | None) -> int:
    """Answer `anomaly fetch`: a row a publisher.

    Parameters
    ----------
    asked : Asked
        Whose, and of when.
    form : str
        One of output.FORMATS.
    log_format : str or None
        As `log.of_run`.

    Returns
    -------
    int
        What the process should end with.
    """
    from pipelines import fetch as job
    from pipelines.running import exit_code_of

    def work() -> object:
        since, publishers = asked.first_day(), asked.publishers()
        steps = job.fetch(publishers, asked.raw, asked.scenario, since, asked.key_text)
        show(steps, form, ["source", "status", "calls", "releases", "unchanged", "requests", "bytes"])
        return None

    return exit_code_of(work, log_format)
