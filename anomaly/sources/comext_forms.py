"""The forms Eurostat's Comext figures come in, all brought to the columns of the API's SDMX-CSV, as text.

SDMX-CSV 1.0 and 2.0, the TSV with a column a period, and EasyComext's relational view with names and months in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from anomaly.reference import countries
from anomaly.sources.base import RawFile
from anomaly.sources.own_table.periods import month_of, names_of_months
from anomaly.sources.reading.layout import Layout
from anomaly.sources.reading.tables import text_csv_batches
from anomaly.sources.reading.text import Text, refused

COLUMNS = (
    *("DATAFLOW", "LAST UPDATE", "freq", "reporter", "partner", "product", "flow", "indicators"),
    *("TIME_PERIOD", "OBS_VALUE"),
)
_DIMENSIONS = ("freq", "reporter", "partner", "product", "flow", "indicators")
_SDMX_2 = ("STRUCTURE_ID", *_DIMENSIONS, "TIME_PERIOD", "OBS_VALUE")
_RELATIONAL = ("REPORTER", "PARTNER", "PRODUCT", "FLOW", "PERIOD")
_MEASURES = {  # of the relational view → indicator of the API
    "VALUE_IN_EUR": "VALUE_IN_EUROS",
    "VALUE_IN_EUROS": "VALUE_IN_EUROS",
    "VALUE_EUR": "VALUE_IN_EUROS",
    "QUANTITY_IN_100KG": "QUANTITY_IN_100KG",
    "QUANTITY_IN_KG": "QUANTITY_IN_KG",
    "QUANTITY_KG": "QUANTITY_IN_KG",
}
_FLAGS = ("OBS_FLAG", "CONF_STATUS")  # where an observation is withheld they hold a c
WITHHELD = ":"
_NO_VALUE = (":", "", "-")
_MONTHS = names_of_months("en")


def frames(text: Text, raw: RawFile, part_rows: int) -> Iterator[pl.DataFrame]:
    """Any form of Comext's figures as frames of the API's columns, as text.

    Parameters
    ----------
    text : Text
        The whole file.
    raw : RawFile
        Its name, for errors.
    part_rows : int
        Most rows of the file in a frame.

    Returns
    -------
    iterator of polars.DataFrame
        `row` and COLUMNS; LAST UPDATE and DATAFLOW are null where the form has none.

    Raises
    ------
    DataRejected
        Where it is none of the forms, naming what lacks.
    """
    header = text.content[: text.content.find(b"\n")].decode(errors="replace")
    names = {name.strip().strip('"') for name in header.strip("\r").split(",")}
    if "\\TIME_PERIOD" in header or "\\time" in header:
        return _of_matrix(text, raw, part_rows)
    if "STRUCTURE_ID" in names:
        return _of_sdmx_2(text, raw, part_rows)
    if set(_RELATIONAL) <= {name.upper() for name in names} and "indicators" not in names:
        return _of_relational(text, raw, part_rows)
    layout = Layout(required=COLUMNS, columns=(*COLUMNS, *_FLAGS))
    return (
        _with_withheld(part).select("row", *COLUMNS) for part in text_csv_batches(text, raw.name, layout, part_rows)
    )


def _with_withheld(part: pl.DataFrame) -> pl.DataFrame:
    """OBS_VALUE with one mark for what is withheld: a colon and a c after it, or nothing where a flag says c."""
    value = pl.col("OBS_VALUE").str.strip_chars()
    is_withheld = value.str.contains(r"(?i)^:\s*[a-z]*c[a-z]*$")
    flags = [pl.col(name).str.to_lowercase().str.contains("c") for name in _FLAGS if name in part.columns]
    if flags:
        is_withheld |= (value.fill_null("") == "") & pl.any_horizontal(flags).fill_null(value=False)
    marked = pl.when(is_withheld.fill_null(value=False)).then(pl.lit(WITHHELD)).otherwise("OBS_VALUE")
    return part.with_columns(marked.alias("OBS_VALUE"))


def _of_sdmx_2(text: Text, raw: RawFile, part_rows: int) -> Iterator[pl.DataFrame]:
    """STRUCTURE, STRUCTURE_ID in place of DATAFLOW, and no day of the last update."""
    for part in text_csv_batches(
        text, raw.name, Layout(required=_SDMX_2, columns=(*_SDMX_2, "LAST UPDATE", *_FLAGS)), part_rows
    ):
        frame = _with_withheld(part.rename({"STRUCTURE_ID": "DATAFLOW"}))
        if "LAST UPDATE" not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("LAST UPDATE"))
        yield frame.select("row", *COLUMNS)


def _of_matrix(text: Text, raw: RawFile, part_rows: int) -> Iterator[pl.DataFrame]:
    """The TSV: dimensions in the first column, a period a column, a flag after the value; ":" is no observation."""
    first = text.content[: text.content.find(b"\n")].decode(errors="replace").split("\t")[0].strip()
    dimensions = first.rpartition("\\")[0].split(",")
    missing = [name for name in _DIMENSIONS if name not in dimensions]
    if missing:
        came = f"no {', '.join(missing)} in {first[:200]!r}"
        raise refused(raw.name, f"the dimensions {', '.join(_DIMENSIONS)}", came, row=0, column=missing[0])
    for part in text_csv_batches(text, raw.name, Layout(separator="\t", quote=None), part_rows):
        key = part.columns[1]
        periods = part.columns[2:]
        tall = part.unpivot(on=periods, index=["row", key], variable_name="TIME_PERIOD", value_name="cell")
        cell = pl.col("cell").str.strip_chars()
        tall = tall.with_columns(
            OBS_VALUE=cell.str.replace(r"(?i)\s*[a-z]+$", ""), is_withheld=cell.str.contains(r"(?i)^:\s*[a-z]*c")
        )
        has_value = ~pl.col("OBS_VALUE").is_in(list(_NO_VALUE)).fill_null(value=True)
        tall = tall.filter(has_value | pl.col("is_withheld").fill_null(value=False))
        fields = pl.col(key).str.split(",")
        yield tall.with_columns(
            pl.col("TIME_PERIOD").str.strip_chars(),
            *(fields.list.get(index, null_on_oob=True).alias(name) for index, name in enumerate(dimensions)),
            pl.lit(None, dtype=pl.String).alias("DATAFLOW"),
            pl.lit(None, dtype=pl.String).alias("LAST UPDATE"),
        ).sort("row", "TIME_PERIOD").select("row", *COLUMNS)  # fmt: skip


def _of_relational(text: Text, raw: RawFile, part_rows: int) -> Iterator[pl.DataFrame]:
    """A row a flow with a column a measure, names for countries, and months in words."""
    for part in text_csv_batches(text, raw.name, Layout(), part_rows):
        frame = part.rename({name: name.upper() for name in part.columns if name != "row"})
        measures = [name for name in frame.columns if name in _MEASURES]
        if "INDICATORS" in frame.columns and "INDICATOR_VALUE" in frame.columns:
            tall = frame.rename({"INDICATORS": "indicators", "INDICATOR_VALUE": "OBS_VALUE"})
        elif measures:
            index = [name for name in frame.columns if name not in measures]
            tall = frame.unpivot(on=measures, index=index, variable_name="indicators", value_name="OBS_VALUE")
            tall = tall.filter(
                ~pl.col("OBS_VALUE").str.strip_chars().is_in([":", ""]).fill_null(value=True)
                | (pl.col("indicators") == measures[0])
            )
        else:
            came = f"there are {', '.join(frame.columns[1:])[:300]}"
            raise refused(raw.name, f"a measure such as {', '.join(_MEASURES)}", came, row=0)
        tall = _with_withheld(tall)
        if "STAT_PROCEDURE" in tall.columns:
            _refuse_without_total(tall, raw)
            tall = tall.filter(_is_total(pl.col("STAT_PROCEDURE")))
        yield _in_codes(tall).sort("row", "indicators").select("row", *COLUMNS)


def _is_total(procedure: pl.Expr) -> pl.Expr:
    return procedure.str.to_uppercase().str.contains(r"(^|[^A-Z])TOTAL|^0$").fill_null(value=True)


def _refuse_without_total(tall: pl.DataFrame, raw: RawFile) -> None:
    if tall.height and not tall.select(_is_total(pl.col("STAT_PROCEDURE")).any()).item():
        shown = ", ".join(str(value) for value in tall["STAT_PROCEDURE"].unique().sort().head(4))
        hint = "ask EasyComext for the total of procedures"
        raise refused(raw.name, "rows of all procedures together", shown, column="STAT_PROCEDURE", hint=hint)


def _in_codes(tall: pl.DataFrame) -> pl.DataFrame:
    """Names, words and labelled codes as the API's codes; what cannot be read stays as it is, for the rules to name."""
    for side in ("REPORTER", "PARTNER"):
        written = tall[side].str.strip_chars().unique().drop_nulls()
        code_of = {text: code for text in written if (code := _country_code(text))}
        tall = tall.with_columns(pl.col(side).str.strip_chars().replace(code_of).alias(side.lower()))
    periods = {text: _period(text) for text in tall["PERIOD"].unique().drop_nulls()}
    flow = pl.col("FLOW").str.to_uppercase()
    return tall.with_columns(
        pl.col("PERIOD").replace(periods).alias("TIME_PERIOD"),
        product=pl.col("PRODUCT").str.strip_chars().str.replace(r"^([0-9A-Z]+)[\s-].*$", "${1}"),
        flow=pl.when(flow.str.contains("EXPORT|^2$")).then(pl.lit("2")).when(flow.str.contains("IMPORT|^1$")).then(pl.lit("1")).otherwise("FLOW"),
        freq=pl.lit("M"),
        indicators=pl.col("indicators").replace(_MEASURES),
        DATAFLOW=pl.lit(None, dtype=pl.String),
        **{"LAST UPDATE": pl.lit(None, dtype=pl.String)},
    )  # fmt: skip


