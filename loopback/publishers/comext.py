"""Eurostat's Comext (ec.europa.eu): the listing of bulk files, the files, and slices of the API."""

from __future__ import annotations

import functools
import io
from datetime import date
from urllib.parse import quote

import polars as pl
import py7zr
from py7zr.helpers import ArchiveTimestamp

from anomaly.world.as_comext import in_the_eu
from loopback.facts import Published, moment
from loopback.publishers import comext_slices
from loopback.wire import HTML, XML, Answer, Publisher, Request, plain

FOLDER = "comext/COMEXT_DATA/PRODUCTS"
FILES = "/eurostat/api/dissemination/files"
HEADER = (
    "REPORTER,PARTNER,TRADE_TYPE,PRODUCT_NC,PRODUCT_SITC,PRODUCT_CPA21,PRODUCT_CPA22,PRODUCT_BEC,PRODUCT_BEC5,"
    "PRODUCT_SECTION,FLOW,STAT_PROCEDURE,SUPPL_UNIT,PERIOD,VALUE_EUR,VALUE_NAC,QUANTITY_KG,QUANTITY_SUPPL_UNIT"
)
PROCESSED_OF = 11  # one row of so many is told in two statistical procedures, which sum to it
_QUICK = [{"id": py7zr.FILTER_LZMA2, "preset": 0}]


def trade(published: Published) -> pl.DataFrame:
    """What members publish of their exports, by eight digits.

    Parameters
    ----------
    published : Published
        What is out.

    Returns
    -------
    polars.DataFrame
        reporter (ISO 3166-1 alpha-3), product, partner (Comext's code), period (2022-03), euro, kilos.
    """
    rows = published.reports.filter(pl.col("reporter").is_in(list(published.world.eu)))
    return published.once("comext", lambda: in_the_eu(published.world, rows, published.facts.usd_per_eur))  # type: ignore[no-any-return]


def _months(published: Published) -> dict[str, date]:
    """Months that are out, such as 202203, with the day of their last release."""
    members = published.releases.filter(pl.col("reporter").is_in(list(published.world.eu)))
    days = members.group_by("month").agg(pl.col("last_released").max()).sort("month")
    return {f"{published.world.calendar[month]:%Y%m}": day for month, day in days.iter_rows()}


def _table(published: Published, month: str, is_year: bool = False) -> bytes:
    """The CSV in a file: of a month, or with is_year the sums of its year so far (YYYY52)."""
    iso2 = {country.iso3: country.iso2 for country in published.world.countries}
    members = [iso2[iso] for iso in published.world.eu]
    period = f"{month[:4]}-{month[4:]}"
    rows = trade(published)
    if is_year:
        key = ("reporter", "product", "partner")
        rows = rows.filter(pl.col("period").str.starts_with(month[:4]))
        rows = rows.group_by(key).agg(pl.col("euro", "kilos").sum())
    else:
        rows = rows.filter(pl.col("period") == period)
    rows = rows.with_columns(pl.col("reporter").replace_strict(iso2), kilos=pl.col("kilos").fill_null(0))
    processed = (pl.col("euro") % PROCESSED_OF == 0) & (pl.col("euro") > 1)
    part, kilo_part = pl.col("euro") // 3, pl.col("kilos") // 3
    normal = rows.with_columns(
        euro=pl.when(processed).then(pl.col("euro") - part).otherwise("euro"),
        kilos=pl.when(processed).then(pl.col("kilos") - kilo_part).otherwise("kilos"),
        procedure=pl.lit(1),
    )
    outward = rows.filter(processed).with_columns(euro=part, kilos=kilo_part, procedure=pl.lit(3))
    text = pl.lit
    table = (
        pl.concat([normal, outward.filter(pl.col("euro") > 0)])
        .sort("reporter", "partner", "product", "procedure")
        .select(
            "reporter",
            "partner",
            pl.when(pl.col("partner").is_in(members)).then(text("I")).otherwise(text("E")).alias("type"),
            "product",
            *(
                text(code).alias(name)
                for name, code in (("a", "77641"), ("b", "2611"), ("c", "2611"), ("d", "422"), ("e", "....."))
            ),
            pl.col("product").str.slice(0, 2).alias("section"),
            text("2").alias("flow"),
            "procedure",
            text("NO_SU").alias("unit"),
            text(f"{month[:4]}52" if is_year else month).alias("period"),
            "euro",
            pl.col("euro").alias("national"),
            "kilos",
            text("0").alias("supplementary"),
        )
    )
    return (HEADER + "\n" + table.write_csv(include_header=False, quote_style="never")).encode()


