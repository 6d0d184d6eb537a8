"""Everything that can be wrong with a mapping, in words and all at once."""

from __future__ import annotations

import codecs
import re
from typing import Any

from anomaly.contract.schema import FLOWS
from anomaly.reference.editions import EDITION_STARTS
from anomaly.sources.own_table.periods import LANGUAGES, format_fault, frequency

COUNTRY_SYSTEMS = ("iso3", "iso2", "m49", "name")
GRAMS = {"g": 1.0, "kg": 1e3, "100kg": 1e5, "t": 1e6}
CLASSIFICATION = rf"^(H[0-{len(EDITION_STARTS) - 1}]|CN[0-9]{{4}})$"
BY_YEAR = ("by year", "CN by year")  # the edition in force in the row's year
NEEDED_ROLES = ("reporter", "partner", "period", "code", "value")
ROLES = (*NEEDED_ROLES, "flow", "weight", "classification", "month", "quarter")
# what a constant may stand for, and how the message shows it
CONSTANTS = {"reporter": "USA", "partner": "DEU", "flow": "X", "classification": "H6"}
TEXTS = {
    "dataset": "",
    "vintage": "",
    "encoding": "utf-8",
    "separator": ",",
    "sheet": "",
    "countries": "iso3",
    "period": "%Y",
    "reexports": "within",
}
WHOLE_NUMBERS = {"header_row": (1, 1000), "foot_rows": (0, 1000), "year_begins": (1, 12)}
SECTIONS: dict[str, tuple[str, ...]] = {  # their keys; an empty tuple: the user's own words
    "columns": ROLES,
    "flows": (),
    "value": ("currency", "multiplier", "rates"),
    "weight": ("unit",),
    "number": ("decimal", "thousands"),
    "marks": ("zero", "unknown", "withheld"),
    "code": ("constant", "zeros"),
    "country": (),
    "pass_over": (),
    "wide": ("value", "weight"),
}
OTHER_KEYS = ("country_table", "sum_over", "cumulative", "month_names")
KEYS = (*TEXTS, *CONSTANTS, *WHOLE_NUMBERS, *OTHER_KEYS, *SECTIONS)
DECIMALS = (".", ",", "\u066b")
THOUSANDS = (".", ",", " ", "'", "\u2019", "\u00a0", "\u202f", "\u2009", "_")


def faults_of(content: dict[str, Any]) -> list[str]:
    """Everything wrong with a mapping.

    Parameters
    ----------
    content : dict
        The TOML, as it was parsed.

    Returns
    -------
    list of str
        In words, naming the key and what was expected; empty where the mapping can be used.

    Examples
    --------
    >>> faults_of({"colums": {}})[0].partition(";")[0]
    'unknown key colums'
    """
    faults = [f"unknown key {key}; known are {', '.join(KEYS)}" for key in content if key not in KEYS]
    texts = (*TEXTS, *CONSTANTS, "country_table")
    faults += [f"{key} is not text" for key in texts if not isinstance(content.get(key, ""), str)]
    faults += [f"[{key}] is not a section" for key in SECTIONS if not isinstance(content.get(key, {}), dict)]
    faults += _number_faults(content)
    if faults:
        return faults
    if not is_plain(content.get("country_table", "countries.csv") or "none"):
        faults.append(f"country_table is {content['country_table']!r}, expected the name of a file beside the table")
    section: dict[str, dict[str, Any]] = {key: content.get(key, {}) for key in SECTIONS}
    for key, keys in SECTIONS.items():
        faults += [
            f"unknown key {key}.{name}; known are {', '.join(keys)}"
            for name in section[key]
            if keys and name not in keys
        ]
    return [
        *faults,
        *_column_faults(content, section["columns"], section["wide"]),
        *_word_faults({**TEXTS, **{key: content[key] for key in (*TEXTS, *CONSTANTS) if key in content}}),
        *_period_faults(content, section["columns"], section["wide"]),
        *_flow_faults(section["flows"]),
        *_unit_faults(section["value"], section["weight"]),
        *_mark_faults(section["number"], section["marks"], section["code"]),
        *_list_faults(content, section["pass_over"], section["country"]),
    ]


def _number_faults(content: dict[str, Any]) -> list[str]:
    faults = []
    for key, (least, most) in WHOLE_NUMBERS.items():
        number = content.get(key, least)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            faults.append(f"{key} is {number!r}, expected a whole number from {least} to {most}")
    if not isinstance(content.get("cumulative", False), bool):
        faults.append(f"cumulative is {content['cumulative']!r}, expected true or false")
    return faults


