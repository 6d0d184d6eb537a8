"""What the cells of Comext mean, alike for the API's answer, the monthly bulk file and the bulk file before 2002.

All three are brought to text columns named by their role: reporter, partner, product, flow, period, value, weight.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from anomaly.contract.schema import MOST_PLAUSIBLE_USD
from anomaly.reference import countries, nomenclature
from anomaly.reference.editions import EDITION_STARTS, LAST_YEAR
from anomaly.sources.base import Rule
from anomaly.sources.reading.amounts import is_filled

NAME = "comext"
MOST_PLAUSIBLE_EUR = MOST_PLAUSIBLE_USD // 2  # a euro was never worth two dollars
MOST_PLAUSIBLE_G = 10**17  # a hundred billion tonnes
FLOWS = {"1": "M", "2": "X"}
# parts of the United Kingdom since 2021 (Northern Ireland and the rest), beside GB which is their sum
PARTS_OF_GB = ("XI", "XU")
# a code of two digits of chapter and letters after: the product is withheld, the chapter is not (85XXXXXX, 99RRR100)
WITHHELD_PRODUCT = r"^[0-9]{2}[0-9]*[A-Z][0-9A-Z]*$"
KEY = ("freq_code", "ref_date", "reporter_iso", "partner_iso", "flow_code", "classification_code", "cmd_code")


def with_meaning(frame: pl.DataFrame) -> pl.DataFrame:
    """What the cells of Comext mean, beside them; null where a cell has no meaning.

    The code's classification is the Combined Nomenclature of the period's year.

    Parameters
    ----------
    frame : polars.DataFrame
        Texts named by role: reporter, partner, product, flow, period (2022-07 or 202207).

    Returns
    -------
    polars.DataFrame
        The rows in their order with KEY, reporter_kind and partner_kind (country, group, confidential …),
        is_confidential (never null) and code_fault (what is wrong with the code, in words; null where nothing is).
    """
    for side in ("reporter", "partner"):
        iso_codes = countries.iso2_table().unique("iso2", keep="first", maintain_order=True)
        iso_codes = iso_codes.select(
            pl.col("iso2").alias(side), pl.col("iso3").alias(f"{side}_iso"), pl.col("kind").alias(f"{side}_kind")
        )
        frame = frame.join(iso_codes, on=side, how="left", maintain_order="left")
    month = pl.col("period").str.replace("-", "", literal=True)
    is_month = pl.col("period").str.contains(r"^(19|20)[0-9]{2}-?(0[1-9]|1[0-2])$")
    withheld = pl.col("product").str.contains(WITHHELD_PRODUCT) | (pl.col("partner_kind") == "confidential")
    frame = frame.with_columns(
        freq_code=pl.lit("M"),
        ref_date=pl.when(is_month).then(month + "01").str.to_date("%Y%m%d", strict=False),
        flow_code=pl.col("flow").replace_strict(FLOWS, default=None, return_dtype=pl.String),
        classification_code="CN" + month.str.slice(0, 4),
        cmd_code="product",
        is_confidential=withheld.fill_null(value=False),
    )
    return _with_code_faults(frame)


def _with_code_faults(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `code_fault`: the first six digits held against the edition in force; distinct products are judged, not rows."""
    product = pl.col("product")
    if _all_pass(frame):
        return frame.with_columns(code_fault=pl.lit(None, dtype=pl.String))
    is_code = product.str.contains(r"^[0-9]{6}([0-9]{2})?$")
    pairs = frame.select("product", "ref_date").unique().filter(is_code)
    judged = nomenclature.with_faults(
        pairs.with_columns(_hs6=product.str.slice(0, 6), _edition=nomenclature.in_force(pl.col("ref_date").dt.year()))
    )
    wrong = judged.filter(pl.col("code_fault").is_not_null()).select("product", "ref_date", "code_fault")
    if wrong.is_empty():
        return frame.with_columns(code_fault=pl.lit(None, dtype=pl.String))
    return frame.join(wrong, on=["product", "ref_date"], how="left", maintain_order="left")


