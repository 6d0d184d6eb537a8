"""The front door: `import anomaly` opens a data folder, reads its tables and answers as the command line does."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from click.testing import CliRunner

import anomaly
from anomaly.cli.commands import main
from tests import ROOT
from tests.query_tables import CARS, FLAG_ID, write_store
from tests.trade import years

BUYERS = ("KAZ", "KGZ", "RUS", "UZB")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables")
    write_store(path)
    return path


@pytest.fixture(scope="module")
def many_flags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a route to every buyer, all of them in one window."""
    path = tmp_path_factory.mktemp("many")
    write_store(path, [row for buyer in BUYERS for row in years("ARM", buyer, CARS, code="870323")])
    return path


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulated")
    write_store(path, years("ARM", "RUS", CARS, code="870323", dataset="SIMULATED-cars"))
    return path


def by_command(folder: Path, *words: str) -> list[dict[str, object]]:
    done = CliRunner().invoke(main, [*words, "--data", str(folder), "--format", "json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_table_is_read_with_the_columns_and_rows_that_are_asked_for(folder: Path) -> None:
    data = anomaly.open_data(folder)
    flags = data.read("flags", ["flag_id"], pl.col("exporter_iso") == "KAZ")
    assert flags["flag_id"].to_list() == [FLAG_ID]
    assert data.tables()["flags"] == data.read("flags").height


def test_open_is_the_short_name_of_open_data(folder: Path) -> None:
    assert anomaly.open(folder) == anomaly.open_data(folder)


def test_a_route_is_the_question_of_both_its_sides(folder: Path) -> None:
    data = anomaly.open(folder)
    route = data.route("smartphones", "Kazakhstan", "RUS", "H1 2022")
    assert route["flag_id"].to_list() == [FLAG_ID]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 1), ({"code": "8517"}, 1), ({"code": "smartphones"}, 1), ({"code": "8703"}, 0), ({"exporter": "KAZ,KGZ"}, 1),
        ({"exporter": "KGZ"}, 0), ({"period": "2022"}, 1), ({"period": "2022Q2"}, 0), ({"period": "2021"}, 0),
    ],
)  # fmt: skip
def test_flags_are_those_of_a_good_a_side_or_a_period(folder: Path, asked: dict[str, str], count: int) -> None:
    assert anomaly.open(folder).flags(**asked).height == count


def test_a_question_has_the_figures_of_the_command_line(folder: Path) -> None:
    rows = anomaly.open_data(folder).query("8517.12", exporter="KAZ", importer="RUS", period="2022H1")
    answered = by_command(folder, "query", "8517.12", "--exporter", "KAZ", "--importer", "RUS", "--period", "2022H1")
    assert rows.select("value_usd", "value_prior_year_usd", "is_flagged").row(0) == (178_000_000, 37_000_000, True)
    assert [row["value_usd"] for row in answered] == rows["value_usd"].to_list()


def test_a_series_has_every_period_that_was_reported(folder: Path) -> None:
    series = anomaly.open_data(folder).series("870323", "Armenia", "Russia", freq_code="A")
    assert dict(series.select("period", "value_usd").iter_rows()) == {str(year): usd for year, usd in CARS.items()}


def test_a_flag_is_explained_with_its_reasons(folder: Path) -> None:
    parts = anomaly.open_data(folder).explain(FLAG_ID)
    assert parts["flag"]["flag_id"] == FLAG_ID
    assert parts["reasons"]


def test_what_cannot_be_answered_is_an_error_that_a_person_can_act_on(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(anomaly.AnomalyError, match="a country"):
        anomaly.open_data(folder).query("8517", exporter="Kazachstan!")
    with pytest.raises(anomaly.AnomalyError, match="a folder that holds the tables"):
        anomaly.open_data(tmp_path / "nowhere")


def test_a_frame_for_pandas_keeps_whole_dollars_whole_and_the_unknown_missing() -> None:
    frame = anomaly.to_pandas(pl.DataFrame({"good": ["010121", "851712+"], "value_usd": [2**53 + 1, None]}))
    assert isinstance(frame, pd.DataFrame)
    assert frame["good"].to_list() == ["010121", "851712+"]
    assert int(frame["value_usd"][0]) == 2**53 + 1
    assert bool(frame["value_usd"].isna()[1])


def test_no_row_is_left_out_unless_a_limit_is_given_and_then_how_many_is_said(many_flags: Path) -> None:
    data = anomaly.open_data(many_flags)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data.query("870323", exporter="Armenia", period="2022").height == len(BUYERS)
    with pytest.warns(
        anomaly.Remark, match=f"1 of {len(BUYERS)} rows, flagged ones first, then the largest; limit=None gives all"
    ):
        assert data.query("870323", exporter="Armenia", period="2022", limit=1).height == 1


def test_every_answer_about_a_simulated_world_says_that_no_figure_is_real(simulated: Path) -> None:
    data = anomaly.open_data(simulated)
    with pytest.warns(anomaly.Remark, match="no figure here is real"):
        data.query("870323", exporter="Armenia", period="2022")
    with pytest.warns(anomaly.Remark, match="no figure here is real"):
        data.series("870323", "Armenia", "Russia")


def test_an_answer_without_rows_says_why_and_which_line_asked(folder: Path) -> None:
    with pytest.warns(anomaly.Remark, match="the data hold annual data from 2019 to 2023") as remarks:
        assert anomaly.open_data(folder).query("870323", "Armenia", "Russia", "2030").is_empty()
    assert [Path(remark.filename) for remark in remarks] == [Path(__file__)]


def test_importing_the_front_door_loads_nothing_until_it_is_used() -> None:
    code = "import sys, anomaly; print(sorted({'polars', 'pandas', 'pydantic', 'click', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match="it has AnomalyError, Data, Remark, open, open_data, to_pandas"):
        anomaly.nothing  # noqa: B018