def is_plain(name: str) -> bool:
    """Whether a text is the name of a file beside another, and no path that leads elsewhere.

    Parameters
    ----------
    name : str
        As a mapping has it.

    Returns
    -------
    bool
        False for an empty one, too.

    Examples
    --------
    >>> is_plain("countries.csv"), is_plain("../countries.csv")
    (True, False)
    """
    return bool(name) and name not in (".", "..") and not any(odd in name for odd in ("/", "\\", "\0"))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name)


def _column_faults(content: dict[str, Any], columns: dict[str, Any], wide: dict[str, Any]) -> list[str]:
    faults = [
        f'columns.{role} is missing; name the column, or write {role} = "{CONSTANTS[role]}" above for the whole table'
        for role in ("reporter", "partner")
        if role not in columns and not content.get(role)
    ]
    constant_code = content.get("code", {}).get("constant", "")
    if not isinstance(constant_code, str) or ("constant" in content.get("code", {}) and not constant_code):
        faults.append('code.constant is not text such as "851713"')
    elif constant_code and "code" in columns:
        faults.append("give either code.constant or columns.code, and not both")
    elif not constant_code and "code" not in columns:
        faults.append(
            'columns.code is missing; name the column, or write [code] constant = "851713" for the whole table'
        )
    in_names = ("period", "value") if wide else ()  # a wide table has them in the names of its columns
    faults += [
        f"columns.{role} is missing"
        for role in NEEDED_ROLES
        if role not in columns and role not in CONSTANTS and role not in in_names and role != "code"
    ]
    faults += [f"columns.{role} is not a column's name" for role, name in columns.items() if not _is_name(name)]
    apart = [name for role, name in columns.items() if role not in ("period", "month", "quarter") and _is_name(name)]
    twice = dict.fromkeys(name for name in apart if apart.count(name) > 1)
    faults += [
        f"columns: {name!r} is given two roles; each has a column of its own, or a constant such as "
        'reporter = "KAZ" above [columns]'
        for name in twice
    ]
    for key in CONSTANTS:
        is_either = key in ("flow", "classification")
        if (content.get(key) and key in columns) or (is_either and not content.get(key) and key not in columns):
            faults.append(f"give either {key} or columns.{key}, and not both")
    return faults


def _word_faults(words: dict[str, str]) -> list[str]:
    is_edition = re.fullmatch(f"({CLASSIFICATION})?", words.get("classification", "")) or (
        words.get("classification") in BY_YEAR
    )
    checks = (
        ("countries", words["countries"] in COUNTRY_SYSTEMS, f"one of {', '.join(COUNTRY_SYSTEMS)}"),
        ("flow", words.get("flow", "") in ("", *FLOWS), f"one of {', '.join(FLOWS)}"),
        ("classification", is_edition, 'such as H5, H6 or CN2022, or "by year" for the edition in force'),
        ("separator", len(words["separator"].encode()) == 1 and words["separator"] not in '"\n\r', "one character"),
        ("encoding", _is_encoding(words["encoding"]), "an encoding of text such as utf-8, cp1252, gbk or utf-16"),
        (
            "reexports",
            words["reexports"] in ("within", "added"),
            "within (exports hold them) or added (beside exports)",
        ),
    )
    return [f"{key} is {words[key]!r}, expected {expected}" for key, holds, expected in checks if not holds]


def _is_encoding(name: str) -> bool:
    """Whether it is an encoding of text; rot13 and zip are codecs too, and are none."""
    try:
        return bool(codecs.lookup(name)._is_text_encoding)
    except (LookupError, ValueError):
        return False


def _period_faults(content: dict[str, Any], columns: dict[str, Any], wide: dict[str, Any]) -> list[str]:
    faults = []
    if "month" in columns and "quarter" in columns:
        faults.append("give either columns.month or columns.quarter, and not both")
    if wide:
        shown = '[wide] value = "Exported value in %Y"'
        if "value" not in wide:
            faults.append(f"wide.value is missing, such as {shown}")
        faults += [
            f"columns.{role} and wide.{role}: give one, and not both"
            for role in ("value", "weight")
            if role in columns and role in wide
        ]
        faults += [
            f"wide.{key} is {text!r}, expected {fault}" for key, text in wide.items() if (fault := format_fault(text))
        ]
        if "period" in columns:
            faults.append("a wide table has its periods in the names of its columns: take columns.period out")
    elif fault := format_fault(content.get("period", "%Y")):
        faults.append(f"period is {content.get('period')!r}, expected {fault}")
    written = str(wide.get("value", "") if wide else content.get("period", "%Y"))
    if frequency(written, columns) == "Q" and content.get("year_begins", 1) % 3 != 1:
        faults.append(
            f"year_begins is {content['year_begins']}, expected 1, 4, 7 or 10: quarters are those of the calendar"
        )
    if written.count("%Y") + written.count("%y") > 1 and content.get("year_begins", 1) == 1:
        faults.append(
            "year_begins is missing: a year named by two, such as 2022-23, begins in a month that the mapping must say"
        )
    names = content.get("month_names", "en")
    is_list = isinstance(names, list) and len(names) == 12 and all(_is_name(name) for name in names)
    if not is_list and not (isinstance(names, str) and names in LANGUAGES):
        faults.append(f"month_names is {names!r}, expected one of {', '.join(LANGUAGES)}, or a list of twelve names")
    return faults


