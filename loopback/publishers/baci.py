"""CEPII's BACI (www.cepii.fr): a zip a release, years of exports in HS 2017, as exporters report them."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import polars as pl

from loopback.facts import Published, moment
from loopback.wire import Answer, Publisher, Request, plain

FOLDER = "/DATA_DOWNLOAD/baci/data"
EDITION = "HS17"
RELEASE_DAY = 31  # of January
LAST_YEAR_BEFORE = 2  # the release of January 2024 has trade to 2022
WEIGHTLESS_OF = 50  # one row of so many has no quantity
_BESIDE = ((490, "Other Asia, nes", "", "S19"), (697, "Europe EFTA, nes", "", "R20"), (516, "Namibia", "", "NAM"))
_ZIP = re.compile(rf"BACI_{EDITION}_V(\d{{4}})01\.zip", re.ASCII)


def releases(published: Published) -> list[int]:
    """Years whose January had a release by the day.

    Parameters
    ----------
    published : Published
        With the day, and the world's calendar.

    Returns
    -------
    list of int
        Those with a whole year of the world in them.
    """
    first = published.world.first_year
    return [
        year
        for year in range(first + LAST_YEAR_BEFORE, published.today.year + 1)
        if date(year, 1, RELEASE_DAY) <= published.today
    ]


def _zip(request: Request, published: Published) -> Answer:
    named = _ZIP.fullmatch(request.path.rpartition("/")[2])
    if not named or int(named[1]) not in releases(published):
        return plain(404, "<html><body>Not Found</body></html>", content_type="text/html; charset=utf-8")
    year = int(named[1])
    content = published.once(("baci", year), lambda: _packed(published, year))
    headers = {"Last-Modified": f"{moment(date(year, 1, RELEASE_DAY)):%a, %d %b %Y %H:%M:%S GMT}"}
    return Answer(content, "application/zip", 200, headers, is_file=True, takes_ranges=True)


def _packed(published: Published, release: int) -> bytes:
    """The zip of a release: a table a year, countries, codes; the same bytes every time."""
    vintage, world = f"V{release}01", published.world
    members = {
        f"BACI_{EDITION}_Y{year}_{vintage}.csv": _year(published, year)
        for year in range(world.first_year, release - LAST_YEAR_BEFORE + 1)
        if (year - world.first_year + 1) * 12 <= world.months
    }
    members[f"country_codes_{vintage}.csv"] = _countries(published)
    members[f"product_codes_{EDITION}_{vintage}.csv"] = _products(published)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (release, 1, RELEASE_DAY, 11, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _year(published: Published, year: int) -> bytes:
    """t, i, j, k, v, q: thousands of USD and tons; a quantity that is not known is a padded NA."""
    world = published.world
    m49 = {country.iso3: country.m49 for country in world.countries}
    months = [place for place, month in enumerate(world.calendar) if month.year == year]
    older = {good.good: good.code for good in world.goods}  # of HS 2017, whatever the reporter's edition
    rows = (
        published.facts.reports.filter(pl.col("flow") == "X", pl.col("month").is_in(months))
        .group_by(i=pl.col("reporter").replace_strict(m49), j=pl.col("partner").replace_strict(m49), k=pl.col("good").replace_strict(older))
        .agg(v=pl.col("value_usd").sum() / 1000, q=pl.col("net_wgt_kg").sum() / 1000)
        .sort("k", "i", "j")
        .with_row_index("place")
    )  # fmt: skip
    no_weight = (pl.col("place") % WEIGHTLESS_OF == 0) | (pl.col("q") == 0)
    written = rows.select(
        pl.lit(str(year)).alias("t"),
        "i",
        "j",
        "k",
        pl.col("v").round(3),
        pl.when(no_weight).then(pl.lit("           NA")).otherwise(pl.col("q").round(3).cast(pl.String)).alias("q"),
    )
    unspecified = written.head(1).with_columns(k=pl.lit("9999AA"))
    return pl.concat([written, unspecified]).write_csv(quote_style="never").encode()


def _countries(published: Published) -> bytes:
    """UTF-8 read as Latin-1 and written again, as the publisher's list has it."""
    of_world = [(country.m49, country.name, country.iso2, country.iso3) for country in published.world.countries]
    lines = ["country_code,country_name,country_iso2,country_iso3"]
    for number, name, iso2, iso3 in sorted((*of_world, *_BESIDE)):
        spoilt = name.encode().decode("latin-1")
        lines.append(f'{number},"{spoilt}",{iso2},{iso3}' if "," in spoilt else f"{number},{spoilt},{iso2},{iso3}")
    return ("\n".join(lines) + "\n").encode()


def _products(published: Published) -> bytes:
    lines = [f'{good.code},"{good.name}"' for good in sorted(published.world.goods, key=lambda good: good.code)]
    return (
        "\n".join(["code,description", *lines, '9999AA,"Commodities not specified according to kind"']) + "\n"
    ).encode()


PUBLISHER = Publisher(
    name="baci",
    title="CEPII's BACI: a zip a release",
    routes=((rf"{FOLDER}/\w+\.zip", _zip),),
    error=lambda status: plain(status, f"<html><body>{status}</body></html>", content_type="text/html; charset=utf-8"),
)
