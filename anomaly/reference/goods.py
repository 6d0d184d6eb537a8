"""Goods: codes as people write them, names in our own words, and dated lists of goods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import polars as pl

from anomaly.contract.errors import BadRequest
from anomaly.reference.countries import MOST_NEAR, plain
from anomaly.reference.tables import REFERENCE, read

HEADING_DIGITS = 4  # of a heading of the HS; its goods may be each other's neighbours, and lie in one chunk
HS_2022 = 6  # number of the edition that lists are written in
_MOST_MEANT = 12  # goods that words may mean, named in an answer
_PLAIN_SEPARATORS = re.compile(r"[\s.\-_]+")


@cache
def _chapter_names() -> dict[str, str]:
    return dict(read("chapters.csv").select("chapter", "name").iter_rows())


@cache
def _good_names() -> dict[str, str]:
    return dict(read("goods.csv").select("good", "name").iter_rows())


def chapter_name(chapter: str) -> str:
    """Short English name of an HS chapter.

    Parameters
    ----------
    chapter : str
        Two digits.

    Returns
    -------
    str
        In our own words; 'Chapter 98' where it has none.

    Examples
    --------
    >>> chapter_name("02")
    'Meat'
    """
    return _chapter_names().get(chapter, f"Chapter {chapter}")


def good_name(good: str) -> str:
    """Short English name of a code or family.

    Parameters
    ----------
    good : str
        Digits, with + where it is a family.

    Returns
    -------
    str
        In our own words; '<chapter>, <code>' where it has none of its own.

    Examples
    --------
    >>> good_name("851712+"), good_name("020130")
    ('mobile phones', 'Meat, 020130')
    """
    if good == "TOTAL":
        return "all goods"
    names = _good_names()
    own_name = names.get(good) or names.get(good.rstrip("+")) or names.get(good[:6])
    chapter = chapter_name(good[:2])
    return own_name or (chapter if len(good) == 2 else f"{chapter}, {good}")


def parse_code(text: str) -> str:
    """Commodity code as digits, from what a person wrote.

    Whether trade has such a code is for the data to say; only the chapter is checked.

    Parameters
    ----------
    text : str
        2 to 6 digits of the HS, 8 of the CN or 10 of a national list, with dots and spaces or without; a family with its +.

    Returns
    -------
    str
        The digits; a family keeps its +.

    Raises
    ------
    BadRequest
        For anything else, with the nearest goods.

    Examples
    --------
    >>> parse_code("HS 8517.12"), parse_code("851712+")
    ('851712', '851712+')
    """
    digits = re.sub(r"^(?:HS|CN)", "", _PLAIN_SEPARATORS.sub("", text).upper())
    if not re.fullmatch(r"[0-9]{2,6}|[0-9]{6}\+|[0-9]{8}|[0-9]{10}", digits):
        raise BadRequest(
            "an HS code of 2 to 6 digits, or 8 or 10 of a national list",
            repr(text[:40]),
            hint=_near_goods(digits, text),
        )
    if digits[:2] not in _chapter_names():
        names = [f"{near} ({chapter_name(near)})" for near in _near_chapters(digits[:2])]
        raise BadRequest(
            "a code in a chapter of the HS, 01 to 97 without 77, or 98 and 99",
            repr(text[:40]),
            hint=f"did you mean chapter {', '.join(names)}?",
        )
    return digits


def code_of_words(text: str) -> str | None:
    """The good that is called so, where a person wrote words and no code.

    Parameters
    ----------
    text : str
        A name such as smartphones, in singular or plural; or a code, which is left to `parse_code`.

    Returns
    -------
    str or None
        The one good of that name; None where the text has digits and no word of two letters beside HS and CN.

    Raises
    ------
    BadRequest
        Where no good or more than one may be meant, with those that may.

    Examples
    --------
    >>> code_of_words("Smartphone"), code_of_words("8517.12")
    ('851713', None)
    """
    asked_words = plain(text).split()
    if not any(word.isalpha() and word not in ("hs", "cn", "total") for word in asked_words) or any(
        word.isdecimal() for word in asked_words
    ):
        return None
    bare = [_singular(word) for word in asked_words]
    words_of = {good: [_singular(word) for word in plain(name).split()] for good, name in _good_names().items()}
    exact = [good for good, words in words_of.items() if words == bare]
    if len(exact) == 1:
        return exact[0]
    meant = [good for good, words in words_of.items() if set(bare) <= set(words)] or [
        good for good, words in words_of.items() if all(any(word.startswith(asked) for word in words) for asked in bare)
    ]
    if not meant:
        raise BadRequest("a code, or words that name one good", repr(text[:40]), hint=_near_goods("", text))
    names = _good_names()
    lines = [f"{good}  {names[good]}" for good in meant[:_MOST_MEANT]]
    if len(meant) > _MOST_MEANT:
        lines.append(f"and {len(meant) - _MOST_MEANT} more; say more of the name")
    raise BadRequest(
        "words that name one good",
        f"{text[:40]!r}, which may be any of several",
        hint="\n         ".join(["ask for the code of the one that is meant", *lines]),
    )


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _near_chapters(chapter: str) -> list[str]:
    return sorted(_chapter_names(), key=lambda named: (abs(int(named) - int(chapter)), named))[:2]


def _near_goods(digits: str, text: str) -> str:
    """The nearest goods by code, or by name where letters were written."""
    names = _good_names()
    by_name = {plain(name): good for good, name in names.items()}
    plain_text = plain(text)
    import difflib  # only where a code is not understood

    near = difflib.get_close_matches(digits[:6], names, n=MOST_NEAR, cutoff=0.7) if digits[:4].isdecimal() else []
    near += [good for name, good in by_name.items() if len(plain_text) > 2 and plain_text in name]
    near += [by_name[match] for match in difflib.get_close_matches(plain_text, by_name, n=MOST_NEAR, cutoff=0.5)]
    shown = ", ".join(f"{good} ({names[good]})" for good in list(dict.fromkeys(near))[:MOST_NEAR])
    return f"did you mean {shown}?" if shown else "such as 8517.12, 851712, 8517 or 85"


@cache
def goods_list(file: str) -> pl.DataFrame:
    """A dated list of goods, such as the common high priority list.

    Parameters
    ----------
    file : str
        Name of a CSV file in this folder.

    Returns
    -------
    polars.DataFrame
        hs6, tier, valid_from, valid_to (Date; null: still valid), name.

    Raises
    ------
    BadRequest
        Where there is no such list.
    """
    if not re.fullmatch(r"[\w-]+\.csv", file) or not (REFERENCE / file).is_file():
        raise BadRequest("a goods list in anomaly/reference", repr(file[:40]), hint="such as chpl.csv")
    return read(file).select("hs6", "tier", pl.col("valid_from", "valid_to").str.to_date(), "name")


def listed(files: Sequence[str], families: pl.DataFrame) -> pl.DataFrame:
    """Dated lists with the family each code is compared in; a code of HS 2022 unless the families say otherwise.

    Parameters
    ----------
    files : sequence of str
        Names of goods lists in this folder.
    families : polars.DataFrame
        edition, cmd_code, good: editions.family_map, or the table families.

    Returns
    -------
    pl.DataFrame
        tier, valid_from (null: always), valid_to (null: still), good; one row a code of a list.

    Raises
    ------
    BadRequest
        Where a list is not there.
    """
    if not files:
        return pl.DataFrame(schema={"tier": pl.String, "valid_from": pl.Date, "valid_to": pl.Date, "good": pl.String})
    of_hs_2022 = families.filter(pl.col("edition") == HS_2022).select(hs6="cmd_code", family="good")
    return (
        pl.concat([goods_list(file) for file in files])
        .join(of_hs_2022, on="hs6", how="left")
        .select("tier", "valid_from", "valid_to", good=pl.coalesce("family", "hs6"))
    )
