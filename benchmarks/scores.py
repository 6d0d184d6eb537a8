"""`python -m benchmarks.scores`: features → scores, beside pandas and scikit-learn as a textbook would.

The textbook fits one forest a seed on everything and scores everything with it; it has no placebos, no halves and no
windows of its own, so the two do not answer the same question and are not compared for equality.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.features import GOODS, tables_of
from benchmarks.features_ours import run as write_features
from benchmarks.measure import Variant, run, table
from benchmarks.tables import scenario

MATERIALITY = "1000000"


def ours(folder: str) -> None:
    """As pipelines/scores.py."""
    import polars as pl

    from anomaly.scores import forest_inputs, scores

    settings = scenario(MATERIALITY)
    inputs = forest_inputs.build(pl.read_parquet(Path(folder) / "*.parquet"), settings)
    scored = scores.build(inputs, forest_inputs.names(), settings)
    assert scored.scores.height


def textbook(folder: str) -> None:
    """pandas and scikit-learn, the same number of seeds and trees, two jobs."""
    import pandas as pd
    from sklearn.ensemble import IsolationForest

    from anomaly.indicators import INDICATORS

    settings = scenario(MATERIALITY)
    names = [indicator.name for indicator in INDICATORS]
    frame = pd.concat([pd.read_parquet(file, columns=names) for file in sorted(Path(folder).glob("*.parquet"))])
    rows = frame.fillna(0.0)
    total = 0.0
    for seed in settings.forest.seeds:
        forest = IsolationForest(
            n_estimators=settings.forest.trees,
            max_samples=settings.forest.max_samples,
            random_state=seed,
            n_jobs=2,
        )
        total = total - forest.fit(rows).score_samples(rows)
    assert len(total / len(settings.forest.seeds)) == len(frame)  # type: ignore[arg-type]


def main() -> None:
    """Make the features where they are not there yet, run both in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=GOODS, default="s1")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    args = parser.parse_args()
    root = tables_of(args.size, args.folder)
    out = root.with_name(f"{root.name}-features")
    if not out.exists():
        write_features(str(root), str(out), MATERIALITY)
    variants = [Variant("ours", "scores.ours", [str(out)]), Variant("pandas + sklearn", "scores.textbook", [str(out)])]
    run(variants, args.repeat)
    print(table(f"scores, {args.size}, {args.repeat} runs each", variants))


if __name__ == "__main__":
    main()
