"""UN Comtrade: the web export, the API's JSON and the bulk files, all brought to one table of text and judged alike.

docs/sources/comtrade.md says what is read, what is left out and why.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import polars as pl

from anomaly import codes
from anomaly.sources.amounts import is_filled, number_rules, to_int, to_number
from anomaly.sources.base import FLOW_COLUMNS, Batch, Context, RawFile, Rule, Source, split
from anomaly.sources.comtrade_json import rows_of_answer
from anomaly.sources.text import GZIP_MAGIC, Layout, decoded, read_bytes, refused, text_csv_batches

# What a row must say to be understood, in lower case: JSON has cifvalue, the bulk files CIFValue.
REQUIRED = (
    "typecode",
    "freqcode",
    "period",
    "reportercode",
    "flowcode",
    "partnercode",
    "partner2code",
    "classificationcode",
    "cmdcode",
    "customscode",
    "moscode",
    "motcode",
    "primaryvalue",
)
OPTIONAL = ("reporteriso", "partneriso", "netwgt", "isnetwgtestimated")
COLUMNS = REQUIRED + OPTIONAL

FLOWS_USED = ("M", "X", "RM", "RX")
FLOWS_KNOWN = ("DX", "FM", "MIP", "MOP", "XIP", "XOP")  # parts of M and X: counted there already
CUSTOMS = ("C00", *[f"C{number:02}" for number in range(1, 16)], "C20")
TRANSPORT = (
    *("0", "1000", "2000", "2100", "2200", "2900", "3000", "3100", "3200", "3900"),
    *("9000", "9100", "9110", "9120", "9190", "9200", "9300", "9900"),
)
SUPPLY = ("0", "-1", "1", "2", "3", "4")  # modes of supply; 0 and -1 are the total
NOT_HS = r"^(S[S1-4]|B[45]|EB.*)$"  # SITC, broad economic categories, services
MOST_PLAUSIBLE_KG = 10**14  # a hundred billion tonnes

ENCODINGS = ("utf-8", "cp1252")  # the web export comes in either
_EXPORT_NAME = re.compile(r"TradeData_(\d{1,2})_(\d{1,2})_(\d{4})_\d+_\d+_\d+", re.ASCII)
_SUFFIXES = re.compile(r"(\.(csv|json|txt|tsv|gz))+$", re.IGNORECASE)

_KEY = ("freqcode", "ref_date", "reportercode", "partnercode", "flowcode", "classificationcode", "cmdcode")
_AMOUNTS = ("primary_value_usd", "net_wgt_g", "is_net_wgt_estimated")


def claims(raw: RawFile) -> bool:
    """Whether the file is Comtrade's: it lies in `comtrade/`, or begins as one of its formats does."""
    if raw.path.suffix.lower() not in (".csv", ".json", ".gz", ".txt", ".tsv"):
        return False
    if raw.name.split("/")[0] == "comtrade" or _EXPORT_NAME.match(raw.path.name):
        return True
    begin = _first_bytes(raw).decode("latin-1").lower()
    if begin.lstrip().startswith("{"):
        return '"elapsedtime"' in begin and '"data"' in begin
    header = {field.strip('" \r') for field in re.split("[,\t]", begin.removeprefix("ï»¿").split("\n")[0])}
    return header.issuperset({"reportercode", "partnercode", "flowcode", "cmdcode", "primaryvalue"})


def _first_bytes(raw: RawFile) -> bytes:
    try:
        with raw.path.open("rb") as file:
            begin = file.read(2**14)
        return zlib.decompressobj(wbits=31).decompress(begin, 2**14) if begin.startswith(GZIP_MAGIC) else begin
    except (OSError, zlib.error):
        return b""


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The file's flows. Raises DataRejected where the file is not whole or says one key twice, differently."""
    kept_parts, rejected_parts, rows_in = [], [], 0
    for part in _text_frames(raw, context):
        rows_in += part.height
        kept, rejected = split(_with_meaning(part), RULES, SOURCE.name, raw.name)
        kept_parts.append(_with_amounts(kept))
        rejected_parts.append(rejected)
    kept = _once(pl.concat(kept_parts), raw.name)
    rejected = pl.concat(rejected_parts)
    flows = _flows(kept, _dataset(raw), _vintage(raw))
    for first in range(0, max(rows_in, 1), context.batch_rows):
        in_part = pl.col("row").is_between(first + 1, first + context.batch_rows)
        part_flows, part_rejected = flows.filter(in_part), rejected.filter(in_part)
        part_rows = min(context.batch_rows, rows_in - first)
        yield Batch(
            flows=part_flows.select(*FLOW_COLUMNS),
            rejected=part_rejected,
            rows_in=part_rows,
            rows_deduplicated=part_rows - part_flows.height - part_rejected.height,
        )


