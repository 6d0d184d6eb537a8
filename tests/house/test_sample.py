"""`make sample`: a small extract of a person's own Comext files, and the main job on it."""

import time
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.errors import SettingsWrong, SourceUnavailable
from anomaly.sources import comext_sample
from anomaly.store.store import Store
from pipelines import run, sample
from tests import REAL_RAW
from tests.conftest import MadeOnce

MUST_BE_CALLED = [
    ("870324", "KGZ"), ("870324", "KAZ"), ("870333", "KGZ"), ("870899", "ARM"), ("847130", "ARM"), ("844331", "ARM"),
    ("844331", "KGZ"), ("852872", "KAZ"),
]  # fmt: skip
is_real = pytest.mark.skipif(not REAL_RAW.is_dir(), reason="real statistics are not at hand (ANOMALY_REAL_RAW)")


def test_without_a_file_of_comext_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ecb").mkdir()
    for file in ([], ["ecb/EXR_D.csv"]):
        for name in file:
            (tmp_path / name).write_text("KEY\n")
        with pytest.raises(SourceUnavailable, match="files of Eurostat's Comext") as refused:
            sample.made(tmp_path)
        assert "make fetch" in str(refused.value)
        assert "make sample RAW=<folder>" in str(refused.value)


def test_a_scenario_without_a_coalition_to_join_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n')
    with pytest.raises(SettingsWrong, match="coalition"):
        sample._with_the_eu(str(own))


@pytest.fixture(scope="module")
def simulated(made_once: MadeOnce) -> Path:
    """The sample of the simulated world's files of Comext."""
    demo = made_once("demo", lambda folder: run.demo(folder / "raw", folder / "processed", "russia-2022"))
    return made_once("sample", lambda folder: sample.main(demo / "raw", folder, "russia-2022"))


@pytest.fixture(scope="module")
def real(made_once: MadeOnce) -> Path:
    def fill(folder: Path) -> None:
        clock = time.process_time()
        sample.main(REAL_RAW, folder, "russia-2022")
        (folder / "seconds.txt").write_text(str(time.process_time() - clock))

    return made_once("real_sample", fill)


@pytest.mark.slow
def test_the_simulated_worlds_sample_is_one_reporter_and_says_that_it_is_simulated(simulated: Path) -> None:
    store = Store(simulated / "processed")
    flows = store.read("flows")
    assert set(flows["reporter_iso"]) == {comext_sample.EU}
    assert set(flows["cmd_code"].str.len_chars()) == {6}
    assert set(store.read("bilateral")["exporter_iso"]) == {comext_sample.EU}
    assert store.read("supply").height > 0
    page = (simulated / "processed" / "reports" / "latest" / "report.html").read_text(encoding="utf-8")
    assert "SIMULATED" in page or "simulated" in page


@pytest.mark.slow
def test_its_sums_are_those_of_the_files_it_was_made_of(simulated: Path, made_once: MadeOnce) -> None:
    demo = made_once("demo", lambda folder: run.demo(folder / "raw", folder / "processed", "russia-2022"))
    own = Store(simulated / "processed").read("flows").group_by("ref_date", "partner_iso", "cmd_code")
    whole = (
        Store(demo / "processed")
        .read("flows")
        .filter(comext_sample.wanted(Store(simulated / "processed").read("flows")["cmd_code"].unique()))
        .filter("is_current", source="comext")
        .group_by("ref_date", "partner_iso", cmd_code=pl.col("cmd_code").str.slice(0, 6))
    )
    key = ["ref_date", "partner_iso", "cmd_code"]
    sums = [table.agg(pl.col("reported_value").sum()).sort(key) for table in (own, whole)]
    assert sums[0].equals(sums[1].select(sums[0].columns))


@pytest.mark.slow
def test_the_same_files_give_the_same_sample(made_once: MadeOnce) -> None:
    demo = made_once("demo", lambda folder: run.demo(folder / "raw", folder / "processed", "russia-2022"))
    assert sample.made(demo / "raw") == sample.made(demo / "raw")


@is_real
@pytest.mark.slow
def test_a_real_sample_is_small_and_run_in_less_than_a_minute(real: Path) -> None:
    size = sum(path.stat().st_size for path in (real / "raw").rglob("*") if path.is_file())
    assert size < comext_sample.MOST_BYTES
    assert float((real / "seconds.txt").read_text()) < 60


@is_real
@pytest.mark.slow
@pytest.mark.parametrize(("good", "hub"), MUST_BE_CALLED)
def test_the_known_cases_are_called_in_the_real_sample(real: Path, good: str, hub: str) -> None:
    rows = Store(real / "processed").read("supply").filter(good=good, importer_iso=hub)
    assert rows.sort("window_end")["called_by"].to_list()[-1] is not None
    assert min(rows.sort("window_end").select("date_q_value", "window_q_value").row(-1)) <= 0.05


@is_real
@pytest.mark.slow
def test_no_leg_of_the_real_sample_is_called_at_a_date_before_the_measure(real: Path) -> None:
    assert set(Store(real / "processed").read("supply.calibration")["pseudo_calls"]) == {0}
