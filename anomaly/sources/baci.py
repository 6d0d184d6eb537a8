"""CEPII BACI: both sides' reports of a year's trade reconciled to one value, read from the zip as published.

A year has ten million rows and more, so a member is unpacked in one thread, parsed in blocks in another, and no more
than a batch of it is in memory. docs/sources/baci.md says what is read and what is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.schema import MOST_PLAUSIBLE_USD
from anomaly.reference import nomenclature
from anomaly.reference.editions import EDITION_STARTS
from anomaly.sources.baci_keys import NOT_SPECIFIED, key_of, listed, parts_of, place_of_country, places_of_groups
from anomaly.sources.base import FLOW_COLUMNS, REJECTED_COLUMNS, Batch, Context, RawFile, Rule, Source, split
from anomaly.sources.reading.amounts import whole
from anomaly.sources.reading.archives import ahead, file_blocks, zip_blocks, zip_members
from anomaly.sources.reading.lines import Lines, plain_lines, read_lines
from anomaly.sources.reading.text import lacks_line_end, refused

# CEPII names the first edition, of 1988, by the year from which on it was used
EDITIONS = {
    "HS92": "H0",
    **{f"HS{start % 100:02}": f"H{number}" for number, start in enumerate(EDITION_STARTS) if number},
}
MOST_PLAUSIBLE_TONS = 10**11
YEAR_MEMBER = re.compile(r"BACI_(HS\d\d)_Y(\d{4})_(V\d{6}[a-z]?)\.csv", re.ASCII)
_ARCHIVE = re.compile(r"BACI_HS\d\d_V\d{6}[a-z]?\.zip", re.ASCII)
_CODE_LIST = re.compile(r"(country_codes|product_codes_HS\d\d)_V\d{6}[a-z]?\.csv", re.ASCII)
_COLUMNS = ("t", "i", "j", "k", "v", "q")
_TYPES = {"t": pl.Int32(), "i": pl.Int32(), "j": pl.Int32(), "k": pl.String(), "v": pl.Float64(), "q": pl.String()}
_AS_TEXT = {column: pl.String() for column in _COLUMNS}


@dataclass(frozen=True, slots=True)
class Year:
    """One yearly table, as its name says what it is: BACI_HS17_Y2022_V202501.csv.

    Parameters
    ----------
    member : str
        The file's name, in the zip or unpacked.
    edition : str
        HS92 to HS22, a key of EDITIONS.
    year : int
        The year all its rows are of.
    vintage : str
        The release, such as V202501.
    """

    member: str
    edition: str
    year: int
    vintage: str


def claims(raw: RawFile) -> bool:
    """Whether the name is one that CEPII gives: the zip, or one of its tables unpacked.

    Parameters
    ----------
    raw : RawFile
        Only its name is looked at.

    Returns
    -------
    bool
        True also for CEPII's lists of countries and codes, which hold no flows.
    """
    return any(pattern.fullmatch(raw.path.name) for pattern in (_ARCHIVE, YEAR_MEMBER, _CODE_LIST))


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The years' flows in order of year, each batch sorted by code, reporter and partner.

    Parameters
    ----------
    raw : RawFile
        The zip as published, or one of its tables.
    context : Context
        batch_rows; values are in USD already.

    Yields
    ------
    Batch
        Exports of a year, grams null where BACI has none. A list of codes gives one empty batch.

    Raises
    ------
    DataRejected
        Where the archive or a table in it is not whole, is larger than a year can be, or says one key twice; then
        also after batches were given out.
    """
    if _CODE_LIST.fullmatch(raw.path.name):
        empty = pl.DataFrame(schema=FLOW_COLUMNS), pl.DataFrame(schema=REJECTED_COLUMNS)
        yield Batch(*empty, rows_in=0)  # names only; the codes are in reference/
    elif named := YEAR_MEMBER.fullmatch(raw.path.name):
        with raw.path.open("rb") as stream:
            yield from _batches(file_blocks(stream), _year(named), raw, context)
        if lacks_line_end(raw.path):
            raise refused(raw.name, "a line end at the end", "none: the file may be cut", hint="read the zip itself")
    else:
        for year in _years(raw):
            blocks = zip_blocks(raw.path, raw.name, year.member, raw.limits)
            yield from _batches(blocks, year, raw, context)


def _years(raw: RawFile) -> list[Year]:
    years = [
        _year(named)
        for member in zip_members(raw.path, raw.name, YEAR_MEMBER)
        if (named := YEAR_MEMBER.fullmatch(member)) is not None
    ]
    if not years:
        raise refused(raw.name, "tables named such as BACI_HS17_Y2022_V202501.csv in the zip", "none")
    releases = sorted({f"{year.edition} {year.vintage}" for year in years})
    if len(releases) > 1:
        came = f"{', '.join(releases)}"
        raise refused(raw.name, "one edition and one release", came, hint="releases must not be mixed; fetch it again")
    return years