def _packed(member: str, content: bytes, day: date) -> bytes:
    """A 7z of one member, the same bytes for the same content: its times are the day of the release."""
    packed = io.BytesIO()
    released = ArchiveTimestamp.from_datetime(moment(day).timestamp())
    with py7zr.SevenZipFile(packed, "w", filters=_QUICK) as archive:
        archive.set_encoded_header_mode(False)  # packing the header takes longer than the month
        archive.writestr(content, member)
        for entry in archive.header.files_info.files:
            entry["lastwritetime"] = released
    return packed.getvalue()


def files(published: Published) -> dict[str, tuple[bytes, date]]:
    """Every file of the folder with its content and its day: months, years, and the split of GB.

    Parameters
    ----------
    published : Published
        What is out.

    Returns
    -------
    dict of str to (bytes, datetime.date)
        By name.
    """
    made = {}
    for month, day in _months(published).items():
        content = _table(published, month)
        made[f"full_v2_{month}.7z"] = (packed_once(f"full_{month}.dat", content, day), day)
        split = HEADER.encode() + b"\n"
        made[f"full_partxixu_v2_{month}.7z"] = (packed_once(f"full_partxixu_{month}.dat", split, day), day)
        if month.endswith("12"):
            year = _table(published, month, is_year=True)
            made[f"full_v2_{month[:4]}52.7z"] = (packed_once(f"full_{month[:4]}52.dat", year, day), day)
    return made


@functools.lru_cache(maxsize=400)
def packed_once(member: str, content: bytes, day: date) -> bytes:
    """A 7z that is made once: a month that was not revised is the same archive on every day.

    Parameters
    ----------
    member : str
        Name of what is in it.
    content : bytes
        That.
    day : datetime.date
        Of the release.

    Returns
    -------
    bytes
        The archive.
    """
    return _packed(member, content, day)


def _all(published: Published) -> dict[str, tuple[bytes, date]]:
    return published.once("comext files", lambda: files(published))  # type: ignore[no-any-return]


def _files(request: Request, published: Published) -> Answer:
    """The listing (dir=…), or a file of it (file=… or downfile=…)."""
    asked = request.parameter("file") or request.parameter("downfile")
    if asked is not None:
        folder, _, name = asked.rpartition("/")
        found = _all(published).get(name) if folder == FOLDER else None
        if found is None:
            return plain(404, "<html><body>File not found</body></html>", content_type=HTML)
        content, day = found
        headers = {
            "Last-Modified": f"{moment(day):%a, %d %b %Y %H:%M:%S GMT}",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        # a Range is passed over: the publisher answers 200 with the whole
        return Answer(content, "application/octet-stream", 200, headers, is_file=True)
    folder = (request.parameter("dir") or "").strip("/")
    if folder != FOLDER:
        rows = _row(request, "COMEXT_DATA/PRODUCTS", None) if FOLDER.startswith(folder) else ""
        return plain(200, _PAGE.replace("ROWS", rows), content_type=HTML)
    rows = "\n".join(_row(request, name, entry) for name, entry in sorted(_all(published).items()))
    return plain(200, _PAGE.replace("ROWS", rows), content_type=HTML)


def _row(request: Request, name: str, entry: tuple[bytes, date] | None) -> str:
    """A row of the listing: of a file, or without an entry of a folder."""
    if entry is None:
        link = f"{request.origin}{FILES}/?sort=1&dir={quote('comext/' + name, safe='')}"
        return f'<tr><td>&nbsp;<a href="{link}">{name}</a></td><td></td><td class="center">DIR</td><td>&nbsp;</td></tr>'
    content, day = entry
    link = f"{request.origin}{FILES}?file={quote(f'{FOLDER}/{name}', safe='')}"
    size = f"{len(content) / 1024:.1f} KB"
    return (
        f'<tr><td>&nbsp;<a href="{link}">{name}</a></td><td title="{len(content)} bytes">{size}</td>'
        f'<td class="center">7z</td><td>&nbsp;{moment(day):%d/%m/%Y %H:%M}</td></tr>'
    )


_PAGE = """<!DOCTYPE html>
<html><head><title>Bulk download</title></head><body>
<p>SIMULATED: every figure in these files is invented.</p>
<table id="filetable"><thead><tr><th>Name</th><th>Size</th><th>Type</th><th>Date</th></tr></thead><tbody>
ROWS
</tbody></table></body></html>
"""

PUBLISHER = Publisher(
    name="comext",
    title="Eurostat's Comext: listing and files of all months, slices of the API",
    routes=(
        (f"{FILES}/?", _files),
        (
            r"/eurostat/api/comext/dissemination/sdmx/2\.1/data/DS-(045409|059341)(/[^/]*)?/?",
            lambda request, published: comext_slices.slices(request, published, trade(published)),
        ),
    ),
    error=lambda status: plain(
        status, f"<html><body><h1>{status}</h1></body></html>", content_type=XML if status == 500 else HTML
    ),
)
