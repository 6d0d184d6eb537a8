"""What UN Comtrade has out: of each reporter and period a checksum and a day, asked for before any data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from anomaly.fetch.base import Release
from anomaly.fetch.client import Answer, Client
from anomaly.fetch.comtrade_answer import envelope_of
from anomaly.fetch.faults import Transient, sentence_of

MOST_PERIODS = 12  # in a request
_FRACTION = 7  # digits of a second that .NET writes, and sometimes leaves out


def releases(client: Client, freq: str, periods: Sequence[str]) -> dict[tuple[int, str], Release]:
    """What is out of some periods, of every reporter.

    Parameters
    ----------
    client : Client
        Comtrade's; no key is needed.
    freq : str
        A or M.
    periods : sequence of str
        Years or months; a request for each twelve.

    Returns
    -------
    dict of (int, str) to Release
        Reporter's number and period → what is out; several classifications are one release.
    """
    path = f"/{'data' if client.has_key else 'public'}/v1/getDA/C/{freq}/HS"
    rows: list[Mapping[str, str]] = []
    for at in range(0, len(periods), MOST_PERIODS):
        rows += client.ask(path, (("period", ",".join(periods[at : at + MOST_PERIODS])),), _rows)
    return of_rows(rows)


def _rows(answer: Answer) -> list[Mapping[str, str]]:
    text = answer.content.decode("utf-8-sig", "replace").lstrip()
    if text.startswith(("{", "[")):
        return [_lower(row) for row in envelope_of(answer.content)["data"] if isinstance(row, dict)]
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not {"reportercode", "period"} <= set(_lower(rows[0])):
        raise Transient(f"no list of releases: {sentence_of(answer.content)}")
    return [_lower(row) for row in rows]


def _lower(row: Mapping[object, object]) -> dict[str, str]:
    return {str(name).lower(): "" if value is None else str(value) for name, value in row.items()}


def of_rows(rows: Iterable[Mapping[str, str]]) -> dict[tuple[int, str], Release]:
    """Rows of availability by reporter and period.

    Parameters
    ----------
    rows : iterable of mapping of str to str
        Names in lower case.

    Returns
    -------
    dict of (int, str) to Release
        Checksums of several classifications joined, their rows added up, the newest day.

    Raises
    ------
    Transient
        A row has no reporter or no period.
    """
    by_cell: dict[tuple[int, str], list[Mapping[str, str]]] = {}
    for row in rows:
        try:
            by_cell.setdefault((int(row["reportercode"]), row["period"].strip()), []).append(row)
        except (KeyError, ValueError):
            raise Transient(f"a release without reporter or period: {str(dict(row))[:120]}") from None
    return {
        cell: Release(
            checksum="+".join(sorted(row.get("datasetchecksum", "") for row in same)),
            released=max(moment(row.get("lastreleased", "")) for row in same),
            rows=sum(int(text) for row in same if (text := row.get("totalrecords", "")).isdigit()) or None,
        )
        for cell, same in by_cell.items()
    }


def moment(text: str) -> str:
    """A time as .NET writes it, so that two of them compare as texts: fractions of a second are left out or not.

    Parameters
    ----------
    text : str
        2024-09-18T10:01:22.4431, with or without a fraction, zone or time.

    Returns
    -------
    str
        As it was where it is no time.

    Examples
    --------
    >>> moment("2024-09-18T10:01:22.4431"), moment("2024-09-18 10:01:22")
    ('2024-09-18T10:01:22.443100', '2024-09-18T10:01:22.000000')
    """
    whole, _, rest = text.strip().partition(".")
    fraction = "".join(letter for letter in rest[:_FRACTION] if letter.isdigit())[:6]
    try:
        parsed = datetime.fromisoformat(whole.rstrip("Z"))
    except ValueError:
        return text.strip()
    return parsed.replace(microsecond=int(fraction.ljust(6, "0")), tzinfo=None).isoformat(timespec="microseconds")


def periods_of(freq: str, months: Sequence[date]) -> list[str]:
    """Periods as UN Comtrade writes them.

    Parameters
    ----------
    freq : str
        A: the years whose months are all among these, or M.
    months : sequence of datetime.date
        First days, oldest first.

    Returns
    -------
    list of str
        2024, or 202409.
    """
    if freq == "M":
        return [f"{month:%Y%m}" for month in months]
    years = [month.year for month in months]
    return [str(year) for year in dict.fromkeys(years) if years.count(year) == 12]