def _country_code(text: str) -> str | None:
    """Comext's two letters of a name, of a code, or of "DE-Germany" and "DE - Germany"."""
    code = re.match(r"^([A-Z]{2})\s*[-:]\s*\S", text)
    if code or re.fullmatch(r"[A-Z]{2}|[A-Z0-9_]{5,}", text):
        return code[1] if code else text
    name = re.sub(r"\s*\((incl|excl|from|to|formerly|until).*$", "", text)
    for spelling in (text, name):
        country = countries.resolve(pl.Series([spelling]), "name", {})
        if country.height:
            return _codes().get(country["iso3"][0])
    return None


def _codes() -> dict[str, str]:
    return dict(
        countries.iso2_table().unique("iso3", keep="first", maintain_order=True).select("iso3", "iso2").iter_rows()
    )


def _period(text: str) -> str:
    """2022-01 of "Jan. 2022", "202201" and "202201-Jan. 2022"; 2021 of "Jan.-Dec. 2021" and "202152-…"."""
    shown = text.strip()
    if match := re.match(r"((?:19|20)\d\d)(\d\d)(?:\D|$)", shown):
        return match[1] if match[2] == "52" else f"{match[1]}-{match[2]}"
    match = re.fullmatch(r"([A-Za-z]+)\.?(?:\s*-\s*([A-Za-z]+)\.?)?\s+((?:19|20)\d\d)", shown)
    if not match:
        return shown
    first, last = month_of(match[1], _MONTHS), month_of(match[2], _MONTHS) if match[2] else None
    if first == 1 and last == 12:
        return match[3]
    return f"{match[3]}-{first:02}" if first and not match[2] else shown
