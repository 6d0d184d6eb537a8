"""The rules a row of a table of one's own can break, in the order in which they are asked."""

from __future__ import annotations

import polars as pl

from anomaly.contract.schema import MOST_PLAUSIBLE_USD
from anomaly.reference import countries
from anomaly.sources.base import Rule
from anomaly.sources.own_table.cells import MOST_PLAUSIBLE_G, is_blank
from anomaly.sources.own_table.faults import BY_YEAR, CLASSIFICATION
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.reading.amounts import is_filled, number_rules, to_number, vanishes

_NEEDED = ["reporter", "partner", "period", "code", "value"]


def rules(mapping: TableMapping) -> tuple[Rule, ...]:
    """Every rule that a row of a table with this mapping can break.

    Parameters
    ----------
    mapping : TableMapping
        What it passes over, its marks, and the units by which an amount is plausible.

    Returns
    -------
    tuple of Rule
        In the order in which they are asked, over the columns of `with_meaning`.
    """
    return (*_of_rows(mapping), *_of_countries(mapping), *_of_places(mapping), *_of_codes(), *_of_amounts(mapping))


def _of_rows(mapping: TableMapping) -> tuple[Rule, ...]:
    """Rows that are none: empty ones, titles and notes, and what the mapping passes over."""
    cells = [role for role in _NEEDED if role in mapping.columns]
    filled = pl.sum_horizontal(is_filled(pl.col(role)).cast(pl.Int8) for role in cells)
    # a row cut short is no note: what is left of it is a code or a number, not words
    words = pl.coalesce(pl.when(is_filled(pl.col(role))).then(pl.col(role)) for role in cells)
    is_words = words.str.contains(r"\p{L}") & (words.str.contains(r"[\s:]") | (words.str.len_chars() > 12))
    passed = [
        Rule(
            "passed_over",
            f"over:{column}",
            pl.col(f"over:{column}").is_in(values),
            "the mapping passes it over",
            is_error=False,
        )
        for column, values in mapping.passed_over.items()
    ]
    return (
        Rule("foot", "", pl.col("is_foot"), "the mapping says it is a foot under the table", is_error=False),
        Rule("empty_row", "", is_blank(cells), "every cell of it is empty", is_error=False),
        Rule("note", "", (filled == 1) & is_words.fill_null(value=False), "words alone: a title or a note", is_error=False),
        *passed,
    )  # fmt: skip


def _of_countries(mapping: TableMapping) -> tuple[Rule, ...]:
    hint = f'no country in {mapping.countries}; say what it is under [country], as "DEU" or as "aggregate"'
    missing = "written as missing: trade of a country that is not known is nobody's"

    def reason(side: str) -> pl.Expr:
        is_missing = pl.col(side).fill_null("").is_in(countries.MISSING)
        return pl.when(is_missing).then(pl.lit(missing)).otherwise(pl.lit(hint))

    sides = ("reporter", "partner")
    group = "the world or a group of countries"
    # a group that the mapping names by its code reports as one, such as the EU in a table without its members
    is_named = pl.col("reporter_iso").is_in(sorted(set(mapping.own_countries.values()))).fill_null(value=False)
    is_group = {
        "reporter": (pl.col("reporter_kind") == "group") & ~is_named,
        "partner": pl.col("partner_kind") == "group",
    }
    return (
        *(Rule("aggregate", side, is_group[side], group, is_error=False) for side in sides),
        *(Rule("unknown_country", side, pl.col(f"{side}_iso").is_null(), reason(side)) for side in sides),
    )


