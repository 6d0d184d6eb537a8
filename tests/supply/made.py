"""Made-up sales of a coalition to hubs: goods whose direct trade fell, goods whose direct trade stood, and noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from anomaly.bilateral import bilateral, coverage
from anomaly.contract.settings import Settings, load
from anomaly.supply import reporting, supply
from anomaly.supply.reporting import Span
from tests.trade import ALL_LINKED, EDITION, NO_FAMILIES

MILLION = 1_000_000
FIRST, MONTHS = date(2020, 1, 1), 36
CALENDAR = [date(FIRST.year + at // 12, at % 12 + 1, 1) for at in range(MONTHS)]
MEASURE = CALENDAR.index(date(2022, 3, 1))  # first whole month under it
HUBS = ("ARM", "KAZ", "KGZ", "UZB")
FELL = tuple(f"8481{number:02d}" for number in range(30))
STOOD = tuple(f"8708{number:02d}" for number in range(12))
MEMBERS = {"DEU": 0.6, "ITA": 0.32, "POL": 0.08}
NO_LISTS = pl.DataFrame(
    schema={"good": pl.String, "tier": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
)  # fmt: skip
Change = Callable[[str, str, np.ndarray[Any, Any]], np.ndarray[Any, Any]]


def unchanged(_good: str, _importer: str, months: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Nothing planted."""
    return months


def step(legs: Mapping[tuple[str, str], float], since: int = MEASURE) -> Change:
    """The named legs (good, importer) times a factor from a month on."""

    def change(good: str, importer: str, months: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        factor = legs.get((good, importer), 1.0)
        return np.where(np.arange(MONTHS) >= since, factor * months, months)

    return change


def flows(
    change: Change = unchanged,
    *,
    seed: int = 2,
    importers: tuple[str, ...] = HUBS,
    members: Mapping[str, float] = MEMBERS,
    months: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Monthly exports of the members; `months` says how many of the calendar a member has reported."""
    rng = np.random.default_rng(seed)
    rows = []
    for good in (*FELL, *STOOD):
        for importer in (*importers, "RUS"):
            level = 3.0 * MILLION if importer == "RUS" else 0.3 * MILLION
            series = level * np.exp(rng.normal(0, 0.15, MONTHS))
            if importer == "RUS" and good in FELL:
                series[MEASURE:] *= 0.1
            series = change(good, importer, series)
            for member, share in members.items():
                reported = (months or {}).get(member, MONTHS)
                rows += [(good, importer, member, CALENDAR[at], round(share * series[at])) for at in range(reported)]
    return as_flows(rows)


def as_flows(rows: list[tuple[str, str, str, date, int]], flow_code: str = "X") -> pl.DataFrame:
    """good, partner, reporter, month, value as flows."""
    columns = ["cmd_code", "partner_iso", "reporter_iso", "ref_date", "primary_value_usd"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        source=pl.lit("comext"),
        dataset=pl.lit("extract"),
        freq_code=pl.lit("M"),
        flow_code=pl.lit(flow_code),
        classification_code=pl.when(pl.col("ref_date").dt.year() >= 2022).then(pl.lit("H6")).otherwise(pl.lit("H5")),
        net_wgt_g=pl.lit(None, dtype=pl.Int64),
    )


def prepared(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """(bilateral, coverage, scope)."""
    goods = bilateral.with_goods(rows.lazy(), NO_FAMILIES, EDITION)
    reported, scope = coverage.build(goods)
    names = pl.concat([rows["reporter_iso"], rows["partner_iso"]]).unique().sort()
    countries = pl.DataFrame({"iso3": names, "kind": ["country"] * len(names)})
    return bilateral.build(goods, reported, scope, countries, {"comext": 20}, 2019), reported, scope


def settings(**changes: Any) -> Settings:
    """The usual scenario with other rules of the leg."""
    usual = load()
    return usual.model_copy(update={"supply": usual.supply.model_copy(update=changes)})


def spans(rows: pl.DataFrame, rules: Settings | None = None) -> list[Span]:
    """What is read of the rows."""
    _, reported, scope = prepared(rows)
    return reporting.spans(reported, scope, rules or settings())


def built(rows: pl.DataFrame, rules: Settings | None = None) -> supply.Tables:
    """The table supply of the rows with its companions."""
    sides, reported, scope = prepared(rows)
    rules = rules or settings()
    return supply.build([sides], reporting.spans(reported, scope, rules), ALL_LINKED, rules)
