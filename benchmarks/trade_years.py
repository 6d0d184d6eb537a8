"""Years of trade in BACI's shape, as large as one likes: a route's rows depend on the seed and its own names only.

Whether a route is there, in which years, and how much it carries are hashes of (seed, exporter, importer, good, year).
So any part can be made alone, in any order and in little memory, and it is the part that the whole would have.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.settings import load
from anomaly.reference import countries, nomenclature
from anomaly.sources.baci import EDITIONS

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

EDITION, RELEASE = "HS17", "V202501"
DATASET = f"BACI_{EDITION}"
SHARE_WITHOUT_WEIGHT = 0.02
MOST_LIKELY = 0.97  # even the largest pair does not trade every good
GOODS_AT_A_TIME = 50


@dataclass(frozen=True)
class World:
    """How much trade there is.

    rows_per_year   with all countries and goods; what comes out is within a few percent of it
    """

    seed: int = 0
    countries: int = 226
    goods: int = 5_000
    rows_per_year: int = 11_000_000

    @cached_property
    def country_names(self) -> pl.DataFrame:
        """m49 and iso3: the scenario's countries and others, in order of iso3; BACI's number where the UN has two."""
        scenario = load()
        roles = (scenario.targets, scenario.coalition, scenario.hub_candidates, scenario.neighbours)
        named = [country for role in roles if role is not None for country in role.countries]
        table = countries.m49_table().filter(pl.col("kind") == "country").group_by("iso3").agg(pl.col("m49").max())
        is_named = pl.col("iso3").is_in(named)
        return table.sort(~is_named, "iso3").head(self.countries).sort("iso3")

    @cached_property
    def codes(self) -> list[str]:
        """Codes of the edition over all its chapters, in order."""
        edition = int(EDITIONS[EDITION][1])
        hs6 = nomenclature.codes().filter(pl.col("edition") == edition, pl.col("code") < "98")["code"]
        return hs6.gather_every(max(hs6.len() // self.goods, 1)).head(self.goods).to_list()

    @cached_property
    def supply(self) -> Numbers:
        """Exporters x goods: how ready a country is to sell a good."""
        return self._sizes(1)[:, None] * np.exp(1.4 * self._normal(2, self.countries * self.goods)).reshape(
            self.countries, self.goods
        )

    @cached_property
    def demand(self) -> Numbers:
        """Importers x goods."""
        return self._sizes(1)[:, None] * np.exp(0.7 * self._normal(3, self.countries * self.goods)).reshape(
            self.countries, self.goods
        )

    @cached_property
    def density(self) -> float:
        """What supply x demand is multiplied by, so that a year has rows_per_year."""
        sample = np.linspace(0, self.goods - 1, min(self.goods, 40)).astype(np.int64)
        pairs = self.supply[:, None, sample] * self.demand[None, :, sample]
        wanted = self.rows_per_year / (self.countries * (self.countries - 1) * self.goods)
        low, high = 1e-12, 1e12
        for _ in range(60):
            middle = float(np.sqrt(low * high))
            likely = np.minimum(middle * pairs, MOST_LIKELY)
            low, high = (low, middle) if (likely * _stays(likely)).mean() > wanted else (middle, high)
        return low

    def _sizes(self, salt: int) -> Numbers:
        return np.exp(1.6 * self._normal(salt, self.countries))

    def _normal(self, salt: int, count: int) -> Numbers:
        return normal(self.seed, salt, np.arange(count))


def uniform(seed: int, salt: int, key: Whole) -> Numbers:
    """0 to 1, a hash of its arguments (the finaliser of SplitMix64: Steele, Lea and Flood 2014)."""
    start = np.uint64(((seed * 1_000_003 + salt) * 0x9E3779B97F4A7C15) % 2**64)
    bits = key.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits += start
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, salt: int, key: Whole) -> Numbers:
    """Standard normal, a hash of its arguments (Box and Muller 1958)."""
    radius = np.sqrt(-2 * np.log1p(-uniform(seed, 2 * salt + 1000, key)))
    result: Numbers = radius * np.cos(2 * np.pi * uniform(seed, 2 * salt + 1001, key))
    return result


def _stays(likely: Numbers) -> Numbers:
    """Share of the years in which a route is there."""
    return 0.7 + 0.3 * likely


@dataclass(frozen=True)
class Routes:
    """Positions of exporter, importer and good of routes that are there in some year, and how likely each was."""

    exporter: Whole
    importer: Whole
    good: Whole
    likely: Numbers


def routes(world: World, exporters: Whole, goods: Whole, *, by_good: bool) -> Routes:
    """Routes of some exporters and goods, in order of good, exporter, importer or of exporter, importer, good."""
    if by_good:
        supply = world.supply[np.ix_(exporters, goods)].T[:, :, None]
        likely = supply * world.demand[:, goods].T[:, None, :]
        good, exporter, importer = np.ix_(goods, exporters, np.arange(world.countries))
    else:
        supply = world.supply[np.ix_(exporters, goods)][:, None, :]
        likely = supply * world.demand[None][:, :, goods]
        exporter, importer, good = np.ix_(exporters, np.arange(world.countries), goods)
    likely = np.minimum(world.density * likely, MOST_LIKELY)
    cell = (exporter * world.countries + importer) * world.goods + good
    is_there = (uniform(world.seed, 10, cell) < likely) & (exporter != importer)
    at = np.nonzero(is_there)
    routes = (np.broadcast_to(axis, is_there.shape)[at] for axis in (exporter, importer, good))
    exporter, importer, good = routes
    return Routes(exporter, importer, good, likely[at])


def in_year(world: World, routes: Routes, year: int) -> tuple[npt.NDArray[np.bool_], Whole, Whole]:
    """(which routes are there in the year, their value in USD, their weight in grams or -1), whole thousandths."""
    cell = (routes.exporter * world.countries + routes.importer) * world.goods + routes.good
    is_there = uniform(world.seed, 2 * year, cell) < _stays(routes.likely)
    cell, likely, good = cell[is_there], routes.likely[is_there], routes.good[is_there]
    usual = 3.2 + 0.9 * np.log(likely / 0.05) + 1.8 * normal(world.seed, 11, cell)
    log_value = usual + 0.6 * normal(world.seed, 2 * year + 1, cell)
    value = np.maximum(np.rint(1000 * np.exp(np.minimum(log_value, 17))), 1)
    price = np.exp(1.5 + 1.3 * normal(world.seed, 4, good) + 0.5 * normal(world.seed, 12, cell))
    weight = np.maximum(np.rint(value / price), 1) * 1000
    weight[uniform(world.seed, 13, cell + year) < SHARE_WITHOUT_WEIGHT] = -1
    return is_there, value.astype(np.int64), weight.astype(np.int64)


def some_goods(world: World, count: int) -> Whole:
    """Positions of goods from all over the list."""
    return np.unique(np.linspace(0, world.goods - 1, count).astype(np.int64))


def bilateral(world: World, years: range, goods: Whole) -> Iterator[pl.DataFrame]:
    """Rows of schema.Bilateral as BACI gives them, whole goods at a time, sorted by their key."""
    iso3, names = world.country_names["iso3"], pl.Series(world.codes)
    everyone = np.arange(world.countries)
    for start in range(0, len(goods), GOODS_AT_A_TIME):
        trade_routes = routes(world, everyone, goods[start : start + GOODS_AT_A_TIME], by_good=True)
        parts = []
        for year in years:
            is_there, value, weight = in_year(world, trade_routes, year)
            row = np.flatnonzero(is_there)
            frame = pl.DataFrame({"row": row, "value_usd": value, "net_wgt_g": weight})
            parts.append(frame.with_columns(ref_date=pl.lit(date(year, 1, 1))))
        cells = pl.concat(parts).sort("row", "ref_date")
        row = cells["row"].to_numpy()
        yield cells.select(
            freq_code=pl.lit("A"),
            good=names.gather(trade_routes.good[row]),
            exporter_iso=iso3.gather(trade_routes.exporter[row]),
            importer_iso=iso3.gather(trade_routes.importer[row]),
            ref_date="ref_date",
            source=pl.lit("baci"),
            dataset=pl.lit(DATASET),
            value_usd="value_usd",
            value_basis=pl.lit("reconciled"),
            export_value_fob_usd="value_usd",
            import_value_cif_usd=pl.lit(None, dtype=pl.Int64),
            reexport_value_fob_usd=pl.lit(None, dtype=pl.Int64),
            net_wgt_g=pl.when(pl.col("net_wgt_g") >= 0).then("net_wgt_g"),
        )


def write_zip(world: World, path: Path, years: range) -> dict[int, int]:
    """The zip as CEPII publishes it, rows in order of exporter, importer and code. Returns the rows of each year."""
    rows = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for year in years:
            with archive.open(f"BACI_{EDITION}_Y{year}_{RELEASE}.csv", "w", force_zip64=True) as member:
                member.write(b"t,i,j,k,v,q\n")
                rows[year] = sum(_write_rows(member, part) for part in _csv_rows(world, year))
        countries = world.country_names.select("m49", pl.col("iso3").alias("name"), iso2=pl.lit(""), iso3="iso3")
        named = countries.rename({"m49": "country_code", "name": "country_name"})
        named = named.rename({"iso2": "country_iso2", "iso3": "country_iso3"})
        archive.writestr(f"country_codes_{RELEASE}.csv", named.write_csv())
        goods = pl.DataFrame({"code": world.codes, "description": [f"Good {code}" for code in world.codes]})
        archive.writestr(f"product_codes_{EDITION}_{RELEASE}.csv", goods.write_csv())
    return rows


def _write_rows(member: object, frame: pl.DataFrame) -> int:
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False, float_precision=3)
    member.write(buffer.getbuffer())  # type: ignore[attr-defined]
    return frame.height


def _csv_rows(world: World, year: int) -> Iterator[pl.DataFrame]:
    m49, names = world.country_names["m49"].to_numpy(), pl.Series(world.codes)
    every_good = np.arange(world.goods)
    for exporter in np.argsort(m49, kind="stable"):
        trade_routes = routes(world, np.array([exporter]), every_good, by_good=False)
        is_there, value, weight = in_year(world, trade_routes, year)
        importer = trade_routes.importer[is_there]
        frame = pl.DataFrame(
            {
                "t": np.full(len(value), year, dtype=np.int32),
                "i": np.full(len(value), m49[exporter], dtype=np.int32),
                "j": m49[importer],
                "k": names.gather(trade_routes.good[is_there]),
                "v": value / 1000,
                "g": weight,
            }
        )
        tons = pl.when(pl.col("g") >= 0).then((pl.col("g") / 1e6).round(3).cast(pl.String)).otherwise(pl.lit("NA"))
        yield frame.sort("j", maintain_order=True).select("t", "i", "j", "k", "v", q=tons.str.pad_start(12))