def _all_pass(frame: pl.DataFrame) -> bool:
    """Whether every product of digits has a code of its month's edition: the usual case, without a join."""
    length, number = pl.col("product").str.len_bytes(), pl.col("product").cast(pl.Int64, strict=False)
    six = pl.when(length == 8).then(number // 100).when(length == 6).then(number)
    first, last = frame.select(first=pl.col("ref_date").min(), last=pl.col("ref_date").max()).row(0)
    if first is None or first.year < EDITION_STARTS[0]:
        return False
    passes = pl.lit(value=True)
    for edition, start in enumerate(EDITION_STARTS):
        is_last = edition + 1 == len(EDITION_STARTS)
        if start <= last.year and (is_last or first.year < EDITION_STARTS[edition + 1]):
            of_edition = pl.lit(nomenclature.passes(edition)).gather(six)
            passes = pl.when(pl.col("ref_date") >= date(start, 1, 1)).then(of_edition).otherwise(passes)
    return bool(frame.select(passes.all()).item())


def rules(detailed: int) -> tuple[Rule, ...]:
    """The rules of all layouts of Comext, in the order in which they are asked.

    Parameters
    ----------
    detailed : int
        Length of a code that is no total of others: 8, or 6 in DS-059341.

    Returns
    -------
    tuple of Rule
        Over the columns of `with_meaning`; amounts are each reader's own to judge.
    """
    product = pl.col("product")
    is_detailed = product.str.contains(rf"^[0-9]{{{detailed}}}$") | (
        product.str.contains(WITHHELD_PRODUCT) & (product.str.len_bytes() == detailed)
    )
    is_total = product.str.contains(r"^([0-9]{1,8}|TOTAL)$")
    return (
        Rule(
            "annual_total",
            "period",
            pl.col("period").str.contains(r"^(19|20)[0-9]{2}(-?52)?$"),
            "a year, whose months are rows of their own",
            is_error=False,
        ),
        Rule("bad_period", "period", pl.col("ref_date").is_null(), "not a year and month"),
        Rule(
            "unknown_edition",
            "period",
            ~pl.col("ref_date").dt.year().is_between(EDITION_STARTS[0], LAST_YEAR),
            "a year of the Combined Nomenclature whose edition of the Harmonized System this version does not know",
        ),
        Rule("unknown_flow", "flow", pl.col("flow_code").is_null(), "neither 1 (import) nor 2 (export)"),
        *(
            Rule("unknown_country", side, pl.col(f"{side}_iso").is_null(), f"a {side} that no table knows")
            for side in ("reporter", "partner")
        ),
        *(
            Rule("aggregate", side, pl.col(f"{side}_kind") == "group", "the world or a group", is_error=False)
            for side in ("reporter", "partner")
        ),
        *(
            Rule("part_of_country", side, pl.col(side).is_in(PARTS_OF_GB), "a part of GB", is_error=False)
            for side in ("reporter", "partner")
        ),
        Rule("missing_code", "product", ~is_filled(product), "there is no commodity code"),
        Rule("not_detailed", "product", is_total & ~is_detailed, "a total of more detailed codes", is_error=False),
        Rule("bad_code", "product", ~is_detailed, f"not a code of {detailed} characters"),
        Rule("bad_code", "product", pl.col("code_fault").is_not_null(), pl.col("code_fault")),
    )


def in_the_files_words(rejected: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """Rejected rows with the file's own column names in place of the roles.

    Parameters
    ----------
    rejected : polars.DataFrame
        REJECTED_COLUMNS.
    names : dict of str to str
        Role → column of the file; a role that is not in it stays.

    Returns
    -------
    polars.DataFrame
        The same rows.
    """
    return rejected.with_columns(pl.col("column").replace(names))
