"""UN Comtrade: the web export, the API's JSON and the bulk files, all brought to one table of text and judged alike.

docs/sources/comtrade.md says what is read, what is left out and why.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from anomaly.reference import countries, nomenclature
from anomaly.reference.editions import edition_number
from anomaly.sources.base import Batch, Context, RawFile, Source, doubt, doubt_rows, split
from anomaly.sources.comtrade_forms import form_of, in_api_words
from anomaly.sources.comtrade_json import PREVIEW_LIMIT, ROW_LIMITS, rows_of_answer
from anomaly.sources.comtrade_rules import COLUMNS, MOST_PLAUSIBLE_KG, REQUIRED, RULES
from anomaly.sources.reading.amounts import to_int, to_number
from anomaly.sources.reading.batches import AMOUNTS, added_up, in_batches, once
from anomaly.sources.reading.layout import Layout
from anomaly.sources.reading.tables import text_csv_batches
from anomaly.sources.reading.text import GZIP_MAGIC, decoded, read_bytes

ENCODINGS = ("utf-8", "cp1252")  # the web export comes in either
_EXPORT_NAME = re.compile(r"TradeData_(\d{1,2})_(\d{1,2})_(\d{4})_\d+_\d+_\d+", re.ASCII)
_SUFFIXES = re.compile(r"(\.(csv|json|txt|tsv|gz))+$", re.IGNORECASE)
PART_ROWS = 200_000  # rows held as text at a time

_TELLING = (  # names of columns, in lower case, that no other publisher's table has together
    {"reportercode", "partnercode", "flowcode", "cmdcode", "primaryvalue"},
    {"reporter_code", "partner_code", "flow_code", "cmd_code", "primary_value"},
    {"trade flow code", "reporter code", "partner code", "commodity code", "trade value (us$)"},
)
_COUNTRIES = ("reportercode", "reporter_iso", "partnercode", "partner_iso")
_KEY = ("freqcode", "ref_date", *_COUNTRIES, "flowcode", "classificationcode", "cmdcode")


def claims(raw: RawFile) -> bool:
    """Whether the file is Comtrade's: it lies in `comtrade/`, or begins as one of its formats does.

    Parameters
    ----------
    raw : RawFile
        Its name, and where that does not decide its first bytes.

    Returns
    -------
    bool
        False for a suffix that none of the formats has, whatever the folder.
    """
    if raw.path.suffix.lower() not in (".csv", ".json", ".gz", ".txt", ".tsv"):
        return False
    if raw.name.split("/")[0] == "comtrade" or _EXPORT_NAME.match(raw.path.name):
        return True
    begin = _first_bytes(raw).decode("latin-1").lower()
    if begin.lstrip().startswith("{"):
        return '"elapsedtime"' in begin and '"data"' in begin
    header = {cell.strip('" \r') for cell in re.split("[,\t]", begin.removeprefix("ï»¿").split("\n")[0])}
    return any(header.issuperset(names) for names in _TELLING)


def _first_bytes(raw: RawFile) -> bytes:
    try:
        with raw.path.open("rb") as file:
            begin = file.read(2**14)
        return zlib.decompressobj(wbits=31).decompress(begin, 2**14) if begin.startswith(GZIP_MAGIC) else begin
    except (OSError, zlib.error):
        return b""


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The flows of a web export, an answer of the API or a bulk file.

    Parameters
    ----------
    raw : RawFile
        Its dataset, vintage and fetched_at name the release where the file's name does not.
    context : Context
        batch_rows; values are in USD already.

    Yields
    ------
    Batch
        In the file's order; what is in doubt comes with the first.

    Raises
    ------
    DataRejected
        Where the file is not whole or says one key twice, differently.
    """
    kept_parts, rejected_parts, rows_in = [], [], 0
    doubts: list[dict[str, str | None]] = []
    for part in _text_frames(raw, context):
        rows_in += part.height
        kept, rejected = split(_with_meaning(part), RULES, SOURCE.name, raw.name)
        doubts = doubts or _of_two_countries(kept)
        kept_parts.append(_with_amounts(kept))
        rejected_parts.append(rejected)
    hint = "the file holds a breakdown that its codes do not name: fetch it again, classic breakdown only"
    kept = once(pl.concat(kept_parts), _KEY, "primaryValue", raw.name, hint)
    flows = added_up(_flows(kept, _dataset(raw), _vintage(raw)))
    doubts += _of_cut_answers(rows_in)
    first_doubts: pl.DataFrame | None = doubt_rows(doubts, SOURCE.name, raw.name)
    for batch in in_batches(flows, pl.concat(rejected_parts), rows_in, context.batch_rows):
        yield replace(batch, doubts=first_doubts)
        first_doubts = None


