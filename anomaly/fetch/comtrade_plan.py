"""The fewest calls to UN Comtrade that bring what a scenario needs: blocks of reporters and periods, each under the caps."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from anomaly.contract.periods import months_before
from anomaly.fetch.base import Asking, Call, Cell, Plan, Release
from anomaly.fetch.comtrade_ask import DATA, MOST_LETTERS, MOST_PERIODS, MOST_ROWS, PREVIEW, Ask, number_of, reporters
from anomaly.fetch.comtrade_releases import periods_of
from anomaly.fetch.need import months

RECENT_MONTHS = 24  # that are revised even where availability does not say so
LOOK_AGAIN = timedelta(days=30)  # at them
FULL = 0.95  # of a cap that a plan fills by what it expects: an answer at the cap is a call for nothing
DOUBT = 1.5  # by which a reporter of whom nothing came yet is taken for larger; of 1, 1.25 and 1.5 the fewest calls (fetch.md)
LEAST_KNOWN = 5  # reporters of whom something came, for their mean to stand for the others
BYTES_A_ROW = (
    31  # of JSON packed by gzip, without descriptions: 30,000 made-up rows; the service's own have not been seen
)
# Rows of a reporter's period for each good, where none came yet: a guess that the first fetch replaces.
ROWS_A_GOOD = {(DATA, "M"): 25.0, (DATA, "A"): 40.0, (PREVIEW, "M"): 0.5, (PREVIEW, "A"): 1.0}
SOME_GOODS = 5_400  # all of the Harmonized System, where a scenario lists none

Pair = tuple[int, str]  # reporter's number, period


@dataclass(frozen=True, slots=True)
class _Block:
    """Reporters by periods that become one call, and the rows expected of it."""

    reporters: tuple[int, ...]
    periods: tuple[str, ...]
    rows: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """A reporter's periods that stay together; a part of them where all are more than one call may bring."""

    reporter: int
    periods: tuple[str, ...]
    rows: float
    is_part: bool


def dataset_of(freq: str) -> str:
    """The folder of a frequency's data.

    Parameters
    ----------
    freq : str
        A or M.

    Returns
    -------
    str
        The same for previews and data: they are rows of one database.
    """
    return f"C-{freq}-HS"


def templates(asking: Asking) -> list[Ask]:
    """What is asked of each frequency, but for periods: all partners with a key, a preview of trade with the targets without.

    Parameters
    ----------
    asking : Asking
        The need, and whether there is a key.

    Returns
    -------
    list of Ask
        Of monthly and, with a key, annual data.
    """
    need = asking.need
    if asking.has_key:
        numbers = tuple(sorted(set(reporters().values())))
        return [Ask(DATA, freq, numbers, (), need.goods) for freq in ("M", "A")]
    sellers = [iso3 for iso3 in (*need.hubs, *need.coalition) if iso3 not in need.targets]
    numbers = tuple(sorted(set(number_of(sellers).values())))
    targets = tuple(sorted(number_of(need.targets).values()))
    return [Ask(PREVIEW, "M", numbers, (), need.goods, targets, ("X",))]


def plan(asking: Asking) -> Plan:
    """The calls that bring what is needed, is out and does not lie there.

    Parameters
    ----------
    asking : Asking
        With `news`, exactly what is out; without, as if everyone had published everything, which is the most there can be.

    Returns
    -------
    Plan
        What is missing first, newest first; then what was revised, then what is looked at again.
    """
    calls, there, says = [], 0, []
    for template in templates(asking):
        wanted, lying = _wanted(asking, template)
        there += lying
        for why in ("missing", "revised", "recent"):
            pairs = {pair for pair, reason in wanted.items() if reason == why}
            calls += _calls(asking, template, pairs, why)
    if asking.news is None:
        says.append("who has published what was not asked: these are the most calls there can be")
    if not asking.has_key:
        says.append(
            "no key, so previews only: exports of listed goods from hubs and coalition to the targets, by month; what the "
            "coalition sells to hubs comes from Comext for the EU; imports, annual data and the routes that others are held "
            "against need a key (docs/fetch.md)"
        )
    order = {"missing": 0, "revised": 1, "recent": 2}
    calls.sort(key=lambda call: call.period, reverse=True)
    calls.sort(key=lambda call: order[call.why])
    return Plan(tuple(calls), there, tuple(says))


