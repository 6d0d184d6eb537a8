"""An answer of UN Comtrade's API held against what was asked before it is kept: whole, not cut, and adding up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from anomaly.contract.errors import BadRequest, DataRejected
from anomaly.fetch.comtrade_ask import Ask
from anomaly.fetch.faults import Transient, sentence_of
from anomaly.sources.comtrade_json import PREVIEW_LIMIT, ROW_LIMITS

_NUMBERS = dict.fromkeys(("reporterCode", "partnerCode", "partner2Code", "motCode"), pl.Int64)
_TEXTS = dict.fromkeys(("period", "flowCode", "classificationCode", "cmdCode", "customsCode", "mosCode"), pl.String)
_AMOUNTS = {"primaryValue": pl.Float64, "netWgt": pl.Float64}
SCHEMA: dict[str, Any] = {**_NUMBERS, **_TEXTS, **_AMOUNTS}
_KEY = ("period", "reporterCode", "flowCode", "partnerCode", "classificationCode", "cmdCode")
WORLD = 0
# A reporter's partners add up to its world, but for roundings; the world has partners that are withheld, so it may be more.
TOLERANCE_SHARE, TOLERANCE_USD = 0.01, 1_000.0


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole answer.

    Parameters
    ----------
    is_cut : bool
        It has as many rows as the service gives at most: some are missing, and the service does not say so.
    frame : polars.DataFrame
        SCHEMA, every row that came.
    """

    is_cut: bool
    frame: pl.DataFrame


def complaint_of(answer: Mapping[str, Any]) -> str:
    """What the API says went wrong.

    Parameters
    ----------
    answer : mapping
        Its envelope, or the gateway's.

    Returns
    -------
    str
        With what it says of each parameter; empty where nothing went wrong.
    """
    details = answer.get("errorObject")
    texts = [
        " ".join(filter(None, [", ".join(map(str, names)), str(text)]))
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict)
        for names in [detail.get("MemberNames") or detail.get("memberNames") or ()]
        for text in [detail.get("ErrorMessage") or detail.get("errorMessage") or ""]
    ]
    said = str(answer.get("error") or answer.get("message") or "")
    return "; ".join(part for part in (said, *texts) if part)[:300]


