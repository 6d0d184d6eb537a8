"""The answer of the Comtrade API as rows of text: an envelope that is not trusted until it adds up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from anomaly.sources.base import RawFile
from anomaly.sources.reading.text import refused

# The API cuts an answer at its key's limit and does not say so; two limits are documented, and neither is ruled out.
ROW_LIMITS = (100_000, 250_000)
PREVIEW_LIMIT = 500  # of the preview that needs no key


def rows_of_answer(data: bytes, raw: RawFile, required: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    """The rows of an API answer as text columns plus `row` (1 is the first).

    Keys are taken in any case, keys that are not asked for are passed over. Raises DataRejected for broken JSON, an
    answer that is an error, a `count` that is not the number of rows, and a count at which the API cuts its answers.
    """
    answer = _envelope(data, raw.name)
    rows = answer["data"]
    _refuse_cut(len(rows), raw)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise refused(raw.name, "an object per row", repr(row)[:60], row=number)
    spelt = _spellings(rows, raw.name)
    missing = [column for column in required if column not in spelt]
    if rows and missing:
        came = f"no {', '.join(missing)}; there are {', '.join(sorted(spelt.values()))}"
        raise refused(raw.name, f"the keys {', '.join(required)}", came, row=1, column=missing[0])
    texts = {
        column: pl.Series([_text(row.get(spelt[column])) for row in rows], dtype=pl.String)
        for column in columns
        if column in spelt or not rows
    }
    return pl.DataFrame(texts).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))


def _envelope(data: bytes, name: str) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except (json.JSONDecodeError, RecursionError) as error:
        raise refused(name, "a whole JSON answer", f"JSON that is cut or broken ({error})") from error
    complaint = _complaint(answer)
    if complaint:
        raise refused(name, "an answer with data", f"the API's error: {complaint}", hint="ask the API again")
    if not isinstance(answer.get("data"), list) or not isinstance(answer.get("count"), int):
        raise refused(name, "an answer with `count` and a list `data`", f"the keys {', '.join(answer)[:200]}")
    if answer["count"] != len(answer["data"]):
        raise refused(name, f"{answer['count']:,} rows, as `count` says", f"{len(answer['data']):,} rows")
    return dict(answer)


def _complaint(answer: dict[str, Any]) -> str:
    """What the API says went wrong, empty where nothing did."""
    said = answer.get("error") or (answer.get("message") if "data" not in answer else "")
    count = answer.get("count")
    is_refusal = isinstance(count, int) and count < 0
    if not (said or is_refusal):
        return ""
    details = [
        str(detail.get("ErrorMessage") or detail.get("errorMessage") or "")
        for detail in answer.get("errorObject") or []
        if isinstance(detail, dict)
    ]
    return "; ".join(part for part in [str(said or f"count {count}"), *details] if part)[:300]


def _refuse_cut(rows: int, raw: RawFile) -> None:
    is_preview = "/preview" in (raw.url or "").lower()
    if rows in ROW_LIMITS or rows > max(ROW_LIMITS) or (is_preview and rows >= PREVIEW_LIMIT):
        raise refused(
            raw.name,
            "fewer rows than the API's limit",
            f"{rows:,} rows, at which the API cuts an answer without saying so",
            hint="ask for fewer reporters, periods or codes at a time",
        )


def _spellings(rows: list[dict[str, Any]], name: str) -> dict[str, str]:
    """Key in lower case → key as spelt, over all rows."""
    spelt: dict[str, str] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        if spelt.setdefault(key.lower(), key) != key:
            raise refused(name, "one spelling per key", f"{spelt[key.lower()]} and {key}", column=key)
    return spelt


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