def _periods(asking: Asking, freq: str) -> list[str]:
    return periods_of(freq, months(asking.need, asking.since))


def _wanted(asking: Asking, template: Ask) -> tuple[dict[Pair, str], int]:
    """Pairs to be asked for with the reason, and how many lie there as they are out."""
    wanted, lying = {}, 0
    dataset, scope = dataset_of(template.freq), template.scope
    for period in _periods(asking, template.freq):
        for reporter in template.reporters:
            release = None if asking.news is None else asking.news.get(f"{dataset}/{reporter}/{period}")
            if asking.news is not None and release is None:
                continue
            cell = asking.held.get(f"{dataset}/{scope}/{reporter}/{period}")
            reason = _reason(cell, release, period, asking.today)
            lying += not reason
            if reason:
                wanted[reporter, period] = reason
    return wanted, lying


def _reason(cell: Cell | None, release: Release | None, period: str, today: date) -> str:
    if cell is None:
        return "missing"
    if release and (release.checksum, release.released) != (cell.release.checksum, cell.release.released):
        return "revised"
    oldest = months_before(today, RECENT_MONTHS)
    is_recent = period >= (f"{oldest:%Y%m}" if len(period) == 6 else f"{oldest:%Y}")
    return "recent" if is_recent and cell.looked_at.date() + LOOK_AGAIN <= today else ""


def _calls(asking: Asking, template: Ask, pairs: set[Pair], why: str) -> list[Call]:
    """Blocks of one reason as calls, the newest periods first."""
    expected = _Expected(asking, template)
    calls = []
    for chunk in _chunks({period for _, period in pairs}, template):
        in_chunk = {pair for pair in pairs if pair[1] in chunk}
        for block in _blocks(in_chunk, template, expected):
            ask = replace(template, reporters=block.reporters, periods=block.periods)
            calls.append(_call(asking, ask, why, round(block.rows)))
    return calls


def _call(asking: Asking, ask: Ask, why: str, rows: int) -> Call:
    first, last = ask.periods[0], ask.periods[-1]
    names = [(reporter, period) for reporter in ask.reporters for period in ask.periods]
    news, dataset = asking.news, dataset_of(ask.freq)
    said = {(reporter, period): (news or {}).get(f"{dataset}/{reporter}/{period}") for reporter, period in names}
    cells = {
        f"{ask.scope}/{reporter}/{period}": release or Release()
        for (reporter, period), release in said.items()
        if release or news is None
    }
    size = rows * BYTES_A_ROW
    period = first if first == last else f"{first}-{last}"
    return Call(dataset, period, ask.address, ask.params(), cells, why, rows, size)


def _chunks(periods: Iterable[str], template: Ask) -> list[set[str]]:
    """Periods that may go together: a calendar year's months, twelve years, or one period of a preview."""
    most = MOST_PERIODS[template.path]
    if most == 1:
        return [{period} for period in sorted(periods, reverse=True)]
    if template.freq == "A":
        ordered = sorted(periods)
        return [set(ordered[at : at + most]) for at in range(0, len(ordered), most)]
    years = sorted({period[:4] for period in periods}, reverse=True)
    return [{period for period in periods if period[:4] == year} for year in years]


