"""A case in words, the same on the page, in the workbook and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anomaly.contract.periods import window_of
from anomaly.flags import naming
from anomaly.indicators.base import change, usd


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        In the singular; its plural ends in s.

    Returns
    -------
    str
        Such as 1 case.

    Examples
    --------
    >>> counted(1, "case"), counted(2040, "window")
    ('1 case', '2,040 windows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def route(case: Mapping[str, Any], countries: Mapping[str, str], goods: Mapping[str, str]) -> str:
    """What a case is about.

    Parameters
    ----------
    case : mapping
        good, exporter_iso and importer_iso.
    countries, goods : mapping of str to str
        Code → name; a code without one stands for itself.

    Returns
    -------
    str
        Such as Smartphones, Kyrgyzstan to Russia.
    """
    exporter, importer = (countries.get(case[side], case[side]) for side in ("exporter_iso", "importer_iso"))
    return f"{goods.get(case['good'], case['good'])}, {exporter} to {importer}"


def figures(case: Mapping[str, Any]) -> str:
    """The figures of a case's newest window, and how many windows there are.

    Parameters
    ----------
    case : mapping
        A row of cases.

    Returns
    -------
    str
        Without a full stop.
    """
    now, before, excess = case["value_usd"], case["value_prior_year_usd"], case["excess_usd"]
    text = f"{usd(now)} in {window_of(case).words}"
    if before is None:
        text += ", the year before not known"
    else:
        text += f" after {usd(before)} ({change(now, before)})" if before else " after nothing"
    if excess is not None and excess > 0:
        text += f", {usd(excess)} more than explained"
    return f"{text}; {counted(len(case['windows']), 'window')}"


def sentence(case: Mapping[str, Any], countries: Mapping[str, str], goods: Mapping[str, str]) -> str:
    """A case in one sentence: what, from whom to whom, how much, and what the figures look like.

    Parameters
    ----------
    case : mapping
        A row of cases.
    countries, goods : mapping of str to str
        Code → name.

    Returns
    -------
    str
        With a full stop.
    """
    return f"{route(case, countries, goods)} ({naming.type_of(case['flag_type']).words}): {figures(case)}."