def rows_of(content: bytes, ask: Ask) -> Rows:
    """The rows of an answer that is whole and of what was asked.

    Parameters
    ----------
    content : bytes
        JSON, unpacked.
    ask : Ask
        What was asked.

    Returns
    -------
    Rows
        Breakdowns and totals too, as they came.

    Raises
    ------
    Transient
        It is no JSON, no envelope, or has another number of rows than it says.
    BadRequest
        The API did not understand the question.
    DataRejected
        There are rows of reporters or periods that were not asked for, or a cell is of another kind.
    """
    envelope = envelope_of(content)
    data = envelope["data"]
    if envelope["count"] != len(data):
        raise Transient(f"{len(data):,} rows where `count` says {envelope['count']:,}")
    limits = (PREVIEW_LIMIT,) if "preview" in ask.path.lower() else ROW_LIMITS
    is_cut = len(data) >= ask.most_rows or len(data) in limits
    try:
        frame = pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in data], schema=SCHEMA, strict=True)
    except (TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        hint = "the API's form changed: nothing of it was kept"
        raise DataRejected("rows in the API's form", str(error)[:200], hint=hint) from error
    _refuse_others(frame, ask)
    return Rows(is_cut, frame)


def envelope_of(content: bytes) -> dict[str, Any]:
    """An answer's envelope.

    Parameters
    ----------
    content : bytes
        JSON, unpacked.

    Returns
    -------
    dict of str to Any
        `count` (int) and `data` (list) among its keys.

    Raises
    ------
    Transient
        It is no JSON or no envelope.
    BadRequest
        The API did not understand the question.
    """
    try:
        envelope = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Transient(f"no JSON: {sentence_of(content)}") from None
    if not isinstance(envelope, dict):
        raise Transient(f"JSON without an envelope: {sentence_of(content)}")
    count, complaint = envelope.get("count"), complaint_of(envelope)
    if type(count) is int and count < 0:
        raise BadRequest(
            "UN Comtrade to understand what was asked", complaint or f"count {count}", hint="a fault of the plan"
        )
    if complaint or type(count) is not int or not isinstance(envelope.get("data"), list):
        raise Transient(complaint or f"an envelope without `count` and `data`: {sentence_of(content)}")
    return envelope


def _refuse_others(frame: pl.DataFrame, ask: Ask) -> None:
    """Rows that were not asked for: a parameter that the service passed over."""
    is_asked = pl.col("reporterCode").is_in(ask.reporters) & pl.col("period").is_in(ask.periods)
    if ask.partners:
        is_asked &= pl.col("partnerCode").is_in(ask.partners)
    others = frame.filter(~is_asked.fill_null(value=False))
    if others.height:
        first = others.select(_KEY).row(0)
        hint = "the service passed over a parameter: nothing of it was kept"
        raise DataRejected(
            "the reporters, periods and partners asked for", f"a row of {first}", count=others.height, hint=hint
        )


def totals(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that count: totals of every breakdown, six digits.

    Parameters
    ----------
    frame : polars.DataFrame
        SCHEMA.

    Returns
    -------
    polars.DataFrame
        Those that the reader keeps too; each once, whatever came twice.

    Raises
    ------
    DataRejected
        One key has two values: a breakdown that its codes do not name.
    """
    is_total = (
        (pl.col("partner2Code") == 0)
        & (pl.col("motCode") == 0)
        & (pl.col("customsCode").str.strip_chars() == "C00")
        & (pl.col("mosCode").is_in(["0", "-1"]))
        & (pl.col("cmdCode").str.len_chars() == 6)
    )
    kept = frame.filter(is_total).unique(maintain_order=True)
    twice = kept.filter(kept.select(_KEY).is_duplicated())
    if twice.height:
        hint = "a breakdown that its codes do not name; nothing of it was kept"
        raise DataRejected("one value a key", f"several of {twice.select(_KEY).row(0)}", count=twice.height, hint=hint)
    return kept


def digests(kept: pl.DataFrame) -> dict[tuple[int, str], tuple[str, int]]:
    """Of each reporter and period a hash of its rows, and how many there are.

    Parameters
    ----------
    kept : polars.DataFrame
        `totals` of all answers of a call.

    Returns
    -------
    dict of (int, str) to (str, int)
        Reporter's number and period → sha256 and rows; those without a row are not in it.
    """
    cells = [pl.col(name).cast(pl.String).fill_null("") for name in SCHEMA]
    lines = kept.select("reporterCode", "period", line=pl.concat_str(cells, separator="|"))
    return {
        (reporter, period): (hashlib.sha256("\n".join(sorted(part["line"])).encode()).hexdigest(), part.height)
        for (reporter, period), part in lines.group_by("reporterCode", "period")
    }


EMPTY = hashlib.sha256(b"").hexdigest()  # digest of a reporter's period without a row


def against_world(kept: pl.DataFrame) -> list[str]:
    """Where partners do not add up to the reporter's world.

    Parameters
    ----------
    kept : polars.DataFrame
        `totals` of all answers of a call that asked for all partners.

    Returns
    -------
    list of str
        A sentence for too much, which is counted twice, and one for too little, which is withheld or was cut; none
        where all add up.
    """
    group = ("reporterCode", "period", "flowCode", "classificationCode", "cmdCode")
    is_world = pl.col("partnerCode") == WORLD
    sums = kept.group_by(group).agg(
        world=pl.col("primaryValue").filter(is_world).sum(),
        parts=pl.col("primaryValue").filter(~is_world).sum(),
        has_world=is_world.any(),
        has_parts=(~is_world).any(),
    )
    slack = pl.max_horizontal(pl.col("world") * TOLERANCE_SHARE, pl.lit(TOLERANCE_USD))
    compared = sums.filter("has_world", "has_parts")
    says = []
    for words, is_off in (
        ("partners add up to more than the world", pl.col("parts") > pl.col("world") + slack),
        ("partners add up to less than the world (withheld, or cut)", pl.col("parts") < pl.col("world") - slack),
    ):
        off = compared.filter(is_off).sort(group)
        if off.height:
            row = off.row(0, named=True)
            example = f"{row['reporterCode']} {row['period']} {row['flowCode']} {row['cmdCode']}"
            says.append(
                f"{words} in {off.height:,} of {compared.height:,} sums, such as {example}: {row['parts']:,.0f} of {row['world']:,.0f} USD"
            )
    if alone := sums.filter(~pl.col("has_world")).height:
        says.append(f"{alone:,} of {sums.height:,} sums have no world to be held against")
    return says


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Several answers of one call as one frame.

    Parameters
    ----------
    parts : iterable of polars.DataFrame
        SCHEMA each.

    Returns
    -------
    polars.DataFrame
        SCHEMA; no rows where there is no part.
    """
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])
