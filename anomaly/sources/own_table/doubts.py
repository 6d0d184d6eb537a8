"""What a table of one's own leaves in doubt: it is read, and the reader is told what it may be instead."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anomaly.contract.periods import MONTHS
from anomaly.reference import nomenclature
from anomaly.sources.base import doubt
from anomaly.sources.own_table.mapping import TableMapping
from anomaly.sources.reading.text import lacks_line_end

LEAST_MONTHS = 6  # of a year, to see that they only rise
MOST_USD_PER_UNIT = 10  # the dearest currency is worth under four dollars
MOST_ROUTES = 100  # rows of flows.doubts for one file and rule
NEARLY_ALL = 0.9
ANSWERS_CUT_AT = (500, 100_000, 250_000)  # rows at which Comtrade's services cut an answer without a word


def of_end(path: Path) -> list[dict[str, str | None]]:
    """The doubt of a text without a line end at its end: its last cell may be cut, and a shorter number is one too.

    Parameters
    ----------
    path : pathlib.Path
        The table; what is packed or no text says itself where it is cut.

    Returns
    -------
    list of dict
        One row, or none.
    """
    if path.suffix.lower() not in (".csv", ".tsv", ".txt") or not lacks_line_end(path):
        return []
    with path.open("rb") as file:
        file.seek(max(file.seek(0, 2) - 40, 0))
        end = file.read().decode(errors="replace")
    says = "the last line has no end: if the file was cut, the number in its last cell is too short, and rows may lack"
    return [doubt("end_may_be_cut", says, f"it ends {end!r}", "compare its last row with the original")]


def of_cells(kept: pl.DataFrame, mapping: TableMapping) -> list[dict[str, str | None]]:
    """Doubts of how cells were read: zeros put back, numbers of countries.

    Parameters
    ----------
    kept : polars.DataFrame
        Rows that broke no rule: code, cmd_code, is_restored, partner and partner_iso.
    mapping : TableMapping
        What it says itself is in no doubt: zeros, countries.

    Returns
    -------
    list of dict
        Rows as base.doubt makes them.
    """
    doubts = []
    restored = kept.filter("is_restored").unique("code", maintain_order=True)
    if restored.height and mapping.zeros != "restore":
        shown = ", ".join(f"{code} as {read}" for code, read in restored.select("code", "cmd_code").head(3).rows())
        doubts.append(
            doubt(
                "zeros_restored",
                "codes of seven digits, or nine, have lost the zero at their begin; it was put back",
                f"{restored.height:,} codes: {shown}",
                'write the codes as text, or say [code] zeros = "restore" if this is right',
            )
        )
    if mapping.countries == "m49":
        doubts += _numbers_of_countries(kept, mapping)
    return doubts


def of_mapping(rejected: pl.DataFrame, mapping: TableMapping) -> list[dict[str, str | None]]:
    """Doubts of what the mapping says: rates that may be turned round, rows to pass over that are not there.

    Parameters
    ----------
    rejected : polars.DataFrame
        Rows that were set aside, columns as roles.
    mapping : TableMapping
        Its own_rates and passed_over.

    Returns
    -------
    list of dict
        Rows as base.doubt makes them.
    """
    doubts = []
    highest = max(mapping.own_rates.values(), default=0.0)
    if highest > MOST_USD_PER_UNIT:
        says = (
            "rates are USD for one unit of the currency, and no currency is worth so much: are they units for one USD?"
        )
        doubts.append(
            doubt(
                "rates_may_be_turned",
                says,
                f"up to {highest:,} USD for one {mapping.currency}",
                "give 1 divided by them",
            )
        )
    passed = set(rejected.filter(rule="passed_over")["value"])
    listed = [(column, value) for column, values in mapping.passed_over.items() for value in values]
    absent = [f"{value!r} in {column}" for column, value in listed if value[:100] not in passed]
    if absent and (len(mapping.passed_over) == 1 or not passed):
        says = "no row is passed over for it: if it is written otherwise in the table, totals are counted beside their parts"
        doubts.append(
            doubt("passed_over_nothing", says, ", ".join(absent)[:200], "write it as the table does, or take it out")
        )
    return doubts


def of_hidden(hidden: pl.DataFrame) -> list[dict[str, str | None]]:
    """Doubts of routes with values that are withheld or not known: in these periods they have no figure.

    Parameters
    ----------
    hidden : polars.DataFrame
        hidden.HIDDEN.

    Returns
    -------
    list of dict
        Rows as base.doubt makes them, one a route up to MOST_ROUTES, those with the most periods first; the first says
        how many there are.
    """
    if hidden.is_empty():
        return []
    route = ["reporter_iso", "partner_iso", "cmd_code"]
    routes = (
        hidden.group_by(route)
        .agg(
            periods=pl.col("ref_date").n_unique(),
            first=pl.col("ref_date").min().dt.strftime("%Y-%m"),
            last=pl.col("ref_date").max().dt.strftime("%Y-%m"),
        )
        .sort("periods", *route, descending=[True, False, False, False])
    )
    of_all = f"{hidden.height:,} rows of {routes.height:,} routes"
    return [
        doubt(
            "values_not_known",
            "values that are withheld or not known have no figure, nor have sums they are a part of: where a row is "
            "missing it may stand for trade, not for nothing",
            f"{row['periods']} periods from {row['first']} to {row['last']}; in the file {of_all}",
            "read a fall of this route as unknown",
            **{name: row[name] for name in route},
        )
        for row in routes.head(MOST_ROUTES).to_dicts()
    ]


def _numbers_of_countries(kept: pl.DataFrame, mapping: TableMapping) -> list[dict[str, str | None]]:
    pairs = kept.select(text="partner", iso3="partner_iso").unique().sort("text")
    pairs = pairs.filter(~pl.col("text").is_in(list(mapping.own_countries)))
    if pairs.is_empty():
        return []
    shown = ", ".join(f"{text} is {iso3}" for text, iso3 in pairs.head(6).rows())
    return [
        doubt(
            "numbers_as_m49",
            "the numbers of countries were read as the UN's M49; many offices number countries their own way (GEONOM: 616 is Iran)",
            f"{pairs.height:,} numbers: {shown}",
            'compare a few with the names; other numbers go into a file, country_table = "…" (text, iso3)',
        )
    ]


def of_periods(flows: pl.DataFrame, mapping: TableMapping, freq_code: str) -> list[dict[str, str | None]]:
    """Doubts of what the periods are: years dated as Januaries, sums from January on, years that begin elsewhere.

    Parameters
    ----------
    flows : polars.DataFrame
        ref_date, the columns of a route and primary_value_usd, a row a key.
    mapping : TableMapping
        Its year_begins, period and cumulative.
    freq_code : str
        A, Q or M.

    Returns
    -------
    list of dict
        Rows as base.doubt makes them, at most one.
    """
    if flows.is_empty():
        return []
    if freq_code == "A":
        return _of_fiscal_years(flows, mapping.year_begins)
    if freq_code == "Q":
        return _of_halves(flows) + ([] if mapping.cumulative else _only_rising(flows, least=4))
    months = flows.select("ref_date").unique()["ref_date"]
    years = months.dt.year().n_unique()
    if years > 1 and (months.dt.month() == 1).all():
        return [
            doubt(
                "all_januaries",
                "every period is a January: are these years, each dated at its first day?",
                f"{years} Januaries, {_span(months)}, and no other month",
                'if they are years, say period = "%Y-01-01" (or what stands for the month) in place of '
                + mapping.period,
            )
        ]
    return [] if mapping.cumulative else _only_rising(flows, least=LEAST_MONTHS)


def _of_fiscal_years(flows: pl.DataFrame, begins: int) -> list[dict[str, str | None]]:
    """Years that do not begin in January, with the months that the first of them has."""
    if begins == 1:
        return []
    year = flows.select(pl.col("ref_date").dt.year().min()).item()
    months = f"{MONTHS[begins - 1]} {year} to {MONTHS[begins - 2]} {year + 1}"
    return [
        doubt(
            "fiscal_years",
            "the years of the table do not begin in January: each stands under the calendar year it begins in, and has "
            f"its months, {12 - begins + 1} of that year and {begins - 1} of the next",
            f"{year} is {months}",
            "compare them with each other only, not with other publishers' years; months or quarters would be exact",
        )
    ]


def _of_halves(flows: pl.DataFrame) -> list[dict[str, str | None]]:
    """Years that have a first and a second quarter and no other: halves, most likely."""
    quarters = flows.select(year=pl.col("ref_date").dt.year(), quarter=pl.col("ref_date").dt.quarter()).unique()
    if quarters["year"].n_unique() < 2 or set(quarters["quarter"]) != {1, 2}:
        return []
    return [
        doubt(
            "all_first_halves",
            "every year has its first and second quarter and no other: are these half-years?",
            f"{quarters['year'].n_unique()} years",
            "if they are half-years they cannot be read: give the table by months, quarters or years",
        )
    ]


def _span(months: pl.Series) -> str:
    first, *_, last = months.sort().dt.strftime("%Y-%m").to_list() * 2
    return f"{first} to {last}"


def _only_rising(flows: pl.DataFrame, *, least: int) -> list[dict[str, str | None]]:
    """Routes whose months or quarters rise all through each year and fall back in January: sums from January on, most likely."""
    route = ["reporter_iso", "partner_iso", "flow_code", "cmd_code"]
    year = pl.col("ref_date").dt.year().alias("year")
    steps = flows.sort(*route, "ref_date").with_columns(year)
    before = pl.col("primary_value_usd").shift(1).over(*route, "year")
    last_year = pl.col("primary_value_usd").shift(1).over(*route)
    steps = steps.with_columns(
        is_rise=pl.col("primary_value_usd") >= before,
        is_more=pl.col("primary_value_usd") > before,
        is_back=(pl.col("ref_date").dt.month() == 1) & (pl.col("primary_value_usd") < last_year),
        is_january=(pl.col("ref_date").dt.month() == 1) & last_year.is_not_null(),
    )
    years = steps.group_by(*route, "year").agg(
        months=pl.len(), all_rise=pl.col("is_rise").all(), rises=pl.col("is_more").sum()
    )
    long = years.filter(pl.col("months") >= least)
    januaries = steps.filter("is_january")
    if long.is_empty():
        return []
    rising = long.filter(pl.col("all_rise") & (pl.col("rises") >= 0.8 * (pl.col("months") - 1)))
    falls_back = januaries.is_empty() or (januaries["is_back"].mean() or 0) >= NEARLY_ALL  # type: ignore[operator]
    if rising.height < NEARLY_ALL * long.height or not falls_back:
        return []
    fallen = int(januaries["is_back"].sum())
    return [
        doubt(
            "months_only_rise",
            "the months of a year only rise and fall back in January: are they sums from January on?",
            f"{rising.height:,} of {long.height:,} years of routes rise all through; {fallen:,} of {januaries.height:,} Januaries fall back",
            "if they are sums say cumulative = true in the mapping",
        )
    ]


def of_editions(early: pl.DataFrame, *, is_converted: bool, word: str) -> list[dict[str, str | None]]:
    """Doubts of one edition for a whole table, where some rows are older than it, or have codes of another.

    Parameters
    ----------
    early : polars.DataFrame
        Those rows: ref_date and edition_in_force.
    is_converted : bool
        Whether one of them has a code that only the edition said has.
    word : str
        The edition said, as people name it.

    Returns
    -------
    list of dict
        Rows as base.doubt makes them, at most one; none where there are no such rows.
    """
    if early.is_empty():
        return []
    figures = f"{early.height:,} rows, {_span(early['ref_date'])}"
    if is_converted:
        return [
            doubt(
                "edition_before_its_time",
                f"rows older than {word} have codes that only it has: they were converted, and by whom is not known",
                figures,
                'have them as they were reported, with classification = "by year", where you can',
            )
        ]
    named = ", ".join(nomenclature.name_of(number) for number in early["edition_in_force"].unique().sort())
    return [
        doubt(
            "edition_by_year",
            f"rows older than {word}, or with codes that it has not, were read in the edition in force in their year, {named}",
            figures,
            'say classification = "by year", or name a column of editions',
        )
    ]


def of_rows(rows_in: int) -> list[dict[str, str | None]]:
    """The doubt of a file with as many rows as services cut their answers at.

    Parameters
    ----------
    rows_in : int
        Rows of the file.

    Returns
    -------
    list of dict
        Rows as base.doubt makes them, at most one.
    """
    if rows_in not in ANSWERS_CUT_AT:
        return []
    return [
        doubt(
            "answer_may_be_cut",
            "the file has exactly as many rows as a service gives at most, and it would not say so",
            f"{rows_in:,} rows",
            "ask for fewer reporters, periods or codes at a time, and compare",
        )
    ]