def _of_places(mapping: TableMapping) -> tuple[Rule, ...]:
    written = mapping.wide["value"] if mapping.wide else mapping.period
    is_hs = pl.col("classification").str.contains(CLASSIFICATION) | pl.col("classification").is_in(BY_YEAR)
    too_early = pl.col("said_edition") > pl.col("edition_in_force") + (1 if "classification" in mapping.columns else 9)
    return (
        Rule("bad_period", "period", pl.col("ref_date").is_null(), f"not a period written {written}"),
        Rule("unknown_flow", "flow", pl.col("flow_code").is_null(), "a flow that the mapping does not know; say it under [flows]"),
        Rule(
            "unknown_edition", "classification",
            ~is_hs.fill_null(value=False) | (pl.col("said_edition").is_null() & pl.col("ref_date").is_not_null()),
            "not such as H5, H6 or CN2022, or of a year whose edition this version does not know",
        ),
        Rule("edition_before_its_time", "classification", too_early.fill_null(value=False),
             "an edition that was not made yet in that year"),
    )  # fmt: skip


def _of_codes() -> tuple[Rule, ...]:
    code = pl.col("code")
    return (
        Rule("missing_code", "code", ~is_filled(code), "there is no commodity code"),
        Rule("code_of_a_sum", "code", code.str.contains(r"^-[0-9]+$"),
             "a code below zero: the publisher's sum of what it withholds", is_error=False),
        Rule("bad_code", "code", pl.col("code_fault").is_not_null(), pl.col("code_fault")),
    )  # fmt: skip


def _of_amounts(mapping: TableMapping) -> tuple[Rule, ...]:
    most = MOST_PLAUSIBLE_USD / mapping.multiplier
    value, number = pl.col("value"), to_number(pl.col("value_number"))
    is_unknown, is_withheld = value.is_in(list(mapping.unknown)), value.is_in(list(mapping.withheld))
    not_a_number = (is_filled(value) & number.is_null()) | vanishes(pl.col("value_number"), number)
    shown = value.fill_null("")
    reason = (
        pl.when(shown.str.contains(r"^[0-9]{1,3}(,[0-9]{3})+$"))
        .then(pl.lit('a comma that may be the decimal mark or stand between thousands; say [number] decimal = "," or thousands = ","'))
        .when(shown.str.contains(r"^[0-9.\s]*,[0-9]+$"))
        .then(pl.lit('not a number; if the comma is its decimal mark say [number] decimal = ",", and thousands = "." if points group it'))
        .when(shown.str.contains(r"[0-9]") & shown.str.contains(r"[^0-9eE+.,'\s-]"))
        .then(pl.lit("something stands beside the digits (a sign of currency, a unit, a note, brackets); leave the number alone "
                     "in its cell, and say units under [value]"))
        .when(shown.str.len_chars() <= 5)
        .then(pl.lit('not a number; if it is a mark say what it means, [marks] zero, unknown or withheld = ["…"]'))
        .otherwise(pl.lit("the amount is not a finite number, or too small to be told from nothing"))
    )  # fmt: skip
    missing = 'there is no amount; if an empty cell means nothing, unknown or withheld, say so under [marks] with ""'
    return (
        Rule("withheld", "value", is_withheld, "the publisher withholds the value", is_error=False),
        Rule("no_value", "value", is_unknown, "the value is not known", is_error=False),
        Rule("missing", "value", ~is_filled(value) & ~pl.col("is_word"), missing),
        Rule("not_a_number", "value", not_a_number, reason),
        Rule("negative", "value", number < 0, "the amount is below zero"),
        Rule("absurd", "value", number > most, f"the amount is over {most:.0e}: its unit is wrong"),
        *(
            Rule(rule.name, "weight", rule.broken, rule.reason, rule.is_error)
            for rule in number_rules("weight_number", needed=False, most=MOST_PLAUSIBLE_G / mapping.grams)
        ),
        Rule("no_rate", "period", pl.col("usd_per_unit").is_null(),
             f"no rate of {mapping.currency} to USD for it; give your own under [value] rates (docs/sources/table.md)"),
        Rule("absurd", "value", pl.col("primary_value_usd").is_null(), "the amount in USD is too large: a unit is wrong"),
    )  # fmt: skip
