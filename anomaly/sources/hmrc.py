"""The United Kingdom's overseas trade statistics: a month's OData pages in a zip, pounds, ports added up.

docs/sources/hmrc.md says what is read, what is left out and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from anomaly.contract.schema import MOST_PLAUSIBLE_USD
from anomaly.reference import countries, nomenclature
from anomaly.reference.editions import EDITION_STARTS, LAST_YEAR
from anomaly.sources.base import Batch, Context, RawFile, Rule, Source, split
from anomaly.sources.reading.archives import zip_blocks, zip_members
from anomaly.sources.reading.batches import KEY, added_up, in_batches, once
from anomaly.sources.reading.dollars import in_usd
from anomaly.sources.reading.text import refused

NAME = "hmrc"
REPORTER = "GBR"
COUNTRIES = "Country.json"
PAGE = "OTS_{flow}_{number:04}.json"  # in their order
FLOWS = {1: "M", 2: "X", 3: "M", 4: "X"}  # with the EU, with others
_SUPPRESSED = (1, 3, 5)
_FILE = re.compile(r"OTS_\d{4}-\d\d\.zip", re.ASCII)
_PAGES = re.compile(r"OTS_[1-4]_\d{4}\.json", re.ASCII)
_COUNTRIES = re.compile(re.escape(COUNTRIES), re.ASCII)
_TYPES = {
    "MonthId": pl.Int64, "FlowTypeId": pl.Int64, "SuppressionIndex": pl.Int64, "CommodityId": pl.Int64,
    "CountryId": pl.Int64, "PortId": pl.Int64, "Value": pl.Float64, "NetMass": pl.Float64,
}  # fmt: skip
_ROW_KEY = ("MonthId", "FlowTypeId", "SuppressionIndex", "CommodityId", "CountryId", "PortId")


def claims(raw: RawFile) -> bool:
    """Whether the name is that of a month's pages: OTS_2024-02.zip.

    Parameters
    ----------
    raw : RawFile
        Only its name is looked at.

    Returns
    -------
    bool
        True where `read` shall read it.
    """
    return _FILE.fullmatch(raw.path.name) is not None


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """A month's flows of the United Kingdom, values in GBP and, by the month's mean rate, in USD.

    Parameters
    ----------
    raw : RawFile
        The zip of pages.
    context : Context
        usd_per["GBP"] and batch_rows.

    Yields
    ------
    Batch
        In the pages' order; rows of several ports are added up.

    Raises
    ------
    DataRejected
        Where the zip is not whole, a page is no page, says a key twice, or there is no rate.
    """
    table = _table(raw)
    meant = _with_meaning(table, _country_codes(raw))
    kept, rejected = split(meant, _rules(), NAME, raw.name)
    pence, grams = (pl.col("Value") * 100).round().cast(pl.Int64), (pl.col("NetMass") * 1000).round().cast(pl.Int64)
    amounts = kept.with_columns(
        reported_value=pence,
        primary_value_usd=pl.lit(None, dtype=pl.Int64),
        net_wgt_g=pl.when((grams > 0) | (pence == 0)).then(grams),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
    )
    single = once(amounts, (*_ROW_KEY, "partner_iso"), "Value", raw.name, "the zip mixes two answers; fetch it again")
    pounds = added_up(single).with_columns(reported_value=(pl.col("reported_value") + 50) // 100)
    release = {
        "source": pl.lit(NAME),
        "dataset": pl.lit(raw.dataset or "OTS"),
        "vintage": pl.lit(raw.vintage or (raw.fetched_at or "undated")[:10]),
    }
    flows = in_usd(pounds.drop("primary_value_usd"), context, raw.name, "GBP", "MonthId").with_columns(
        **release, currency=pl.lit("GBP")
    )
    of_withheld = meant.join(rejected.filter(rule="withheld").select("row"), on="row", how="semi")
    hidden = of_withheld.select(KEY).unique(maintain_order=True).with_columns(**release)
    for number, batch in enumerate(in_batches(flows, rejected, table.height, context.batch_rows)):
        yield batch if number else replace(batch, withheld=hidden)


def _table(raw: RawFile) -> pl.DataFrame:
    """`row` over all pages, and the columns of _TYPES."""
    frames = [pl.DataFrame(schema=_TYPES)]
    members = zip_members(raw.path, raw.name, _PAGES)
    if not members:
        raise refused(raw.name, "pages named such as OTS_4_0001.json in the zip", "none")
    for member in members:
        rows = _value(raw, member)
        missing = [name for name in _TYPES if rows and name not in rows[0]]
        if missing:
            came = f"no {', '.join(missing)}; there are {', '.join(map(str, rows[0]))[:200]}"
            raise refused(f"{raw.name}, {member}", f"the columns {', '.join(_TYPES)}", came, column=missing[0])
        try:
            frames.append(pl.DataFrame(rows, schema=_TYPES))
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
            raise refused(f"{raw.name}, {member}", "numbers", f"something else ({error})"[:200]) from error
    return pl.concat(frames).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))


def _value(raw: RawFile, member: str) -> list[dict[str, Any]]:
    content = b"".join(zip_blocks(raw.path, raw.name, member, raw.limits))
    try:
        page = json.loads(content)
        value = page["value"]
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            return value
        came = f"{str(page)[:80]!r}"
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        came = f"something else ({error})"[:160]
    raise refused(f"{raw.name}, {member}", "a page with a list `value`", came)


def _country_codes(raw: RawFile) -> pl.DataFrame:
    """CountryId, partner_iso, partner_kind: the publisher's numbers by its own list, which lies in the zip."""
    if not zip_members(raw.path, raw.name, _COUNTRIES):
        raise refused(raw.name, f"the list of countries {COUNTRIES} in the zip", "none", hint="fetch it again")
    rows = [(row.get("CountryId"), row.get("CountryCodeAlpha")) for row in _value(raw, COUNTRIES)]
    whole = [(number, code) for number, code in rows if isinstance(number, int) and isinstance(code, str)]
    listed = pl.DataFrame(whole, schema={"CountryId": pl.Int64, "iso2": pl.String}, orient="row")
    of_code = countries.iso2_table().unique("iso2", keep="first", maintain_order=True)
    return (
        listed.with_columns(pl.col("iso2").str.strip_chars())
        .unique("CountryId", keep="first", maintain_order=True)
        .join(of_code, on="iso2", how="left", maintain_order="left")
        .select("CountryId", partner_iso="iso3", partner_kind="kind")
    )


