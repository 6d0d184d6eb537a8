"""origin.toml beside raw files: where they come from, and what they should be."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

from anomaly.contract.errors import DataRejected

ORIGIN = "origin.toml"
ORIGIN_KEYS = (
    *("publisher", "url", "licence", "fetched_at", "released", "checksum", "sha256", "dataset", "vintage"),
    *("changes", "made_from"),
)


def origin_of(path: Path, name: str) -> dict[str, Any]:
    """What origin.toml beside a file says.

    Parameters
    ----------
    path : Path
        Where it would lie.
    name : str
        The file's, for errors.

    Returns
    -------
    dict of str to (str or dict of str to str)
        Dates as text; sha256 a text, or a text for each file. Empty where there is none.

    Raises
    ------
    DataRejected
        With all its faults: it is no TOML, or has unknown keys, other kinds of values, or names a file that is missing.
    """
    if not path.is_file():
        return {}
    try:
        origin = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # of ValueErrors: no TOML, no UTF-8, a number of thousands of digits
        raise DataRejected(
            f"an {ORIGIN} in TOML beside {name}", f"{error}"[:300], hint="mend the line named"
        ) from error
    faults = [fault for key, value in origin.items() if (fault := _fault(key, value, path.parent))]
    if faults:
        hint = f"its keys are {', '.join(ORIGIN_KEYS)}; mend {ORIGIN}"
        expected = f"an {ORIGIN} as data/raw/README.md shows it beside {name}"
        raise DataRejected(expected, "; ".join(faults)[:1000], count=len(faults), hint=hint)
    return {key: value if isinstance(value, dict) else str(value) for key, value in origin.items()}


def _fault(key: str, value: object, folder: Path) -> str:
    """What is wrong with a key, empty where nothing is."""
    if key not in ORIGIN_KEYS:
        return f"unknown key {key}"
    if key in ("sha256", "made_from") and isinstance(value, dict):
        if odd := [file for file, digest in value.items() if not isinstance(digest, str)]:
            return f"{key} of {', '.join(odd)} is no text"
        if key == "made_from":  # files that are elsewhere
            return ""
        missing = [file for file in value if not (folder / file).is_file()]
        return f"sha256 names {', '.join(missing)}, which is not beside it" if missing else ""
    if isinstance(value, str) or (key in ("fetched_at", "vintage") and isinstance(value, date | datetime)):
        return ""
    return f"{key} is {str(value)[:40]}, expected text"