def _of_cut_answers(rows_in: int) -> list[dict[str, str | None]]:
    """A count of rows at which the services cut an answer; JSON that has it is refused, a saved table may be an excerpt."""
    if rows_in not in (PREVIEW_LIMIT, *ROW_LIMITS):
        return []
    return [
        doubt(
            "answer_may_be_cut",
            "the file has exactly as many rows as the service gives at most, and it does not say so",
            f"{rows_in:,} rows",
            "ask for fewer reporters, periods or codes at a time, and compare",
        )
    ]


def _of_two_countries(kept: pl.DataFrame) -> list[dict[str, str | None]]:
    """Rows whose number of a country and whose ISO text are of two; the number is what is read."""
    for side in ("reporter", "partner"):
        of_two = kept.filter(f"{side}_is_two")
        if of_two.height:
            first = of_two.row(0, named=True)
            figures = f"{of_two.height:,} rows; row {first['row']}: {side}Code {first[f'{side}code']} is {first[f'{side}_iso']}, {side}ISO is {first[f'{side}iso']}"
            says = f"the {side}'s number and its ISO text are of two countries; the number was read"
            return [doubt("two_countries", says, figures, "fetch the file again, or mend it")]
    return []


def _text_frames(raw: RawFile, context: Context) -> Iterator[pl.DataFrame]:
    """The file as frames of text columns named COLUMNS and `row`, whatever its format."""
    content = read_bytes(raw.path, raw.name, raw.limits, gzipped=True if raw.path.suffix.lower() == ".gz" else None)
    text = decoded(content, raw.name, ENCODINGS)
    if text.content[:64].lstrip()[:1] in (b"{", b"["):
        frames: Iterator[pl.DataFrame] = iter([rows_of_answer(text.content, raw, REQUIRED, COLUMNS)])
    else:
        header = text.content[: text.content.find(b"\n")]
        is_bulk = b"\t" in header
        form = form_of([cell.strip('" \r').lower() for cell in re.split("[,\t]", header.decode())])
        layout = Layout(
            separator="\t" if is_bulk else ",",
            quote=None if is_bulk else '"',
            required=form.required,
            columns=(*COLUMNS, "flag"),
            lower_names=True,
            trailing_separator=not is_bulk,
            renamed=form.names,
        )
        parts = text_csv_batches(text, raw.name, layout, min(context.batch_rows, PART_ROWS))
        frames = (in_api_words(frame.with_columns(pl.col(pl.String).str.strip_chars()), form) for frame in parts)
    for frame in frames:
        absent = [pl.lit(None, dtype=pl.String).alias(column) for column in COLUMNS if column not in frame.columns]
        yield frame.with_columns(pl.col(pl.String).str.strip_chars()).with_columns(absent)


