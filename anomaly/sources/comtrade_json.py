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


def rows_of_answer(content: bytes, raw: RawFile, required: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    """The rows of an answer of the API as text.

    Keys are taken in any case and in snake case, keys that are not asked for are passed over; a list of records, as
    data frames write it, needs no envelope.

    Parameters
    ----------
    content : bytes
        JSON in UTF-8.
    raw : RawFile
        Its name for errors, and its url: the preview cuts an answer at PREVIEW_LIMIT.
    required : sequence of str
        Keys that must be there, in lower case.
    columns : sequence of str
        Keys to read where they are there.

    Returns
    -------
    polars.DataFrame
        `row` (Int64, 1 is the first) and the columns as texts.

    Raises
    ------
    DataRejected
        For broken JSON, an answer that is an error, a `count` that is not the number of rows, and a count at which the
        API cuts its answers.
    """
    answer = _parsed(content, raw.name)
    rows = answer if isinstance(answer, list) else _envelope(answer, raw.name)["data"]
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
        column: _series([_text(row.get(spelt[column])) for row in rows], column, raw.name)
        for column in columns
        if column in spelt or not rows
    }
    return pl.DataFrame(texts).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))


def _parsed(content: bytes, name: str) -> Any:
    """The JSON of an answer, a key of an object once."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise refused(name, "each key of an object once", "one that stands twice", column=twice[:60])
        return record

    try:
        return json.loads(content, object_pairs_hook=once, parse_float=str)  # 1e-400 is no 0.0
    except (ValueError, RecursionError) as error:  # of ValueErrors: broken JSON, a number of thousands of digits
        raise refused(name, "a whole JSON answer", f"JSON that is cut or broken ({error})"[:200]) from error


def _envelope(answer: Any, name: str) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise refused(name, "an answer with `count` and a list `data`, or a list of rows", repr(answer)[:60])
    complaint = _complaint(answer)
    if complaint:
        raise refused(name, "an answer with data", f"the API's error: {complaint}", hint="ask the API again")
    if not isinstance(answer.get("data"), list) or type(answer.get("count")) is not int:
        raise refused(name, "an answer with `count` and a list `data`", f"the keys {', '.join(answer)[:200]}")
    if answer["count"] != len(answer["data"]):
        raise refused(name, f"{answer['count']:,} rows, as `count` says", f"{len(answer['data']):,} rows")
    return dict(answer)


def _complaint(answer: dict[str, Any]) -> str:
    """What the API says went wrong, empty where nothing did."""
    complaint = answer.get("error") or (answer.get("message") if "data" not in answer else "")
    count = answer.get("count")
    is_refusal = isinstance(count, int) and count < 0
    if not (complaint or is_refusal):
        return ""
    details = [
        str(detail.get("ErrorMessage") or detail.get("errorMessage") or "")
        for detail in (answer["errorObject"] if isinstance(answer.get("errorObject"), list) else [])
        if isinstance(detail, dict)
    ]
    return "; ".join(part for part in [str(complaint or f"count {count}"), *details] if part)[:300]


def _refuse_cut(rows: int, raw: RawFile) -> None:
    is_preview = "/preview" in (raw.url or "").lower()
    is_untold = not raw.url and rows == PREVIEW_LIMIT  # a saved answer does not say where it is from
    if rows in ROW_LIMITS or rows > max(ROW_LIMITS) or is_untold or (is_preview and rows >= PREVIEW_LIMIT):
        hint = "ask for fewer reporters, periods or codes at a time"
        if is_untold:
            hint += (
                "; if it is whole, say in an origin.toml beside it which url it is from (data/v1/get is not cut at 500)"
            )
        raise refused(
            raw.name,
            "fewer rows than the API's limit",
            f"{rows:,} rows, at which the API{' without a key' if is_untold else ''} cuts an answer without saying so",
            hint=hint,
        )


def _spellings(rows: list[dict[str, Any]], name: str) -> dict[str, str]:
    """Key in lower case → key as spelt, over all rows."""
    spelt: dict[str, str] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        plain = key.lower().replace("_", "")
        if spelt.setdefault(plain, key) != key:
            raise refused(name, "one spelling per key", f"{spelt[plain]} and {key}", column=key)
    return spelt


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _series(texts: list[str | None], column: str, name: str) -> pl.Series:
    try:
        return pl.Series(texts, dtype=pl.String)
    except UnicodeError as error:  # half a letter: a surrogate that JSON can write and no text can hold
        raise refused(name, "text", f"half a letter ({error})"[:120], column=column) from error
