"""Another regime is another file: China's minerals from raw files to answers, and a scenario of one's own on the same data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from anomaly import world
from anomaly.cli.commands import main
from anomaly.contract.errors import BadRequest, SettingsWrong
from anomaly.contract.periods import Window
from anomaly.contract.schema import is_own_gap
from anomaly.contract.settings import Settings, load
from anomaly.reference import goods
from anomaly.store import commit
from anomaly.store.disk import digest
from anomaly.store.store import Store
from pipelines import run
from tests.conftest import MadeOnce

pytestmark = pytest.mark.slow  # the whole world of another regime is made and run

CHINA = "china-minerals-2023"
ROUTE = ["good", "exporter_iso", "importer_iso"]
KEY = ["freq_code", "window_months", "window_end", *ROUTE]
FIGURES = ["value_usd", "value_prior_year_usd", "value_baseline_usd", "baseline_years"]
OWN = """
name = "old-baseline"
title = "A regime made up for a test, of 2018"
measures = "tariffs"
sanctions_since = 2018-03-01
baseline_years = [2015, 2016, 2017]
floor_usd = 20_000
materiality_usd = 200_000
extract_floor_usd = 5_000
[targets]
countries = ["USA"]
since = 2018-03-01
source = "made up"
[coalition]
countries = ["JPN", "KOR", "DEU"]
since = 2018-03-01
source = "made up"
[hub_candidates]
countries = ["MEX", "CAN", "VNM", "THA"]
since = 2018-03-01
source = "made up"
[thresholds]
surge_log = 0.7
[forest]
trees = 10
seeds = [0]
[calibration]
resamples = 1
[evidence]
most_left_out = 0
"""


@pytest.fixture(scope="module")
def minerals(made_once: MadeOnce) -> Path:
    return made_once("minerals", lambda folder: run.demo(folder / "raw", folder / "processed", CHINA))


@pytest.fixture(scope="module")
def own(minerals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a scenario of one's own, made over those of China's in a copy of the folder."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copytree(minerals / "processed", folder / "processed", symlinks=True)
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    outcome = run.main(minerals / "raw", folder / "processed", str(folder / "own.toml"))
    assert [step["job"] for step in outcome.steps if step["status"] == "no change"] == ["flows", "families"]
    return folder


@pytest.fixture(scope="module", params=[CHINA, "own"])
def made(request: pytest.FixtureRequest) -> tuple[Path, Settings]:
    """The tables of each of the two scenarios, and its settings."""
    if request.param == CHINA:
        return request.getfixturevalue("minerals") / "processed", load(CHINA)
    folder = request.getfixturevalue("own")
    return folder / "processed", load(str(folder / "own.toml"))


def ask(data: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", str(data)])


def answered(data: Path, *words: str) -> Any:
    result = ask(data, *words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def labels() -> pl.DataFrame:
    return world.build(description=world.describe(CHINA)).labels


def test_every_planted_detour_of_chinas_minerals_is_flagged(minerals: Path) -> None:
    flags = Store(minerals / "processed").read("flags")
    missed = labels().filter("is_evasion").join(flags, on=ROUTE, how="anti")
    assert missed["episode_id"].to_list() == []


def test_of_the_routes_to_the_target_that_are_flagged_since_the_measures_at_most_one_is_honest(minerals: Path) -> None:
    """Within q 0.10 one in ten is by chance; seven are flagged."""
    flags = Store(minerals / "processed").read("flags").filter(~pl.col("is_before_sanctions"), importer_iso="USA")
    honest = flags.join(labels().filter("is_evasion"), on=ROUTE, how="anti").select(ROUTE).unique()
    assert honest.height <= 1


def test_of_six_years_before_the_measures_at_most_one_route_is_flagged(minerals: Path) -> None:
    """All of them are honest: within q 0.10 a year has a flag by chance one time in ten."""
    store = Store(minerals / "processed")
    years = store.read("scores.calibration").filter(pl.col("window_end") < pl.date(2023, 8, 1), leg="hub to target")
    assert years["window_end"].dt.year().unique().len() == 6
    assert store.read("flags").filter("is_before_sanctions").height <= 1


def test_only_goods_under_control_at_the_time_are_flagged(minerals: Path) -> None:
    store = Store(minerals / "processed")
    listed = goods.listed(["china_minerals.csv"], store.read("families"))
    since = store.read("flags").filter(~pl.col("is_before_sanctions"))
    flags = since.join(listed.group_by("good").agg(pl.col("valid_from").min()), on="good", how="left")
    assert flags.filter(pl.col("valid_from").is_null()).is_empty()
    assert flags.filter(pl.col("window_end") < pl.col("valid_from")).is_empty()
    assert flags.filter(pl.col("good") == "282580")["window_end"].dt.year().unique().to_list() == [2024]


def test_where_everybody_else_is_a_possible_hub_the_placebos_are_said_to_be_goods_and_periods(minerals: Path) -> None:
    calibration = Store(minerals / "processed").read("scores.calibration")
    assert set(calibration["placebo_kind"]) == {"goods_and_periods"}
    assert calibration["says"].str.contains("not under the export controls").all()
    assert set(Store(minerals / "processed").read("features")["role"]) == {"target", "coalition", "other"}


def test_the_report_speaks_of_the_scenarios_measures(minerals: Path) -> None:
    page = (minerals / "processed" / "reports" / "latest" / "report.html").read_text(encoding="utf-8")
    assert load(CHINA).title.replace("'", "&#39;") in page
    assert "before the export controls" in page
    assert "the sanctions" not in page


def test_a_query_gives_the_figures_of_the_run(made: tuple[Path, Settings]) -> None:
    data, settings = made
    rows = run_rows(data, settings).filter(pl.col("window_end").dt.year() == 2019, window_months=6)
    answered_rows = answers(data, "2019H1", "2019H2")
    joined = rows.join(answered_rows, on=["window_end", *ROUTE], suffix="_asked")
    assert joined.height == rows.height > 50
    for name in FIGURES:
        assert joined.filter(~pl.col(name).eq_missing(pl.col(f"{name}_asked"))).is_empty(), name
    assert set(joined["baseline_years"]) == {"2015-2017" if settings.name == "old-baseline" else "2016-2018"}


def test_a_query_adds_up_the_figures_of_the_run_where_the_run_has_none(
    made: tuple[Path, Settings], tmp_path: Path
) -> None:
    """The same routes and windows, from bilateral alone: the scenario's baseline is what the sums are compared with."""
    data, settings = made
    only_trade = tmp_path / "processed"
    shutil.copytree(data, only_trade, symlinks=True)
    for table in ("features", "scores", "flags", "rollups", "reports", "runs"):
        shutil.rmtree(only_trade / table)
    rows = run_rows(data, settings).filter(pl.col("window_end").dt.year() == 2024, window_months=6)
    joined = rows.join(answers(only_trade, "2024H1", "2024H2"), on=["window_end", *ROUTE], suffix="_asked")
    assert joined.height == rows.height > 50
    for name in FIGURES[:-1]:
        assert joined.filter(~pl.col(name).eq_missing(pl.col(f"{name}_asked"))).is_empty(), name
    span = f"{settings.baseline_years[0]}-{settings.baseline_years[-1]}"
    assert set(joined.drop_nulls("value_baseline_usd")["baseline_years_asked"]) == {span}


