"""`python -m benchmarks.ranks STORE --year 2022`: what our ranking changes against the plain forest, and why.

Routes from hubs to targets in one window of a store. The plain forest is scikit-learn's with its defaults, on every
indicator as it stands (`anomaly.backtest.rivals.plain_forest`).
"""

from __future__ import annotations

import argparse
from datetime import date
from math import exp
from pathlib import Path
from typing import Any

import polars as pl

from anomaly.backtest import rivals
from anomaly.contract.schema import ROUTE_KEY, is_own_gap
from anomaly.contract.settings import Settings, load
from anomaly.indicators.base import change, direct_fall_log, usd
from anomaly.reference import goods
from anomaly.store.store import Store

LEAST_FALL_LOG = 0.2
LEAST_UPSTREAM_LOG = 0.5


def ranked(store: Store, freq: str, year: int, importer: str, settings: Settings) -> pl.DataFrame:
    """Routes that are scored in the year, with `ours` and `plain`, 1 the most suspicious."""
    window = (
        (pl.col("freq_code") == freq)
        & (pl.col("window_months") == 12)
        & (pl.col("window_end") == pl.lit(date(year, 12, 1)))
    )
    own = is_own_gap(settings.baseline_years) & pl.col("role").is_in(["target", "placebo"])
    measured = store.read("features", where=window & own).sort(ROUTE_KEY)
    measured = measured.with_columns(plain_score=rivals.plain_forest(measured))
    scored = store.read("scores", where=window & (pl.col("importer_iso") == importer)).filter(
        pl.col("p_value").is_not_null()
    )
    columns = [*ROUTE_KEY, "p_value", "q_value", "evidence_weight", "anomaly_rank"]
    fall = direct_fall_log(float(settings.floor_usd)).alias("fall_log")
    return (
        scored.select(columns)
        .join(measured.with_columns(fall), on=list(ROUTE_KEY))
        .filter(~pl.col("exporter_iso").is_in(list(settings.coalition.countries)))
        .with_columns(
            ours=pl.col("anomaly_rank").rank("min").cast(pl.Int64),
            plain=pl.col("plain_score").rank("min", descending=True).cast(pl.Int64),
        )
    )


def why(row: dict[str, Any]) -> str:
    """What ours looks at and the plain forest does not, or the other way."""
    reasons = []
    if row["value_usd"] <= max(row["value_prior_year_usd"] or 0, row["value_baseline_usd"] or 0):
        reasons.append("it is below what it was: unusual, and the other way")
    elif row["record_excess_log"] is None:
        reasons.append("its baseline years are not known")
    elif row["record_excess_log"] <= 0:
        reasons.append("a year of its baseline was as high: no record")
    else:
        reasons.append(f"{change(row['value_usd'], row['value_baseline_usd'])} on its baseline; p {row['p_value']:.3f}")
    if row["fall_log"] is None:
        reasons.append("direct trade not in the data")
    elif row["fall_log"] < LEAST_FALL_LOG:
        reasons.append("the coalition's direct trade stood")
    else:
        reasons.append(f"direct trade fell by {100 * (1 - exp(-row['fall_log'])):.0f} %")
    if (row["upstream_surge_log"] or 0) >= LEAST_UPSTREAM_LOG:
        reasons.append(
            f"the coalition sells the exporter {change(row['coalition_to_hub_usd'], row['coalition_to_hub_prior_usd'])}"
        )
    reasons.append(f"weight {row['evidence_weight']:.1f}")
    return "; ".join(reasons)


def table(rows: pl.DataFrame, count: int) -> list[str]:
    """Of the first `count` by either, those that moved most, in Markdown."""
    top = rows.filter(pl.min_horizontal("plain", "ours") <= count)
    moved = top.sort((pl.col("plain") - pl.col("ours")).abs(), *ROUTE_KEY, descending=[True, *[False] * len(ROUTE_KEY)])
    lines = ["| route | good | value | plain forest | ours | q | why |", "|---|---|---|---|---|---|---|"]
    for row in moved.head(count).to_dicts():
        good = f"{row['good']} {goods.good_name(row['good'])}".strip()
        lines.append(
            f"| {row['exporter_iso']} to {row['importer_iso']} | {good} | {usd(row['value_usd'])} | {row['plain']:.0f} "
            f"| {row['ours']:.0f} | {row['q_value']:.3f} | {why(row)} |"
        )
    return lines


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--year", type=int, default=2022)
    parser.add_argument("--freq", choices=["A", "M"], default="A")
    parser.add_argument("--importer", default="RUS")
    parser.add_argument("--scenario", default="russia-2022")
    parser.add_argument("--count", type=int, default=12)
    args = parser.parse_args()
    rows = ranked(Store(args.store), args.freq, args.year, args.importer, load(args.scenario))
    print(
        f"{rows.height} routes to {args.importer}, {args.year}; of the first {args.count} by either, those that moved most:\n"
    )
    print("\n".join(table(rows, args.count)))


if __name__ == "__main__":
    main()
