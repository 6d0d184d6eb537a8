"""The simulated reports in the publishers' own formats, as bytes: UN Comtrade three ways, Comext, the ECB's rates."""

from __future__ import annotations

import polars as pl

from anomaly.world.as_comext import comext
from anomaly.world.as_comtrade import answer, bulk, comtrade, web_export, with_bad_rows, with_what_must_not_count
from anomaly.world.as_ecb import rates_table, usd_per_eur
from anomaly.world.description import Description

COMTRADE, WEB_EXPORT, COMEXT = "comtrade/SIMULATED-M", "comtrade/SIMULATED-WEB", "comext/SIMULATED-DS-045409"
RATES = "ecb/EXR_M_EUR_SP00_A.csv"


def folder(world: Description, dataset: str) -> str:
    """Where a dataset's files lie, as raw files of a publisher do.

    Parameters
    ----------
    world : Description
        Its calendar and vintage.
    dataset : str
        source/dataset, such as COMTRADE.

    Returns
    -------
    str
        source/dataset/period/vintage, under a raw folder.
    """
    first, last, vintage = world.calendar[0], world.calendar[-1], world.publishing.vintage
    return f"{dataset}/{first:%Y-%m}_{last:%Y-%m}/{vintage:%Y-%m-%d}"


def files(world: Description, reports: pl.DataFrame) -> dict[str, bytes]:
    """Every raw file of the world, in the formats of the publishers.

    Parameters
    ----------
    world : Description
        How its offices publish.
    reports : polars.DataFrame
        world.reports.reports.

    Returns
    -------
    dict of str to bytes
        By the path under a raw folder, in the order of the paths.
    """
    rate, publishing = usd_per_eur(world), world.publishing
    contents = {RATES: rates_table(world, rate), "SIMULATED.md": _says(world)}
    for country in world.countries:
        rows = reports.filter(pl.col("reporter") == country.iso3)
        if country.iso3 in world.eu:
            name = f"{folder(world, COMEXT)}/DS-045409_M_{country.iso2}.csv.gz"
            contents[name] = comext(world, rows, rate)
            continue
        stem = f"{folder(world, COMTRADE)}/C_M_{country.m49:03}"
        if country.iso3 in publishing.as_answer:
            contents[f"{stem}.json.gz"] = answer(comtrade(world, rows))
            continue
        if country.iso3 == publishing.as_web_export:
            vintage, exports = publishing.vintage, rows.filter(pl.col("flow") == "X")
            name = f"TradeData_{vintage.month}_{vintage.day}_{vintage.year}_9_0_0.csv"
            contents[f"{folder(world, WEB_EXPORT)}/{name}"] = web_export(comtrade(world, exports))
            rows = rows.filter(pl.col("flow") != "X")
        table = comtrade(world, with_what_must_not_count(world, rows, country.iso3))
        contents[f"{stem}.txt.gz"] = bulk(with_bad_rows(world, table, country.iso3))
    return dict(sorted(contents.items()))


def _says(world: Description) -> bytes:
    """The page beside the files."""
    return _SAYS.replace("PLANTED", world.planted_says).encode()


_SAYS = """# Simulated data

Nothing in this folder was published by anyone. Every figure is invented by a program from a seed: the trade, the
weights, the exchange rates, the late and the missing reports. The countries and the commodity codes are real, so that
the files look as the publishers' files do and the real readers can read them; what they say about a country is not
true of it.

Folders that begin with SIMULATED hold files in the formats of UN Comtrade and of Eurostat's Comext; `ecb/` holds
exchange rates in the format of the European Central Bank. None of the three has anything to do with these figures.

Some routes were changed on purpose, so that it is known what there is to find: PLANTED
"""
