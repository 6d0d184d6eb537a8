"""What a call of UN Comtrade asks for: parameters in any case, judged one by one as the API does."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from loopback.facts import Published
from loopback.publishers.comtrade_rows import LEVELS
from loopback.wire import Answer, Request, as_json

FLOWS = ("M", "X", "DX", "FM", "MIP", "MOP", "RM", "RX", "XIP", "XOP")
_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_FORMS: dict[str, Callable[[str], object]] = {
    "reporterCode": lambda text: re.fullmatch(r"\d{1,3}", text, re.ASCII),
    "partnerCode": lambda text: re.fullmatch(r"\d{1,3}", text, re.ASCII),
    "partner2Code": lambda text: re.fullmatch(r"\d{1,3}", text, re.ASCII),
    "period": lambda text: re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])?", text, re.ASCII),
    "cmdCode": lambda text: text in LEVELS or re.fullmatch(r"\d{2}|\d{4}|\d{6}", text, re.ASCII),
    "flowCode": lambda text: text in FLOWS,
    "customsCode": lambda text: re.fullmatch(r"C\d\d", text, re.ASCII),
    "motCode": lambda text: re.fullmatch(r"\d{1,4}", text, re.ASCII),
}


class Refused(Exception):
    """A call that the API answers with 400.

    Parameters
    ----------
    answer : Answer
        The envelope with count -1.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def refusal(name: str, says: str, error: str = "Invalid parameter value") -> Answer:
    """The envelope of a call that the API refuses.

    Parameters
    ----------
    name : str
        Of the parameter.
    says : str
        What is wrong with it.
    error : str
        In general.

    Returns
    -------
    Answer
        Status 400, count -1.
    """
    details = [{"MemberNames": [name], "ErrorMessage": says}]
    return as_json({"elapsedTime": "0 secs", "count": -1, "data": [], "error": error, "errorObject": details}, 400)


def asked(request: Request, name: str) -> list[str] | None:
    """The values of a parameter.

    Parameters
    ----------
    request : Request
        A call.
    name : str
        As the API spells it.

    Returns
    -------
    list of str or None
        None where nothing is asked: all of it.

    Raises
    ------
    Refused
        A value has not the parameter's form.
    """
    text = request.parameter(name.lower())
    if text is None or not text.strip():
        return None
    values = [value.strip().upper() for value in text.split(",")]
    if not all(_FORMS[name](value) for value in values):
        raise Refused(refusal(name, f"The field {name} is invalid"))
    return values


def periods(request: Request, most: int, is_preview: bool) -> list[str] | None:
    """The periods that are asked for.

    Parameters
    ----------
    request : Request
        A call.
    most : int
        That one call may name.
    is_preview : bool
        Whether it is a preview, which takes one.

    Returns
    -------
    list of str or None
        None where none is named.

    Raises
    ------
    Refused
        There are too many, or one is none.
    """
    named = asked(request, "period")
    if named is not None and len(set(named)) > most:
        kind = " for preview" if is_preview else ""
        raise Refused(refusal("period", f"Maximum number of periods{kind} is {most}"))
    return named


def numbers(request: Request, name: str) -> list[int] | None:
    """The numbers of a parameter.

    Parameters
    ----------
    request : Request
        A call.
    name : str
        As the API spells it.

    Returns
    -------
    list of int or None
        None where nothing is asked.

    Raises
    ------
    Refused
        One is no number.
    """
    values = asked(request, name)
    return None if values is None else [int(value) for value in values]


def is_of_codes(values: list[str] | None) -> pl.Expr:
    """Which rows have the commodity codes that are asked for.

    Parameters
    ----------
    values : list of str or None
        Codes, and AG2, AG4 or AG6 for all of a level; None: every row.

    Returns
    -------
    polars.Expr
        Of cmdCode.
    """
    if values is None:
        return pl.lit(value=True)
    levels = [digits for name, digits in LEVELS.items() if name in values and digits]
    code = pl.col("cmdCode")
    return code.is_in(values) | ((code != "TOTAL") & code.str.len_chars().is_in(levels))


def is_of_revision(cl_code: str) -> pl.Expr:
    """Which reports are of the classification that a path names.

    Parameters
    ----------
    cl_code : str
        HS for as reported, H0 to H6, or one that the world has nothing of.

    Returns
    -------
    polars.Expr
        Of edition.
    """
    name = cl_code.upper()
    if name == "HS":
        return pl.lit(value=True)
    return pl.col("edition") == int(name[1]) if re.fullmatch(r"H[0-6]", name) else pl.lit(value=False)


def months_of(published: Published, named: list[str] | None) -> list[int]:
    """Positions of the months that are asked for.

    Parameters
    ----------
    published : Published
        With its calendar.
    named : list of str or None
        Such as 202203; None: all.

    Returns
    -------
    list of int
        Those that the world has.
    """
    places = {f"{month:%Y%m}": place for place, month in enumerate(published.world.calendar)}
    return list(places.values()) if named is None else [places[name] for name in named if name in places]
