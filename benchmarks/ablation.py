"""`python -m benchmarks.ablation`: which parts of the score earn their place, on simulated worlds.

Every variant scores the same routes from hubs to targets since the sanctions, with the same placebos. The score of these is
the soft minimum of the unexplained rise and the room for it, so a variant changes one of its columns; a model of scikit-learn
takes the place of both. What is said: the share of false flags at three q, of the planted windows those found at q 0.10, and
the benign booms among what is called. Worlds are those of `python -m benchmarks.false_flags`, made where they are not there
yet.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from anomaly.backtest import truth
from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET
from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.settings import Settings, load
from anomaly.indicators.base import direct_fall_log, elsewhere_log
from anomaly.scores import forest_inputs, scores
from anomaly.store.store import Store
from benchmarks.false_flags import Q_LEVELS, measure

KEY = [*ROUTE_KEY, "baseline_gap_years"]
FLOOR = float(load().floor_usd)
UNEXPLAINED, EVERYBODYS = pl.col("unexplained_rise_log"), pl.col("counterfactual_rise_log")
RISES = {
    "record": pl.col("record_excess_log") - EVERYBODYS,
    "mean": pl.col("baseline_excess_log") - EVERYBODYS,
    "year before": pl.col("surge_log") - EVERYBODYS,
    "as it is": UNEXPLAINED + EVERYBODYS,
    "beyond elsewhere": UNEXPLAINED + EVERYBODYS - elsewhere_log("baseline", FLOOR),
    "one-sided": UNEXPLAINED.clip(lower_bound=0),
    "x fall": UNEXPLAINED.clip(lower_bound=0) * direct_fall_log(FLOOR).fill_null(0.0),
}
SEEN = ("record", "mean")  # by the models, one-sided
# The forest is told beside the score and has no part in q: at its least here.
QUICK: dict[str, object] = {"seeds": [0], "trees": 10}
Changes = Mapping[str, pl.Expr]
Model = Callable[[np.ndarray, np.ndarray], np.ndarray]
# An elliptic envelope cannot be fitted: more than half of the placebos are 0 in every one-sided input.
MODELS: dict[str, Model] = {
    "isolation forest": lambda placebos, rows: -IsolationForest(random_state=0).fit(placebos).score_samples(rows),
    "local outlier factor": lambda placebos, rows: (
        -LocalOutlierFactor(50, novelty=True).fit(placebos).score_samples(rows)
    ),
    "one-class SVM": lambda placebos, rows: -OneClassSVM(nu=0.1).fit(placebos).score_samples(rows),
}
NO_ROOM = {"room_log": pl.lit(None, dtype=pl.Float64)}
NO_WEIGHT = {"evidence_weight": pl.lit(1.0)}
ALIKE = {"roughness": pl.lit(1.0)}


def variants() -> dict[str, Changes]:
    """Name → columns of the score's inputs that it changes, over those and the rises of `inputs_of`."""
    changes: dict[str, Changes] = {
        "as it is": {},
        "over the best year alone": {"rise_log": pl.col("record")},
        "over the mean alone": {"rise_log": pl.col("mean")},
        "over the year before": {"rise_log": pl.col("year before")},
        "nothing taken off": {"rise_log": pl.col("as it is")},
        "what the exporter sells elsewhere taken off": {"rise_log": pl.col("beyond elsewhere")},
        "a fall is nothing": {"rise_log": pl.col("one-sided")},
        "without room": NO_ROOM,
        "whenever it rose: no step asked for": {"step_log": pl.lit(None, dtype=pl.Float64)},
        "without roughness": ALIKE,
        "without weights": NO_WEIGHT,
        "the rise alone: no room, roughness or weights": {**NO_ROOM, **ALIKE, **NO_WEIGHT},
        "rise x fall, no room, no weights": {"rise_log": pl.col("x fall"), **NO_ROOM, **NO_WEIGHT},
    }
    return changes | {name: {"rise_log": pl.col(name), **NO_ROOM, **ALIKE} for name in MODELS}


