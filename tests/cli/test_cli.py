"""The command line by its text: what it prints, where, with which exit code, and what it does not load."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly.bilateral.known import ROWS_THAT_SHOW_A_CUT
from anomaly.cli.commands import main
from anomaly.cli.output import FORMATS, arrow, cell
from anomaly.contract import schema
from anomaly.contract.settings import load
from anomaly.store.store import Store
from tests import ROOT
from tests.query_tables import CARS, FLAG_ID, REASON, frames, write_store
from tests.trade import flow

HEAVY = ("pydantic", "dataframely", "sklearn", "pandas", "pyarrow", "numpy.testing", "scipy")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("asked") / "processed"
    root.mkdir()
    write_store(root)
    return root


def run(data: Path, *arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": None}).invoke(main, [*arguments, "--data", str(data)], prog_name="anomaly")


def rows(data: Path, *arguments: str) -> list[dict]:
    result = run(data, *arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


MISSION = ("query", "8517.12", "--exporter", "KAZ", "--importer", "RUS", "--period", "2022H1")


def test_the_missions_question_is_answered_with_37_to_178_million_381_percent_flagged_and_why(data):
    result = run(data, *MISSION)
    assert result.exit_code == 0
    assert "37.0 → 178.0 million USD (+381 %)" in result.stdout
    assert "flagged: hub_reexport, high, q 0.012" in result.stdout
    assert f"  - {REASON}" in result.stdout
    assert "178,000,000" in result.stdout
    assert f"anomaly explain {FLAG_ID}" in result.stderr


@pytest.mark.parametrize("exporter", ["KZ", "KAZ", "Kazakhstan", "kazakhstan"])
@pytest.mark.parametrize("code", ["8517.13", "851712", "851712+"])
def test_countries_and_codes_are_taken_as_people_write_them(data, code, exporter):
    answer = rows(data, "query", code, "--exporter", exporter, "--importer", "Russian Federation", "--period", "2022H1")
    assert [row["flag_id"] for row in answer] == [FLAG_ID]


def test_every_format_holds_the_same_number(data):
    answers = {form: run(data, *MISSION, "--format", form) for form in FORMATS}
    assert {result.exit_code for result in answers.values()} == {0}
    assert json.loads(answers["json"].stdout)[0]["value_usd"] == 178_000_000
    assert json.loads(answers["ndjson"].stdout)["reasons"] == [REASON]
    assert next(csv.DictReader(io.StringIO(answers["csv"].stdout)))["value_usd"] == "178000000"
    assert "| 178,000,000 |" in answers["markdown"].stdout


def test_the_cars_of_armenia_come_out_to_the_dollar(data):
    result = run(data, "series", "870323", "ARM", "RUS")
    lines = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines() if line[:2] == "20"}
    assert lines == {
        "2019": "400,000", "2020": "500,000", "2021": "1,087,497", "2022": "127,950,897", "2023": "185,702,354",
    }  # fmt: skip
    assert "not reported" in result.stdout


def test_simulated_trade_is_called_so_beside_every_answer(tmp_path):
    sides = frames()["bilateral"].with_columns(dataset=pl.lit("SIMULATED-") + pl.col("dataset"))
    with Store(tmp_path).writer("bilateral", inputs={}, scenario=load().recorded()) as writer:
        writer.add(sides)
    for command in (("query", "870323", "--importer", "RUS"), ("series", "870323", "ARM", "RUS")):
        assert "simulated trade: no figure here is real" in run(tmp_path, *command).stderr


def test_a_flag_explained_and_sums_of_flags_are_called_simulated_too(data, tmp_path):
    folder = tmp_path / "simulated"
    shutil.copytree(data, folder)
    store = Store(folder)
    files = store.read("flows.files").with_columns(dataset=pl.lit("comtrade/SIMULATED-M"))
    flows = store.read("flows")
    with store.writer("flows", inputs={}, scenario=load().recorded()) as writer:
        writer.add(flows)
        writer.add(files, "flows.files")
    for command in (("explain", FLAG_ID), ("hubs",)):
        assert "simulated trade: no figure here is real" in run(folder, *command).stderr


def test_real_trade_is_not_called_simulated(data):
    assert "simulated" not in run(data, "query", "870323", "--importer", "RUS").output


def test_a_mirror_that_is_silent_is_null_and_not_zero(data):
    by_year = {row["period"]: row for row in rows(data, "series", "8703.23", "Armenia", "RU", "--freq", "A")}
    assert by_year["2022"]["import_value_cif_usd"] == 131_000_000
    assert by_year["2022"]["reexport_value_fob_usd"] == 120_000_000
    assert by_year["2021"]["import_value_cif_usd"] is None


def test_a_sum_over_the_eu_in_euro_is_exact(data):
    answer = rows(
        data,
        "query",
        "TOTAL",
        "--exporter",
        "EU27",
        "--importer",
        "RUS",
        "--period",
        "2022-01:2022-05",
        "--currency",
        "EUR",
    )
    assert [(row["exporter_iso"], row["value_prior_year_eur"], row["value_eur"]) for row in answer] == [
        ("EU27", 50_000_000, 2_500_000)
    ]
    result = run(
        data,
        "query",
        "TOTAL",
        "--exporter",
        "EU27",
        "--importer",
        "RUS",
        "--period",
        "2022-01:2022-05",
        "--currency",
        "EUR",
    )
    assert "50.0 → 2.5 million EUR (−95 %)" in result.stdout


def test_a_series_of_a_route_without_a_row_says_where_nothing_was_traded(data):
    exported = {row["period"]: row["export_value_fob_usd"] for row in rows(data, "series", "870323", "KAZ", "DEU")}
    assert exported == {}, "Germany is no partner of the extract"
    exported = {row["period"]: row["export_value_fob_usd"] for row in rows(data, "series", "870324", "ARM", "RUS")}
    assert exported == dict.fromkeys(["2019", "2020", "2021", "2022", "2023"], 0)


def test_a_series_of_a_group_adds_up_its_members(data):
    answer = rows(data, "series", "TOTAL", "EU27", "RUS", "--freq", "A", "--period", "2022")
    assert [(row["period"], row["export_value_fob_usd"]) for row in answer] == [("2022", 390_002_022 + 9_000_000)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("query", "8517x"), "HS code"),
        (("query", "851799"), "851712+"),
        (("query", "8517", "--exporter", "Kazahkstan"), "Kazakhstan (KAZ)"),
        (("query", "8517", "--period", "2022H3"), "2022H1"),
        (("query", "8517", "--period", "2020:2022"), "at most twelve months"),
        (("query", "TOTAL"), "--exporter or --importer"),
        (("query", "8517", "--currency", "XAU"), "USD, EUR"),
        (("query", "8517", "--source", "../../etc"), "anomaly sources"),
        (("explain", "nonsense"), "CODE:EXPORTER:IMPORTER"),
        (("explain", "851712:KAZ:RUS:2022-01:2022-05"), "2022H1"),
        (("tables", "nonsense"), "bilateral"),
        (("query", "851712", "--source", "comxet"), "comext"),
    ],
)
def test_a_question_that_cannot_be_understood_ends_with_2_and_the_nearest_right_answer(data, arguments, says):
    result = run(data, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_period_that_the_data_do_not_hold_is_an_empty_answer_that_names_what_they_hold(data):
    result = run(data, "query", "870323", "--exporter", "ARM", "--importer", "RUS", "--period", "2022H1")
    assert result.exit_code == 0
    assert "annual data from 2019 to 2023" in result.stderr


def test_a_period_reported_in_part_is_not_called_unreported(data):
    result = run(data, "query", "870323", "--exporter", "ARM", "--importer", "RUS", "--period", "2023-01:2023-11")
    assert result.exit_code == 0
    assert "nothing reported for all of 2023-01:2023-11" in result.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_a_reader_that_has_enough_ends_the_answer_without_a_fault(data, form):
    command = [
        sys.executable,
        "-c",
        "from anomaly.cli.commands import program; program()",
        "tables",
        "flows",
        "--format",
        form,
    ]
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [*command, "--data", str(data)], stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, "")


def test_without_tables_the_answer_is_69_and_what_to_do(tmp_path):
    for command in ("query", "series", "explain"):
        arguments = {"query": ["85"], "series": ["85", "KAZ", "RUS"], "explain": [FLAG_ID]}[command]
        result = run(tmp_path / "none", command, *arguments)
        assert result.exit_code == 69, result.output
        assert "run `make`" in result.stderr


def test_explain_tells_the_raw_file_with_its_hash_and_its_publisher(data):
    parts = json.loads(run(data, "explain", FLAG_ID, "--format", "json").stdout)
    assert [file["sha256"] for file in parts["raw_files"]] == ["a" * 64]
    assert parts["run"]["scenario"] == "russia-2022"
    assert len(parts["run"]["scenario_hash"]) == 64
    assert parts["run"]["seeds"] == "0, 1, 2, 3, 4"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("subject", [FLAG_ID, "8517.12:KZ:Russia:2022H1", "870323:ARM:RUS"])
def test_explain_speaks_every_format(data, form, subject):
    result = run(data, "explain", subject, "--format", form)
    assert result.exit_code == 0, result.stderr
    assert "37000000" in result.stdout.replace(",", "") or "870323" in subject


def test_goods_and_hubs_are_the_rollups_of_the_newest_window(data):
    assert [row["key"] for row in rows(data, "goods")] == ["851712+"]
    assert [(row["key"], row["name"], row["period"]) for row in rows(data, "hubs")] == [("KAZ", "Kazakhstan", "2022H1")]


def test_sources_indicators_and_tables_are_the_registries():
    for command, name in (("sources", "name"), ("indicators", "name"), ("tables", "table")):
        result = CliRunner().invoke(main, [command, "--format", "json"])
        assert result.exit_code == 0
        assert all(row[name] for row in json.loads(result.stdout))


def test_tables_tell_their_rows_and_a_table_its_columns_with_units(data):
    held = {row["table"]: row["rows"] for row in rows(data, "tables")}
    assert held["flags"] == 1
    assert held["flows.rejected"] == 0
    columns = {row["column"]: row for row in rows(data, "tables", "features")}
    assert columns["value_usd"]["unit"] == "USD"
    assert columns["surge_log"]["unit"] == "log"


def test_report_names_the_newest_files(data, tmp_path):
    assert run(tmp_path, "report").exit_code == 69
    latest = tmp_path / "reports" / "latest"
    latest.mkdir(parents=True)
    (latest / "flags.csv").write_text("x", encoding="utf-8")
    (latest / "report.html").write_text("x", encoding="utf-8")
    assert [row["file"] for row in rows(tmp_path, "report")] == ["report.html", "flags.csv"]


def test_one_flipped_bit_is_named_by_verify_and_ends_with_74(tmp_path):
    write_store(tmp_path)
    assert run(tmp_path, "verify").exit_code == 0
    file = next(path for path in sorted((tmp_path / "bilateral").rglob("*.parquet")))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    result = run(tmp_path, "verify")
    assert result.exit_code == 74
    assert file.name in result.stderr


def test_text_that_a_spreadsheet_would_compute_is_defused_in_csv_and_numbers_are_not(data):
    from anomaly.cli.output import _csv

    text = _csv([{"name": "=1+1", "change_percent": -44.0, "note": "@x"}], ["name", "change_percent", "note"])
    assert text.splitlines()[1] == "'=1+1,-44.0,'@x"


def test_amounts_are_people_sized_and_unknown_is_said():
    assert arrow(37_000_000, 178_000_000) == "37.0 → 178.0 million USD"
    assert arrow(1_646_300_000, 3_658_100_000, "EUR") == "1,646.3 → 3,658.1 million EUR"
    assert arrow(None, 5) == "not reported → 5 USD"
    assert arrow(0, 3_300_000) == "0.0 → 3.3 million USD"
    assert arrow(366_100_000, None) == "366.1 million USD → not reported"
    assert arrow(None, None) == "not reported → not reported"
    assert cell("value_usd", None) == "not reported"
    assert cell("value_usd", 0) == "0"
    assert cell("value_usd", 1_087_497) == "1,087,497"


words = st.text(max_size=40) | st.sampled_from(
    ["../../etc/passwd", "-1", "--help", "\0", "a\nb", "85", "TOTAL", "RUS", "'; --"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["query", "series", "explain", "goods", "tables"]), st.lists(words, max_size=4), words)
def test_no_argument_gives_a_traceback_or_touches_anything_outside_the_data(data, command, texts, period):
    before = sorted(path for path in data.parent.rglob("*"))
    result = run(data, command, *texts, "--period", period)
    assert result.exit_code in {0, 2, 69}, result.output
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert sorted(path for path in data.parent.rglob("*")) == before


def loaded_by(*arguments: str) -> tuple[set[str], str]:
    """Modules that a process has loaded at the end of a command, and what it printed."""
    code = (
        "import sys, click\n"
        "from anomaly.cli.commands import main\n"
        "try:\n    main(sys.argv[1:], standalone_mode=False)\n"
        "finally:\n    print('\\n'.join(sorted(sys.modules)), file=sys.stderr)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    return set(process.stderr.splitlines()), process.stdout


def test_help_loads_neither_polars_nor_anything_heavier():
    modules, printed = loaded_by("--help")
    assert "Commands:" in printed
    assert not modules & {"polars", "rich", "numpy", *HEAVY}


@pytest.mark.parametrize("command", [MISSION, ("series", "870323", "ARM", "RUS"), ("goods",)])
def test_a_question_loads_no_library_that_it_does_not_need(data, command):
    modules, printed = loaded_by(*command, "--data", str(data))
    assert printed
    assert "polars" in modules
    assert not modules & set(HEAVY)


def test_a_question_about_a_route_of_the_run_reads_no_table_that_only_other_routes_need(data, monkeypatch):
    names, read = set(), Store.read

    def recording(store, table, *arguments):
        names.add(table)
        return read(store, table, *arguments)

    monkeypatch.setattr(Store, "read", recording)
    (answer,) = rows(data, *MISSION)
    assert answer["flag_id"] == FLAG_ID
    assert not names & {"coverage", "coverage.scope", "families.broken"}
    rows(data, "query", "8517.12", "--exporter", "KAZ", "--importer", "ARM", "--period", "2022H1")
    assert {"coverage", "coverage.scope", "families.broken"} <= names


def test_a_question_to_tables_that_do_not_say_which_codes_changed_their_meaning_says_so(tmp_path, monkeypatch):
    with monkeypatch.context() as older:  # a version that had no such companion
        older.delitem(schema.TABLES, "families.broken")
        write_store(tmp_path)
    route = ("query", "8517.12", "--exporter", "KAZ", "--importer", "ARM", "--period", "2022H1")
    assert "without families.broken" in run(tmp_path, *route).stderr
    assert "run again from the raw files" in run(tmp_path, *route).stderr


def test_a_question_to_whole_tables_is_not_told_that_they_are_older(data):
    route = ("query", "8517.12", "--exporter", "KAZ", "--importer", "ARM", "--period", "2022H1")
    assert "older" not in run(data, *route).stderr


def test_a_question_knows_the_families_that_the_run_used_and_not_only_the_shipped_ones(tmp_path):
    trade = [flow(year, "KAZ", "RUS", 5_000_000, code="870321" if year < 2022 else "870322") for year in CARS]
    own = pl.DataFrame(
        {"edition": [5, 6], "cmd_code": ["870321", "870322"], "good": ["870321+"] * 2},
        schema_overrides={"edition": pl.Int8},
    )
    write_store(tmp_path, trade, own)
    for code in ("870321", "870322", "870321+"):
        answer = rows(tmp_path, "query", code, "--exporter", "KAZ", "--importer", "RUS", "--period", "2022")
        assert [(row["good"], row["value_prior_year_usd"]) for row in answer] == [("870321+", 5_000_000)]
        assert rows(tmp_path, "series", code, "KAZ", "RUS")[-1]["value_usd"] == 5_000_000
    parts = json.loads(run(tmp_path, "explain", "870322:KAZ:RUS:2022", "--format", "json").stdout)
    assert parts["raw_files"][0]["rows_used"] == len([year for year in CARS if year <= 2022])


def test_an_amount_in_euro_knows_which_files_are_one_extract(tmp_path):
    trade = [flow("2022-01", "DEU", "KGZ", 4_000, code="870323"), flow("2021-01", "FRA", "KGZ", 4_000, code="870323")]
    trade += [flow(f"{year}-02", "DEU", "KGZ", 1_000, code="870324") for year in (2021, 2022)]
    trade = [row | {"dataset": f"of {row['ref_date'].year}"} for row in trade]
    write_store(tmp_path, trade)
    words = ("query", "870323", "--exporter", "DEU", "--importer", "KGZ", "--period", "2022-01:2022-02")
    for currency, value in (("USD", 4_000), ("EUR", 2_000)):
        row = rows(tmp_path, *words, "--currency", currency)[0]
        assert row[f"value_{currency.lower()}"] == value


@pytest.mark.parametrize(("floor_usd", "value_usd"), [(10_000, None), (200_000, 0)])
def test_a_series_tells_nothing_from_unknown_by_the_floor_of_the_scenario_of_its_tables(tmp_path, floor_usd, value_usd):
    trade = [flow(year, "DEU", "UZB", 150_000, code="870324") for year in (2021, 2022)]
    trade += [flow(2022, "DEU", "UZB", 150_000, code="870323"), flow(2021, "FRA", "UZB", 150_000, code="870323")]
    # a dataset this long without a small value shows that it leaves them out
    trade += [flow(2022, "DEU", "UZB", 150_000, code=f"{840000 + number}") for number in range(ROWS_THAT_SHOW_A_CUT)]
    write_store(tmp_path, trade, settings=load(extract_floor_usd=floor_usd))
    by_year = {row["period"]: row["export_value_fob_usd"] for row in rows(tmp_path, "series", "870323", "DEU", "UZB")}
    assert (by_year.get("2021"), by_year["2022"]) == (value_usd, 150_000)


def test_the_name_of_a_flag_on_the_total_of_all_goods_is_explained(tmp_path):
    sold = {"ARM": CARS, "DEU": {year: 390_000_000 + year for year in CARS}}
    rows = [flow(year, who, "RUS", usd, code="TOTAL") for who, of_year in sold.items() for year, usd in of_year.items()]
    write_store(tmp_path, rows)
    result = run(tmp_path, "explain", "TOTAL-ARM-RUS-2022", "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert str(CARS[2022]) in result.stdout
