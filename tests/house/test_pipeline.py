"""The whole way from raw files to reports on the simulated world: planted truths found, golden flags, the same bytes."""

import csv
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from anomaly import world
from anomaly.cli.commands import main
from anomaly.cli.commands import main as cli
from anomaly.flags import naming
from anomaly.store.store import Store
from pipelines import run
from tests import ROOT
from tests.conftest import MadeOnce

pytestmark = pytest.mark.slow  # the whole world is made and run

GOLDEN = ROOT / "tests" / "golden" / "world_flags.csv"
ROUTE = ["good", "exporter_iso", "importer_iso"]
REPORTS = {
    "report.html", "flags.xlsx", "flags.csv", "flags.parquet", "cases.csv", "cases.parquet", "changes.json", "manifest.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> world.World:
    return world.build()


@pytest.fixture(scope="module")
def demo(made_once: MadeOnce) -> Path:
    return made_once("demo", lambda folder: run.demo(folder / "raw", folder / "processed", "russia-2022"))


@pytest.fixture(scope="module")
def flags(demo: Path) -> pl.DataFrame:
    return Store(demo / "processed").read("flags")


def planted(made: world.World, kind: str) -> pl.DataFrame:
    return made.labels.filter(pl.col("kind") == kind)


@pytest.mark.parametrize("kind", ["hub_reexport", "new_route", "ghost_transit"])
def test_every_planted_route_is_flagged_but_a_large_one_that_grows_threefold_and_one_whose_hub_bought_no_more(
    flags: pl.DataFrame, made: world.World, kind: str
) -> None:
    missed = planted(made, kind).join(flags, on=ROUTE, how="anti")
    assert set(missed["episode_id"]) == ({"hub-04", "hub-11"} if kind == "hub_reexport" else set()), missed


def test_the_hub_of_the_route_that_is_missed_bought_less_of_the_good_than_in_the_baseline(
    demo: Path, made: world.World
) -> None:
    """What it bought for the target is less than what its own market bought less: it has no room for a re-export."""
    routes = planted(made, "hub_reexport").filter(episode_id="hub-04").select(ROUTE)
    whole = pl.col("window_end").is_between(pl.date(2022, 12, 1), pl.date(2023, 6, 1))
    rows = Store(demo / "processed").read("features", where=whole).join(routes, on=ROUTE, how="semi")
    assert rows.height >= 5
    assert (rows["coalition_to_hub_usd"] < rows["coalition_to_hub_baseline_usd"]).all()
    scores = Store(demo / "processed").read("scores", where=whole).join(routes, on=ROUTE, how="semi")
    assert set(scores["room_log"]) == {0.0}


def test_at_most_one_in_ten_of_the_alarms_on_routes_to_targets_is_honest(
    flags: pl.DataFrame, made: world.World
) -> None:
    to_targets = flags.filter(naming.is_alarm(), pl.col("importer_iso").is_in(["RUS", "BLR"]))
    honest = to_targets.join(made.labels.filter("is_evasion"), on=ROUTE, how="anti")
    assert to_targets.height > 100
    assert honest.height <= 0.1 * to_targets.height


def test_no_planted_collapse_is_flagged(flags: pl.DataFrame, made: world.World) -> None:
    assert flags.join(planted(made, "collapse"), on=ROUTE, how="semi").is_empty()


def test_at_most_one_route_of_a_product_boom_is_flagged(flags: pl.DataFrame, made: world.World) -> None:
    flagged = flags.join(planted(made, "product_boom"), on=ROUTE, how="semi")
    assert flagged.select(ROUTE).unique().height <= 1


def test_nothing_is_flagged_before_the_sanctions(flags: pl.DataFrame) -> None:
    assert flags.filter("is_before_sanctions").is_empty()


def test_the_missions_route_went_from_37_to_178_million_and_is_flagged_from_that_half_year_on(
    demo: Path, flags: pl.DataFrame
) -> None:
    """Its months stepped up after the measures, which few honest rises of its size did."""
    route = {"good": "851712+", "exporter_iso": "KAZ", "importer_iso": "RUS"}
    phones = Store(demo / "processed").read("features", where=pl.col("good") == "851712+")
    half = phones.filter(window_months=6, window_end=date(2022, 6, 1), **route).row(0, named=True)
    assert (half["value_prior_year_usd"], half["value_usd"]) == (37_000_000, 178_000_000)
    halves, quarters = (flags.filter(window_months=months, **route).sort("window_end") for months in (6, 3))
    assert halves["window_end"].to_list() == [date(2022, 6, 1), date(2022, 12, 1), date(2023, 6, 1)]
    assert quarters["window_end"].to_list() == [date(2022, 9, 1), date(2022, 12, 1), date(2023, 3, 1)]
    for flag in [*halves[:2].to_dicts(), *quarters.to_dicts()]:
        reasons = {reason["indicator"] for reason in flag["reasons"]}
        assert {"surge_log", "unexplained_rise_log", "upstream_surge_log", "direct_drop_log"} <= reasons


def test_a_period_that_is_not_complete_is_refused_by_name(demo: Path) -> None:
    refused = Store(demo / "processed").read("features.refused")
    assert {"partial_period", "not_reported", "too_few_months", "edition_break"} <= set(refused["refusal"].unique())


def test_every_row_of_every_file_is_accounted_for(demo: Path) -> None:
    files = Store(demo / "processed").read("flows.files")
    assert (files["rows_in"] == files["rows_kept"] + files["rows_rejected"] + files["rows_deduplicated"]).all()
    assert files["rows_rejected"].sum() == Store(demo / "processed").read("flows.rejected").height


def test_the_reports_lie_where_latest_points(demo: Path) -> None:
    latest = demo / "processed" / "reports" / "latest"
    assert {path.name for path in latest.iterdir()} == REPORTS


def test_a_simulated_report_says_so(demo: Path) -> None:
    page = (demo / "processed" / "reports" / "latest" / "report.html").read_text(encoding="utf-8")
    assert "simulated" in page.lower()


def test_the_manifest_traces_flags_to_the_sha256_of_every_raw_file(demo: Path) -> None:
    manifest = json.loads((demo / "processed" / "reports" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    sha256_of = {file["path"]: file["sha256"] for file in manifest["raw_files"]}
    for name, sha256 in sha256_of.items():
        assert hashlib.sha256((demo / "raw" / name).read_bytes()).hexdigest() == sha256
    assert manifest["scenario"]["sha256"]
    assert manifest["seeds"] == [0, 1, 2, 3, 4]


def test_the_flags_of_the_highest_priority_say_what_remains_without_each_publisher(
    demo: Path, flags: pl.DataFrame
) -> None:
    without = Store(demo / "processed").read("flags.without")
    standing = flags.filter(pl.col("flag_type") != "resolved").sort("priority", descending=True)
    tried = standing.filter(pl.col("priority") >= standing["priority"][:200].min())["flag_id"]
    assert set(without["flag_id"]) <= set(tried)
    assert without["flag_id"].n_unique() == min(200, standing.height)
    eurostat = without.filter(source_left_out="comext")
    assert {"flagged", "weaker", "not_flagged", "not_comparable"} == set(eurostat["remains"])
    own = flags.filter(pl.col("exporter_iso").is_in(["DEU", "POL", "LTU"])).join(eurostat, on="flag_id")
    assert set(own["remains"]) == {"not_comparable"}


def test_every_flag_has_comparables_both_sides_and_a_list_of_what_would_make_it_benign(flags: pl.DataFrame) -> None:
    assert flags["evidence"].null_count() == 0
    assert (flags["sides"].list.len() == 3).all()
    assert (flags["benign_if"].list.len() >= 3).all()
    assert (flags["comparables"].list.len() >= 1).sum() > 0.9 * flags.height
    own = flags.select("value_usd", side=pl.col("sides").list.first().struct.field("export_value_fob_usd"))
    assert (own["value_usd"] == own["side"]).all()


def test_every_reason_of_every_flag_is_over_its_threshold(flags: pl.DataFrame) -> None:
    reasons = flags["reasons"].explode().struct.unnest()
    assert set(flags["flag_type"]) >= {"hub_reexport", "ghost_transit", "new_route", "relabel", "resolved"}
    assert (reasons["value"] >= reasons["threshold"]).all()


def test_the_flags_are_the_golden_ones(flags: pl.DataFrame) -> None:
    """`python -m tests.house.test_pipeline` writes the file anew after a change that is meant."""
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        golden = list(csv.DictReader(file))
    assert golden_rows(flags) == golden


def golden_rows(flags: pl.DataFrame) -> list[dict[str, str]]:
    """What of a flag must not change unseen: what is flagged, as what, with which reasons and how sure."""
    return [
        {
            "flag_id": flag["flag_id"],
            "flag_type": flag["flag_type"],
            "severity": flag["severity"],
            "value_usd": str(flag["value_usd"]),
            "q_value": f"{flag['q_value']:.3f}" if flag["q_value"] is not None else "",
            "reasons": " ".join(reason["indicator"] for reason in flag["reasons"]),
        }
        for flag in flags.sort("flag_id").to_dicts()
    ]


def test_a_second_run_with_nothing_changed_writes_nothing(demo: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(demo, tmp_path / "demo", symlinks=True)
    outcome = run.demo(copy / "raw", copy / "processed", "russia-2022")
    assert not outcome.is_changed
    assert content(copy / "processed") == content(demo / "processed")


def test_explain_fits_the_forest_again_and_finds_the_score_to_the_last_digit(demo: Path, tmp_path: Path) -> None:
    def reproduced(data: Path) -> str:
        arguments = ["explain", "851712+-KAZ-RUS-2022-06-6M", "--reproduce", "--format", "json", "--data", str(data)]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        return str(json.loads(result.stdout)["score"]["reproduced"])

    assert reproduced(demo / "processed").startswith("yes")
    data = tmp_path / "processed"
    shutil.copytree(demo / "processed", data, symlinks=True)
    shutil.rmtree(data / "runs")  # questions read what was committed last
    store = Store(data)
    names = ("scores", "scores.calibration", "scores.contributions")
    tables = {name: store.read(name) for name in names}
    for column in ("anomaly_score", "evidence_score", "p_value", "q_value"):
        moved = tables["scores"].with_columns(pl.col(column) * (1 - 1e-12))
        with store.writer("scores", inputs={}) as writer:
            for name, table in {**tables, "scores": moved}.items():
                writer.add(table, name)
        assert reproduced(data).startswith(f"no: again it gives {column} ")


def test_the_manifest_names_versions_documents_and_where_each_raw_file_was_published(demo: Path) -> None:
    data = demo / "processed"
    latest = data / "reports" / "latest"
    manifest = json.loads((latest / "manifest.json").read_text(encoding="utf-8"))
    documents = {name: hashlib.sha256((latest / name).read_bytes()).hexdigest() for name in REPORTS - {"manifest.json"}}
    assert manifest["documents"] == documents
    store = Store(data)
    assert {name: entry["version"] for name, entry in manifest["tables"].items()} == {
        job.name: store.version(job.name) for job in run.JOBS if job.in_run and not job.publishes
    }
    for table, entry in manifest["tables"].items():
        for name, version in entry["made_of"].items():
            assert name not in manifest["tables"] or version == manifest["tables"][name]["version"], table
    assert all(file["url"] and "fetched_at" in file for file in manifest["raw_files"])
    assert all(file["vintage"] for file in manifest["raw_files"] if file["source"] != "ecb")
    assert set(store.read("flows.files")["sha256"]) == {file["sha256"] for file in manifest["raw_files"]}
    assert manifest["code_version"]


STAGES = tuple("reports" if job.publishes else job.name for job in run.JOBS if job.in_run)


EVERY = os.environ.get("ANOMALY_EVERY_FAULT")


@pytest.mark.parametrize(
    ("stage", "point"),
    [(stage, at) for stage in STAGES for at in (7, 20)] if EVERY else [("flags", 20), ("reports", 7)],
)
def test_a_run_killed_in_a_stage_and_started_again_ends_as_if_nothing_happened(
    demo: Path, tmp_path: Path, stage: str, point: int
) -> None:
    """Started in a folder of its own: nothing is written there, nor among the raw files."""
    data, elsewhere = tmp_path / "processed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(demo / "processed", data, symlinks=True)
    for later in STAGES[STAGES.index(stage) :]:
        shutil.rmtree(data / later)
    raw_before = content(demo / "raw")
    job = [sys.executable, "-m", "pipelines", "run", "--raw", str(demo / "raw"), "--data", str(data)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    fault = {"ANOMALY_FAIL_AT": f"{stage}:{point}:kill"}
    killed = subprocess.run(job, cwd=elsewhere, env={**environment, **fault}, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    subprocess.run(job, cwd=elsewhere, env=environment, check=True, capture_output=True)
    assert content(data) == content(demo / "processed")
    assert content(demo / "raw") == raw_before
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("threads", [1, 4])
def test_another_number_of_threads_gives_the_same_bytes(demo: Path, tmp_path: Path, threads: int) -> None:
    environment = {**os.environ, "POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    job = [sys.executable, "-m", "pipelines", "run", "--raw", str(demo / "raw"), "--data", str(tmp_path)]
    subprocess.run(job, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert content(tmp_path) == content(demo / "processed")


def test_a_changed_byte_of_a_report_is_named_by_verify(demo: Path, tmp_path: Path) -> None:
    data = tmp_path / "processed"
    shutil.copytree(demo / "processed", data, symlinks=True)
    assert CliRunner().invoke(cli, ["verify", "--data", str(data)]).exit_code == 0
    page = data / "reports" / "latest" / "report.html"
    page.write_bytes(page.read_bytes().replace(b"flag", b"flog", 1))
    result = CliRunner().invoke(cli, ["verify", "--data", str(data)])
    assert result.exit_code == 74
    assert f"reports/{page.resolve().parent.name}/report.html" in result.stderr


def test_rows_in_another_order_give_the_same_flags(demo: Path, tmp_path: Path) -> None:
    raw, data = tmp_path / "raw", tmp_path / "processed"
    shutil.copytree(demo / "raw", raw)
    for path in raw.rglob("*.txt.gz"):
        header, *rows = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        random.Random(path.name).shuffle(rows)
        path.write_bytes(gzip.compress(b"".join([header, *rows]), mtime=0))
    run.main(raw, data, "russia-2022")
    for name in ("flags.parquet", "flags.csv"):
        reordered, expected = (folder / "reports" / "latest" / name for folder in (data, demo / "processed"))
        assert reordered.read_bytes() == expected.read_bytes()


def test_a_full_correlation_table_beside_the_raw_data_is_used(demo: Path, tmp_path: Path) -> None:
    """The table made up here keeps 8517.13 apart from 8517.12, which the project's own links join."""
    raw = tmp_path / "raw"
    (raw / "reference").mkdir(parents=True)
    kazakhstan = next((demo / "raw").rglob("*_398.*"))
    shutil.copy(kazakhstan, raw / kazakhstan.name)
    links = "hs2022, hs2017,relationship\n851713,851713,1:1\n851714,851714,1:1\n851712,851712,1:1\n"
    (raw / "reference" / "hs2022_hs2017_correlation.csv").write_text(links, encoding="utf-8")
    data = tmp_path / "processed"
    for job in ("flows", "families", "coverage", "bilateral"):
        run.main(raw, data, "russia-2022", job)
    phones = pl.col("code").str.starts_with("85171")
    with_table = Store(data).read("coverage.scope", where=phones)["code"].unique().sort().to_list()
    own = Store(demo / "processed").read("coverage.scope", where=phones)["code"].unique().sort().to_list()
    assert with_table == ["851712", "851713", "851714"]
    assert own == ["851712+"]
    words = ["query", "851713", "--exporter", "KAZ", "--importer", "RUS", "--data", str(data), "--format", "json"]
    result = CliRunner().invoke(cli, words)
    assert {row["good"] for row in json.loads(result.stdout)} == {"851713"}


def test_a_file_a_year_is_compared_as_one_extract(demo: Path, tmp_path: Path) -> None:
    raw, data = tmp_path / "raw", tmp_path / "processed"
    raw.mkdir()
    header, *rows = gzip.decompress(next((demo / "raw").rglob("*_398.txt.gz")).read_bytes()).splitlines(keepends=True)
    year = header.split(b"\t").index(b"refYear")
    for period in sorted({row.split(b"\t")[year] for row in rows}):
        content = b"".join([header, *[row for row in rows if row.split(b"\t")[year] == period]])
        (raw / f"Kazakhstan_{period.decode()}.txt.gz").write_bytes(gzip.compress(content, mtime=0))
    for job in ("flows", "families", "coverage", "bilateral"):
        run.main(raw, data, "russia-2022", job)
    store = Store(data)
    assert store.read("flows")["dataset"].n_unique() == 6
    phones = store.read("bilateral", where=pl.col("good") == "851712+").filter(importer_iso="RUS")
    assert phones["dataset"].n_unique() == 1
    assert phones["ref_date"].dt.year().unique().sort().to_list() == [2018, 2019, 2020, 2021, 2022, 2023]


def test_a_truncated_file_ends_with_65_names_it_and_leaves_the_tables_alone(demo: Path, tmp_path: Path) -> None:
    raw, data = tmp_path / "raw", tmp_path / "processed"
    shutil.copytree(demo / "raw", raw)
    shutil.copytree(demo / "processed", data, symlinks=True)
    before = content(data)
    victim = sorted(raw.rglob("*.txt.gz"))[0]
    victim.write_bytes(victim.read_bytes()[:-200])
    job = [sys.executable, "-m", "pipelines", "run", "--raw", str(raw), "--data", str(data)]
    result = subprocess.run(job, cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 65
    assert victim.name in result.stderr
    assert content(data) == before
    assert json.loads((data / "run-status.json").read_text(encoding="utf-8"))["exit_code"] == 65


def content(data: Path) -> dict[str, str]:
    """Path → sha256 of every file but those of how the run went."""
    return {
        path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith((".lock", "run-status"))
    }


def write_golden(folder: Path) -> None:
    """Run the demo in a folder and write GOLDEN from it."""
    run.demo(folder / "raw", folder / "processed", "russia-2022")
    rows: list[dict[str, Any]] = golden_rows(Store(folder / "processed").read("flags"))
    GOLDEN.parent.mkdir(exist_ok=True)
    with GOLDEN.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        write_golden(Path(name))
