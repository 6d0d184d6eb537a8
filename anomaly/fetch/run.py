"""A fetch: what is needed is planned, shown, asked for call by call, and kept call by call, so that it can stop anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from anomaly.contract.errors import AnomalyError, BadRequest, DataRejected, KeyRefused, SourceUnavailable, TryLater
from anomaly.fetch import raw_store
from anomaly.fetch.base import Asking, Call, Cell, Need, Plan, Publisher
from anomaly.fetch.client import Client, Clock
from anomaly.fetch.faults import resume_later

if TYPE_CHECKING:
    from pydantic import SecretStr

Say = Callable[[str], None]
SURPRISE = 1.25  # times as many rows as were expected, or as few: then the rest is planned again
MOST_FAILURES_IN_A_ROW = 3  # then it is the service, not the call


@dataclass(slots=True)
class Done:
    """What a fetch of one publisher did.

    Parameters
    ----------
    planned, made : int
        Calls.
    releases : list of pathlib.Path
        New folders in data/raw.
    unchanged : int
        Calls that brought what lay there.
    requests, bytes_read : int
        All that went out, tries and availability among them; what came.
    says : list of str
        Doubts.
    """

    planned: int = 0
    made: int = 0
    releases: list[Path] = field(default_factory=list)
    unchanged: int = 0
    requests: int = 0
    bytes_read: int = 0
    says: list[str] = field(default_factory=list)


def asking(publisher: Publisher, need: Need, raw: Path, *, has_key: bool, since: date | None, clock: Clock) -> Asking:
    """What a plan is made from, with nobody asked.

    Parameters
    ----------
    publisher : Publisher
        Whose.
    need : Need
        Of the scenario.
    raw : pathlib.Path
        The raw folder.
    has_key : bool
        Whether there is a key.
    since : datetime.date or None
        Only periods from this day on.
    clock : Clock
        Its day.

    Returns
    -------
    Asking
        `news` as of the last fetch that asked for all; None where there was none.
    """
    news, _ = raw_store.last_news(raw, publisher.name)
    return Asking(need, raw_store.held(raw, publisher.source), news, has_key, since, clock.now().date())


def seconds_of(plan: Plan, publisher: Publisher) -> float:
    """How long a plan takes at least, at the publisher's pace.

    Parameters
    ----------
    plan : Plan
        Its calls and their sizes.
    publisher : Publisher
        Its limits; a day's calls are waited for.

    Returns
    -------
    float
        Seconds.
    """
    limits = publisher.service.limits
    bytes_expected = sum(call.size_bytes or 0 for call in plan.calls)
    days = (len(plan.calls) - 1) // limits.calls_a_day if limits.calls_a_day and plan.calls else 0
    return 86400.0 * days + len(plan.calls) * limits.least_seconds + bytes_expected / limits.bytes_a_second


def fetch(
    publisher: Publisher,
    need: Need,
    raw: Path,
    key: SecretStr | None = None,
    since: date | None = None,
    clock: Clock | None = None,
    say: Say = lambda _text: None,
    address: str | None = None,
    done: Done | None = None,
) -> Done:
    """Bring what a scenario needs of one publisher and does not lie there.

    Parameters
    ----------
    publisher : Publisher
        Whose.
    need : Need
        Of the scenario.
    raw : pathlib.Path
        The raw folder, under a lock.
    key : SecretStr or None, optional
        The publisher's.
    since : datetime.date or None, optional
        Only periods from this day on.
    clock : Clock, optional
        The machine's own where it is not said.
    say : callable, optional
        Takes a sentence as the work goes on.
    address : str, optional
        As `client.address_of` where it is not said.
    done : Done, optional
        Filled as the work goes on, so that who catches an error knows how far it came.

    Returns
    -------
    Done
        What was done.

    Raises
    ------
    KeyRefused
        There is no key and nothing can be asked without one, or it was refused.
    TryLater
        A quota is used up, or the run's time: what was brought stays, and the same command goes on.
    AnomalyError
        What a call ends with; what was brought before it stays.
    """
    clock, done = clock or Clock(), done or Done()
    refuse_without_key(publisher, has_key=key is not None)
    with Client(publisher.service, key, clock, address, counted=_counter(publisher, raw, clock)) as client:
        try:
            raw_store.sweep(raw, publisher.source, clock.now())
            question = asking(publisher, need, raw, has_key=key is not None, since=since, clock=clock)
            question = replace(question, news=None)
            if publisher.news is not None:
                news = publisher.news(question, client)
                question = replace(question, news=news)
                if since is None:
                    raw_store.keep_news(raw, publisher.name, news, clock.now())
            plan = publisher.plan(question)
            done.planned = len(plan.calls)
            for sentence in plan.says:
                say(f"{publisher.name}: {sentence}")
            _make_all(publisher, question, plan, raw, client, done, say)
        finally:
            done.requests, done.bytes_read = client.requests, client.bytes_read
    return done


def refuse_without_key(publisher: Publisher, *, has_key: bool) -> None:
    """Refuse to ask who answers nobody without a key.

    Parameters
    ----------
    publisher : Publisher
        Whether it does, and how its key is handed over.
    has_key : bool
        Whether there is one.

    Raises
    ------
    KeyRefused
        There is none and it needs one.
    """
    if publisher.needs_key and not has_key:
        hint = (
            f"set {publisher.service.key_variable}, or name a file with --key-file; docs/fetch.md says where to get one"
        )
        raise KeyRefused(f"a key of {publisher.service.title}", "none", hint=hint)


def _make_all(
    publisher: Publisher, question: Asking, plan: Plan, raw: Path, client: Client, done: Done, say: Say
) -> None:
    """Call after call; one that the publisher cannot answer does not hold up the others, three in a row end the fetch.

    What comes says how large the rest will be: where it is far from what was expected, the rest is planned again.
    """
    failures: list[AnomalyError] = []
    failed: set[tuple[str, ...]] = set()
    there, left, in_a_row = dict(question.held), list(plan.calls), 0
    while left and in_a_row < MOST_FAILURES_IN_A_ROW:
        call = left.pop(0)
        try:
            rows = _make(publisher, call, raw, client, there, done, say)
            in_a_row = 0
        except (BadRequest, DataRejected, SourceUnavailable) as error:
            failures.append(error)
            failed.add(tuple(call.cells))
            in_a_row += 1
            say(f"{publisher.name}: {call.dataset} {call.period}: {error}")
            continue
        if left and call.rows and not 1 / SURPRISE <= rows / call.rows <= SURPRISE:
            again = publisher.plan(replace(question, held=there)).calls
            left = [call for call in again if tuple(call.cells) not in failed]
            done.planned = done.made + len(failed) + len(left)
    if failures:
        first, unanswered = failures[0], len(failed) + len(left)
        came = f"{first.came}; {unanswered:,} of {done.made + unanswered:,} calls were not answered"
        raise type(first)(first.expected, came, hint=first.hint, count=len(failures))


def _make(
    publisher: Publisher, call: Call, raw: Path, client: Client, there: dict[str, Cell], done: Done, say: Say
) -> int:
    """One call, from the request to its release; `there` grows by its cells. The rows that came."""
    now = client.clock.now()
    folder = raw_store.begin(raw, publisher.source, call, now)
    fetched = publisher.fetch(call, client, folder)
    url = client.url(call.path, call.params)
    release = raw_store.commit(raw, publisher.source, call, fetched, url, publisher.licence, client.clock.now(), there)
    there |= {f"{call.dataset}/{name}": cell for name, cell in fetched.cells.items()}
    done.made += 1
    done.says += fetched.says
    if release is None:
        done.unchanged += 1
    else:
        done.releases.append(release)
    rows = sum(cell.release.rows or 0 for cell in fetched.cells.values())
    came = "as it lay there" if release is None else release.relative_to(raw).as_posix()
    say(f"{publisher.name}: {done.made:,} of {done.planned:,}: {call.dataset} {call.period}, {rows:,} rows: {came}")
    for sentence in fetched.says:
        say(f"{publisher.name}: {call.dataset} {call.period}: {sentence}")
    return rows


def _counter(publisher: Publisher, raw: Path, clock: Clock) -> Callable[[], None]:
    """Counts a request, and refuses the one that would be over the day's number."""
    most = publisher.service.limits.calls_a_day

    def counted() -> None:
        now = clock.now()
        if most is not None and raw_store.calls_on(raw, publisher.source, now) >= most:
            raise _over(publisher, most, clock)
        raw_store.count_call(raw, publisher.source, now)

    return counted


def _over(publisher: Publisher, most: int, clock: Clock) -> TryLater:
    now = clock.now()
    left = 86400.0 - (now.hour * 3600 + now.minute * 60 + now.second)
    return resume_later(publisher.service.title, f"all {most:,} calls of today are used up", left, now)