def _with_meaning(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what the rules judge: ref_date, reporter_iso, partner_iso and the kinds of both (null = unknown)."""
    annual = pl.when(pl.col("period").str.contains(r"^(19|20)[0-9]{2}$")).then(pl.col("period") + "0101")
    monthly = pl.when(pl.col("period").str.contains(r"^(19|20)[0-9]{4}$")).then(pl.col("period") + "01")
    period = pl.when(pl.col("freqcode") == "A").then(annual).when(pl.col("freqcode") == "M").then(monthly)
    frame = frame.with_columns(ref_date=period.str.to_date("%Y%m%d", strict=False))
    for side in ("reporter", "partner"):
        frame = _with_country(frame, side)
    is_six = pl.col("cmdcode").str.contains(r"^[0-9]{6}$", strict=True)
    frame = frame.with_columns(
        _hs6=pl.when(is_six).then("cmdcode"), _edition=edition_number(pl.col("classificationcode"))
    )
    return nomenclature.with_faults(frame).drop("_hs6", "_edition")


def _with_country(frame: pl.DataFrame, side: str) -> pl.DataFrame:
    """Add `<side>_iso` and `<side>_kind` from the numeric code, or from the ISO text where the number is unknown."""
    # a code that is no number is wrong, whatever the text beside it says
    is_open = (pl.col(f"{side}code").fill_null("") == "") | pl.col(f"{side}code").str.contains(r"^[0-9]+(\.0*)?$")
    by_number = countries.m49_table().select(
        pl.col("m49").cast(pl.Int32).alias("_m49"), pl.col("iso3").alias("_iso"), pl.col("kind").alias("_kind")
    )
    by_text = countries.comtrade_iso_table().select(
        pl.col("iso").str.strip_chars().alias(f"{side}iso"),
        pl.col("iso3").alias("_iso_text"),
        pl.col("kind").alias("_kind_text"),
    )
    return (
        frame.with_columns(pl.col(f"{side}code").cast(pl.Int32, strict=False).alias("_m49"))
        .join(by_number, on="_m49", how="left", maintain_order="left")
        .join(
            by_text.unique(f"{side}iso", keep="first", maintain_order=True),
            on=f"{side}iso",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.coalesce(pl.col("_m49").cast(pl.String), f"{side}code").alias(f"{side}code"),
            pl.coalesce("_iso", pl.when(is_open).then("_iso_text")).alias(f"{side}_iso"),
            pl.coalesce("_kind", pl.when(is_open).then("_kind_text")).alias(f"{side}_kind"),
            (
                (pl.col("_iso") != pl.col("_iso_text"))
                & (pl.col("_kind") == "country")
                & (pl.col("_kind_text") == "country")
            ).alias(f"{side}_is_two"),
        )
        .drop("_m49", "_iso", "_kind", "_iso_text", "_kind_text")
    )


def _with_amounts(kept: pl.DataFrame) -> pl.DataFrame:
    """The rows' keys and amounts in their final types; a weight of 0 beside a positive value is unknown."""
    weight_g = to_int(pl.col("netwgt"), 1000, most=1000 * MOST_PLAUSIBLE_KG)
    is_nothing = (to_number(pl.col("netwgt")) == 0) & (to_number(pl.col("primaryvalue")) > 0)
    estimated = pl.col("isnetwgtestimated").str.to_lowercase()
    return (
        kept.with_columns(
            primary_value_usd=to_int(pl.col("primaryvalue")),
            reported_value=to_int(pl.col("primaryvalue")),
            net_wgt_g=pl.when(~is_nothing).then(weight_g),
            is_confidential=pl.col("partner_kind") == "confidential",
            is_net_wgt_estimated=pl.when(estimated.is_in(["true", "1"]))
            .then(True)
            .when(estimated.is_in(["false", "0"]))
            .then(False),
        )
        .with_columns(is_net_wgt_estimated=pl.when(pl.col("net_wgt_g").is_not_null()).then("is_net_wgt_estimated"))
        .select("row", *_KEY, *AMOUNTS, "is_confidential")
    )


def _flows(kept: pl.DataFrame, dataset: str, vintage: str) -> pl.DataFrame:
    """Columns of flows, and `row`."""
    return kept.select(
        "row",
        "ref_date",
        "reporter_iso",
        "partner_iso",
        *AMOUNTS,
        "is_confidential",
        source=pl.lit(SOURCE.name),
        dataset=pl.lit(dataset),
        freq_code="freqcode",
        flow_code="flowcode",
        classification_code="classificationcode",
        cmd_code="cmdcode",
        vintage=pl.lit(vintage),
        currency=pl.lit("USD"),
    )


def _dataset(raw: RawFile) -> str:
    return raw.dataset or _SUFFIXES.sub("", raw.path.name)


def _vintage(raw: RawFile) -> str:
    """The release: as told, else the day in the web export's name, else the day it was fetched."""
    if raw.vintage:
        return raw.vintage
    if named := _EXPORT_NAME.match(raw.path.name):
        month, day, year = (int(part) for part in named.groups())
        if month <= 12 and day <= 31:
            return f"{year:04}-{month:02}-{day:02}"
    return raw.fetched_at[:10] if raw.fetched_at else "undated"


SOURCE = Source(
    name="comtrade",
    title="UN Comtrade: web export, API JSON, bulk files",
    publisher="United Nations Statistics Division",
    licence="UN Comtrade's policy on use and re-dissemination; not to be passed on",
    url="https://comtradeplus.un.org",
    claims=claims,
    read=read,
    precedence=10,
)
