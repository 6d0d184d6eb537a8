"""A stage that is put between two others in the list is passed by the run, the backtest, what is left out, and explain."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main
from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame
from anomaly.stages import scores
from anomaly.stages.facts import GOODS_LISTS
from anomaly.stages.stage import Lazy, Stage
from anomaly.store.store import Store
from pipelines import run
from tests.backtest.test_replayed import SURGE, rows, write_flows
from tests.trade import years

pytestmark = pytest.mark.slow  # whole runs up to flags

ROUTE = dict(zip(("exporter_iso", "importer_iso", "good"), SURGE, strict=True))
IS_SURGE = (pl.col("good") == ROUTE["good"]) & (pl.col("importer_iso") == ROUTE["importer_iso"])
RISES: dict[str, tuple[str, ...]] = {"features": ("record_excess_log", "baseline_excess_log", "unexplained_rise_log")}
RISES["inputs"] = ("rise_log", *RISES["features"])


class Planted:
    """A stage that multiplies the rise of the surge by a factor, and counts how often it was gone through."""

    def __init__(self, factor: float, place: str) -> None:
        self.factor, self.rises, self.times = factor, RISES[place.removeprefix("after ")], 0

    def build(self, frame: Frame, _settings: Settings) -> Iterator[tuple[Frame]]:
        self.times += 1
        rises = [pl.when(IS_SURGE).then(pl.col(name) * self.factor).otherwise(pl.col(name)) for name in self.rises]
        yield (frame.with_columns(*[rise.alias(name) for rise, name in zip(rises, self.rises, strict=True)]),)


def stages(planted: Planted, place: str) -> tuple[Stage, ...]:
    """A copy of the list with one stage more."""
    if place == "after features":
        added = Stage("planted", (Lazy("features"),), ("planted",), planted.build)
        return (
            GOODS_LISTS,
            added,
            replace(scores.INPUTS, reads=(Lazy("planted"), "features.roughness", "goods_lists")),
            scores.SCORES,
        )
    added = Stage("planted", (Lazy("inputs"),), ("planted",), planted.build)
    return (GOODS_LISTS, scores.INPUTS, added, replace(scores.SCORES, reads=("planted",)))


@pytest.fixture(scope="module")
def trade() -> list[dict[str, Any]]:
    """Eurostat tells what the coalition sells, and what Armenia sells to Brazil, which is taken off its rise."""
    flows = [row | ({"source": "comext", "dataset": "eu"} if row["reporter_iso"] == "DEU" else {}) for row in rows()]
    to_brazil = {**dict.fromkeys(range(2018, 2022), 4_000_000), 2022: 9_000_000}
    return [*flows, *years("ARM", "BRA", to_brazil, code=ROUTE["good"], source="comext", dataset="eu")]


def ran(root: Path, *jobs: str) -> Store:
    for job in jobs:
        run.main(root / "raw", root / "data", str(root / "quick.toml"), job)
    return Store(root / "data")


UP_TO_FEATURES = ("families", "coverage", "bilateral", "supply", "features")


def score(store: Store) -> float:
    of_2022 = store.read("scores").filter(**ROUTE).filter(pl.col("window_end").dt.year() == 2022)
    return float(of_2022["anomaly_score"].item())


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, trade: list[dict[str, Any]]) -> Path:
    """A run as far as no stage of the scores is in it, to go on from in a copy."""
    root = tmp_path_factory.mktemp("measured")
    write_flows(root, trade)
    ran(root, *UP_TO_FEATURES)
    return root


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, measured: Path) -> Store:
    """A run without it."""
    root = shutil.copytree(measured, tmp_path_factory.mktemp("plain") / "run", symlinks=True)
    return ran(root, "scores", "flags")


@pytest.mark.parametrize("place", ["after features", "after inputs"])
def test_a_stage_put_between_two_others_is_passed_by_all(
    place: str, plain: Store, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = Planted(0.5, place)
    monkeypatch.setattr(scores, "STAGES", stages(planted, place))
    root = shutil.copytree(measured, tmp_path / "run", symlinks=True)
    store = ran(root, "scores")
    assert planted.times == 1
    assert score(store) < score(plain)

    ran(root, "flags")
    of_left_out = planted.times - 1
    assert set(store.read("flags.without")["source_left_out"]) == {"comext", "comtrade"}
    assert of_left_out >= (2 if place == "after features" else 1)  # inputs of each publisher; forests once

    words = ["explain", f"{ROUTE['good']}:ARM:RUS:2022", "--reproduce", "--format", "json"]
    options = ["--data", str(root / "data"), "--scenario", str(root / "quick.toml")]
    result = CliRunner().invoke(main, [*words, *options])
    assert json.loads(result.stdout)["score"]["reproduced"].startswith("yes"), result.output
    assert planted.times == of_left_out + 2


@pytest.mark.parametrize("place", ["after features", "after inputs"])
def test_a_stage_that_silences_a_rise_silences_the_flag_of_the_run_and_of_the_backtest(
    place: str, plain: Store, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plain.read("flags").filter(**ROUTE).height == 1
    monkeypatch.setattr(scores, "STAGES", stages(Planted(0.0, place), place))
    store = ran(shutil.copytree(measured, tmp_path / "run", symlinks=True), "scores", "flags", "backtest")
    assert store.read("flags").filter(**ROUTE).is_empty()
    case_row = store.read("backtest").filter(measure="case_routes_flagged", method="ours", kind="arm-rus-870323-2022")
    assert (case_row["hits"].item(), case_row["out_of"].item()) == (0, 1)