class _Expected:
    """Rows that a reporter's period is expected to have.

    As many as came last; else as the reporter's other periods; else in proportion to all the rows that availability tells
    of; else a guess. The proportion is that of what came, and before anything came the one that makes the guess the mean.
    """

    def __init__(self, asking: Asking, template: Ask) -> None:
        dataset = dataset_of(template.freq)
        prefix = f"{dataset}/{template.scope}/"
        self._came: dict[Pair, int] = {}
        of_reporter: dict[int, list[int]] = {}
        for name, cell in asking.held.items():
            if name.startswith(prefix):
                number, _, period = name.removeprefix(prefix).partition("/")
                rows = cell.release.rows or 0
                self._came[int(number), period] = rows
                of_reporter.setdefault(int(number), []).append(rows)
        self._of_reporter = {number: statistics.fmean(rows) for number, rows in of_reporter.items()}
        self._said = _said_rows(asking, dataset)
        guess = ROWS_A_GOOD[template.path, template.freq] * (len(template.goods) or SOME_GOODS)
        is_known = len(of_reporter) >= LEAST_KNOWN
        self._guess = DOUBT * (statistics.fmean(self._of_reporter.values()) if is_known else guess)
        both = [(rows, self._said[pair]) for pair, rows in self._came.items() if pair in self._said] if is_known else []
        came, said = sum(rows for rows, _ in both), sum(rows for _, rows in both)
        mean_said = statistics.fmean(self._said.values()) if self._said else 1.0
        self._share = DOUBT * (came / said if said else guess / mean_said)

    def rows(self, reporter: int, periods: Iterable[str]) -> float:
        """Of a reporter in some periods."""
        return sum(self._of(reporter, period) for period in periods)

    def _of(self, reporter: int, period: str) -> float:
        pair = (reporter, period)
        if pair in self._came:
            return self._came[pair]
        if reporter in self._of_reporter:
            return self._of_reporter[reporter]
        return self._share * self._said[pair] if pair in self._said else self._guess


def _said_rows(asking: Asking, dataset: str) -> dict[Pair, int]:
    """All rows of a reporter's period, of all goods and breakdowns, where availability tells how many."""
    said = {}
    for name, release in (asking.news or {}).items():
        if name.startswith(f"{dataset}/") and release.rows:
            _, number, period = name.split("/")
            said[int(number), period] = release.rows
    return said


def _blocks(pairs: set[Pair], template: Ask, expected: _Expected) -> list[_Block]:
    """Pairs in the fewest blocks that stay under the cap by what is expected: largest first, each where it still fits.

    A block asks all its reporters for all its periods, so reporters of the same periods are put together first.
    """
    room = FULL * MOST_ROWS[template.path]
    by_reporter: dict[int, list[str]] = {}
    for reporter, period in sorted(pairs):
        by_reporter.setdefault(reporter, []).append(period)
    pieces = [
        _Piece(reporter, tuple(run), expected.rows(reporter, run), is_part=len(runs) > 1)
        for reporter, periods in by_reporter.items()
        for runs in [_under(reporter, periods, room, expected)]
        for run in runs
    ]
    pieces.sort(key=lambda piece: (-len(piece.periods), piece.periods, -piece.rows, piece.reporter))
    blocks: list[_Block] = []
    for piece in pieces:
        at, grown = _place(blocks, piece, room, template, expected)
        if at is None:
            blocks.append(grown)
        else:
            blocks[at] = grown
    return blocks


def _place(
    blocks: Sequence[_Block], piece: _Piece, room: float, template: Ask, expected: _Expected
) -> tuple[int | None, _Block]:
    """The first block that a piece fits into, and the block with it; None and a block of its own where it fits into none."""
    for at, block in enumerate(blocks):
        is_within = set(piece.periods) <= set(block.periods)
        if not is_within or (piece.is_part and piece.periods != block.periods):
            continue
        rows = block.rows + expected.rows(piece.reporter, block.periods)
        grown = _Block((*block.reporters, piece.reporter), block.periods, rows)
        address = replace(template, reporters=grown.reporters, periods=grown.periods)
        if grown.rows <= room and address.letters <= MOST_LETTERS:
            return at, grown
    return None, _Block((piece.reporter,), piece.periods, piece.rows)


def _under(reporter: int, periods: list[str], room: float, expected: _Expected) -> list[list[str]]:
    """A reporter's periods in as few runs as stay under the cap."""
    runs: list[list[str]] = [[]]
    for period in periods:
        if runs[-1] and expected.rows(reporter, [*runs[-1], period]) > room:
            runs.append([])
        runs[-1].append(period)
    return runs


def least_calls(rows: Mapping[Pair, int], path: str) -> int:
    """The least calls that can bring so many rows: by the cap on rows, and by the cap on periods.

    Parameters
    ----------
    rows : mapping of (int, str) to int
        Reporter's number and period → rows that it has.
    path : str
        DATA or PREVIEW.

    Returns
    -------
    int
        No plan can be under it: a call has fewer rows than the cap.
    """
    periods = {period for _, period in rows}
    by_rows = -(-sum(rows.values()) // (MOST_ROWS[path] - 1))
    return max(by_rows, -(-len(periods) // MOST_PERIODS[path]))