def run_rows(data: Path, settings: Settings) -> pl.DataFrame:
    """The run's own comparisons of routes to the target."""
    rows = Store(data).read("features").filter(is_own_gap(settings.baseline_years), importer_iso="USA")
    return rows.select(*KEY, *FIGURES)


def answers(data: Path, *periods: str) -> pl.DataFrame:
    """What is answered of every route to the target, with the end of its window."""
    frames = []
    for period in periods:
        for chapter in sorted({good[:2] for good in Store(data).read("bilateral", ["good"])["good"].unique()}):
            words = ("query", chapter, "--importer", "USA", "--period", period, "--limit", "1000")
            rows = pl.DataFrame(answered(data, *words), infer_schema_length=None)
            if rows.height:
                frames.append(rows.select(*ROUTE, *FIGURES).with_columns(window_end=pl.lit(end_of(period))))
    return pl.concat(frames, how="vertical_relaxed").with_columns(pl.col("value_baseline_usd").cast(pl.Int64))


def end_of(period: str) -> Any:
    from datetime import date

    return date(int(period[:4]), 6 * int(period[-1]), 1)


def test_the_coalition_asked_for_is_that_of_the_scenario(made: tuple[Path, Settings]) -> None:
    data, settings = made
    row = answered(data, "query", "TOTAL", "--exporter", "coalition", "--importer", "USA", "--period", "2019")[0]
    trade = (
        Store(data)
        .read("bilateral")
        .filter(
            pl.col("exporter_iso").is_in(settings.coalition.countries),
            pl.col("ref_date").dt.year() == 2019,
            importer_iso="USA",
        )
    )
    assert row["value_usd"] == trade["value_usd"].sum() > 0


