"""The US Census Bureau's exports: an array of arrays of text, countries by Schedule C, groups of countries among them.

docs/sources/census.md says what is read, what is left out and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from anomaly.reference import countries, nomenclature
from anomaly.reference.editions import EDITION_STARTS, LAST_YEAR
from anomaly.reference.tables import read as reference_table
from anomaly.sources.base import Batch, Context, RawFile, Rule, Source, split
from anomaly.sources.reading.amounts import is_filled, number_rules, to_int
from anomaly.sources.reading.batches import added_up, in_batches, once
from anomaly.sources.reading.text import decoded, read_bytes, refused

NAME = "census"
REPORTER = "USA"
COLUMNS = ("E_COMMODITY", "CTY_CODE", "CTY_NAME", "ALL_VAL_MO")
_LEVELS = ("COMM_LVL", "SUMMARY_LVL", "time")  # predicates, which come as columns too
_SUFFIXES = (".json", ".gz")


def claims(raw: RawFile) -> bool:
    """Whether the file is an answer of this API: it lies in `census/`, or begins with its names.

    Parameters
    ----------
    raw : RawFile
        Its name, and where that does not decide its first bytes.

    Returns
    -------
    bool
        False for a suffix that it does not have.
    """
    if raw.path.suffix.lower() not in _SUFFIXES:
        return False
    if raw.name.split("/")[0] == NAME:
        return True
    try:
        with raw.path.open("rb") as file:
            begin = file.read(2**9)
    except OSError:
        return False
    return begin.lstrip().startswith(b"[") and b'"E_COMMODITY"' in begin


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """A month's exports of the United States, in US dollars.

    Parameters
    ----------
    raw : RawFile
        The JSON as it came.
    context : Context
        batch_rows; values are in USD already.

    Yields
    ------
    Batch
        In the file's order; grams are null, since subheadings have none.

    Raises
    ------
    DataRejected
        Where the file is not whole, lacks a column, says a key twice, or names another country beside a code.
    """
    table = _table(raw)
    kept, rejected = split(_with_meaning(table, raw.name), _rules(), NAME, raw.name)
    key = ("ref_date", "partner_iso", "cmd_code", "CTY_CODE")
    amounts = kept.with_columns(
        reported_value=to_int(pl.col("ALL_VAL_MO")),
        net_wgt_g=pl.lit(None, dtype=pl.Int64),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
    ).with_columns(primary_value_usd="reported_value")
    single = once(amounts, key, "ALL_VAL_MO", raw.name, "the file mixes two answers; fetch it again")
    flows = added_up(
        single.with_columns(
            freq_code=pl.lit("M"),
            reporter_iso=pl.lit(REPORTER),
            flow_code=pl.lit("X"),
            source=pl.lit(NAME),
            dataset=pl.lit(raw.dataset or "exports_hs6"),
            vintage=pl.lit(raw.vintage or (raw.fetched_at or "undated")[:10]),
            currency=pl.lit("USD"),
            is_confidential=pl.lit(value=False),
        )
    )
    yield from in_batches(flows, rejected, table.height, context.batch_rows)


def _table(raw: RawFile) -> pl.DataFrame:
    """`row` and the columns as text, each name by its first occurrence: a predicate that was asked for comes twice."""
    content = read_bytes(raw.path, raw.name, raw.limits, gzipped=raw.path.suffix.lower() == ".gz")
    try:
        rows = json.loads(decoded(content, raw.name).content)
    except (ValueError, RecursionError) as error:
        raise refused(raw.name, "a whole JSON array", f"one that is cut or broken ({error})"[:200]) from error
    if rows == []:  # the month had no rows when it was asked for
        return pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys((*COLUMNS, *_LEVELS), pl.String)})
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise refused(raw.name, "an array of arrays", f"{str(rows)[:60]!r}")
    names, *cells = rows
    for number, row in enumerate(cells, start=1):
        if len(row) != len(names) or not all(cell is None or isinstance(cell, str) for cell in row):
            raise refused(raw.name, f"{len(names)} texts a row", repr(row)[:80], row=number)
    missing = [name for name in (*COLUMNS, "time") if name not in names]
    if missing:
        came = f"no {', '.join(missing)}; there are {', '.join(map(str, names))[:200]}"
        raise refused(raw.name, f"the columns {', '.join(COLUMNS)}, time", came, row=0, column=missing[0])
    columns = list(zip(*cells, strict=True)) if cells else [()] * len(names)
    texts = {
        name: pl.Series(columns[names.index(name)] if name in names else [None] * len(cells), dtype=pl.String)
        for name in (*COLUMNS, *_LEVELS)
    }
    return pl.DataFrame(texts).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))


def _with_meaning(table: pl.DataFrame, name: str) -> pl.DataFrame:
    frame = table.with_columns(pl.col(pl.String).str.strip_chars())
    codes = reference_table("schedule_c.csv").select(CTY_CODE="code", partner_iso="iso3")
    frame = frame.join(codes, on="CTY_CODE", how="left", maintain_order="left")
    _refuse_other_countries(frame, name)
    is_month = pl.col("time").str.contains(r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$")
    month = pl.when(is_month).then(pl.col("time") + "-01").str.to_date("%Y-%m-%d", strict=False)
    code = pl.col("E_COMMODITY")
    frame = frame.with_columns(
        ref_date=month,
        cmd_code=code,
        _edition=nomenclature.in_force(month.dt.year()),
        _hs6=pl.when(code.str.contains(r"^[0-9]{6}$")).then(code),
    )
    return nomenclature.with_faults(frame).with_columns(classification_code=pl.format("H{}", "_edition"))


def _refuse_other_countries(frame: pl.DataFrame, name: str) -> None:
    """The codes are a table of ours: where the name beside one is another country's, no row of the file is believed."""
    pairs = frame.select("CTY_CODE", "CTY_NAME", "partner_iso").drop_nulls().unique()
    named = countries.resolve(pairs["CTY_NAME"].unique().sort(), "name", {})
    both = pairs.join(named.select("iso3", CTY_NAME="text"), on="CTY_NAME").filter(
        pl.col("iso3") != pl.col("partner_iso")
    )
    if both.height:
        first = both.sort("CTY_CODE").row(0, named=True)
        expected = f"{first['CTY_CODE']} to be {first['partner_iso']}, as schedule_c.csv says"
        hint = "report it: a code of the table is wrong, or was given to another country"
        raise refused(name, expected, f"{first['CTY_NAME']!r}", column="CTY_NAME", hint=hint)


