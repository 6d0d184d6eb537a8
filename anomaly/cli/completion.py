"""What a shell offers for a country, a code or a period that is begun. Reads two small files and loads no table library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_REFERENCE = Path(__file__).parent.parent / "reference"
_MOST = 200  # more nobody reads
_GROUPS = (("EU27", "the European Union, added up"), ("coalition", "the scenario's coalition, added up"))
_TOTAL = ("TOTAL", "all goods added up")


def countries(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Countries whose code or name begins so, by their ISO-3; in a list the one after the last comma.

    Parameters
    ----------
    _context, _option : click.Context, click.Parameter
        Not looked at.
    begun : str
        What is typed so far.

    Returns
    -------
    list of click.shell_completion.CompletionItem
        The whole word, its name as help.
    """
    before, comma, last = begun.rpartition(",")
    start = last.casefold()
    items = [(name, says) for name, says in _GROUPS if not comma and name.casefold().startswith(start)]
    items += [
        (row["iso3"], row["name"])
        for row in _rows("countries.csv")
        if row["kind"] == "country"
        and (row["iso3"].casefold().startswith(start) or (start and row["name"].casefold().startswith(start)))
    ]
    return _offered((f"{before}{comma}{value}", says) for value, says in items)


def codes(_context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Codes that begin so, with a dot where one was typed; or goods with a word that begins so.

    Parameters
    ----------
    _context, _option : click.Context, click.Parameter
        Not looked at.
    begun : str
        What is typed so far.

    Returns
    -------
    list of click.shell_completion.CompletionItem
        The whole code, the good's name as help.
    """
    start = begun.casefold()
    digits, is_dotted = start.replace(".", ""), "." in start
    goods = [(row["good"], row["name"]) for row in _rows("goods.csv")]
    if digits and not digits.isdecimal():
        items = [
            (good, name) for good, name in goods if any(word.startswith(start) for word in name.casefold().split())
        ]
    else:
        items = [(good, name) for good, name in goods if good.startswith(digits)]
    items = [(f"{good[:4]}.{good[4:]}" if is_dotted else good, name) for good, name in items]
    if _TOTAL[0].casefold().startswith(start):
        items.insert(0, _TOTAL)
    return _offered(items)


def countries_or_codes(context: click.Context, option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Countries where letters are typed, codes where digits are; both where nothing is.

    Parameters
    ----------
    context, option : click.Context, click.Parameter
        As click gives them.
    begun : str
        What is typed so far.

    Returns
    -------
    list of click.shell_completion.CompletionItem
        As `countries` and `codes` give them.
    """
    return (countries if begun[:1].isalpha() else codes)(context, option, begun)


def _offered(items: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # no part of a question or of its help

    return [CompletionItem(value, help=says) for value, says in islice(items, _MOST)]


def _rows(file: str) -> Iterator[dict[str, str]]:
    import csv

    with (_REFERENCE / file).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
