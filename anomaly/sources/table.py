"""Any CSV or Parquet of a user's own, with a small TOML beside it that says what its columns mean.

docs/sources/table.md shows the TOML.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.errors import BadRequest
from anomaly.contract.schema import FLOWS, MOST_PLAUSIBLE_USD
from anomaly.reference import countries
from anomaly.sources.base import Batch, Context, RawFile, Rule, Source, split
from anomaly.sources.reading.amounts import is_filled, number_rules, to_int, to_number, whole
from anomaly.sources.reading.batches import AMOUNTS, KEY, in_batches, once
from anomaly.sources.reading.text import Layout, decoded, read_bytes, refused, text_csv_batches
from anomaly.sources.table_mapping import CLASSIFICATION, ROLES, TableMapping, has_mapping, mapping_of, stem

PART_ROWS = 500_000  # rows held as text at a time
MOST_PLAUSIBLE_G = 10**17  # a hundred billion tonnes


def claims(raw: RawFile) -> bool:
    """Whether a TOML beside the file speaks for it."""
    return has_mapping(raw.path)


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The file's flows.

    Raises SettingsWrong for a mapping with faults, DataRejected where the file is not whole, lacks a column that the
    mapping names, or says one key twice, differently.
    """
    mapping = mapping_of(raw)
    rules = _rules(mapping)
    kept_parts, rejected_parts, rows_in = [], [], 0
    for part in _text_frames(raw, mapping):
        rows_in += part.height
        frame = _with_meaning(part, mapping, context)
        kept, rejected = split(frame, rules, SOURCE.name, raw.name)
        kept_parts.append(kept.select("row", *KEY, *AMOUNTS, "is_confidential"))
        rejected_parts.append(_in_the_files_words(rejected, mapping))
    hint = "add up the rows of a key before, or map the column that tells them apart"
    kept = once(pl.concat(kept_parts), KEY, mapping.columns["value"], raw.name, hint)
    vintage = raw.vintage or mapping.vintage or (raw.fetched_at or "undated")[:10]
    flows = kept.with_columns(
        source=pl.lit(SOURCE.name),
        dataset=pl.lit(raw.dataset or mapping.dataset or stem(raw.path)),
        vintage=pl.lit(vintage),
        currency=pl.lit(mapping.currency),
    )
    yield from in_batches(flows, pl.concat(rejected_parts), rows_in, context.batch_rows)


def _text_frames(raw: RawFile, mapping: TableMapping) -> Iterator[pl.DataFrame]:
    """The file as frames of stripped text columns named after their roles, all ROLES, and `row`."""
    named = tuple(dict.fromkeys(mapping.columns.values()))
    if raw.path.suffix.lower() == ".parquet":
        frames = _parquet_frames(raw, mapping, named)
    else:
        gzipped = raw.path.suffix.lower() == ".gz"
        text = decoded(read_bytes(raw.path, raw.name, gzipped=gzipped), raw.name, (mapping.encoding,))
        separator = "\t" if mapping.separator == "," and ".tsv" in raw.path.name.lower() else mapping.separator
        layout = Layout(separator=separator, required=named, columns=named)
        frames = text_csv_batches(text, raw.name, layout, PART_ROWS)
    constants = {"flow": mapping.flow, "classification": mapping.classification, "weight": ""}
    for frame in frames:
        yield frame.select(
            "row",
            *[
                pl.col(mapping.columns[role]).str.strip_chars().alias(role)
                if role in mapping.columns
                else pl.lit(constants[role] or None, dtype=pl.String).alias(role)
                for role in ROLES
            ],
        )


