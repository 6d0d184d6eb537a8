"""What is flagged, what is not, and what a flag carries."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from anomaly.contract import schema
from anomaly.contract.settings import load
from anomaly.flags import flags, rollups
from anomaly.flags.caveats import benign_explanations
from anomaly.scores import forest_inputs, scores
from tests.trade import PHONES, measured, years

MILLION = 1_000_000
NO_LIST = pl.DataFrame(schema={"good": pl.String, "tier": pl.String, "valid_from": pl.Date, "valid_to": pl.Date})
NAMES = {"KAZ": "Kazakhstan", "RUS": "Russia"}
YEARS = range(2019, 2023)
QUICK = load(forest={"trees": 30, "seeds": [0, 1], "max_samples": 256}, calibration={"least_placebos": 30})


def trade(*, surging: int = 12, boom: bool = False, code: str = "847989") -> list[dict[str, Any]]:
    """Germany stops selling to Russia, Kazakhstan starts; forty importers elsewhere live on as before."""
    direct = {2019: 90, 2020: 95, 2021: 100, 2022: 100 if boom else 15}
    rows = years("DEU", "RUS", {year: value * MILLION for year, value in direct.items()}, code=code)
    rows += years(
        "DEU", "KAZ", {2019: 5 * MILLION, 2020: 5 * MILLION, 2021: 6 * MILLION, 2022: 40 * MILLION}, code=code
    )
    rows += years(
        "KAZ", "RUS", {2019: 2 * MILLION, 2020: 2 * MILLION, 2021: 2 * MILLION, 2022: surging * MILLION}, code=code
    )
    for number in range(40):
        name = f"{chr(65 + number // 10)}{chr(65 + number % 10)}Q"
        rows += years("KAZ", name, {year: (3 + (number * year) % 4) * MILLION for year in YEARS}, code=code)
        rows += years("DEU", name, {year: (30 + (number * year) % 9) * MILLION for year in YEARS}, code=code)
    return rows


def test_annual_and_monthly_flags_of_a_route_have_different_names() -> None:
    route = {
        "good": "870323",
        "exporter_iso": "ARM",
        "importer_iso": "RUS",
        "window_end": date(2022, 12, 1),
        "window_months": 12,
    }
    assert flags.flag_id({**route, "freq_code": "A"}) != flags.flag_id({**route, "freq_code": "M"})


def flagged(rows: list[dict[str, Any]], lists: pl.DataFrame = NO_LIST) -> pl.DataFrame:
    table, _ = measured(rows, settings=QUICK)
    scored = scores.build(forest_inputs.build(table, QUICK), forest_inputs.names(), QUICK)
    return flags.build(table, scored.scores, scored.contributions, scored.calibration, lists, NAMES, QUICK)


@pytest.fixture(scope="module")
def flag() -> dict[str, Any]:
    to_target = flagged(trade()).filter(importer_iso="RUS")
    assert to_target.height == 1
    row: dict[str, Any] = to_target.row(0, named=True)
    return row


def test_the_planted_route_is_the_only_flag(flag: dict[str, Any]) -> None:
    assert flag["flag_id"] == "847989-KAZ-RUS-2022"
    assert flag["flag_type"] == "hub_reexport"


def test_a_flag_says_the_rise_the_upstream_rise_and_the_direct_fall_with_numbers(flag: dict[str, Any]) -> None:
    text_of = {reason["indicator"]: reason["text"] for reason in flag["reasons"]}
    assert "2.0 million USD to 12.0 million USD (+500 %)" in text_of["surge_log"]
    assert "to Kazakhstan rose from 6.0 million USD to 40.0 million USD" in text_of["upstream_surge_log"]
    assert (
        "to Russia fell from 100.0 million USD to 15.0 million USD (−85 %; 2022 with 2021, comtrade)"
        in text_of["direct_drop_log"]
    )


def test_every_reason_is_over_its_threshold(flag: dict[str, Any]) -> None:
    assert all(reason["value"] >= reason["threshold"] for reason in flag["reasons"])


def test_the_coalition_itself_is_never_flagged_towards_a_target() -> None:
    assert "DEU" not in flagged(trade()).filter(importer_iso="RUS")["exporter_iso"].to_list()


def test_a_route_below_both_its_year_before_and_its_baseline_is_never_flagged() -> None:
    assert flagged(trade(surging=1)).is_empty()


def test_growth_without_a_fall_of_the_direct_trade_is_no_flag() -> None:
    assert flagged(trade(boom=True)).filter(importer_iso="RUS").is_empty()


def test_a_listed_good_has_its_tier_and_stands_before_the_same_good_unlisted() -> None:
    listed = pl.DataFrame(
        {"good": ["847989"], "tier": ["1"], "valid_from": [date(2022, 1, 1)], "valid_to": [None]},
        schema_overrides={"valid_to": pl.Date},
    )
    with_list, without = flagged(trade(), listed), flagged(trade())
    assert with_list["list_tier"].to_list() == ["1"]
    assert with_list["priority"].item() > without["priority"].item()


def test_a_list_that_came_later_gives_no_tier() -> None:
    later = pl.DataFrame(
        {"good": ["847989"], "tier": ["1"], "valid_from": [date(2024, 2, 23)], "valid_to": [None]},
        schema_overrides={"valid_to": pl.Date},
    )
    assert flagged(trade(), later)["list_tier"].to_list() == [None]


def test_the_score_does_not_know_the_list() -> None:
    listed = pl.DataFrame(
        {"good": ["847989"], "tier": ["1"], "valid_from": [date(2022, 1, 1)], "valid_to": [None]},
        schema_overrides={"valid_to": pl.Date},
    )
    assert flagged(trade(), listed)["anomaly_score"].equals(flagged(trade())["anomaly_score"])


def test_one_aircraft_carries_the_caveat_of_a_single_lumpy_good() -> None:
    to_target = flagged(trade(code="880240")).filter(importer_iso="RUS")
    assert any("single lumpy good" in caveat for caveat in to_target["caveats"].item())


def test_flags_and_rollups_keep_their_contracts() -> None:
    rows = trade()
    table, _ = measured(rows, settings=QUICK)
    flagged_rows = flagged(rows)
    schema.Flags.validate(flagged_rows)
    rolled = rollups.build(flagged_rows, table, QUICK.targets.countries)
    schema.Rollups.validate(rolled)
    hub = rolled.filter(rollup="hub").row(0, named=True)
    assert (hub["key"], hub["flags"], hub["flagged_usd"]) == ("KAZ", 1, 12 * MILLION)
    good = rolled.filter(rollup="good").row(0, named=True)
    assert good["total_usd"] == 27 * MILLION


def test_a_makers_trade_that_fills_a_gap_is_no_part_of_the_rollups_of_hubs() -> None:
    rows = trade()
    table, _ = measured(rows, settings=QUICK)
    backfill = flagged(rows).with_columns(flag_type=pl.lit("backfill"))
    assert rollups.build(backfill, table, QUICK.targets.countries).is_empty()


def test_a_flag_says_what_is_compared_in_the_words_of_the_documents() -> None:
    row = {"freq_code": "M", "window_months": 12, "window_end": date(2022, 10, 1), "baseline_years": "2019-2021"}
    assert flags.compares(row) == "Nov 2021–Oct 2022 with Nov 2020–Oct 2021, and with the mean of 2019-2021"
    year = row | {"freq_code": "A", "window_end": date(2022, 12, 1)}
    assert flags.compares(year) == "2022 with 2021, and with the mean of 2019-2021"


def test_every_good_has_explanations_to_rule_out() -> None:
    assert all(len(benign_explanations(f"{chapter:02d}0000")) >= 4 for chapter in range(1, 98))


def test_twenty_flows_from_nothing_stand_in_the_first_hundred_of_twenty_thousand_routes() -> None:
    """R21: a textbook ratio of growth gets none of them, since it cannot divide by nothing."""
    noise = np.random.default_rng(21)
    planted = {(f"84{number:04d}", f"E{number % 26:02d}") for number in range(20)}
    rows = []
    for number in range(200):
        good = f"84{number:04d}"
        direct = 50 * MILLION * np.exp(noise.normal(0, 0.2, len(YEARS)))
        direct[-1] *= 0.3
        rows += years("DEU", "RUS", dict(zip(YEARS, direct.astype(int).tolist(), strict=True)), code=good)
        sizes = MILLION * np.exp(noise.normal(1.5, 1, (100, 1)) + noise.normal(0, 0.25, (100, len(YEARS))))
        for exporter, values in enumerate(sizes.astype(int).tolist()):
            name = f"{'EFGH'[exporter // 26]}{exporter % 26:02d}"
            is_planted = (good, name) in planted
            value_of = {YEARS[-1]: 3_300_000} if is_planted else dict(zip(YEARS, values, strict=True))
            rows += years(name, "RUS" if is_planted or exporter % 10 == 0 else "ARG", value_of, code=good)
    table, _ = measured(rows, settings=QUICK.model_copy(update={"materiality_usd": 0}))
    scored = scores.build(forest_inputs.build(table, QUICK), forest_inputs.names(), QUICK).scores
    first_hundred = scored.filter(pl.col("window_end").dt.year() == 2022, pl.col("anomaly_rank") <= 100)
    assert table.filter(pl.col("window_end").dt.year() == 2022).height > 20_000
    assert len(planted & set(first_hundred.select("good", "exporter_iso").rows())) == 20


def test_a_split_of_a_code_with_constant_totals_gives_no_flag() -> None:
    """R18: the code ends, two others begin, and nothing moved."""
    rows = [{**row, "cmd_code": "851712"} for row in trade(surging=2, boom=True)]
    split = []
    for row in rows:
        if row["ref_date"].year < 2022:
            split.append(row)
            continue
        half = row["primary_value_usd"] // 2
        split.append({**row, "cmd_code": "851713", "primary_value_usd": half})
        split.append({**row, "cmd_code": "851714", "primary_value_usd": row["primary_value_usd"] - half})
    table, _ = measured(split, PHONES, settings=QUICK)
    scored = scores.build(forest_inputs.build(table, QUICK), forest_inputs.names(), QUICK)
    assert table.filter(pl.col("window_end").dt.year() == 2022, importer_iso="RUS")["surge_log"].abs().max() == 0.0
    flagged_rows = flags.build(table, scored.scores, scored.contributions, scored.calibration, NO_LIST, NAMES, QUICK)
    assert flagged_rows.filter(importer_iso="RUS").is_empty()


def test_trade_between_two_targets_is_no_route_of_a_hub() -> None:
    rows = years("BLR", "RUS", {**dict.fromkeys(YEARS, 2 * MILLION), 2022: 20 * MILLION})
    assert flagged(trade() + rows)["exporter_iso"].to_list() == ["KAZ"]