def test_explain_tells_the_windows_legs_thresholds_and_scenario_of_the_run(made: tuple[Path, Settings]) -> None:
    data, settings = made
    features = (
        Store(data)
        .read("features")
        .filter(
            is_own_gap(settings.baseline_years),
            pl.col("coalition_to_hub_usd") > 0,
            pl.col("window_end").dt.year() == 2024,
            window_months=12,
            importer_iso="USA",
        )
    )
    row = features.sort("value_usd").row(-1, named=True)
    period = Window("M", 12, row["window_end"]).name
    answer = answered(data, "explain", f"{row['good']}:{row['exporter_iso']}:USA:{period}")
    assert {name: answer["windows"][name] for name in FIGURES} == {name: row[name] for name in FIGURES}
    upstream = next(leg for leg in answer["legs"] if "exports of the good to the exporter" in leg["leg"])
    assert (upstream["window_usd"], upstream["baseline_usd"]) == (
        row["coalition_to_hub_usd"], row["coalition_to_hub_baseline_usd"],
    )  # fmt: skip
    thresholds = {indicator["indicator"]: indicator["threshold"] for indicator in answer["indicators"]}
    assert thresholds["surge_log"] == settings.thresholds.get("surge_log", thresholds["surge_log"])
    assert answer["run"]["scenario"] == settings.name
    assert answer["run"]["scenario_hash"] == settings.fingerprint()
    assert min(file["first"] for file in answer["raw_files"]) == f"{min(settings.baseline_years)}-01"


def test_explain_fits_the_forest_of_the_scenario_again(made: tuple[Path, Settings]) -> None:
    data, _ = made
    scores = Store(data).read("scores").filter(pl.col("q_value").is_not_null(), importer_iso="USA", window_months=12)
    row = scores.sort("window_end", "anomaly_rank", "good").row(-1, named=True)
    subject = f"{row['good']}:{row['exporter_iso']}:USA:{Window('M', 12, row['window_end']).name}"
    answer = answered(data, "explain", subject, "--reproduce")
    assert answer["score"]["reproduced"].startswith("yes")


def test_a_series_adds_up_to_the_run_and_knows_nothing_from_unknown(made: tuple[Path, Settings]) -> None:
    data, settings = made
    rows = run_rows(data, settings).filter(window_months=6).sort("value_usd", *KEY).tail(3)
    for row in rows.to_dicts():
        window = Window("M", 6, row["window_end"])
        first_month, last_month, _ = window.span()
        words = (row["good"], row["exporter_iso"], "USA", "--period", f"{first_month:%Y-%m}:{last_month:%Y-%m}")
        months = answered(data, "series", *words)
        assert sum(month["value_usd"] or 0 for month in months) == row["value_usd"]


def test_goods_and_hubs_are_the_rollups_of_the_run(made: tuple[Path, Settings]) -> None:
    data, _ = made
    rollups = Store(data).read("rollups")
    columns = ["key", "flags", "flagged_usd", "flagged_excess_usd", "total_usd", "flagged_share", "best_q_value"]
    assert rollups.height > 0
    for (rollup, end), of_window in rollups.filter(window_months=12).group_by("rollup", "window_end"):
        command = "goods" if rollup == "good" else "hubs"
        rows = answered(data, command, "--period", Window("M", 12, end).name, "--limit", "1000")
        rows = [row for row in rows if row["window_months"] == 12]
        assert pl.DataFrame(rows).select(columns).sort("key").rows() == of_window.select(columns).sort("key").rows()


def test_a_job_does_not_take_tables_of_another_scenario(minerals: Path, own: Path) -> None:
    with pytest.raises(SettingsWrong) as refused:
        run.main(minerals / "raw", own / "processed", CHINA, "scores")
    assert refused.value.exit_code == 78
    assert "features of old-baseline" in str(refused.value)