def _parquet_frames(raw: RawFile, mapping: TableMapping, named: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    try:
        lazy = pl.scan_parquet(raw.path)
        types = lazy.collect_schema()
        rows = int(lazy.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise refused(raw.name, "a whole Parquet file", f"{error}"[:200]) from error
    for column in named:
        if column not in types:
            raise refused(raw.name, f"the columns {', '.join(named)}", f"there are {', '.join(types)}", column=column)
    code = mapping.columns["code"]
    if types[code] != pl.String:
        came = f"{types[code]}, whose leading zeros are lost"
        raise refused(raw.name, "commodity codes as text", came, column=code, hint="write the codes as text")
    for first in range(0, max(rows, 1), PART_ROWS):
        part = lazy.select(named).slice(first, PART_ROWS).collect()
        yield (
            part.with_columns(pl.all().cast(pl.String)).with_row_index("row", offset=first + 1).cast({"row": pl.Int64})
        )


def _with_meaning(frame: pl.DataFrame, mapping: TableMapping, context: Context) -> pl.DataFrame:
    """Add the columns of flows and what the rules judge, null where a cell has no meaning."""
    for side in ("reporter", "partner"):
        frame = _with_country(frame, side, mapping.countries)
    to_flow = mapping.flows or {flow: flow for flow in FLOWS}
    is_annual = "%m" not in mapping.period
    frame = frame.with_columns(
        freq_code=pl.lit("A" if is_annual else "M"),
        ref_date=_ref_date(pl.col("period"), mapping.period),
        flow_code=pl.col("flow") if mapping.flow else pl.col("flow").replace_strict(to_flow, default=None),
        classification_code=pl.col("classification"),
        cmd_code=pl.col("code").str.replace_all(r"[. ]", ""),
        is_confidential=(pl.col("partner_kind") == "confidential").fill_null(value=False),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
    )
    amount = to_number(pl.col("value")) * mapping.multiplier
    weight_g = to_int(pl.col("weight"), mapping.grams, most=MOST_PLAUSIBLE_G)
    is_nothing = (to_number(pl.col("weight")) == 0) & (amount > 0)
    return _with_rate(frame, mapping.currency, context, is_annual=is_annual).with_columns(
        reported_value=whole(amount),
        primary_value_usd=whole(amount * pl.col("usd_per_unit")),
        net_wgt_g=pl.when(~is_nothing.fill_null(value=False)).then(weight_g),
    )


def _ref_date(text: pl.Expr, period: str) -> pl.Expr:
    """First day of the period; null where the text does not fit the format or the year is not of 1900 to 2100."""
    full_text, full_format = text, period
    for directive in ("%m", "%d"):
        if directive not in period:
            full_text, full_format = full_text + " 01", f"{full_format} {directive}"
    start = full_text.str.to_date(full_format, strict=False, exact=True)
    start = start.dt.month_start() if "%m" in period else start.dt.truncate("1y")
    return pl.when(start.dt.year().is_between(1900, 2100)).then(start)


def _with_country(frame: pl.DataFrame, side: str, system: str) -> pl.DataFrame:
    """Add `<side>_iso` and `<side>_kind`; null where the system does not know the text."""
    texts = frame[side].unique().drop_nulls().sort()
    known = _countries(texts, system).select(
        pl.col("text").alias(side), pl.col("iso3").alias(f"{side}_iso"), pl.col("kind").alias(f"{side}_kind")
    )
    return frame.join(known.unique(side), on=side, how="left", maintain_order="left")


def _countries(texts: pl.Series, system: str) -> pl.DataFrame:
    """text, iso3, kind of the texts that the system knows."""
    if system == "iso2":
        return countries.iso2_table().rename({"iso2": "text"}).filter(pl.col("text").is_in(texts.implode()))
    by_iso3 = countries.table().select("iso3", "kind")
    if system == "iso3":
        return by_iso3.with_columns(text="iso3")
    asked = pl.DataFrame({"text": texts})
    if system == "m49":
        number = pl.col("text").cast(pl.Int32, strict=False)
        return asked.with_columns(m49=number).join(countries.m49_table().cast({"m49": pl.Int32}), on="m49")
    found = pl.Series([_country_named(text) for text in texts], dtype=pl.String)
    return asked.with_columns(iso3=found).join(by_iso3, on="iso3")


def _country_named(name: str) -> str | None:
    try:
        return countries.parse_country(name)
    except BadRequest:
        return None


def _with_rate(frame: pl.DataFrame, currency: str, context: Context, *, is_annual: bool) -> pl.DataFrame:
    """Add usd_per_unit: the month's rate, or the mean of a year's twelve; null where a month of it is missing."""
    if currency == "USD":
        return frame.with_columns(usd_per_unit=pl.lit(1.0))
    rates = context.usd_per.get(currency, pl.DataFrame(schema={"month": pl.Date, "usd_per_unit": pl.Float64}))
    if is_annual:
        year = pl.col("month").dt.truncate("1y")
        of_year = rates.sort("month").group_by(year, maintain_order=True)
        rates = (
            of_year.agg(pl.col("usd_per_unit").mean(), months=pl.len()).filter(pl.col("months") == 12).drop("months")
        )
    return frame.join(rates, left_on="ref_date", right_on="month", how="left", maintain_order="left")


def _rules(mapping: TableMapping) -> tuple[Rule, ...]:
    is_six_or_eight = pl.col("cmd_code").str.contains(r"^\d{6}(\d{2})?$")
    is_higher = pl.col("cmd_code").str.contains(r"^(\d{2,5}|TOTAL)$")
    is_hs = pl.col("classification").str.contains(CLASSIFICATION)
    most = MOST_PLAUSIBLE_USD / mapping.multiplier
    return (
        Rule("bad_period", "period", pl.col("ref_date").is_null(), f"not a period written {mapping.period}"),
        Rule("unknown_flow", "flow", pl.col("flow_code").is_null(), "a flow that the mapping does not know"),
        Rule("unknown_country", "reporter", pl.col("reporter_iso").is_null(), f"no country in {mapping.countries}"),
        Rule("unknown_country", "partner", pl.col("partner_iso").is_null(), f"no country in {mapping.countries}"),
        Rule("aggregate", "reporter", pl.col("reporter_kind") == "group", "a group of countries", is_error=False),
        Rule("aggregate", "partner", pl.col("partner_kind") == "group", "the world or a group", is_error=False),
        Rule("unknown_edition", "classification", ~is_hs.fill_null(value=False), "not such as H5, H6 or CN2022"),
        Rule("missing_code", "code", ~is_filled(pl.col("code")), "there is no commodity code"),
        Rule("not_six_digits", "code", is_higher, "a total, a chapter or a heading", is_error=False),
        Rule("bad_code", "code", ~is_six_or_eight, "not six or eight digits"),
        *number_rules("value", needed=True, most=most),
        *number_rules("weight", needed=False, most=MOST_PLAUSIBLE_G / mapping.grams),
        Rule("no_rate", "period", pl.col("usd_per_unit").is_null(), f"no rate of {mapping.currency} to USD for it"),
        Rule(
            "absurd", "value", pl.col("primary_value_usd").is_null(), "the amount in USD is too large: a unit is wrong"
        ),
    )


def _in_the_files_words(rejected: pl.DataFrame, mapping: TableMapping) -> pl.DataFrame:
    """Rejected rows with the file's own column names in place of the roles."""
    return rejected.with_columns(pl.col("column").replace(mapping.columns))


SOURCE = Source(
    name="table",
    title="a table of your own: CSV or Parquet with a small TOML",
    publisher="you",
    licence="as you know",
    url="docs/sources/table.md",
    claims=claims,
    read=read,
    precedence=5,
)
