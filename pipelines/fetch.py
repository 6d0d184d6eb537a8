"""Raw files from their publishers: who is asked for what, under one lock of the raw folder; what was brought stays."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from anomaly.contract.errors import AnomalyError, BadRequest
from anomaly.fetch import PUBLISHERS, need, run
from anomaly.fetch.base import Plan, Publisher
from anomaly.fetch.client import Clock, key_of
from anomaly.fetch.raw_store import last_news
from anomaly.store.disk import Faults, named_failures, write_over
from anomaly.store.lock import Lock
from pipelines import log
from pipelines.running import DONE, FAULT, Step
from pipelines.scenario import of_run
from pipelines.streams import terminable

STATUS = ".fetch-status.json"


def chosen(names: Sequence[str]) -> list[Publisher]:
    """The publishers that a person names.

    Parameters
    ----------
    names : sequence of str
        Words of the command line; none: all but those that need a key that is not there, or a special subscription.

    Returns
    -------
    list of Publisher
        In the order of PUBLISHERS, each once.

    Raises
    ------
    BadRequest
        There is none of that name.
    """
    by_name = {publisher.name: publisher for publisher in PUBLISHERS}
    if unknown := [name for name in names if name not in by_name]:
        raise BadRequest(
            "a publisher that can be fetched", repr(unknown[0][:40]), hint=f"there are {', '.join(by_name)}"
        )
    return [publisher for publisher in PUBLISHERS if publisher.name in names or (not names and _is_usual(publisher))]


def _is_usual(publisher: Publisher) -> bool:
    """Whether a publisher is asked where none is named: nobody's key is missing, and nobody's special subscription."""
    if publisher.on_request:
        return False
    return not publisher.needs_key or key_of(publisher.service, None) is not None


def plans(
    publishers: Sequence[Publisher], raw: Path, scenario: str, since: date | None, key_text: str | None = None
) -> list[tuple[Publisher, Plan]]:
    """What would be asked, with nobody asked and nothing written.

    Parameters
    ----------
    publishers : sequence of Publisher
        Whose.
    raw : pathlib.Path
        The raw folder; what lies there is not asked for.
    scenario : str
        Its name, or the path of its TOML file.
    since : datetime.date or None
        Only periods from this day on.
    key_text : str or None, optional
        Content of a key file.

    Returns
    -------
    list of (Publisher, Plan)
        In the order given.

    Raises
    ------
    AnomalyError
        The scenario or the key cannot be used.
    """
    clock = Clock()
    needed = need.of_scenario(of_run(scenario), clock.now().date())
    made = []
    for publisher in publishers:
        has_key = key_of(publisher.service, key_text) is not None
        asking = run.asking(publisher, needed, raw, has_key=has_key, since=since, clock=clock)
        planned = publisher.plan(asking)
        if asking.news is not None:
            _, day = last_news(raw, publisher.name)
            planned = replace(planned, says=(*planned.says, f"what is out is as of {day}; a fetch asks anew"))
        made.append((publisher, planned))
    return made


def fetch(
    publishers: Sequence[Publisher], raw: Path, scenario: str, since: date | None, key_text: str | None = None
) -> list[dict[str, Any]]:
    """Bring what a scenario needs, and end with the first error; a publisher that fails does not hold up the next.

    Parameters
    ----------
    publishers : sequence of Publisher
        Whose.
    raw : pathlib.Path
        The raw folder; it is made where it is not there.
    scenario : str
        Its name, or the path of its TOML file.
    since : datetime.date or None
        Only periods from this day on.
    key_text : str or None, optional
        Content of a key file.

    Returns
    -------
    list of dict of str to Any
        Of each publisher what was done.

    Raises
    ------
    AnomalyError
        The first that a publisher ended with, after all were asked; Locked where another fetch holds the raw folder.
    """
    steps, failures = _asked_all(publishers, raw, scenario, since, key_text)
    if failures:
        raise failures[0]
    return steps


def bring(names: Sequence[str], raw: Path, scenario: str) -> Callable[[], tuple[Step, list[str]]]:
    """The fetch of a nightly run: whatever it ends with is said and noted, and the run goes on with what lies there.

    Parameters
    ----------
    names : sequence of str
        As `chosen`; refused at once where there is no such publisher.
    raw : pathlib.Path
        The raw folder.
    scenario : str
        Its name, or the path of its TOML file.

    Returns
    -------
    callable
        Fetches; the step for the status file, and the publishers that failed, each with its exit code.
    """
    publishers = chosen(names)

    def work() -> tuple[Step, list[str]]:
        clock, steps, code = time.monotonic(), list[dict[str, Any]](), 0
        try:
            steps, failures = _asked_all(publishers, raw, scenario, None, None)
            failed = [f"{step['source']} ({step['exit_code']})" for step in steps if step["exit_code"]]
            code = failures[0].exit_code if failures else 0
        except AnomalyError as error:  # of all of them: the folder is locked, or cannot be written
            log.say(f"fetch: {error}", "error", job="fetch", exit_code=error.exit_code)
            failed, code = [f"any ({error.exit_code})"], error.exit_code
        except Exception as error:
            trace = "".join(traceback.format_exception(error)).rstrip()
            log.say("fetch: a fault of this program", "error", job="fetch", exit_code=FAULT, exception=trace)
            failed, code = [f"any ({FAULT})"], FAULT
        if failed:
            log.say(
                f"fetch: failed for {', '.join(failed)}; the run goes on with what lies there", "warning", job="fetch"
            )
        status = "failed" if failed else DONE if any(step["releases"] for step in steps) else "no change"
        seconds = round(time.monotonic() - clock, 2)
        return {"job": "fetch", "status": status, "seconds": seconds, "exit_code": code, "publishers": steps}, failed

    return work


def _asked_all(
    publishers: Sequence[Publisher], raw: Path, scenario: str, since: date | None, key_text: str | None
) -> tuple[list[dict[str, Any]], list[AnomalyError]]:
    """Each publisher asked in turn, and the note of it; what they ended with where they failed."""
    settings = of_run(scenario)
    needed = need.of_scenario(settings, datetime.now(UTC).date())
    keys = [key_of(publisher.service, key_text) for publisher in publishers]
    steps: list[dict[str, Any]] = []
    failures: list[AnomalyError] = []
    with terminable(), log.of_run() as run_id, Lock(raw).held():
        began, clock = datetime.now(UTC), time.monotonic()
        try:
            for publisher, key in zip(publishers, keys, strict=True):
                done = run.Done()
                try:
                    run.fetch(publisher, needed, raw, key, since, say=_say(publisher), done=done)
                    failure = None
                except AnomalyError as error:
                    failure = error
                    failures.append(error)
                    log.say(f"{publisher.name}: {error}", "error", job="fetch", exit_code=error.exit_code)
                except BaseException as error:
                    steps.append(_step(publisher, done, None) | {"status": "stopped", "message": type(error).__name__})
                    raise
                steps.append(_step(publisher, done, failure))
        finally:
            ended = {"run_id": run_id, "started_at": began.isoformat(timespec="seconds")}
            _write_status(raw, {**ended, "seconds": round(time.monotonic() - clock, 2), "steps": steps})
    return steps, failures


def _say(publisher: Publisher) -> Callable[[str], None]:
    return lambda text: log.say(text, job="fetch", source=publisher.name)


def _step(publisher: Publisher, done: run.Done, failure: AnomalyError | None) -> dict[str, Any]:
    return {
        "source": publisher.name,
        "status": "failed" if failure else "ok" if done.releases else "no change",
        "exit_code": failure.exit_code if failure else 0,
        "message": str(failure) if failure else "",
        "calls": f"{done.made:,} of {done.planned:,}",
        "releases": len(done.releases),
        "unchanged": done.unchanged,
        "requests": done.requests,
        "bytes": done.bytes_read,
        "doubts": done.says,
    }


def _write_status(raw: Path, status: dict[str, Any]) -> None:
    path = raw / STATUS
    with named_failures(path):
        write_over(path, (json.dumps(status, indent=1, ensure_ascii=False) + "\n").encode(), Faults("status"))