def _text_frames(raw: RawFile, context: Context) -> Iterator[pl.DataFrame]:
    """The file as frames of text columns named COLUMNS and `row`, whatever its format."""
    data = read_bytes(raw.path, raw.name, gzipped=True if raw.path.suffix.lower() == ".gz" else None)
    text = decoded(data, raw.name, ENCODINGS)
    if text.data.lstrip()[:1] == b"{":
        frames: Iterator[pl.DataFrame] = iter([rows_of_answer(text.data, raw, REQUIRED, COLUMNS)])
    else:
        is_bulk = b"\t" in text.data.split(b"\n", 1)[0]
        layout = Layout(
            separator="\t" if is_bulk else ",",
            quote=None if is_bulk else '"',
            required=REQUIRED,
            columns=COLUMNS,
            lower_names=True,
            trailing_separator=not is_bulk,
        )
        frames = text_csv_batches(text, raw.name, layout, context.batch_rows)
    for frame in frames:
        absent = [pl.lit(None, dtype=pl.String).alias(column) for column in COLUMNS if column not in frame.columns]
        yield frame.with_columns(pl.col(pl.String).str.strip_chars()).with_columns(absent)


def _with_meaning(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what the rules judge: ref_date, reporter_iso, partner_iso and the kinds of both (null = unknown)."""
    annual = pl.when(pl.col("period").str.contains(r"^(19|20)\d{2}$")).then(pl.col("period") + "0101")
    monthly = pl.when(pl.col("period").str.contains(r"^(19|20)\d{4}$")).then(pl.col("period") + "01")
    period = pl.when(pl.col("freqcode") == "A").then(annual).when(pl.col("freqcode") == "M").then(monthly)
    frame = frame.with_columns(ref_date=period.str.to_date("%Y%m%d", strict=False))
    for side in ("reporter", "partner"):
        frame = _with_country(frame, side)
    return frame


def _with_country(frame: pl.DataFrame, side: str) -> pl.DataFrame:
    """Add `<side>_iso` and `<side>_kind` from the numeric code, or from the ISO text where the number is unknown."""
    by_number = codes.m49_table().select(
        pl.col("m49").cast(pl.Int32).alias("_m49"), pl.col("iso3").alias("_iso"), pl.col("kind").alias("_kind")
    )
    by_text = codes.comtrade_iso_table().select(
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
            pl.coalesce("_iso", "_iso_text").alias(f"{side}_iso"),
            pl.coalesce("_kind", "_kind_text").alias(f"{side}_kind"),
        )
        .drop("_m49", "_iso", "_kind", "_iso_text", "_kind_text")
    )


def _unknown(column: str, known: tuple[str, ...], what: str) -> Rule:
    return Rule(f"unknown_{what}", column, ~pl.col(column).is_in(known).fill_null(value=False), f"not a {what} code")


def _is_total(column: str, *totals: str) -> Rule:
    return Rule(
        "breakdown", column, ~pl.col(column).is_in(totals), "part of a total that is a row of its own", is_error=False
    )


RULES = (
    Rule("services", "typecode", pl.col("typecode") == "S", "trade in services", is_error=False),
    _unknown("typecode", ("C",), "type"),
    _unknown("freqcode", ("A", "M"), "frequency"),
    Rule("bad_period", "period", pl.col("ref_date").is_null(), "not a year (annual) or a year and month (monthly)"),
    _unknown("flowcode", FLOWS_USED + FLOWS_KNOWN, "flow"),
    _unknown("customscode", CUSTOMS, "customs"),
    _unknown("motcode", TRANSPORT, "transport"),
    _unknown("moscode", SUPPLY, "supply"),
    Rule(
        "unknown_country",
        "partner2code",
        ~pl.col("partner2code").str.contains(r"^\d{1,3}$").fill_null(value=False),
        "not a country code",
    ),
    Rule("unknown_country", "reportercode", pl.col("reporter_iso").is_null(), "a reporter that no table knows"),
    Rule("unknown_country", "partnercode", pl.col("partner_iso").is_null(), "a partner that no table knows"),
    Rule("flow_not_used", "flowcode", pl.col("flowcode").is_in(FLOWS_KNOWN), "a part of M or X", is_error=False),
    _is_total("motcode", "0"),
    _is_total("customscode", "C00"),
    _is_total("partner2code", "0"),
    _is_total("moscode", "0", "-1"),
    Rule("aggregate", "reportercode", pl.col("reporter_kind") == "group", "a group of countries", is_error=False),
    Rule("aggregate", "partnercode", pl.col("partner_kind") == "group", "the world or a group", is_error=False),
    Rule("missing_code", "cmdcode", ~is_filled(pl.col("cmdcode")), "there is no commodity code"),
    Rule(
        "other_classification",
        "classificationcode",
        pl.col("classificationcode").str.contains(NOT_HS),
        "not the Harmonized System",
        is_error=False,
    ),
    Rule(
        "unknown_edition",
        "classificationcode",
        ~pl.col("classificationcode").str.contains(r"^H\d$").fill_null(value=False),
        "not an edition of the Harmonized System",
    ),
    Rule(
        "not_six_digits",
        "cmdcode",
        ~pl.col("cmdcode").str.contains(r"^\d{6}$"),
        "a total, a chapter or a heading, whose six-digit codes are rows of their own",
        is_error=False,
    ),
    *number_rules("primaryvalue", needed=True),
    *number_rules("netwgt", needed=False, most=MOST_PLAUSIBLE_KG),
)


def _with_amounts(kept: pl.DataFrame) -> pl.DataFrame:
    """The rows' keys and amounts in their final types; a weight of 0 beside a positive value is unknown."""
    weight_g = to_int(pl.col("netwgt"), 1000, most=1000 * MOST_PLAUSIBLE_KG)
    is_nothing = (to_number(pl.col("netwgt")) == 0) & (to_number(pl.col("primaryvalue")) > 0)
    estimated = pl.col("isnetwgtestimated").str.to_lowercase()
    return (
        kept.with_columns(
            primary_value_usd=to_int(pl.col("primaryvalue")),
            net_wgt_g=pl.when(~is_nothing).then(weight_g),
            is_confidential=pl.col("partner_kind") == "confidential",
            is_net_wgt_estimated=pl.when(estimated.is_in(["true", "1"]))
            .then(True)
            .when(estimated.is_in(["false", "0"]))
            .then(False),
        )
        .with_columns(is_net_wgt_estimated=pl.when(pl.col("net_wgt_g").is_not_null()).then("is_net_wgt_estimated"))
        .select("row", *_KEY, "reporter_iso", "partner_iso", *_AMOUNTS, "is_confidential")
    )


def _once(kept: pl.DataFrame, name: str) -> pl.DataFrame:
    """Every key once: exact repeats are folded. Raises DataRejected where repeats differ (a breakdown slipped in)."""
    if kept.select(_KEY).hash_rows().n_unique() == kept.height:
        return kept
    once = kept.unique([*_KEY, *_AMOUNTS], keep="first", maintain_order=True)
    clash = once.filter(pl.struct(_KEY).is_duplicated())
    if clash.is_empty():
        return once
    first = clash.row(0, named=True)
    rows = clash.filter(pl.all_horizontal(pl.col(key) == first[key] for key in _KEY))
    raise refused(
        name,
        "one row per period, reporter, partner, flow, edition and code after breakdowns are taken out",
        f"rows {', '.join(str(row) for row in rows['row'])} with values "
        f"{', '.join(f'{value:,}' for value in rows['primary_value_usd'])} for "
        f"{', '.join(str(first[key]) for key in _KEY)}; {clash.height:,} such rows in all",
        row=first["row"],
        column="primaryValue",
        hint="the file holds a breakdown that its codes do not name: fetch it again, classic breakdown only",
    )


def _flows(kept: pl.DataFrame, dataset: str, vintage: str) -> pl.DataFrame:
    """Columns of flows, and `row`. Two codes of one country (Taiwan's 158 and 490) are added up into one row."""
    flows = kept.select(
        "row",
        "ref_date",
        "reporter_iso",
        "partner_iso",
        "primary_value_usd",
        "net_wgt_g",
        "is_net_wgt_estimated",
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
    key = ["freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code", "classification_code", "cmd_code"]
    if flows.select(key).hash_rows().n_unique() < flows.height:
        sums = [
            pl.col("primary_value_usd").sum(),
            pl.when(pl.col("net_wgt_g").null_count() == 0).then(pl.col("net_wgt_g").sum()),
            pl.col("is_net_wgt_estimated").any(),
        ]
        rest = [pl.col(name).first() for name in flows.columns if name not in (*key, *_AMOUNTS)]
        flows = flows.group_by(key, maintain_order=True).agg(*sums, *rest)
    return flows.with_columns(reported_value="primary_value_usd")


def _dataset(raw: RawFile) -> str:
    return raw.dataset or _SUFFIXES.sub("", raw.path.name)


def _vintage(raw: RawFile) -> str:
    """The release: as told, else the day in the web export's name, else the day it was fetched."""
    if raw.vintage:
        return raw.vintage
    if named := _EXPORT_NAME.match(raw.path.name):
        month, day, year = (int(part) for part in named.groups())
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