def _year(named: re.Match[str]) -> Year:
    return Year(named[0], named[1], int(named[2]), named[3])


def _batches(blocks: Iterator[bytes], year: Year, raw: RawFile, context: Context) -> Iterator[Batch]:
    name = raw.name if raw.path.name == year.member else f"{raw.name}, {year.member}"
    if year.edition not in EDITIONS:
        raise refused(name, f"one of the editions {', '.join(EDITIONS)}", year.edition, column="k")
    keys_read: list[npt.NDArray[np.int64]] = []
    kept: list[pl.DataFrame] = []
    rejected: list[pl.DataFrame] = []
    rows_in = 0
    for lines, frame in ahead(_typed(blocks, name)):
        judged = _judged(lines, frame, year, raw, name)
        for part in frame.select("row").iter_slices(context.batch_rows):
            if rows_in + part.height > context.batch_rows:
                yield _batch(kept, rejected, rows_in, year, raw, keys_read)
                kept, rejected, rows_in = [], [], 0
            rows_in += part.height
            is_in_part = pl.col("row").is_between(part["row"][0], part["row"][-1])
            is_whole = part.height == frame.height
            kept.append(judged[0] if is_whole else judged[0].filter(is_in_part))
            rejected.append(judged[1] if is_whole else judged[1].filter(is_in_part))
    yield _batch(kept, rejected, rows_in, year, raw, keys_read)
    _refuse_repeats(keys_read, name)


def _typed(blocks: Iterator[bytes], name: str) -> Iterator[tuple[Lines, pl.DataFrame]]:
    for lines in plain_lines(blocks, name, _COLUMNS):
        yield lines, read_lines(lines, _TYPES, name)


