"""Eurostat's listing of bulk files: a page for people, of which only monthly files are taken."""

from __future__ import annotations

import re

from anomaly.fetch.base import Release

# no YYYY52 (a year's totals, whose months are files of their own), no full_partxixu_* (the split of GB), none before 2002
_MONTH = re.compile(r">\s*full_v2_(20\d\d(?:0[1-9]|1[0-2]))\.7z\s*<", re.ASCII)
_BYTES = re.compile(r'title="\s*(\d[\d,. ]*?)\s*bytes"', re.ASCII)
_DAY = re.compile(r"(\d\d)/(\d\d)/(\d{4})(?:\s+(\d\d:\d\d))?", re.ASCII)


def months_listed(page: str) -> dict[str, Release]:
    """The months of a listing.

    Parameters
    ----------
    page : str
        HTML, a row of a table a file.

    Returns
    -------
    dict of str to Release
        202402 → its size, and size and day as a checksum; empty where the page lists none.

    Examples
    --------
    >>> row = '<tr><td><a href="x">full_v2_202402.7z</a></td><td title="45 bytes">1 KB</td><td>18/06/2026 11:00</td></tr>'
    >>> months_listed(row)["202402"].checksum
    '45 bytes, 2026-06-18T11:00'
    """
    listed: dict[str, Release] = {}
    for row in re.split(r"<tr\b", page):
        if named := _MONTH.search(row):
            size, day = _BYTES.search(row), _DAY.search(row)
            size_bytes = int(re.sub(r"\D", "", size[1])) if size else None
            released = f"{day[3]}-{day[2]}-{day[1]}T{day[4] or '00:00'}" if day else ""
            listed[named[1]] = Release(f"{size_bytes or '?'} bytes, {released}", released, size_bytes=size_bytes)
    return listed