def _with_meaning(table: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("CommodityId").cast(pl.String).str.zfill(8)  # a number: 1012100 is 01012100
    month = pl.col("MonthId").cast(pl.String)
    is_month = month.str.contains(r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])$")
    ref_date = pl.when(is_month).then(month + "01").str.to_date("%Y%m%d", strict=False)
    is_suppressed = pl.col("SuppressionIndex").is_in(list(_SUPPRESSED)).fill_null(value=False)
    frame = table.join(listed, on="CountryId", how="left", maintain_order="left").with_columns(
        freq_code=pl.lit("M"),
        ref_date=ref_date,
        reporter_iso=pl.lit(REPORTER),
        flow_code=pl.col("FlowTypeId").replace_strict(FLOWS, default=None, return_dtype=pl.String),
        classification_code="CN" + month.str.slice(0, 4),
        cmd_code=code,
        is_confidential=is_suppressed | (pl.col("partner_kind") == "confidential").fill_null(value=False),
        _edition=nomenclature.in_force(ref_date.dt.year()),
        _hs6=pl.when(code.str.contains(r"^[0-9]{8}$")).then(code.str.slice(0, 6)),
    )
    return nomenclature.with_faults(frame).drop("_edition", "_hs6")


def _rules() -> tuple[Rule, ...]:
    commodity, value, mass = pl.col("CommodityId"), pl.col("Value"), pl.col("NetMass")
    withheld = pl.col("is_confidential") & value.is_null()
    is_year = pl.col("ref_date").dt.year().is_between(EDITION_STARTS[0], LAST_YEAR)
    return (
        Rule("bad_period", "MonthId", pl.col("ref_date").is_null(), "not a year and month"),
        Rule("unknown_edition", "MonthId", ~is_year, "a year whose edition of the Harmonized System is not known"),
        Rule("unknown_flow", "FlowTypeId", pl.col("flow_code").is_null(), "none of 1 to 4"),
        Rule("not_detailed", "CommodityId", commodity < 0, "a sum of small trade, without a code", is_error=False),
        Rule("missing_code", "CommodityId", commodity.is_null(), "there is no commodity code"),
        Rule(
            "unknown_country",
            "CountryId",
            pl.col("partner_iso").is_null(),
            "a number without a known code in Country.json",
        ),
        Rule("aggregate", "CountryId", pl.col("partner_kind") == "group", "the world or a group", is_error=False),
        Rule("bad_code", "CommodityId", pl.col("cmd_code").str.len_bytes() != 8, "more than eight digits"),
        Rule("bad_code", "CommodityId", pl.col("code_fault").is_not_null(), pl.col("code_fault")),
        Rule("withheld", "Value", withheld, "a value that is suppressed", is_error=False),
        Rule("missing", "Value", ~value.is_finite().fill_null(value=False), "there is no value"),
        Rule("negative", "Value", value < 0, "less than nothing"),
        Rule("absurd", "Value", value > MOST_PLAUSIBLE_USD // 2, "more than a country trades"),
        Rule("negative", "NetMass", mass < 0, "less than nothing"),
        Rule("absurd", "NetMass", ~mass.is_finite() | (mass > 10**14), "more than a country trades"),
    )


SOURCE = Source(
    name=NAME,
    title="UK HMRC: monthly overseas trade statistics (OTS), OData pages",
    publisher="HM Revenue & Customs",
    licence="Open Government Licence v3.0, source to be stated",
    url="https://www.uktradeinfo.com/api-documentation",
    claims=claims,
    read=read,
    precedence=24,
)
