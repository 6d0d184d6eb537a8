"""The main job on real statistics, where they are at hand: sums to the dollar, the flags that must be there, and what must not.

The data are the publishers' and not part of the project. ANOMALY_REAL_RAW names their folder; without it they are
looked for beside the project.
"""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main as cli
from anomaly.contract.settings import load
from anomaly.store.store import Store
from pipelines import run
from tests import REAL_RAW
from tests.conftest import MadeOnce

RAW = REAL_RAW
CARS_AND_MACHINES = [
    ("ARM", "870323"), ("ARM", "870324"), ("KAZ", "870324"), ("KAZ", "847989"), ("GEO", "870323"), ("KGZ", "870323"),
]  # fmt: skip
WITHOUT_SUPPLY = [("ARE", "870324"), ("TUR", "853710")]  # what the coalition sold these two is not in the data
EU_SUMS_MILLION_EUR = {
    "KG": (70.1, 495.0), "AM": (179.4, 701.8), "KZ": (1_646, 3_658), "GE": (491, 1_073), "UZ": (550, 985),
    "BY": (2_222, 2_688), "RU": (30_448, 12_554),
}  # fmt: skip
RUSSIA_SUMS_USD = {
    ("870323", "ARM"): (1_087_497, 127_950_897, 185_702_354),
    ("870324", "ARM"): (2_303_898, 74_946_587, 105_865_608),
    ("870324", "KAZ"): (199_180, 24_587_372, 20_712_823),
    ("847989", "KAZ"): (1_110_148, 17_574_318, 6_713_573),
    ("853710", "TUR"): (9_942_754, 28_974_974, 60_458_870),
    ("870323", "DEU"): (398_192_473, 96_482_641, 24_134_549),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RAW.is_dir(), reason="real statistics are not at hand (ANOMALY_REAL_RAW)"),
]


@pytest.fixture(scope="module")
def data(made_once: MadeOnce) -> Path:
    return made_once("real", lambda folder: run.main(RAW, folder, "russia-2022"))


@pytest.fixture(scope="module")
def store(data: Path) -> Store:
    return Store(data)


@pytest.fixture(scope="module")
def flags_of_2022(store: Store) -> pl.DataFrame:
    return annual(store.read("flags"), 2022).filter(importer_iso="RUS")


def annual(table: pl.DataFrame, year: int) -> pl.DataFrame:
    return table.filter(pl.col("freq_code") == "A", pl.col("window_end").dt.year() == year)