def test_tables_of_two_scenarios_in_one_folder_are_said_and_refused(
    minerals: Path, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "processed"
    shutil.copytree(minerals / "processed", data, symlinks=True)
    for job in ("flows", "families", "coverage", "bilateral", "features"):
        run.main(minerals / "raw", data, str(own / "own.toml"), job)
    assert f"made by another scenario: supply, leakage, scores, flags, rollups of {CHINA}" in capsys.readouterr().err
    assert ask(data, "query", "8112").stdout == ask(minerals / "processed", "query", "8112").stdout
    shutil.rmtree(data / "runs")  # a folder of before there were runs: the tables as they stand
    for words in (("query", "8112"), ("explain", "811292:BEL:USA"), ("goods",), ("hubs",)):
        result = ask(data, *words)
        assert (result.exit_code, result.stdout) == (78, "")
        assert CHINA in result.stderr
        assert "old-baseline" in result.stderr
    assert ask(data, "series", "811292", "BEL", "USA").exit_code == 0
    listed = ask(data, "scenarios")
    assert (listed.exit_code, "expected tables of one scenario" in listed.stderr) == (0, True)
    by_table = {row["table"]: row["scenario"] for row in answered(data, "tables")}
    assert (by_table["flows"], by_table["features"], by_table["flags"]) == (None, "old-baseline", CHINA)


def test_two_scenarios_of_one_name_are_told_apart_by_what_they_differ_in(
    minerals: Path, own: Path, tmp_path: Path
) -> None:
    data, scenario = tmp_path / "processed", tmp_path / "own.toml"
    shutil.copytree(own / "processed", data, symlinks=True)
    scenario.write_text(OWN.replace("floor_usd = 20_000", "floor_usd = 30_000"), encoding="utf-8")
    with pytest.raises(SettingsWrong, match="old-baseline with another floor_usd"):
        run.main(minerals / "raw", data, str(scenario), "scores")


def test_another_scenario_than_that_of_the_tables_is_an_error_of_explain(own: Path) -> None:
    subject = ("explain", "811292:BEL:USA", "--scenario")
    assert ask(own / "processed", *subject, str(own / "own.toml")).exit_code == 0
    result = ask(own / "processed", *subject, CHINA)
    assert result.exit_code == 78
    assert "old-baseline" in result.stderr


def written_again(folder: Path) -> None:
    """The current version under the name that its files have now, as a program of before would have left it."""
    pointer = json.loads((folder / commit.POINTER).read_bytes())
    version = folder / pointer["version"]
    files = {name: digest(version / name) for name in pointer["files"]}
    version.rename(folder / commit.version_of(files))
    pointer |= {"version": commit.version_of(files), "files": files}
    (folder / commit.POINTER).write_text(json.dumps(pointer), encoding="utf-8")


def test_tables_that_do_not_keep_their_scenario_are_refused_with_what_to_do(minerals: Path, tmp_path: Path) -> None:
    data = tmp_path / "processed"
    shutil.copytree(minerals / "processed", data, symlinks=True)
    shutil.rmtree(data / "runs")  # as before there were runs
    path = data / "bilateral" / Store(data).version("bilateral") / "_table.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    del meta["scenario"]
    path.write_text(json.dumps(meta), encoding="utf-8")
    written_again(data / "bilateral")
    for words in (("query", "8112"), ("series", "811292", "BEL", "USA"), ("explain", "811292:BEL:USA")):
        result = ask(data, *words)
        assert result.exit_code == 78
        assert "bilateral: made by a version that did not write it down" in result.stderr
        assert "run again" in result.stderr


def test_the_scenarios_are_listed_with_the_one_that_made_the_tables(own: Path) -> None:
    rows = {row["name"]: row for row in answered(own / "processed", "scenarios")}
    assert {name for name, row in rows.items() if row["made_these_tables"]} == {"old-baseline"}
    assert rows[CHINA]["hubs"] == "everyone else"
    assert "russia-2022" in rows


def test_the_report_that_lies_there_says_of_which_scenario_it_is(minerals: Path, own: Path) -> None:
    assert f"of the scenario {CHINA}" in ask(minerals / "processed", "report").stderr
    assert "of the scenario old-baseline" in ask(own / "processed", "report").stderr


def test_a_demo_does_not_write_one_world_over_another(minerals: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="DEMO"):
        run.demo(minerals / "raw", tmp_path, "russia-2022")
