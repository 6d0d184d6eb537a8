"""The small TOML that says what the columns of a user's own table mean; all its faults are told at once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anomaly.contract.errors import SettingsWrong
from anomaly.sources.base import RawFile
from anomaly.sources.own_table.faults import CONSTANTS, GRAMS, SECTIONS, TEXTS, faults_of, is_plain

FOLDER_FILE = "table.toml"
SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet"),
    *(".xlsx", ".xls", ".html", ".htm", ".zip"),
)
COMPANION_KEYS = ("country_table",)  # and value.rates: files beside the table that a mapping names


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What the columns of a table mean; docs/sources/table.md shows the TOML.

    The texts are as in the file; empty where it is silent and there is no default.

    Parameters
    ----------
    columns : dict of str to str
        Role → name of the column that has it; roles are faults.ROLES.
    constants : dict of str to str
        Role → what stands for the whole table: reporter, partner, code, flow or classification.
    flows : dict of str to str
        Text of the flow column → M, X, RM or RX.
    currency : str
        Three letters.
    multiplier : float
        Whole units of currency in one unit of the value column: 1000 for thousands.
    grams : float
        Grams in one unit of the weight column.
    dataset, vintage : str
        The release's name and day; empty: the file's name, and the day it was fetched.
    encoding, separator : str
        Of CSV.
    sheet : str
        Of a workbook.
    countries : str
        The system of the texts of countries: iso3, iso2, m49 or name.
    period : str
        Format of the period column, such as %Y-%m.
    reexports : str
        "within" where exports hold them, "added" where they stand beside.
    zeros : str
        "restore" to put lost zeros back at the begin of codes.
    decimal, thousands : str
        The marks in numbers; empty where the cells themselves must show them.
    zero, unknown, withheld : tuple of str
        Cells of the value column that are no numbers, by what they mean.
    header_row : int
        Line of the names, 1 is the first.
    foot_rows : int
        Rows under the table that are not read.
    year_begins : int
        The calendar month that is the first of the table's year.
    cumulative : bool
        Whether months are sums from January on.
    own_countries : dict of str to str
        Text → iso3, or "aggregate".
    own_rates : dict of str to float
        Month (YYYY-MM) or year (YYYY) → USD in one unit of the currency.
    passed_over : dict of str to list of str
        Column → values whose rows are not read.
    sum_over : tuple of str
        Columns whose values are parts of a row's key: added up.
    wide : dict of str to str
        Role, value or weight → format of the names of the columns that hold it, one a period.
    month_names : dict of str to int
        Beginning of a month's name, in lower case → its number.
    """

    columns: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    flows: dict[str, str] = field(default_factory=dict)
    currency: str = "USD"
    multiplier: float = 1.0
    grams: float = 1e3
    dataset: str = ""
    vintage: str = ""
    encoding: str = "utf-8"
    separator: str = ","
    sheet: str = ""
    countries: str = "iso3"
    period: str = "%Y"
    reexports: str = "within"
    zeros: str = ""
    decimal: str = ""
    thousands: str = ""
    zero: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    header_row: int = 1
    foot_rows: int = 0
    year_begins: int = 1
    cumulative: bool = False
    own_countries: dict[str, str] = field(default_factory=dict)
    own_rates: dict[str, float] = field(default_factory=dict)
    passed_over: dict[str, list[str]] = field(default_factory=dict)
    sum_over: tuple[str, ...] = ()
    wide: dict[str, str] = field(default_factory=dict)
    month_names: dict[str, int] = field(default_factory=dict)

    def named(self) -> tuple[str, ...]:
        """Every column of the file that the mapping names, each once."""
        roles = [name for role, name in self.columns.items() if role not in self.wide]
        return tuple(dict.fromkeys([*roles, *self.sum_over, *self.passed_over]))


def stem(path: Path) -> str:
    """The file's name without the suffix of its format.

    Parameters
    ----------
    path : pathlib.Path
        Only its name is looked at.

    Returns
    -------
    str
        What the TOML beside it is called, before .toml.

    Examples
    --------
    >>> stem(Path("raw/kz/exports.csv.gz"))
    'exports'
    """
    fitting = [suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)]
    return path.name[: -len(max(fitting, key=len))] if fitting else path.stem


