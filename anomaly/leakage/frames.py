"""Rows of the table leakage and of its coverage, for either leg."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from anomaly.contract.schema_supply import Leakage, LeakageCoverage
from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts
from anomaly.leakage import spread
from anomaly.leakage.spread import Draws

MOST_LOG = 20.0  # of a draw: beyond it no amount of trade


@dataclass(frozen=True, slots=True)
class Tables:
    """The table leakage and how its intervals did, columns of their contracts.

    Parameters
    ----------
    leakage : polars.DataFrame
        Leakage: hub by good, hub, good and all, a row each and window.
    coverage : polars.DataFrame
        LeakageCoverage: how often the intervals held where nothing went round, a row a window and kind of sum.
    """

    leakage: pl.DataFrame
    coverage: pl.DataFrame


def together(tables: Sequence[Tables]) -> Tables:
    """Tables of several windows or legs as one.

    Parameters
    ----------
    tables : sequence of Tables
        Each window of a leg in one of them only.

    Returns
    -------
    Tables
        Sorted by their keys.
    """
    leakage = pl.concat([Leakage.create_empty(), *[table.leakage for table in tables]])
    coverage = pl.concat([LeakageCoverage.create_empty(), *[table.coverage for table in tables]])
    return Tables(leakage.sort(Leakage.primary_key()), coverage.sort(LeakageCoverage.primary_key()))


def carried(before_usd: Amounts, rise_log: Draws, floor_usd: float) -> Draws:
    """What rows could have carried: (before + floor) e^rise - floor, 0 or more.

    Parameters
    ----------
    before_usd : array, shape (rows,)
        USD that each rises from.
    rise_log : array of float, shape (rows, draws)
        Logs; overwritten.
    floor_usd : float
        Of the window.

    Returns
    -------
    array of float, shape (rows, draws)
        USD.
    """
    grown = np.exp(np.clip(rise_log, -MOST_LOG, MOST_LOG, out=rise_log), out=rise_log)
    grown *= (np.asarray(before_usd) + floor_usd).astype(np.float32)[:, None]
    grown -= np.float32(floor_usd)
    return np.maximum(grown, 0.0, out=grown)


def number(name: str) -> int:
    """A number of a code that no other code has, for random numbers of its own.

    Parameters
    ----------
    name : str
        Of a country or chapter.

    Returns
    -------
    int
        0 for the empty name.
    """
    return int.from_bytes(name.encode(), "big")


def amounts(drawn: Draws | Floats, value: Amounts, before: Amounts, settings: Settings) -> pl.DataFrame:
    """Value, what is explained and what is left, with their intervals.

    Parameters
    ----------
    drawn : array of float, shape (sums, draws)
        What each could have been, USD.
    value, before : array of int, shape (sums,)
        Whole USD in the window and before the measure.
    settings : Settings
        Scenario: supply.interval_share.

    Returns
    -------
    polars.DataFrame
        The amounts of Leakage, a row a sum.
    """
    low, middle, high = spread.interval(drawn, settings).reshape(-1, 3).T
    return pl.DataFrame(
        {
            "value_usd": value,
            "value_before_usd": before,
            "counterfactual_low_usd": low,
            "counterfactual_middle_usd": middle,
            "counterfactual_high_usd": high,
            "excess_low_usd": value - high,
            "excess_middle_usd": value - middle,
            "excess_high_usd": value - low,
        }
    )


@dataclass(frozen=True, slots=True)
class Direct:
    """The coalition's direct trade, a number a sum: in the window, and before the measure.

    Parameters
    ----------
    value, before : array of int, shape (sums,)
        Whole USD.
    """

    value: Amounts
    before: Amounts


def named(
    frame: pl.DataFrame, level: str, hubs: Sequence[str], goods: Sequence[str], direct: Direct, legs: Amounts
) -> pl.DataFrame:
    """What the amounts are of, and what the direct trade lost beside them.

    Parameters
    ----------
    frame : polars.DataFrame
        `amounts`.
    level : str
        Of Leakage.level.
    hubs, goods : sequence of str
        Of each row; empty over all of them.
    direct : Direct
        Of each row's goods.
    legs : array of int
        Summed up in each row.

    Returns
    -------
    polars.DataFrame
        With the further columns of Leakage but leg and window.
    """
    lost = pl.max_horizontal(pl.col("direct_before_usd") - pl.col("direct_usd"), 0)
    return frame.with_columns(
        level=pl.lit(level),
        hub_iso=pl.Series(list(hubs), dtype=pl.String),
        good=pl.Series(list(goods), dtype=pl.String),
        legs=pl.Series(legs, dtype=pl.Int64),
        direct_usd=pl.Series(direct.value, dtype=pl.Int64),
        direct_before_usd=pl.Series(direct.before, dtype=pl.Int64),
    ).with_columns(direct_lost_usd=lost).with_columns(
        excess_of_lost_share=pl.when(pl.col("direct_lost_usd") > 0).then(
            pl.col("excess_middle_usd") / pl.col("direct_lost_usd")
        )
    )  # fmt: skip


def leakage(rows: Sequence[pl.DataFrame], key: Mapping[str, object], *, is_before: bool) -> pl.DataFrame:
    """Rows of the contract of one leg and window.

    Parameters
    ----------
    rows : sequence of polars.DataFrame
        `named`.
    key : mapping
        leg and the window.
    is_before : bool
        The window lies before the sanctions.

    Returns
    -------
    polars.DataFrame
        Leakage.
    """
    kinds = {name: column.dtype for name, column in Leakage.columns().items()}
    constants = {**key, "is_before_sanctions": is_before}
    keyed = pl.concat(list(rows)).with_columns(**{name: pl.lit(value) for name, value in constants.items()})
    return keyed.select(pl.col(name).cast(kind) for name, kind in kinds.items())


def coverage(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Rows of the contract of the coverage.

    Parameters
    ----------
    rows : sequence of mapping
        With the columns of LeakageCoverage.

    Returns
    -------
    polars.DataFrame
        LeakageCoverage.
    """
    kinds = {name: column.dtype for name, column in LeakageCoverage.columns().items()}
    return pl.DataFrame([{name: row[name] for name in kinds} for row in rows], schema=kinds)


@dataclass(frozen=True, slots=True)
class Tried:
    """Counts sums and those of them that their interval held, by what they are of.

    Parameters
    ----------
    least_usd : float
        Sums that were smaller before are not tried.
    settings : Settings
        Scenario: supply.interval_share.
    sums, held : Counter
        By LeakageCoverage.of: tried, and of these within their interval.
    """

    least_usd: float
    settings: Settings
    sums: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, drawn: Draws, value: Amounts, before: Amounts) -> None:
        """Try the interval on one sum.

        Parameters
        ----------
        kind : str
            Of LeakageCoverage.of.
        drawn : array of float, shape (rows, draws)
            What each of its rows could have been.
        value, before : array, shape (rows,)
            What they carried, and what is compared with `least_usd`.
        """
        if before.sum() < self.least_usd:
            return
        low, _, high = spread.interval(drawn.sum(axis=0, dtype=np.float64), self.settings)
        self.sums[kind] += 1
        self.held[kind] += bool(low <= value.sum() <= high)
