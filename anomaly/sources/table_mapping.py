"""The small TOML that says what the columns of a user's own table mean; all its faults are told at once."""

from __future__ import annotations

import codecs
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anomaly.contract.errors import SettingsWrong
from anomaly.contract.schema import FLOWS
from anomaly.sources.base import RawFile

FOLDER_FILE = "table.toml"
SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet")
COUNTRY_SYSTEMS = ("iso3", "iso2", "m49", "name")
GRAMS = {"g": 1.0, "kg": 1e3, "100kg": 1e5, "t": 1e6}
CLASSIFICATION = r"^(H\d|CN\d{4})$"
NEEDED_ROLES = ("reporter", "partner", "period", "code", "value")
ROLES = (*NEEDED_ROLES, "flow", "weight", "classification")
SECTIONS = ("columns", "flows", "value", "weight")

_PERIOD_FORMAT = re.compile(r"(?=.*%Y)(?:[^%]|%[Ymd])+")
_DEFAULTS = {
    "dataset": "",
    "vintage": "",
    "encoding": "utf-8",
    "separator": ",",
    "classification": "",
    "countries": "iso3",
    "period": "%Y",
    "flow": "",
}


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What the columns of a table mean.

    columns     role → name of the column that has it; roles are ROLES
    flows       text of the flow column → M, X, RM or RX
    multiplier  whole units of currency in one unit of the value column: 1000 for thousands
    grams       grams in one unit of the weight column
    The other texts are as in the file; empty where it is silent and there is no default.
    """

    columns: dict[str, str]
    flows: dict[str, str] = field(default_factory=dict)
    currency: str = "USD"
    multiplier: float = 1.0
    grams: float = 1e3
    dataset: str = ""
    vintage: str = ""
    encoding: str = "utf-8"
    separator: str = ","
    classification: str = ""
    countries: str = "iso3"
    period: str = "%Y"
    flow: str = ""


def stem(path: Path) -> str:
    """The file's name without the suffix of its format."""
    fitting = [suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)]
    return path.name[: -len(max(fitting, key=len))] if fitting else path.stem


def has_mapping(path: Path) -> bool:
    """Whether a TOML speaks for this file: `<stem>.toml` beside it, or its name in the folder's table.toml.

    A table.toml that cannot be read speaks for every table of its folder, so that reading it says what is wrong.
    """
    if not path.name.lower().endswith(SUFFIXES):
        return False
    if (path.parent / f"{stem(path)}.toml").is_file():
        return True
    try:
        return path.name in tomllib.loads((path.parent / FOLDER_FILE).read_text(encoding="utf-8"))
    except OSError:
        return False
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True


def mapping_of(raw: RawFile) -> TableMapping:
    """The mapping of a file. Raises SettingsWrong that lists every fault of it."""
    own = raw.path.parent / f"{stem(raw.path)}.toml"
    path = own if own.is_file() else raw.path.parent / FOLDER_FILE
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsWrong("TOML in UTF-8", f"{path.name}: {error}", hint="mend the line named") from error
    told = told if own.is_file() else told.get(raw.path.name, {})
    faults = faults_of(told)
    if faults:
        raise SettingsWrong(
            "a mapping as docs/sources/table.md shows it",
            f"{path.name}, for {raw.name}: {'; '.join(faults)}",
            count=len(faults),
            hint=f"mend {path.name}",
        )
    value, weight = told.get("value", {}), told.get("weight", {})
    return TableMapping(
        columns=told["columns"],
        flows=told.get("flows", {}),
        currency=value.get("currency", "USD"),
        multiplier=float(value.get("multiplier", 1)),
        grams=GRAMS[weight.get("unit", "kg")],
        **{key: told.get(key, default) for key, default in _DEFAULTS.items()},
    )


def faults_of(told: dict[str, Any]) -> list[str]:
    """Everything wrong with a mapping, in words; empty where it can be used."""
    known = (*_DEFAULTS, *SECTIONS)
    faults = [f"unknown key {key}; known are {', '.join(known)}" for key in told if key not in known]
    faults += [f"{key} is not text" for key in _DEFAULTS if not isinstance(told.get(key, ""), str)]
    faults += [f"[{key}] is not a section" for key in SECTIONS if not isinstance(told.get(key, {}), dict)]
    if faults:
        return faults
    sections = {key: told.get(key, {}) for key in SECTIONS}
    faults = _column_faults(sections["columns"])
    faults += _either_faults(told, sections["columns"])
    faults += _word_faults({**_DEFAULTS, **{key: told[key] for key in _DEFAULTS if key in told}})
    faults += [
        f"flows: {text!r} means {flow!r}, which is none of {', '.join(FLOWS)}"
        for text, flow in sections["flows"].items()
        if flow not in FLOWS
    ]
    return faults + _unit_faults(sections["value"], sections["weight"])


def _column_faults(columns: dict[str, Any]) -> list[str]:
    faults = [f"columns.{role} is missing" for role in NEEDED_ROLES if role not in columns]
    faults += [f"unknown key columns.{role}; known are {', '.join(ROLES)}" for role in columns if role not in ROLES]
    faults += [f"columns.{role} is not a column's name" for role, name in columns.items() if not _is_name(name)]
    return faults


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name)


def _either_faults(told: dict[str, Any], columns: dict[str, Any]) -> list[str]:
    """The flow and the classification are told once: for the whole table, or by a column."""
    return [
        f"give either {key} or columns.{key}, and not both"
        for key in ("flow", "classification")
        if (key in told) == (key in columns)
    ]


def _word_faults(told: dict[str, str]) -> list[str]:
    checks = (
        ("countries", told["countries"] in COUNTRY_SYSTEMS, f"one of {', '.join(COUNTRY_SYSTEMS)}"),
        ("flow", told["flow"] in ("", *FLOWS), f"one of {', '.join(FLOWS)}"),
        ("classification", re.fullmatch(f"({CLASSIFICATION})?", told["classification"]), "such as H5, H6 or CN2022"),
        ("period", _PERIOD_FORMAT.fullmatch(told["period"]), "made of %Y, %m and %d, with %Y in it"),
        ("separator", len(told["separator"].encode()) == 1 and told["separator"] not in '"\n\r', "one character"),
        ("encoding", _is_encoding(told["encoding"]), "an encoding such as utf-8 or cp1252, one byte at a time"),
    )
    return [f"{key} is {told[key]!r}, expected {expected}" for key, holds, expected in checks if not holds]


def _is_encoding(name: str) -> bool:
    try:
        return not codecs.lookup(name).name.startswith(("utf-16", "utf-32"))
    except LookupError:
        return False


def _unit_faults(value: dict[str, Any], weight: dict[str, Any]) -> list[str]:
    faults = [
        f"unknown key value.{key}; known are currency, multiplier" for key in value.keys() - {"currency", "multiplier"}
    ]
    faults += [f"unknown key weight.{key}; known is unit" for key in weight.keys() - {"unit"}]
    currency, multiplier = value.get("currency", "USD"), value.get("multiplier", 1)
    if not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
        faults.append(f"value.currency is {currency!r}, expected three capital letters such as USD or EUR")
    is_number = isinstance(multiplier, int | float) and not isinstance(multiplier, bool)
    if not (is_number and 0 < multiplier <= 1e12):
        faults.append(f"value.multiplier is {multiplier!r}, expected a number such as 1 or 1000")
    if weight.get("unit", "kg") not in GRAMS:
        faults.append(f"weight.unit is {weight['unit']!r}, expected one of {', '.join(GRAMS)}")
    return faults
