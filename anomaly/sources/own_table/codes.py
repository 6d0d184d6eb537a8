"""Commodity codes as tables write them: digits, levels, lost zeros, national lines, and each held against its edition."""

from __future__ import annotations

import polars as pl

from anomaly.reference import nomenclature
from anomaly.reference.editions import LAST_YEAR, edition_number
from anomaly.sources.own_table.faults import BY_YEAR
from anomaly.sources.own_table.mapping import TableMapping

LONGEST = 12
TOTAL = "TOTAL"
TOTALS = ("TOTAL", "ALL", "ALL COMMODITIES", "ИТОГО", "ВСЕГО")
_LOST = '{digits} digits: a zero is lost, or a digit; write the codes as text, or say [code] zeros = "restore"'


def with_codes(frame: pl.DataFrame, mapping: TableMapping) -> pl.DataFrame:
    """What the codes of a table are: digits, level, and whether an edition has them.

    Parameters
    ----------
    frame : polars.DataFrame
        `code`, `classification` (texts), `ref_date` (Date, null where there is none).
    mapping : TableMapping
        Whether lost zeros are put back, and whether one word stands for the classification of the whole table.

    Returns
    -------
    polars.DataFrame
        The rows in their order with

        - cmd_code: the digits, 6 or 8, or 2 or 4 of a level of its own; national lines of 9 to 12 digits are their
          first six;
        - code_level: digits of the code as written; 0 for a total of all goods; null where it is no code;
        - code_fault: what is wrong with it, in words; null where nothing is. A code is right where the edition that is
          said has it or, where one word stands for the whole table, the edition in force in the row's year;
        - is_restored, is_national: whether a zero was put back, and whether it has more than 8 digits;
        - said_edition, edition_in_force: the number of each, null where there is none;
        - fits_said, fits_in_force: whether each of the two editions has the code.
    """
    is_by_year = pl.col("classification").is_in(BY_YEAR)
    year = pl.col("ref_date").dt.year()
    frame = frame.with_columns(
        edition_in_force=nomenclature.in_force(year),
        said_edition=pl.when(is_by_year & (year <= LAST_YEAR))
        .then(nomenclature.in_force(year))
        .when(~is_by_year)
        .then(edition_number(pl.col("classification"))),
    )
    keys = ["code", "said_edition", "edition_in_force"]
    read = _read(frame.select(keys).unique(), is_restoring=mapping.zeros == "restore")
    is_constant = "classification" in mapping.constants and mapping.constants["classification"] not in BY_YEAR
    fits = pl.col("fits_said") | pl.col("fits_in_force") if is_constant else pl.col("fits_said")
    read = read.with_columns(
        code_fault=pl.coalesce("shape_fault", pl.when(~fits).then("edition_fault")),
    ).drop("shape_fault", "edition_fault")
    return frame.join(read, on=keys, how="left", nulls_equal=True, maintain_order="left")


def _read(cells: pl.DataFrame, *, is_restoring: bool) -> pl.DataFrame:
    """The meaning of distinct codes in distinct editions."""
    text = (
        pl.col("code")
        .str.replace(r"^['\u2018\u2019`]+", "")  # a spreadsheet's mark of text
        .str.to_uppercase()
        .str.replace(r"^(HS|CN|HTS)\s*(?:[0-9]{4}\s*:)?\s*([0-9])", "${2}")
    )
    is_float = text.str.contains(r"^[0-9]+\.0$")
    digits = (
        pl.when(is_float)
        .then(text.str.replace(r"\.0$", ""))
        .otherwise(text.str.replace_all(r"[.\s\u00a0]", "").str.replace_all(r"([0-9])-([0-9])", "${1}${2}"))
    )
    rows = cells.with_columns(_text=text, is_float=is_float.fill_null(value=False), digits=digits)
    rows = rows.with_columns(is_range=_is_range())
    is_code = pl.col("digits").str.contains(rf"^[0-9]{{1,{LONGEST}}}$").fill_null(value=False) & ~pl.col("is_range")
    length = pl.when(is_code).then(pl.col("digits").str.len_chars())
    rows = rows.with_columns(length=length.cast(pl.Int64))
    rows = _restored(rows, is_restoring=is_restoring)
    is_total = pl.col("_text").is_in(TOTALS)
    level = pl.when(is_total).then(0).when(is_code).then("length")
    rows = rows.with_columns(code_level=level.cast(pl.Int64), is_national=(pl.col("length") > 8).fill_null(value=False))
    code = pl.when("is_national").then(pl.col("digits").str.slice(0, 6)).otherwise("digits")
    rows = rows.with_columns(cmd_code=pl.when(is_total).then(pl.lit(TOTAL)).otherwise(code))
    rows = _against(rows, "said_edition", "fits_said", "edition_fault")
    rows = _against(rows, "edition_in_force", "fits_in_force", "_fault_in_force")
    return rows.with_columns(shape_fault=_shape_fault()).select(
        "code", "said_edition", "edition_in_force", "cmd_code", "code_level", "is_restored", "is_national",
        "fits_said", "fits_in_force", "shape_fault", "edition_fault",
    )  # fmt: skip


