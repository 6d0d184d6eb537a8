"""Random coverage, scope and trade, and what the grids of features say of each route and period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import polars as pl
from hypothesis import strategies as st

from anomaly.contract.keys import ROUTE
from anomaly.features.grid import COLUMNS, Grid, lay
from anomaly.features.marks import Amounts, know

GOODS = ("100000", "200000+")
COUNTRIES = ("AAA", "BBB", "CCC")
DATASETS = (("one", "d"), ("one", "e"), ("two", "d"))  # of two sources, two with the same name
PERIODS = {
    "A": tuple(date(year, 1, 1) for year in range(2018, 2023)),
    "M": tuple(date(year, month, 1) for year in range(2018, 2023) for month in (1, 2)),
}
CALENDAR = {"A": PERIODS["A"], "M": pl.date_range(date(2018, 1, 1), date(2022, 2, 1), "1mo", eager=True).to_list()}
EDITIONS = (4, 5, 6)

Row = tuple[object, ...]


@dataclass(frozen=True)
class Silence:
    """A frequency, and the tables coverage, coverage.scope, bilateral (sorted) and families.broken."""

    freq_code: str
    coverage: pl.DataFrame
    scope: pl.DataFrame
    trade: pl.DataFrame
    broken: pl.DataFrame


@st.composite
def silences(draw: st.DrawFn) -> Silence:
    """Reporters that publish, publish in part or not; datasets that hold some goods and partners in some years; routes."""
    random, freq = draw(st.randoms(use_true_random=False)), draw(st.sampled_from("AM"))
    datasets = draw(st.sampled_from((DATASETS[:1], DATASETS[:2], DATASETS[::2], DATASETS)))
    shares = st.sampled_from((0.4, 0.8, 1.0))
    coverage, scope = (
        _coverage(random, freq, datasets, draw(shares), draw(shares)),
        _scope(random, freq, datasets, draw(shares)),
    )
    trade = _trade(random, freq, datasets, draw(shares), draw(shares))
    changes = [(good, newer) for good in GOODS for newer in EDITIONS[1:] if random.random() < 0.3]
    broken = pl.DataFrame(changes, schema={"good": pl.String, "newer_edition": pl.Int8}, orient="row")
    return Silence(freq, coverage, scope, trade, broken)


def _coverage(random: Random, freq: str, datasets: tuple[Row, ...], share: float, whole: float) -> pl.DataFrame:
    rows: list[Row] = [
        (*datasets[0], freq, day, "ZZZ", "X", 5, True) for day in (CALENDAR[freq][0], CALENDAR[freq][-1])
    ]
    for dataset in datasets:
        for country in COUNTRIES:
            for flow in "MX":
                editions = random.choices(EDITIONS, k=2)
                for day in PERIODS[freq]:
                    if random.random() < share:
                        rows.append(
                            (*dataset, freq, day, country, flow, random.choice(editions), random.random() < whole)
                        )
    kinds: dict[str, Any] = dict.fromkeys(("source", "dataset", "freq_code"), pl.String) | {"ref_date": pl.Date}
    kinds |= {"reporter_iso": pl.String, "flow_code": pl.String, "hs_edition": pl.Int8, "is_complete": pl.Boolean}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _scope(random: Random, freq: str, datasets: tuple[Row, ...], share: float) -> pl.DataFrame:
    rows: list[Row] = []
    for dataset in datasets:
        for flow in "MX":
            for dimension, codes in (("good", GOODS), ("partner", COUNTRIES)):
                for code in codes:
                    held = [year for year in range(2018, 2023) if random.random() < share]
                    days = [day for day in PERIODS[freq] if day.year in held and (freq == "A" or random.random() < 0.7)]
                    rows += [(*dataset, freq, flow, dimension, code, day, random.choice((0, 9)), 5) for day in days]
            rows += _withheld((*dataset, freq, flow), PERIODS[freq], random)
    kinds: dict[str, Any] = dict.fromkeys(
        ("source", "dataset", "freq_code", "flow_code", "dimension", "code"), pl.String
    )
    whole = {"ref_date": pl.Date, "rows": pl.Int64, "smallest_value_usd": pl.Int64}
    return pl.DataFrame(rows, schema=kinds | whole, orient="row")


def _withheld(dataset: Row, days: tuple[date, ...], random: Random) -> list[Row]:
    """Routes of a dataset that have no figure in some periods, whether it has rows of them or not."""
    routes = [(who, whom, good) for good in GOODS for who in COUNTRIES for whom in COUNTRIES if who != whom]
    hidden = random.choices([(*route, day) for route in routes for day in days], k=random.choice((0, 3, 30)))
    return [(*dataset, "withheld", " ".join(route), day, 1, None) for *route, day in sorted({*hidden})]


def _trade(random: Random, freq: str, datasets: tuple[Row, ...], routes: float, share: float) -> pl.DataFrame:
    """Each route told by one dataset and side; a reporter has nothing of a good with anyone in some years."""
    quiet: dict[Row, bool] = {}
    rows: list[Row] = []
    for good, exporter, importer in (
        (good, seller, buyer) for good in GOODS for seller in COUNTRIES for buyer in COUNTRIES
    ):
        if exporter == importer or random.random() > routes:
            continue
        dataset, basis = random.choice(datasets), random.choice(("export", "import"))
        for day in PERIODS[freq]:
            speaker = (good, *dataset, exporter if basis == "export" else importer, day.year)
            if random.random() > share or quiet.setdefault(speaker, random.random() < 0.4):
                continue
            value = random.choice((0, 7, 9))
            exported = random.choice((value, value, None)) if basis == "export" else None
            imported = value if basis == "import" else random.choice((None, 0, 4) if exported is not None else (0, 4))
            own = exported if basis == "export" else imported
            rows.append((freq, good, exporter, importer, day, *dataset, own, basis, exported, imported, None, None))
    kinds: dict[str, Any] = {"freq_code": pl.String, **dict.fromkeys(ROUTE, pl.String), "ref_date": pl.Date}
    kinds |= {"source": pl.String, "dataset": pl.String, "value_usd": pl.Int64, "value_basis": pl.String}
    names = ("export_value_fob_usd", "import_value_cif_usd", "reexport_value_fob_usd", "net_wgt_g")
    trade = pl.DataFrame(rows, schema=kinds | dict.fromkeys(names, pl.Int64), orient="row")
    return trade.sort("good", "freq_code", "exporter_iso", "importer_iso", "ref_date")


def laid(world: Silence) -> Grid:
    """The grid of all routes."""
    coverage = know(world.coverage, world.scope, world.freq_code)
    return lay(world.trade.select(COLUMNS), {world.freq_code: coverage})[world.freq_code]


def of_grid(grid: Grid, name: str, cells: Callable[[Grid], Amounts]) -> pl.DataFrame:
    """ROUTE, ref_date and `name`: what the grid says of each route and period, null where it does not know."""
    periods, routes = grid.value.shape
    amounts = pl.Series(name, cells(grid).reshape(-1), dtype=pl.Int64)
    columns = {
        "good": grid.names.goods.gather(grid.good),
        "exporter_iso": grid.names.countries.gather(grid.exporter),
        "importer_iso": grid.names.countries.gather(grid.importer),
    }
    route = pl.DataFrame({column: pl.concat([names] * periods) for column, names in columns.items()})
    days = pl.Series("ref_date", [day for day in grid.known.periods for _ in range(routes)], dtype=pl.Date)
    return route.with_columns(days, pl.when(amounts >= 0).then(amounts).alias(name))
