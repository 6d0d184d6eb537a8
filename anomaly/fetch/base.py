"""What a publisher is, to whoever fetches: what a scenario needs is planned into calls, and a call ends as one release in data/raw.

The order of a fetch, for every publisher alike (`run.py`):

1. `need.of_scenario` says what the scenario asks of anyone: countries by their part, goods, months and years.
2. `publisher.news` asks what is out (availability, a listing); left out for `--plan`, which asks nothing.
3. `publisher.plan` makes the fewest calls that bring what is needed, is out and does not lie there (`raw_store.held`).
4. `publisher.fetch` brings one call's files into its folder of unfinished work, through a `Client` and nothing else.
5. `raw_store.commit` gives the folder its name, `<source>/<dataset>/<period>/<date>T<time>Z-<sha8>/`, and its origin.toml; where
   every cell has the content that it had, nothing is written but that it was looked at.

A *cell* is the smallest piece whose revision a publisher tells: a reporter's month, a month of all, a release.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from anomaly.fetch.client import Client
from anomaly.fetch.service import Service


@dataclass(frozen=True, slots=True)
class Need:
    """What a scenario needs of anyone's statistics.

    Parameters
    ----------
    coalition, targets, hubs : tuple of str
        ISO 3166-1 alpha-3. Hubs are those named, and their neighbours; all others report too, for comparison.
    goods : tuple of str
        Codes of six digits, of every edition in the years asked for; empty: all goods.
    first, last : datetime.date
        First day of the first and of the last month: from the baseline's first year to the month before today's.
    """

    coalition: tuple[str, ...]
    targets: tuple[str, ...]
    hubs: tuple[str, ...]
    goods: tuple[str, ...]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Release:
    """What a publisher says of a cell without handing it out.

    Parameters
    ----------
    checksum : str
        Or whatever changes when the cell does: a size, an ETag. Empty where nothing is said.
    released : str
        When it was put out last, as the publisher writes it.
    rows : int or None
        How many rows it has, where that is said.
    size_bytes : int or None
        How large its file is, where that is said.
    """

    checksum: str = ""
    released: str = ""
    rows: int | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What lies there of a cell.

    Parameters
    ----------
    sha256 : str
        Of its content, so that the same content fetched twice is the same.
    release : Release
        As it was when the cell was fetched or looked at last; rows are those that came.
    looked_at : datetime.datetime
        When that was, in UTC.
    """

    sha256: str
    release: Release
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a publisher at once: one release of data/raw when it is done.

    Parameters
    ----------
    dataset, period : str
        Folders below the source's.
    path : str
        Below the publisher's address, with its /.
    params : tuple of (str, str)
        Of the address, in order, without a key.
    cells : mapping of str to Release
        What it answers, and what the publisher says of each; `raw_store.held` has them by `<dataset>/<cell>`.
    why : str
        missing, revised, or recent: looked at again because recent months are revised.
    rows, size_bytes : int or None
        Expected; None where nothing is known.
    validator : str
        ETag of what lies there, for If-None-Match; empty where nothing does.
    is_reference : bool
        A table of codes, no flows: it lies under data/raw/reference, which readers of flows pass over.
    """

    dataset: str
    period: str
    path: str
    params: tuple[tuple[str, str], ...]
    cells: Mapping[str, Release]
    why: str = "missing"
    rows: int | None = None
    size_bytes: int | None = None
    validator: str = ""
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked.

    Parameters
    ----------
    calls : tuple of Call
        In the order in which they are made: what is missing first, newest periods first.
    there : int
        Cells that lie there and need not be asked for.
    says : tuple of str
        What a person should know: what is left out and why, as sentences.
    """

    calls: tuple[Call, ...]
    there: int = 0
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a call brought, in its folder of unfinished work.

    Parameters
    ----------
    files : tuple of pathlib.Path
        Whole and checked, as they came.
    cells : mapping of str to Cell
        Each cell of the call, those without a row too.
    says : tuple of str
        Doubts, for a person.
    is_same : bool
        The publisher said itself that what lies there is the newest (304): no files, no cells.
    """

    files: tuple[Path, ...] = ()
    cells: Mapping[str, Cell] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    is_same: bool = False


Held = Mapping[str, Cell]
News = Mapping[str, Release]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a plan is made from.

    Parameters
    ----------
    need : Need
        Of the scenario.
    held : mapping of str to Cell
        What lies there.
    news : mapping of str to Release or None
        What is out; None where nobody was asked.
    has_key : bool
        Whether there is a key.
    since : datetime.date or None
        Only periods from this day on.
    today : datetime.date
        The day of the fetch, in UTC.
    """

    need: Need
    held: Held
    news: News | None
    has_key: bool
    since: date | None
    today: date


@dataclass(frozen=True, slots=True)
class Publisher:
    """Whose statistics can be fetched.

    Parameters
    ----------
    service : Service
        Where and how it is asked; its name is that of `anomaly sources`, and of the folder in data/raw.
    licence : str
        Into origin.toml.
    plan : callable
        Asking → Plan. Asks nobody, touches nothing.
    fetch : callable
        Call, Client, folder → Fetched. The folder may hold files of an earlier try that are whole: they are kept.
    news : callable or None
        Asking (news None), Client → what is out; None where a publisher does not say.
    needs_key : bool
        Whether nothing at all can be asked without a key.
    on_request : bool
        Only fetched where a person names it.
    word : str
        On the command line, where a service has several publishers of ours; empty: the service's name.
    """

    service: Service
    licence: str
    plan: Callable[[Asking], Plan]
    fetch: Callable[[Call, Client, Path], Fetched]
    news: Callable[[Asking, Client], News] | None = None
    needs_key: bool = False
    on_request: bool = False
    word: str = ""

    @property
    def name(self) -> str:
        """On the command line."""
        return self.word or self.service.name

    @property
    def source(self) -> str:
        """Folder of data/raw, a name of `anomaly sources`."""
        return self.service.name