def ask(data: Path, *words: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(cli, [*words, "--data", str(data), "--format", "json"])
    assert result.exit_code == 0, result.stderr
    answer: list[dict[str, object]] = json.loads(result.stdout)
    return answer


def test_every_file_is_read_and_every_row_is_accounted_for(store: Store) -> None:
    files = store.read("flows.files")
    assert files.height == len([path for path in RAW.rglob("*") if path.is_file()])
    left = pl.col("rows_in") - pl.col("rows_kept") - pl.col("rows_rejected") - pl.col("rows_deduplicated")
    assert files.select(left.abs().sum()).item() == 0
    assert files["rows_in"].sum() == 9_508 + 17_313 + 19_135 + 997_559


@pytest.mark.parametrize("importer", EU_SUMS_MILLION_EUR)
def test_the_eus_sums_come_out_of_a_query(data: Path, importer: str) -> None:
    words = ("--exporter", "EU27", "--importer", importer, "--source", "comext", "--currency", "EUR")
    row = ask(data, "query", "TOTAL", *words, "--period", "2022-01:2022-11")[0]
    digits = 1 if EU_SUMS_MILLION_EUR[importer][0] < 1_000 and importer in ("KG", "AM") else 0
    values = [value for name, value in row.items() if name.startswith("value_") and isinstance(value, int)]
    sums = tuple(round(value / 1e6, digits) for value in sorted(values[:2]))
    assert sums == tuple(sorted(EU_SUMS_MILLION_EUR[importer]))


@pytest.mark.parametrize(("code", "exporter"), RUSSIA_SUMS_USD)
def test_exports_to_russia_come_out_of_a_series(data: Path, code: str, exporter: str) -> None:
    rows = {str(row["period"]): row for row in ask(data, "series", code, exporter, "RUS")}
    sums = tuple(rows[year]["value_usd"] for year in ("2021", "2022", "2023"))
    assert sums == RUSSIA_SUMS_USD[code, exporter]


@pytest.mark.parametrize(("exporter", "good"), CARS_AND_MACHINES)
def test_the_known_routes_of_2022_are_flagged(flags_of_2022: pl.DataFrame, exporter: str, good: str) -> None:
    assert flags_of_2022.filter(exporter_iso=exporter, good=good).height == 1


@pytest.mark.parametrize(("exporter", "good"), WITHOUT_SUPPLY)
def test_known_routes_whose_supply_is_not_in_the_data_are_told_why_they_are_no_flag(
    data: Path, flags_of_2022: pl.DataFrame, exporter: str, good: str
) -> None:
    assert flags_of_2022.filter(exporter_iso=exporter, good=good).is_empty()
    row = ask(data, "query", good, "--exporter", exporter, "--importer", "RUS", "--period", "2022")[0]
    assert "what the coalition sells the exporter is not in the data" in str(row["note"])


def test_kazakhstans_middling_cars_rose_as_one_honest_route_in_ten_does(store: Store) -> None:
    route = annual(store.read("scores"), 2022).filter(exporter_iso="KAZ", importer_iso="RUS", good="870323")
    assert 0.05 < route["p_value"].item() <= 0.1 < route["q_value"].item()


def test_no_maker_is_told_as_a_hub_and_no_route_of_2023_that_fell_is_an_alarm(store: Store) -> None:
    flags = store.read("flags").filter(importer_iso="RUS")
    hubs = flags.filter(pl.col("flag_type").is_in(["hub_reexport", "new_route"]))
    assert hubs.filter(
        pl.col("exporter_iso").is_in(["CHN", "IND", "THA", "MYS", "VNM"]), ~pl.col("is_before_sanctions")
    ).is_empty()
    fell = pl.col("value_usd") < pl.col("value_prior_year_usd")
    assert annual(hubs, 2023).filter(fell).is_empty()


def test_of_the_routes_before_the_sanctions_one_in_a_hundred_is_flagged_at_most(store: Store) -> None:
    before = (
        store.read("scores").filter(importer_iso="RUS", freq_code="A").filter(pl.col("window_end").dt.year() < 2022)
    )
    flagged = store.read("flags").filter("is_before_sanctions", importer_iso="RUS")
    assert flagged.height <= before.height / 100


def test_no_coalition_exporter_is_flagged_towards_russia(store: Store) -> None:
    coalition = load().coalition.countries
    flags = store.read("flags").filter(importer_iso="RUS")
    assert flags.filter(pl.col("exporter_iso").is_in(coalition)).is_empty()


def test_no_flagged_route_is_below_both_its_year_before_and_its_baseline(store: Store) -> None:
    fell = (pl.col("value_usd") < pl.col("value_prior_year_usd")) & (pl.col("value_usd") < pl.col("value_baseline_usd"))
    assert store.read("flags").filter(fell, pl.col("flag_type") != "resolved").is_empty()


def test_one_aircraft_of_mongolia_carries_its_caveat_if_it_is_flagged(flags_of_2022: pl.DataFrame) -> None:
    for caveats in flags_of_2022.filter(exporter_iso="MNG", good="880240")["caveats"].to_list():
        assert any("single lumpy good" in caveat for caveat in caveats)


def test_viet_nam_did_not_report_2023_and_did_not_fall(store: Store) -> None:
    refused = annual(store.read("features.refused"), 2023).filter(exporter_iso="VNM")
    assert refused["refusal"].unique().to_list() == ["not_reported"]
    assert annual(store.read("features"), 2023).filter(exporter_iso="VNM", importer_iso="RUS").is_empty()


def test_at_most_one_route_in_fifty_is_flagged_in_2019(store: Store) -> None:
    routes = annual(store.read("scores"), 2019).filter(importer_iso="RUS").height
    flagged = annual(store.read("flags"), 2019).filter(importer_iso="RUS").height
    assert routes > 100
    assert flagged * 50 <= routes


def test_a_good_in_both_legs_names_the_upstream_rise_and_the_direct_fall_with_numbers(
    flags_of_2022: pl.DataFrame,
) -> None:
    flag = flags_of_2022.filter(exporter_iso="ARM", good="870324").row(0, named=True)
    text_of = {reason["indicator"]: reason["text"] for reason in flag["reasons"]}
    assert "million USD" in text_of["upstream_surge_log"]
    assert "fell from 1.3 billion USD to 276.0 million USD" in text_of["direct_drop_log"]


def test_the_upstream_leg_compares_january_to_november_and_says_so(flags_of_2022: pl.DataFrame) -> None:
    flag = flags_of_2022.filter(exporter_iso="ARM", good="870324").row(0, named=True)
    span = "Jan–Nov 2022 with Jan–Nov 2021 (Dec 2022 not published)"
    assert any(span in reason["text"] for reason in flag["reasons"] if reason["indicator"] == "upstream_surge_log")


def test_smartphones_to_kyrgyzstan_are_not_new_since_the_extract_lacks_their_old_code(store: Store) -> None:
    phones = store.read("features", where=pl.col("good") == "851712+").filter(importer_iso="KGZ", freq_code="M")
    assert phones.filter(pl.col("new_route") == 1).is_empty()
    sides = store.read("bilateral", where=pl.col("good") == "851712+")
    assert sides.filter(importer_iso="KGZ")["value_usd"].sum() > 0


def test_uzbekistans_later_change_of_edition_is_no_ghost_transit(store: Store) -> None:
    flags = store.read("flags").filter(good="851712+", importer_iso="UZB")
    assert annual(flags, 2022).is_empty()
    features = annual(store.read("features"), 2022).filter(good="851712+", importer_iso="UZB")
    assert features.height > 0
    assert features["mirror_gap_shift_log"].null_count() == features.height


def test_armenias_cars_that_fell_in_2024_are_resolved_and_not_forgotten(store: Store) -> None:
    flags = annual(store.read("flags"), 2024).filter(exporter_iso="ARM", good="870323")
    assert flags["flag_type"].to_list() == ["resolved"]
    assert "fell from 185.7 million USD to" in flags["reasons"].item()[0]["text"]


def test_every_flag_says_how_stable_it_is_and_has_a_q_within_the_limit_of_its_window(store: Store) -> None:
    by_forest = (
        ~pl.col("flag_type").is_in(["resolved", "new_route", "backfill", "diverted_supply"])
        & pl.col("q_value").is_not_null()
    )
    scored = store.read("flags").filter(by_forest)
    window = ["freq_code", "window_months", "window_end"]
    leg = (
        pl.when(pl.col("flag_type") == "ghost_transit")
        .then(pl.lit("coalition to hub"))
        .otherwise(pl.lit("hub to target"))
    )
    limits = store.read("scores.calibration").select(*window, "leg", "q_limit")
    held = scored.with_columns(leg=leg).join(limits, on=[*window, "leg"])
    assert held.height == scored.height
    assert (held["q_value"] <= held["q_limit"]).all()
    assert scored["stability_share"].is_between(0, 1).all()


def test_a_second_run_does_nothing(data: Path) -> None:
    outcome = run.main(RAW, data, "russia-2022")
    assert not outcome.is_changed
