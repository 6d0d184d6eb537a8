"""The job of the backtest on a small store of annual trade: a date knows nothing that was not out by then."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main
from anomaly.contract import schema, settings
from anomaly.store.store import Store
from pipelines import run
from tests.trade import flow

pytestmark = pytest.mark.slow  # whole runs and replays

GOODS = ("847989", "853710", "870323", "870324")
PLACEBOS = "ARG CHL COL PER EGY MAR THA VNM MYS IDN PHL SAU PAK KEN ECU BOL PRY URY GHA SEN TUN JOR LKA BGD"
IMPORTERS = ("RUS", *PLACEBOS.split())
HUBS = ("ARM", "KAZ", "TUR", "CHN")
SURGE = ("ARM", "RUS", "870323")


def rows() -> list[dict[str, object]]:
    """Honest trade of 4 hubs with 25 importers; in 2022 the coalition leaves and one hub's cars rise fiftyfold."""
    noise, flows = np.random.default_rng(7), []
    for year in range(2018, 2023):
        for good in GOODS:
            for importer in IMPORTERS:
                for hub in HUBS:
                    value = int(4e6 * np.exp(noise.normal(0, 0.1)))
                    is_surge = year == 2022 and (hub, importer, good) == SURGE
                    flows.append(flow(year, hub, importer, value * (50 if is_surge else 1), code=good))
                left = 0.05 if year == 2022 and importer == "RUS" else 1.0
                flows.append(flow(year, "DEU", importer, int(2e8 * left), code=good))
    return flows


def write_flows(root: Path, trade: list[dict[str, object]]) -> Path:
    """Lay flows under root/data, no raw files under root/raw, and a scenario with a small forest, whose path it returns."""
    flows = pl.DataFrame(trade, schema_overrides={"net_wgt_g": pl.Int64}).with_columns(
        vintage=pl.lit("2025-02-26"), reported_value="primary_value_usd", currency=pl.lit("USD"),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean), is_confidential=pl.lit(value=False),
        is_current=pl.lit(value=True), raw_file=pl.lit("a" * 12), classification_code=pl.lit("H5"),
    )  # fmt: skip
    file = {
        "source": "comtrade", "dataset": "extract", "vintage": "2025-02-26", "path": "comtrade/a.csv", "sha256": "a" * 64,
        "size_bytes": 1, "url": None, "fetched_at": None, "rows_in": 1, "rows_kept": 1, "rows_rejected": 0,
        "rows_errors": 0, "rows_deduplicated": 0,
    }  # fmt: skip
    types = {name: column.dtype for name, column in schema.RawFiles.columns().items()}
    with Store(root / "data").writer("flows", inputs={}, settings="", code_version="") as writer:
        writer.add(flows.select(schema.Flows.column_names()))
        writer.add(pl.DataFrame([file], schema=types), "flows.files")
    scenario = (settings.SCENARIOS / "russia-2022.toml").read_text(encoding="utf-8")
    quick = "\n[forest]\ntrees = 20\nseeds = [0, 1]\n"
    (root / "quick.toml").write_text(scenario + quick, encoding="utf-8")
    (root / "raw").mkdir()
    return root / "quick.toml"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of flows, families, coverage and the backtest."""
    root = tmp_path_factory.mktemp("replayed")
    scenario = write_flows(root, rows())
    for job in ("families", "coverage", "backtest"):
        run.main(root / "raw", root / "data", str(scenario), job)
    return root


@pytest.fixture(scope="module")
def table(data: Path) -> pl.DataFrame:
    return Store(data / "data").read("backtest")


def own_figures(table: pl.DataFrame, measure: str) -> dict[str, tuple[int, int]]:
    matches = table.filter(measure=measure, method="ours", leg="hub to target", kind="").filter(
        pl.col("window_months") != 0
    )
    return {as_of: (hits, out_of) for as_of, hits, out_of in matches.select("as_of", "hits", "out_of").rows()}


def test_the_flag_of_2022_is_raised_at_the_end_of_2023_when_2022_is_out(table: pl.DataFrame) -> None:
    assert own_figures(table, "flagged_share") == {"2023-12-31": (1, 16), "all": (1, 16)}


def test_before_the_sanctions_nothing_is_flagged_although_the_dates_of_then_were_asked(table: pl.DataFrame) -> None:
    row = table.filter(measure="flagged_before_sanctions", method="ours", leg="hub to target").row(0, named=True)
    assert row["hits"] == 0
    assert row["out_of"] >= 16


def test_a_published_case_in_the_data_is_found_and_the_others_are_counted_as_not_there(table: pl.DataFrame) -> None:
    row = table.filter(measure="case_routes_flagged", method="ours", kind="arm-rus-870323-2022").row(0, named=True)
    assert (row["hits"], row["out_of"]) == (1, 1)
    tested = table.filter(measure="events_tested").row(0, named=True)
    assert 0 < tested["hits"] < tested["out_of"]


def test_a_run_does_not_make_the_backtest_and_a_second_backtest_does_nothing(data: Path) -> None:
    assert "backtest" not in [job.name for job in run.JOBS if job.in_run]
    outcome = run.main(data / "raw", data / "data", str(data / "quick.toml"), "backtest")
    assert not outcome.is_changed


def answer(data: Path, *options: str) -> str:
    command = [
        "backtest",
        "--raw",
        str(data / "raw"),
        "--data",
        str(data / "data"),
        "--scenario",
        str(data / "quick.toml"),
    ]
    result = CliRunner().invoke(main, [*command, *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_people_see_the_figures_side_by_side_and_programs_all_of_them(data: Path, table: pl.DataFrame) -> None:
    people = answer(data)
    assert "found with as many flags" in people
    assert "Hidiroglou" in people or "hidiroglou" in people
    assert len(answer(data, "--format", "csv").splitlines()) == table.height + 1


def test_the_command_writes_both_pages_the_chart_and_the_figures(data: Path) -> None:
    from anomaly.backtest.page import BEGIN, END

    pages = [data / "docs" / "PAGE.md", data / "SHORT.md"]
    pages[0].parent.mkdir()
    for page in pages:
        page.write_text(f"# A page\n{BEGIN}\n{END}\nthe rest\n", encoding="utf-8")
    answer(data, "--page", str(pages[0]), "--summary", str(pages[1]))
    full, short = (page.read_text(encoding="utf-8") for page in pages)
    for written in (full, short):
        assert written.startswith("# A page\n")
        assert written.endswith("the rest\n")
        assert "| found with as many flags" in written
    assert "](backtest.svg)" in full
    assert "right among the first 10" not in short
    assert (data / "docs" / "backtest.svg").read_text(encoding="utf-8").startswith("<svg")
    assert (data / "docs" / "backtest.csv").read_text(encoding="utf-8").count("\n") > 10


def test_the_short_table_is_not_written_without_the_page_it_is_a_part_of(data: Path, tmp_path: Path) -> None:
    short = tmp_path / "SHORT.md"
    short.write_text("", encoding="utf-8")
    words = ["backtest", "--raw", str(data / "raw"), "--data", str(data / "data"), "--summary", str(short)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "--page beside --summary" in result.stderr


def test_without_tables_the_command_says_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["backtest", "--data", str(tmp_path / "nowhere"), "--raw", str(tmp_path)])
    assert result.exit_code == 69
    assert "run `make`" in result.stderr