def _is_range() -> pl.Expr:
    """Two codes of one length and one chapter with a dash between: 8517-8518, which is not 8517-13."""
    ends = pl.col("_text").str.extract_groups(r"^([0-9]{4,8})\s*-\s*([0-9]{4,8})$")
    first, last = ends.struct.field("1"), ends.struct.field("2")
    is_alike = (first.str.len_chars() == last.str.len_chars()) & (first.str.slice(0, 2) == last.str.slice(0, 2))
    return is_alike.fill_null(value=False)


def _restored(rows: pl.DataFrame, *, is_restoring: bool) -> pl.DataFrame:
    """Put back a zero that is lost beyond doubt: seven digits, or nine or eleven whose own first six are no code.

    There is no level of seven digits anywhere, so only the zero can be missing, and with it the code must be one.
    Five digits, and floats, are restored only where the mapping says so: a digit may be missing at the end as well.
    """
    listed = nomenclature.codes()["code"].unique().implode()
    longer = "0" + pl.col("digits")
    is_odd = pl.col("length").is_in([7, 9, 11]) & ~pl.col("digits").str.slice(0, 6).is_in(listed)
    is_said = pl.col("length").is_in([1, 3, 5]) if is_restoring else pl.lit(value=False)
    # a float of eight digits and fewer may have lost a zero of its own only where its length is odd
    is_lost = (is_odd & longer.str.slice(0, 6).is_in(listed) & ~pl.col("is_float")) | is_said
    if is_restoring:
        is_lost |= pl.col("is_float") & pl.col("length").is_in([5, 7])
    return rows.with_columns(
        is_restored=is_lost.fill_null(value=False),
        digits=pl.when(is_lost.fill_null(value=False)).then(longer).otherwise("digits"),
        length=pl.when(is_lost.fill_null(value=False)).then(pl.col("length") + 1).otherwise("length"),
        is_float=pl.col("is_float") & ~pl.lit(is_restoring),
    )


def _shape_fault() -> pl.Expr:
    length = pl.col("length")
    return (
        pl.when(pl.col("_text").is_in(TOTALS) | pl.col("code").is_null() | (pl.col("code") == ""))
        .then(None)
        .when(pl.col("_text").str.contains(r"^-[0-9]+$"))
        .then(None)
        .when("is_range")
        .then(pl.lit("a range of codes: a row is of one code, or of the heading or chapter that holds them"))
        .when(pl.col("_text").str.contains(r"^[0-9]+(\.[0-9]+)?E\+?[0-9]+$"))
        .then(
            pl.lit("a code as a number with an exponent: digits may be lost for good; fetch it again with codes as text")
        )
        .when("is_float")
        .then(
            pl.lit("a number with a decimal point, not a code: zeros at its begin are lost; write the codes as text, "
                   'or say [code] zeros = "restore"')
        )
        .when(length.is_in([1, 3, 5, 7]))
        .then(pl.format(_LOST.replace("{digits}", "{}"), length))
        .when(length.is_null())
        .then(pl.lit("not a commodity code of 2, 4, 6 or 8 to 12 digits"))
    )  # fmt: skip


def _against(rows: pl.DataFrame, edition: str, fits: str, fault: str) -> pl.DataFrame:
    """Add whether the first six digits, or the heading or chapter, are of an edition, and what is wrong where not."""
    six = pl.when(pl.col("length") >= 6).then(pl.col("digits").str.slice(0, 6))
    judged = nomenclature.with_faults(rows.with_columns(_hs6=six), "_hs6", edition).rename({"code_fault": fault})
    short = pl.when(pl.col("length").is_in([2, 4])).then(pl.col("digits"))
    chapters = nomenclature.listed_chapters()["chapter"].unique().implode()
    is_chapter = short.str.slice(0, 2).is_in(chapters) | short.str.slice(0, 2).is_in(list(nomenclature.NATIONAL))
    headings = list(nomenclature.headings())
    is_short_wrong = ~is_chapter | ((short.str.len_chars() == 4) & ~short.is_in(headings) & is_chapter)
    short_fault = pl.when(is_short_wrong.fill_null(value=False)).then(
        pl.lit("no chapter or heading of the HS, nor a code of six digits")
    )
    judged = judged.with_columns(pl.coalesce(fault, short_fault).alias(fault))
    return judged.with_columns(pl.col(fault).is_null().alias(fits)).drop("_hs6")