def _flow_faults(flows: dict[str, Any]) -> list[str]:
    return [
        f"flows: {text!r} means {flow!r}, which is none of {', '.join(FLOWS)}"
        for text, flow in flows.items()
        if flow not in FLOWS
    ]


def _unit_faults(value: dict[str, Any], weight: dict[str, Any]) -> list[str]:
    faults = []
    currency, multiplier = value.get("currency", "USD"), value.get("multiplier", 1)
    if not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
        faults.append(f"value.currency is {currency!r}, expected three capital letters such as USD or EUR")
    is_number = isinstance(multiplier, int | float) and not isinstance(multiplier, bool)
    if not (is_number and 0 < multiplier <= 1e12):
        faults.append(f"value.multiplier is {str(multiplier)[:40]}, expected a number such as 1 or 1000")
    unit = weight.get("unit", "kg")
    if not isinstance(unit, str) or unit not in GRAMS:
        faults.append(f"weight.unit is {unit!r}, expected one of {', '.join(GRAMS)}")
    rates = value.get("rates", {})
    is_table = isinstance(rates, dict) and all(
        isinstance(rate, int | float) and not isinstance(rate, bool) and 0 < rate < 1e6 for rate in rates.values()
    )
    if not (is_table or (isinstance(rates, str) and is_plain(rates))):
        faults.append('value.rates is neither a file beside the table nor such as { "2022-01" = 0.0023 }, USD per unit')
    return faults


def _mark_faults(number: dict[str, Any], marks: dict[str, Any], code: dict[str, Any]) -> list[str]:
    faults = []
    decimal, thousands = number.get("decimal", "."), number.get("thousands", "")
    if decimal not in DECIMALS:
        faults.append(f"number.decimal is {decimal!r}, expected a point or a comma")
    if thousands not in ("", *THOUSANDS):
        faults.append(f"number.thousands is {thousands!r}, expected one of {' '.join(map(repr, THOUSANDS[:4]))}")
    elif "decimal" in number and thousands == decimal:
        faults.append(f"number.decimal and number.thousands are both {decimal!r}")
    for key, texts in marks.items():
        if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
            faults.append(f'marks.{key} is not a list of texts such as ["-", ".."]')
    lists = [texts for texts in marks.values() if isinstance(texts, list)]
    meant = [text for texts in lists for text in dict.fromkeys(text for text in texts if isinstance(text, str))]
    twice = dict.fromkeys(text for text in meant if meant.count(text) > 1)
    faults += [f"marks: {text!r} has two meanings; give it one" for text in twice]
    if code.get("zeros", "restore") != "restore":
        faults.append(f'code.zeros is {code["zeros"]!r}, expected "restore"')
    return faults


def _list_faults(content: dict[str, Any], passed_over: dict[str, Any], country: dict[str, Any]) -> list[str]:
    faults = []
    sums = content.get("sum_over", [])
    if not (isinstance(sums, list) and all(_is_name(name) for name in sums)):
        faults.append('sum_over is not a list of columns such as ["region"]')
    else:
        columns = content.get("columns")
        used = [column for column in sums if isinstance(columns, dict) and column in columns.values()]
        faults += [
            f"sum_over: {column!r} is mapped under [columns], and is no column that is not needed" for column in used
        ]
    for column, values in passed_over.items():
        if not (isinstance(values, list) and all(isinstance(value, str) for value in values)):
            faults.append(f'pass_over.{column} is not a list of texts such as ["Total"]')
    meanings = (*(meaning for meaning in country.values()),)
    faults += [
        f'country: {meaning!r} is neither three letters such as "DEU" nor "aggregate"'
        for meaning in meanings
        if not (isinstance(meaning, str) and re.fullmatch(r"[A-Z][A-Z0-9]{2}|aggregate", meaning))
    ]
    return faults
