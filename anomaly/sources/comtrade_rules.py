"""Which rows of UN Comtrade are trade between two countries, counted once, and which rule takes out each other one.

The rules are asked in order, and the first that a row breaks is its reason. Code lists: Comtrade's reference tables.
"""

from __future__ import annotations

import polars as pl

from anomaly.reference.editions import EDITION_STARTS
from anomaly.sources.base import Rule
from anomaly.sources.reading.amounts import is_filled, number_rules

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


def _unknown(column: str, codes: tuple[str, ...], noun: str) -> Rule:
    return Rule(f"unknown_{noun}", column, ~pl.col(column).is_in(codes).fill_null(value=False), f"not a {noun} code")


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
        ~pl.col("partner2code").str.contains(r"^[0-9]{1,3}$").fill_null(value=False),
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
        ~pl.col("classificationcode").str.contains(rf"^H[0-{len(EDITION_STARTS) - 1}]$").fill_null(value=False),
        f"not an edition of the Harmonized System that this version knows, H0 to H{len(EDITION_STARTS) - 1}",
    ),
    Rule(
        "not_six_digits",
        "cmdcode",
        pl.col("cmdcode").str.contains(r"^([0-9]{2}|[0-9]{4}|TOTAL|AG[246])$"),
        "a total, a chapter or a heading, whose six-digit codes are rows of their own",
        is_error=False,
    ),
    Rule(
        "zero_lost",
        "cmdcode",
        pl.col("cmdcode").str.contains(r"^[0-9]+\.0*$"),
        "a number with a decimal point, not a code: what wrote it has lost the zeros at the begin of codes",
    ),
    Rule(
        "tariff_line",
        "cmdcode",
        pl.col("cmdcode").str.contains(r"^[0-9]{7,}$"),
        "a tariff line of more than six digits: these answers are not read; ask data/v1/get for codes of six digits",
    ),
    Rule(
        "zero_lost",
        "cmdcode",
        pl.col("cmdcode").str.contains(r"^([0-9]|[0-9]{3}|[0-9]{5})$"),
        pl.format(
            "{} digits: a zero is lost; the HS has codes of two, four and six", pl.col("cmdcode").str.len_chars()
        ),
    ),
    Rule("bad_code", "cmdcode", ~pl.col("cmdcode").str.contains(r"^[0-9]{6}$"), "not a code of the Harmonized System"),
    Rule("bad_code", "cmdcode", pl.col("code_fault").is_not_null(), pl.col("code_fault")),
    *number_rules("primaryvalue", needed=True),
    *number_rules("netwgt", needed=False, most=MOST_PLAUSIBLE_KG),
)
