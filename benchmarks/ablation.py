"""`python -m benchmarks.ablation`: which inputs and parts of the score earn their place, on simulated worlds.

Every variant scores the same routes from hubs to targets since the sanctions, with the same placebos. What is said: the
share of false flags at three q, of the planted windows those found at q 0.10, and the benign booms among what is
called. Worlds are those of `python -m benchmarks.false_flags`, made where they are not there yet.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from anomaly.backtest import truth
from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET
from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.settings import Settings, load
from anomaly.indicators.base import direct_fall_log, net_of_elsewhere, suspicious_side
from anomaly.scores import forest_inputs, scores
from anomaly.store.store import Store
from benchmarks.false_flags import Q_LEVELS, measure

KEY = [*ROUTE_KEY, "baseline_gap_years"]
FLOOR = float(load().floor_usd)
FALL = direct_fall_log(FLOOR).fill_null(0.0)
INPUTS = {
    "record": net_of_elsewhere("record_excess_log", "baseline", FLOOR),
    "mean": net_of_elsewhere("baseline_excess_log", "baseline", FLOOR),
    "surge": net_of_elsewhere("surge_log", "prior", FLOOR),
    "record as it is": suspicious_side("record_excess_log"),
    "both sides": pl.col("record_excess_log").fill_null(0) + 20.0,
    "share": suspicious_side("share_shift_pp").log1p(),
    "destination": suspicious_side("destination_shift_pp").log1p(),
    "size": suspicious_side("size_effect").clip(upper_bound=5),
    "shift": suspicious_side("level_shift_log"),
    "volume": suspicious_side("volume_surge_log"),
    "capacity": suspicious_side("no_capacity") * (pl.col("record_excess_log") > 0).cast(pl.Float64),
    "growth x fall": suspicious_side("surge_log") * suspicious_side("direct_drop_log"),
    "record x fall": net_of_elsewhere("record_excess_log", "baseline", FLOOR) * FALL,
}
OURS = ("record", "mean")
QUICK = {"seeds": [0, 1, 2]}
Model = Callable[[np.ndarray, np.ndarray], np.ndarray]
# An elliptic envelope cannot be fitted: more than half of the placebos are 0 in every one-sided input.
MODELS: dict[str, Model] = {
    "local outlier factor": lambda seen, rows: -LocalOutlierFactor(50, novelty=True).fit(seen).score_samples(rows),
    "one-class SVM": lambda seen, rows: -OneClassSVM(nu=0.1).fit(seen).score_samples(rows),
}


def variants() -> dict[str, tuple[tuple[str, ...], bool, dict[str, object]]]:
    """Name → inputs, whether weighted, changes of the forest."""
    found: dict[str, tuple[tuple[str, ...], bool, dict[str, object]]] = {"as it is: record, mean": (OURS, True, {})}
    found |= {f"{name} alone": ((name,), True, {}) for name in ("record", "mean", "surge")}
    found["without weights"] = (OURS, False, {})
    found["without what the exporter sells elsewhere"] = (("record as it is",), True, {})
    found["both sides of the record"] = (("both sides",), True, {})
    found |= {
        f"with {name}": ((*OURS, name), True, {})
        for name in ("surge", "share", "destination", "size", "shift", "volume", "capacity")
    }
    found |= {f"{name}, no weights": ((name,), False, {}) for name in ("growth x fall", "record x fall")}
    found["10 trees a forest"] = (OURS, True, {"trees": 10})
    found["100 trees a forest"] = (OURS, True, {"trees": 100})
    found["256 samples a tree"] = (OURS, True, {"max_samples": 256})
    found["one seed"] = (OURS, True, {"seeds": [0]})
    return found | {name: ((name,), True, {}) for name in MODELS}


def inputs_of(measured: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Every input of every variant beside what scores need, hubs to targets and their placebos."""
    told = forest_inputs.build(measured, settings).filter(~pl.col("is_from_coalition"))
    more = measured.select(*KEY, *[one.cast(pl.Float64).fill_null(0.0).alias(name) for name, one in INPUTS.items()])
    return told.join(more, on=KEY, how="left")


def scored(inputs: pl.DataFrame, names: tuple[str, ...], *, is_weighted: bool, **forest: object) -> pl.DataFrame:
    """Scores of one variant."""
    settings = load(forest={**QUICK, **forest}, calibration={"resamples": 1})
    if names[0] in MODELS:
        inputs = inputs.with_columns(pl.lit(0.0).alias(names[0]))
        inputs = pl.concat(
            [_modelled(part, names[0]) for part in inputs.partition_by("window_months", "baseline_gap_years")]
        )
    told = inputs if is_weighted else inputs.with_columns(evidence_weight=1.0)
    return scores.build(told, {HUB_TO_TARGET: names, COALITION_TO_HUB: []}, settings).scores


def _modelled(part: pl.DataFrame, name: str) -> pl.DataFrame:
    """Another model of scikit-learn, fitted on a fixed part of the placebos of a window length and gap."""
    seen = part.filter(pl.col("role") == "placebo").sort(KEY).gather_every(max(1, part.height // 4_000))
    if seen.height < 100:
        return part
    score = MODELS[name](seen.select(OURS).to_numpy(), part.select(OURS).to_numpy())
    return part.with_columns(pl.Series(name, np.round(score - score.min(), 9)))


def judged(found: pl.DataFrame, labels: pl.DataFrame) -> dict[str, float]:
    """False shares, windows found and benign booms called."""
    told = truth.planted(found.filter(pl.col("window_end").dt.year() >= 2022), labels)
    row: dict[str, float] = {}
    for level in Q_LEVELS:
        called = told.filter(pl.col("q_value") <= level)
        row[f"false {level}"] = int((~called["is_evasion"]).sum()) / max(called.height, 1)
    called = told.filter(pl.col("q_value") <= 0.1)
    row["found"] = int(called["is_evasion"].sum()) / max(int(told["is_evasion"].sum()), 1)
    row["booms"] = called.filter(pl.col("planted").is_in(["hub_boom", "product_boom", "price_only"])).height
    return row


def main() -> None:
    """Measure the variants on some seeds and print one table, in Markdown."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--seeds", type=int, default=5)
    told.add_argument("--folder", type=Path, default=Path("build/benchmarks/false_flags"))
    args = told.parse_args()
    rows = []
    for seed in range(1, args.seeds + 1):
        folder = args.folder / str(seed)
        if not (folder / "processed" / "features").is_dir():
            measure(seed, args.folder, "russia-2022")
        labels = pl.read_parquet(folder / "labels.parquet")
        measured = Store(folder / "processed").read("features", where=pl.col("role") != "coalition")
        inputs = inputs_of(measured, load())
        for name, (names, is_weighted, forest) in variants().items():
            rows.append({"variant": name, **judged(scored(inputs, names, is_weighted=is_weighted, **forest), labels)})
    table = pl.DataFrame(rows).group_by("variant", maintain_order=True).mean()
    print(
        f"{args.seeds} seeds; false % at q 0.05, 0.10, 0.20; planted windows found % and benign windows called at 0.10\n"
    )
    print("| variant | q 0.05 | q 0.10 | q 0.20 | found | benign |\n|---|---|---|---|---|---|")
    for variant, *shares, found, booms in table.rows():
        print(f"| {variant} | {' | '.join(f'{100 * one:.1f}' for one in shares)} | {100 * found:.1f} | {booms:.1f} |")


if __name__ == "__main__":
    main()