def inputs_of(measured: pl.DataFrame, roughness: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """What scores need, of hubs to targets and their placebos, beside every rise and what every model says."""
    inputs = forest_inputs.build(measured, settings, roughness=roughness).filter(~pl.col("is_from_coalition"))
    rises = measured.select(*KEY, *[rise.cast(pl.Float64).fill_null(0.0).alias(name) for name, rise in RISES.items()])
    routes = inputs.join(rises, on=KEY, how="left", maintain_order="left")
    alike = routes.partition_by("freq_code", "window_months", "baseline_gap_years", maintain_order=True)
    return pl.concat([_modelled(part) for part in alike])


def _modelled(routes: pl.DataFrame) -> pl.DataFrame:
    """What models say of one window length and gap, each fitted on a fixed part of its placebos; 0 where these are few."""
    placebos = routes.filter(pl.col("role") == "placebo").sort(KEY)
    placebos = placebos.gather_every(-(-placebos.height // 4_000) or 1)
    fitted, rows = (frame.select(pl.col(SEEN).clip(lower_bound=0)).to_numpy() for frame in (placebos, routes))
    if placebos.height < 100:
        return routes.with_columns(pl.lit(0.0).alias(name) for name in MODELS)
    return routes.with_columns(pl.Series(name, np.round(model(fitted, rows), 9)) for name, model in MODELS.items())


def scored(inputs: pl.DataFrame, changes: Changes) -> pl.DataFrame:
    """Scores of one variant."""
    settings = load(forest=QUICK, calibration={"resamples": 1})
    names = {HUB_TO_TARGET: ["unexplained_rise_log"], COALITION_TO_HUB: []}
    return scores.build(inputs.with_columns(**changes), names, settings).scores


def judged(scored: pl.DataFrame, labels: pl.DataFrame) -> dict[str, float]:
    """False shares, windows found and benign booms called."""
    labelled = truth.planted(scored.filter(pl.col("window_end").dt.year() >= 2022), labels)
    row: dict[str, float] = {}
    for level in Q_LEVELS:
        called = labelled.filter(pl.col("q_value") <= level)
        row[f"false {level}"] = int((~called["is_evasion"]).sum()) / max(called.height, 1)
    called = labelled.filter(pl.col("q_value") <= 0.1)
    row["found"] = int(called["is_evasion"].sum()) / max(int(labelled["is_evasion"].sum()), 1)
    row["booms"] = called.filter(pl.col("planted").is_in(["hub_boom", "product_boom", "price_only"])).height
    return row


def main() -> None:
    """Measure the variants on some seeds and print one table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/false_flags"))
    args = parser.parse_args()
    rows = []
    for seed in range(1, args.seeds + 1):
        folder = args.folder / str(seed)
        if not (folder / "processed" / "features").is_dir():
            measure(seed, args.folder, "russia-2022")
        labels = pl.read_parquet(folder / "labels.parquet")
        store = Store(folder / "processed")
        measured = store.read("features", where=pl.col("role") != "coalition")
        inputs = inputs_of(measured, store.read("features.roughness"), load())
        rows += [{"variant": name, **judged(scored(inputs, changes), labels)} for name, changes in variants().items()]
    table = pl.DataFrame(rows).group_by("variant", maintain_order=True).mean()
    print(
        f"{args.seeds} seeds; false % at q 0.05, 0.10, 0.20; planted windows found % and benign windows called at 0.10\n"
    )
    print("| variant | q 0.05 | q 0.10 | q 0.20 | found | benign |\n|---|---|---|---|---|---|")
    for variant, *shares, evasion_share, booms in table.rows():
        print(
            f"| {variant} | {' | '.join(f'{100 * share:.1f}' for share in shares)} | {100 * evasion_share:.1f} | {booms:.1f} |"
        )


if __name__ == "__main__":
    main()
