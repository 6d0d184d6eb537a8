"""The contracts of what was reported: flows, the files they come from, and who reported which period.

`schema` holds them together with those of what is computed from them, and is where others import them from.
"""

from __future__ import annotations

from typing import Any

import dataframely as dy

FREQUENCIES = ("A", "M", "Q")
FLOWS = ("M", "X", "RM", "RX")
VALUE_BASES = ("export", "import", "reconciled")
MOST_PLAUSIBLE_USD = 10**15  # a thousand times the world's trade in a month: beyond it a unit is wrong

ISO3 = r"^[A-Z][A-Z0-9]{2}$"
GOOD = r"^(TOTAL|[0-9]{2}[0-9A-Z]{0,6}\+?)$"


def text(meaning: str, **options: Any) -> dy.String:
    """A column of text.

    Parameters
    ----------
    meaning : str
        What it holds, for the docs and `anomaly tables`.
    **options : Any
        Further rules, as dataframely's column takes them.

    Returns
    -------
    dataframely.String
        Never null, unless `nullable` says so.
    """
    return dy.String(description=meaning, **options)


def usd(meaning: str, **options: Any) -> dy.Int64:
    """A column of whole USD.

    Parameters
    ----------
    meaning : str
        What it holds.
    **options : Any
        Further rules, as dataframely's column takes them.

    Returns
    -------
    dataframely.Int64
        Never null, unless `nullable` says so.
    """
    return dy.Int64(description=meaning, metadata={"unit": "USD"}, **options)


def grams(meaning: str) -> dy.Int64:
    """A column of grams.

    Parameters
    ----------
    meaning : str
        What it holds.

    Returns
    -------
    dataframely.Int64
        0 or more; null is unknown.
    """
    return dy.Int64(description=meaning, nullable=True, min=0, metadata={"unit": "g"})


def real(meaning: str, unit: str, **options: Any) -> dy.Float64:
    """A column of measured numbers.

    Parameters
    ----------
    meaning : str
        What it holds.
    unit : str
        Its unit, such as share, log or USD/kg.
    **options : Any
        Further rules, as dataframely's column takes them.

    Returns
    -------
    dataframely.Float64
        Null is unknown; never inf or NaN.
    """
    return dy.Float64(description=meaning, nullable=True, metadata={"unit": unit}, **options)


def count(meaning: str, unit: str = "rows", **options: Any) -> dy.Int64:
    """A column of counts.

    Parameters
    ----------
    meaning : str
        What is counted.
    unit : str
        Its unit, such as rows or months.
    **options : Any
        Further rules, as dataframely's column takes them.

    Returns
    -------
    dataframely.Int64
        0 or more.
    """
    return dy.Int64(description=meaning, metadata={"unit": unit}, min=0, **options)


class Flows(dy.Schema):
    """Trade as reported: one row per reporter, partner, period, flow and code, in every vintage read."""

    source = text("publisher's file format, a name of `anomaly sources`", primary_key=True)
    dataset = text(
        "the publisher's dataset or extract the row came in; its scope says what absence means", primary_key=True
    )
    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    ref_date = dy.Date(description="first day of the period", primary_key=True)
    reporter_iso = text("who reports, ISO 3166-1 alpha-3", primary_key=True, regex=ISO3)
    partner_iso = text(
        "the other side, ISO 3166-1 alpha-3 or a special code of `reference/countries.csv`",
        primary_key=True,
        regex=ISO3,
    )
    flow_code = text(
        "M import, X export, RM re-import, RX re-export; X includes RX", primary_key=True, regex="^(M|X|RM|RX)$"
    )
    classification_code = text(
        "HS edition of the row: H4 2012, H5 2017, H6 2022; CN2022 the EU's eight digits of 2022", primary_key=True
    )
    cmd_code = text("commodity code as reported, text, no dots", primary_key=True)
    vintage = text(
        "release the row was published in; sorts by age; 'undated' when the file does not say", primary_key=True
    )
    primary_value_usd = usd("value of the row", min=0, max=MOST_PLAUSIBLE_USD)
    reported_value = dy.Int64(
        description="value in whole units of the reported currency", min=0, metadata={"unit": "currency"}
    )
    currency = text("ISO 4217 code of reported_value", regex="^[A-Z]{3}$")
    net_wgt_g = grams("net weight; null where not published")
    is_net_wgt_estimated = dy.Bool(description="the publisher estimated the weight", nullable=True)
    is_confidential = dy.Bool(description="the publisher hides the code or the partner of this row")
    is_current = dy.Bool(description="false where a newer vintage replaces this row")
    raw_file = text("first 12 hexadecimal digits of the raw file's sha256")