def _rules() -> tuple[Rule, ...]:
    country, code = pl.col("CTY_CODE"), pl.col("E_COMMODITY")
    # groups of countries: "-", codes that begin with 0 or have an X (0003, 4XXX, 1XXX)
    is_group = ~country.str.contains(r"^[1-9][0-9]{3}$") | (pl.col("SUMMARY_LVL") == "CGP").fill_null(value=False)
    is_total = code.str.contains(r"^([0-9]{2}|[0-9]{4}|-)$")
    return (
        Rule("aggregate", "CTY_CODE", is_group, "a group of countries", is_error=False),
        Rule(
            "unknown_country", "CTY_CODE", pl.col("partner_iso").is_null(), "a code that Schedule C does not have here"
        ),
        Rule("bad_period", "time", pl.col("ref_date").is_null(), "not a year and month"),
        Rule(
            "unknown_edition",
            "time",
            ~pl.col("ref_date").dt.year().is_between(EDITION_STARTS[0], LAST_YEAR),
            "a year whose edition of the Harmonized System this version does not know",
        ),
        Rule("missing_code", "E_COMMODITY", ~is_filled(code), "there is no commodity code"),
        Rule("not_detailed", "E_COMMODITY", is_total, "a total of more detailed codes", is_error=False),
        Rule("bad_code", "E_COMMODITY", ~code.str.contains(r"^[0-9]{6}$"), "not a code of six digits"),
        Rule("bad_code", "E_COMMODITY", pl.col("code_fault").is_not_null(), pl.col("code_fault")),
        *number_rules("ALL_VAL_MO", needed=True),
    )


SOURCE = Source(
    name=NAME,
    title="US Census: monthly exports by HS6, JSON of the API",
    publisher="US Census Bureau",
    licence="public domain, source to be stated",
    url="https://www.census.gov/data/developers/data-sets/international-trade.html",
    claims=claims,
    read=read,
    precedence=22,
)