def has_mapping(path: Path) -> bool:
    """Whether a TOML speaks for this file: `<stem>.toml` beside it, or its name in the folder's table.toml.

    Parameters
    ----------
    path : pathlib.Path
        Where the table lies.

    Returns
    -------
    bool
        False for a suffix not in SUFFIXES. A table.toml that cannot be read speaks for every table of its folder, so
        that reading it says what is wrong.
    """
    if not path.name.lower().endswith(SUFFIXES):
        return False
    if (path.parent / f"{stem(path)}.toml").is_file():
        return True
    try:
        return path.name in tomllib.loads((path.parent / FOLDER_FILE).read_text(encoding="utf-8"))
    except OSError:
        return False
    except (ValueError, RecursionError):  # of ValueErrors: no TOML, no UTF-8, a number of thousands of digits
        return True


def companions(toml: Path) -> list[str]:
    """Names of files that a mapping says lie beside it: a table of countries, one of rates.

    Parameters
    ----------
    toml : pathlib.Path
        A TOML, perhaps no mapping.

    Returns
    -------
    list of str
        Empty where it names none, or cannot be read.
    """
    try:
        content = tomllib.loads(toml.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    sections = [content, *(item for item in content.values() if isinstance(item, dict))]
    named = [section.get(key) for section in sections for key in COMPANION_KEYS]
    named += [section["value"].get("rates") for section in sections if isinstance(section.get("value"), dict)]
    return [name for name in named if isinstance(name, str) and is_plain(name)]


def mapping_of(raw: RawFile) -> TableMapping:
    """The mapping of a file.

    Parameters
    ----------
    raw : RawFile
        A table that `has_mapping`.

    Returns
    -------
    TableMapping
        Checked, with what lies beside the table read in.

    Raises
    ------
    SettingsWrong
        With every fault of it.
    """
    own_file = raw.path.parent / f"{stem(raw.path)}.toml"
    path = own_file if own_file.is_file() else raw.path.parent / FOLDER_FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsWrong("TOML in UTF-8", f"{path.name}: {error}", hint="mend the line named") from error
    except (RecursionError, ValueError) as error:
        raise SettingsWrong("a small TOML", f"{path.name}: {str(error)[:100]}", hint=f"mend {path.name}") from error
    content = content if own_file.is_file() else content.get(raw.path.name, {})
    faults = faults_of(content) if isinstance(content, dict) else ["it is not a section"]
    if not faults:
        faults = [fault for name in companions(path) if (fault := _companion_fault(raw.path.parent / name))]
    if faults:
        raise SettingsWrong(
            "a mapping as docs/sources/table.md shows it",
            f"{path.name}, for {raw.name}: {'; '.join(faults)}",
            count=len(faults),
            hint=f"mend {path.name}",
        )
    return _mapping(content, raw.path.parent)


def _companion_fault(path: Path) -> str:
    return "" if path.is_file() else f"{path.name} is named and is not beside it"


def _mapping(content: dict[str, Any], folder: Path) -> TableMapping:
    from anomaly.sources.own_table.companions import own_countries, own_rates
    from anomaly.sources.own_table.periods import names_of_months

    section = {key: content.get(key, {}) for key in SECTIONS}
    constants = {**{key: content.get(key, "") for key in CONSTANTS}, "code": section["code"].get("constant", "")}
    value, number, marks = section["value"], section["number"], section["marks"]
    return TableMapping(
        columns=section["columns"],
        constants={key: text for key, text in constants.items() if text},
        flows=section["flows"],
        currency=value.get("currency", "USD"),
        multiplier=float(value.get("multiplier", 1)),
        grams=GRAMS[section["weight"].get("unit", "kg")],
        zeros=section["code"].get("zeros", ""),
        decimal=number.get("decimal", ""),
        thousands=number.get("thousands", ""),
        zero=tuple(marks.get("zero", ())),
        unknown=tuple(marks.get("unknown", ())),
        withheld=tuple(marks.get("withheld", ())),
        header_row=content.get("header_row", 1),
        foot_rows=content.get("foot_rows", 0),
        year_begins=content.get("year_begins", 1),
        cumulative=content.get("cumulative", False),
        own_countries=own_countries(content, folder),
        own_rates=own_rates(value, folder),
        passed_over=section["pass_over"],
        sum_over=tuple(content.get("sum_over", ())),
        wide=section["wide"],
        month_names=names_of_months(content.get("month_names", "en")),
        **{key: content.get(key, default) for key, default in TEXTS.items()},
    )