class Rejected(dy.Schema):
    """Rows that are not in flows, each with its place and the rule that took it out."""

    source = text("publisher's file format")
    raw_file = text("path of the raw file under the raw folder")
    row = dy.Int64(description="number of the row in the file, the first row of data is 1", min=1)
    column = text("column that broke the rule, empty where it is the row as a whole")
    value = text("what stood there, at most 100 characters", nullable=True)
    rule = text("name of the rule")
    reason = text("the rule in words")
    is_error = dy.Bool(
        description="true: the row is bad; false: it is a total or a breakdown that must not be counted again"
    )


class Doubts(dy.Schema):
    """What was read and may not be what it looks like: each with its figures and what to do. Nothing was changed for it."""

    source = text("publisher's file format")
    raw_file = text("path of the raw file under the raw folder; of the first where several are concerned")
    rule = text("name of the doubt")
    reporter_iso = text("the reporter it touches; null: the whole file", nullable=True)
    partner_iso = text("the partner it touches; null: all of them", nullable=True)
    cmd_code = text("the good it touches, as in flows; null: all of them", nullable=True)
    says = text("the doubt in words")
    figures = text("what was seen, in figures")
    todo = text("what settles it")


class RawFiles(dy.Schema):
    """Every raw file read: rows_in = rows_kept + rows_rejected + rows_deduplicated, always."""

    source = text("publisher's file format")
    dataset = text("dataset the file belongs to")
    vintage = text("release of the file")
    path = text("path under the raw folder", primary_key=True)
    sha256 = text("content hash", regex="^[0-9a-f]{64}$")
    size_bytes = count("size of the file", "bytes")
    url = text("where it was published, from origin.toml", nullable=True)
    fetched_at = text("when it was fetched, from origin.toml", nullable=True)
    rows_in = count("rows of data in the file")
    rows_kept = count("rows in flows")
    rows_rejected = count("rows in flows.rejected")
    rows_errors = count("of the rejected, the bad ones")
    rows_deduplicated = count("rows folded into a kept one: exact repeats, procedures summed, quantity rows joined")


class Withheld(dy.Schema):
    """Rows that name a route and a period and whose value is withheld or not known: what was traded there is unknown."""

    source = text("publisher's file format", primary_key=True)
    dataset = text("dataset or extract, as in flows", primary_key=True)
    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    ref_date = dy.Date(description="first day of the period", primary_key=True)
    reporter_iso = text("who reports, ISO 3166-1 alpha-3", primary_key=True, regex=ISO3)
    partner_iso = text("the other side, as in flows", primary_key=True, regex=ISO3)
    flow_code = text("M import, X export, RM re-import, RX re-export", primary_key=True, regex="^(M|X|RM|RX)$")
    classification_code = text("HS edition or Combined Nomenclature of the code, as in flows", primary_key=True)
    cmd_code = text("commodity code as reported, text, no dots", primary_key=True)
    vintage = text("release, as in flows", primary_key=True)
    raw_file = text("first 12 hexadecimal digits of the raw file's sha256", primary_key=True)


class SetAside(dy.Schema):
    """Files that could not be read and were set aside whole, each with its reason; nothing of them is in any table."""

    path = text("path under the raw folder", primary_key=True)
    sha256 = text("content hash", regex="^[0-9a-f]{64}$")
    reason = text("what was expected, what came and what to do")


class Coverage(dy.Schema):
    """Who reported which period at all: where there is no row here, absence is unknown, not zero."""

    source = text("publisher's file format", primary_key=True)
    dataset = text("dataset or extract", primary_key=True)
    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    ref_date = dy.Date(description="first day of the period", primary_key=True)
    reporter_iso = text("who reports", primary_key=True)
    flow_code = text("M import, X export", primary_key=True)
    hs_edition = dy.Int8(description="HS edition the reporter used, 4 is 2012, 5 is 2017, 6 is 2022")
    rows = count("rows reported")
    goods = count("different codes reported", "codes")
    value_usd = usd("sum of the reported values", min=0)
    is_complete = dy.Bool(description="false where the period has far fewer codes than the reporter usually reports")


class Scope(dy.Schema):
    """What a dataset holds: a partner or good outside it is unknown there, not zero."""

    source = text("publisher's file format", primary_key=True)
    dataset = text("dataset or extract", primary_key=True)
    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    flow_code = text("M import, X export", primary_key=True)
    dimension = text(
        "partner or good that it holds; withheld: a route without a figure",
        primary_key=True,
        regex="^(partner|good|withheld)$",
    )
    code = text("the partner or the good (HS family); withheld: reporter, partner and good", primary_key=True)
    ref_date = dy.Date(description="first day of the period", primary_key=True)
    rows = count("rows of it in the period, of any reporter; 0: a partner of a dataset of many, with nothing in it")
    smallest_value_usd = usd("smallest value published; a missing row may be a smaller one", nullable=True, min=0)