def _judged(
    lines: Lines, frame: pl.DataFrame, year: Year, raw: RawFile, name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Kept rows as row, key, usd, g, and rejected rows. Only a block with a bad row is read again, as text."""
    rules = _rules(year)
    meant = _with_meaning(frame)
    if meant.select(pl.any_horizontal(rule.broken for rule in rules).any()).item():
        text = read_lines(lines, _AS_TEXT, name).with_columns(pl.col(pl.String).str.strip_chars())
        meant, rejected = split(_with_faults(_with_meaning(text), year), rules, SOURCE.name, raw.name)
        if raw.path.name != year.member:  # rows are counted within a member
            rejected = rejected.with_columns(pl.col("reason") + f" (in {year.member})")
    else:
        rejected = pl.DataFrame(schema=REJECTED_COLUMNS)
    grams = pl.when(pl.col("tons") > 0).then(whole(pl.col("tons"), 10**6, most=MOST_PLAUSIBLE_TONS * 10**6))
    kept = meant.select(
        "row",
        key=key_of(pl.col("code"), pl.col("exporter"), pl.col("importer")),
        usd=whole(pl.col("thousand_usd"), 1000),
        g=grams,
    )
    return kept, rejected


def _with_meaning(frame: pl.DataFrame) -> pl.DataFrame:
    """Add year, exporter and importer (of `place_of_country`), code (as `key_of` takes it), thousand_usd and tons.

    null where a cell has no meaning; the cells may be typed or text. The blanks around q are taken off.
    """
    digits = pl.col("k").cast(pl.Int64, strict=False)
    # a sign is below "0": a comparison costs a third of a regular expression over ten million rows
    is_hs6 = (pl.col("k").str.len_bytes() == 6) & (pl.col("k") >= "0") & digits.is_not_null()
    return frame.with_columns(pl.col("q").str.strip_chars()).with_columns(
        year=pl.col("t").cast(pl.Int32, strict=False),
        exporter=place_of_country(pl.col("i")),
        importer=place_of_country(pl.col("j")),
        code=pl.when(is_hs6).then(digits).when(pl.col("k") == NOT_SPECIFIED).then(10**6),
        thousand_usd=pl.col("v").cast(pl.Float64, strict=False),
        tons=pl.col("q").cast(pl.Float64, strict=False),
    )


def _with_faults(text: pl.DataFrame, year: Year) -> pl.DataFrame:
    """What is wrong with each code, in words; only for blocks in which something is."""
    edition = pl.lit(_edition_number(year), dtype=pl.Int8)
    is_six = pl.col("k").str.contains(r"^[0-9]{6}$")
    return nomenclature.with_faults(text.with_columns(_hs6=pl.when(is_six).then("k"), _edition=edition))


def _edition_number(year: Year) -> int:
    return int(EDITIONS[year.edition][1])


def _rules(table: Year) -> tuple[Rule, ...]:
    year, is_listed = table.year, pl.lit(listed(_edition_number(table))).gather(pl.col("code"))
    value, tons = pl.col("thousand_usd"), pl.col("tons")
    most = MOST_PLAUSIBLE_USD / 1000
    is_text = ~pl.col("q").is_in(["", "NA"]).fill_null(value=True)
    is_odd_weight = (tons.is_null() & is_text) | ~tons.is_finite().fill_null(value=True)
    return (
        Rule("bad_period", "t", ~(pl.col("year") == year).fill_null(value=False), f"not the table's year {year}"),
        Rule("unknown_country", "i", pl.col("exporter").is_null(), "an exporter that no table knows"),
        Rule("unknown_country", "j", pl.col("importer").is_null(), "an importer that no table knows"),
        Rule("aggregate", "i", pl.col("exporter").is_in(places_of_groups()), "a group of countries", is_error=False),
        Rule("aggregate", "j", pl.col("importer").is_in(places_of_groups()), "a group of countries", is_error=False),
        Rule("bad_code", "k", pl.col("code").is_null(), f"not six digits nor {NOT_SPECIFIED}"),
        Rule("bad_code", "k", ~is_listed, pl.col("code_fault")),
        Rule("not_a_number", "v", ~value.is_finite().fill_null(value=False), "the value is not a finite number"),
        Rule("not_positive", "v", value <= 0, "the value is not above zero, and BACI has no others"),
        Rule("absurd", "v", value > most, f"the value is over {most:.0e} thousand USD: its unit is wrong"),
        Rule("not_a_number", "q", is_odd_weight, "the weight is neither a finite number nor NA"),
        Rule("negative", "q", tons < 0, "the weight is below zero"),
        Rule("absurd", "q", tons > MOST_PLAUSIBLE_TONS, f"the weight is over {MOST_PLAUSIBLE_TONS:.0e} tons"),
    )


def _batch(
    kept: list[pl.DataFrame],
    rejected: list[pl.DataFrame],
    rows_in: int,
    year: Year,
    raw: RawFile,
    keys_read: list[npt.NDArray[np.int64]],
) -> Batch:
    empty = pl.DataFrame(schema={"key": pl.Int64, "usd": pl.Int64, "g": pl.Int64})
    rows = pl.concat([empty, *[part.select(empty.columns) for part in kept]]).sort("key")
    keys_read.append(rows["key"].to_numpy())
    return Batch(
        flows=_flows(rows, year, raw),
        rejected=pl.concat([pl.DataFrame(schema=REJECTED_COLUMNS), *rejected]),
        rows_in=rows_in,
    )


def _flows(rows: pl.DataFrame, year: Year, raw: RawFile) -> pl.DataFrame:
    codes, exporters, importers = parts_of(rows["key"].to_numpy())
    return rows.with_columns(reporter_iso=exporters, partner_iso=importers, cmd_code=codes).select(
        source=pl.lit(SOURCE.name),
        dataset=pl.lit(raw.dataset or f"BACI_{year.edition}"),
        freq_code=pl.lit("A"),
        ref_date=pl.lit(date(year.year, 1, 1)),
        reporter_iso="reporter_iso",
        partner_iso="partner_iso",
        flow_code=pl.lit("X"),
        classification_code=pl.lit(EDITIONS[year.edition]),
        cmd_code="cmd_code",
        vintage=pl.lit(year.vintage),
        primary_value_usd="usd",
        reported_value="usd",
        currency=pl.lit("USD"),
        net_wgt_g="g",
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
        is_confidential=pl.lit(value=False),
    )


def _refuse_repeats(keys_read: list[npt.NDArray[np.int64]], name: str) -> None:
    """Refuse a table in which a key stands twice, over all its batches."""
    keys = np.concatenate(keys_read)
    keys.sort(kind="stable")  # batches are sorted already: this merges them
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        code, exporter, importer = (part[0] for part in parts_of(keys[twice[:1]]))
        came = f"{code} from {exporter} to {importer} twice; {len(twice):,} such rows in all"
        raise refused(name, "each exporter, importer and code once", came, column="k")


SOURCE = Source(
    name="baci",
    title="CEPII BACI: reconciled annual trade, the zip as published",
    publisher="CEPII",
    licence="Etalab Open Licence 2.0, to be cited: Gaulier and Zignago (2010)",
    url="https://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele_item.asp?id=37",
    claims=claims,
    read=read,
    precedence=30,
)
