"""Windows and names in words, the same in every format; and the one order of flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.periods import FREQUENCY_WORDS
from anomaly.contract.schema import ROUTE_KEY
from anomaly.flags import naming
from anomaly.reports.base import Findings

SEVERITIES = ("high", "medium", "low")
VERDICT_WORDS = {
    "fits": "the data allow it",
    "partly": "the data allow a part of it",
    "against": "the data speak against it",
    "unknown": "the data cannot say",
}
TALLY_WORDS = {"fits": "possible", "partly": "possible in part", "against": "spoken against", "unknown": "open"}
REMAINS_WORDS = {
    "flagged": "still flagged",
    "weaker": "flagged with fewer reasons",
    "not_flagged": "not flagged",
    "not_comparable": "not comparable",
}


def windows_words(freq_code: str, window_months: int) -> str:
    """What data the windows of one kind are of: annual, or monthly or quarterly and how long.

    Parameters
    ----------
    freq_code : str
        A annual, M monthly, Q quarterly.
    window_months : int
        Length of the windows; it is not said of annual data.

    Returns
    -------
    str
        The beginning of a sentence.
    """
    data = f"{FREQUENCY_WORDS[freq_code].capitalize()} data"
    return data if freq_code == "A" else f"{data}, windows of {window_months} months"


def type_words(flag_type: str) -> str:
    """A flag's type for people.

    Parameters
    ----------
    flag_type : str
        Its name in the table flags.

    Returns
    -------
    str
        Its words in the registry of types.
    """
    return naming.type_of(flag_type).words


def indicator_words(findings: Findings, name: str) -> str:
    """What an indicator measures, for people.

    Parameters
    ----------
    findings : Findings
        Of its run: indicators.
    name : str
        Of the indicator.

    Returns
    -------
    str
        Its name in words where the run does not say what it measures.
    """
    meaning: str = dict(findings.run.get("indicators", {})).get(name) or name.replace("_", " ")
    return meaning


def publisher_name(findings: Findings, source: str) -> str:
    """The publisher of a source, without the title of what it publishes.

    Parameters
    ----------
    findings : Findings
        Of its run: publishers.
    source : str
        Name of the source in the tables.

    Returns
    -------
    str
        The source's own name where the run does not say whose it is.
    """
    publisher_and_title: str = dict(findings.run.get("publishers", {})).get(source) or source
    return publisher_and_title.partition(": ")[0]


def good_name(findings: Findings, good: str) -> str:
    """The short name of a good, or its code where it has none.

    Parameters
    ----------
    findings : Findings
        Its goods.
    good : str
        Code of the good or family.

    Returns
    -------
    str
        For people.
    """
    return findings.goods.get(good) or good


def country_name(findings: Findings, iso: str) -> str:
    """The English name of a country, or its code where it has none.

    Parameters
    ----------
    findings : Findings
        Its countries.
    iso : str
        ISO-3.

    Returns
    -------
    str
        For people.
    """
    return findings.countries.get(iso) or iso


def setting(findings: Findings, key: str) -> Any:
    """A setting of the run by its key.

    Parameters
    ----------
    findings : Findings
        Its run.
    key : str
        Of the top level of the scenario.

    Returns
    -------
    object
        As the settings have it; None where the run does not say.
    """
    settings = findings.run.get("settings")
    return settings.get(key) if isinstance(settings, Mapping) else None


def measures(findings: Findings) -> str:
    """What the scenario calls what is gone round: sanctions, export controls.

    Parameters
    ----------
    findings : Findings
        Of its run's settings: measures.

    Returns
    -------
    str
        A plural; `sanctions` where the settings do not say it.
    """
    return str(setting(findings, "measures") or "sanctions")


def next_steps(findings: Findings, flag: Mapping[str, Any]) -> list[str]:
    """The questions to ask next about a flag, with the names of its countries and its good.

    Parameters
    ----------
    findings : Findings
        Its goods and countries.
    flag : mapping
        flag_type, exporter_iso, importer_iso, good.

    Returns
    -------
    list of str
        Two or three questions.
    """
    exporter, importer = (country_name(findings, flag[name]) for name in ("exporter_iso", "importer_iso"))
    return naming.next_steps(
        flag["flag_type"], exporter, importer, good_name(findings, flag["good"]), measures(findings)
    )


def in_order(flags: pl.DataFrame) -> pl.DataFrame:
    """Flags by priority, the most pressing first.

    Parameters
    ----------
    flags : polars.DataFrame
        The table flags.

    Returns
    -------
    polars.DataFrame
        The same rows; ties by the key, so that the order is total.
    """
    return flags.sort(["priority", *ROUTE_KEY], descending=[True] + [False] * len(ROUTE_KEY))
