"""What a flag carries for the person who judges it: comparables, both sides, and what would make it benign."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from anomaly.contract import schema
from anomaly.contract.keys import HUB_TO_TARGET, WINDOW_KEY
from anomaly.contract.settings import load
from anomaly.evidence import evidence, other_sellers
from anomaly.evidence.evidence import benign_if
from anomaly.features import features
from anomaly.flags.flags import flag_id
from anomaly.flags.types import TYPES
from tests.trade import ALL_LINKED, flow, prepared, years

MILLION = 1_000_000
YEARS = range(2019, 2023)
SETTINGS = load()
NAMES = {"KAZ": "Kazakhstan", "RUS": "Russia"}
ELSEWHERE = [f"{letter}{letter}Q" for letter in "ABCDEFGHIJ"]


def rising(reporter: str, partner: str, before: float, now: float, **options: Any) -> list[dict[str, Any]]:
    """Three years at one level and 2022 at another, in million USD; weight at 10 USD a kilogram unless told."""
    values = {**dict.fromkeys(range(2019, 2022), before), 2022: now}
    return [
        flow(year, reporter, partner, round(value * MILLION), **{"weight_g": round(value * MILLION * 100), **options})
        for year, value in values.items()
    ]


def trade() -> list[dict[str, Any]]:
    """Germany's sales move from Russia to Kazakhstan, Kazakhstan's to Russia rise; others rise little, fall or are silent."""
    rows = rising("DEU", "RUS", 100, 15) + rising("DEU", "KAZ", 6, 40) + rising("KAZ", "RUS", 2, 12)
    rows += rising("UZB", "RUS", 11, 10) + rising("TUR", "RUS", 20, 30) + rising("GEO", "RUS", 0.4, 0.6)
    rows += years("MNG", "RUS", dict.fromkeys(range(2019, 2022), 5 * MILLION))
    rows += rising("KAZ", "RUS", 2, 3, code="847990") + rising("KAZ", "RUS", 9, 9, code="840110")
    rows += rising("CHN", "KAZ", 3, 4)
    rows += rising("KAZ", "RUS", 0.1, 9, flow="RX") + rising("RUS", "KAZ", 2.2, 13, flow="M")
    for name in ELSEWHERE:
        rows += rising("KAZ", name, 0.5, 0.6) + rising("CHN", name, 1, 1)
    return rows


def flag(row: dict[str, Any], flag_type: str = "hub_reexport") -> dict[str, Any]:
    """A flag of a row of features, as flags.build leaves it to evidence."""
    return {
        **{name: row[name] for name in schema.ROUTE_KEY},
        **{name: row[name] for name in ("value_usd", "value_prior_year_usd", "value_baseline_usd")},
        "flag_id": flag_id(row),
        "flag_type": flag_type,
        "severity": "high",
        "priority": 1.0,
        "list_tier": None,
        "excess_usd": 10 * MILLION,
        "anomaly_score": 0.7,
        "anomaly_rank": 1,
        "p_value": 0.01,
        "q_value": 0.02,
        "stability_share": 0.9,
        "compares": "2022 with 2021",
        "reasons": [{"indicator": "surge_log", "value": 1.0, "unit": "log", "threshold": 0.405, "text": "It rose."}],
        "caveats": [],
        "contributions": [],
        "benign": [],
        "is_before_sanctions": False,
    }


def flagged(rows: list[dict[str, Any]], *routes: tuple[str, str], **options: Any) -> pl.DataFrame:
    """Flags of routes (exporter, importer) of 2022 with their evidence; in the scores q is 0.4, and 0.02 for 847950."""
    cells, coverage, scope = prepared(rows)
    table, refused = features.build(cells, features.plan(coverage, scope, ALL_LINKED, SETTINGS), SETTINGS)
    of_2022 = table.filter(pl.col("window_end").dt.year() == 2022)
    of_good = of_2022.filter(good="847989")
    measured = [
        of_good.filter(exporter_iso=exporter, importer_iso=importer).row(0, named=True) for exporter, importer in routes
    ]
    q_value = pl.when(pl.col("good") == "847950").then(0.02).otherwise(0.4)
    is_hubs = ~pl.col("exporter_iso").is_in(
        SETTINGS.coalition.countries
    )  # the coalition's are scored where the gap is known
    scores = of_2022.filter(is_hubs | pl.col("mirror_gap_shift_log").is_not_null()).select(
        *schema.ROUTE_KEY, q_value=q_value
    )
    flags = pl.DataFrame([flag(row, **options) for row in measured], schema=schema.Flags.create_empty().schema)
    limits = {"leg": ["hub to target", "coalition to hub"], "q_limit": [0.1, 0.1]}
    calibration = flags.select(WINDOW_KEY).unique().join(pl.DataFrame(limits), how="cross")
    broken = pl.DataFrame(schema={"good": pl.String, "newer_edition": pl.Int8})
    tables = evidence.Tables(of_2022, scores, calibration, refused, cells, broken, coverage, scope)
    built = evidence.build(flags, tables, NAMES, SETTINGS)
    return schema.Flags.validate(built)


def flag_of(rows: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """The flag of Kazakhstan's sales to Russia."""
    row: dict[str, Any] = flagged(rows, ("KAZ", "RUS"), **options).row(0, named=True)
    return row


@pytest.fixture(scope="module")
def hub_flag() -> dict[str, Any]:
    return flag_of(trade())


def explanation(row: dict[str, Any], name: str) -> dict[str, str]:
    match: dict[str, str] = next(item for item in row["benign_if"] if item["explanation"] == name)
    return match


def test_the_nearest_are_the_same_good_to_the_same_country_and_the_closest_in_size_comes_first(
    hub_flag: dict[str, Any],
) -> None:
    assert [(near["exporter_iso"], near["good"]) for near in hub_flag["comparables"]] == [
        ("UZB", "847989"),
        ("MNG", "847989"),
        ("TUR", "847989"),
    ]


def test_each_comparable_says_why_it_was_not_flagged(hub_flag: dict[str, Any]) -> None:
    assert [near["why"] for near in hub_flag["comparables"]] == [
        "it did not rise: not above the year before nor above its baseline",
        "refused: the reporter published nothing for the window",
        "not unusual enough: q 0.4 is above the limit of 0.1; what the coalition sells the exporter is not in the data, so that "
        "its rise alone is judged",
    ]


def test_a_refused_comparable_shows_what_is_known_of_it_and_not_the_year_before_as_the_window(
    hub_flag: dict[str, Any],
) -> None:
    refused = hub_flag["comparables"][1]
    assert (refused["value_usd"], refused["value_prior_year_usd"]) == (None, 5 * MILLION)


def test_at_most_one_comparable_is_a_refused_one() -> None:
    silent = [
        row for name in ("MDA", "IRN") for row in years(name, "RUS", dict.fromkeys(range(2019, 2022), 8 * MILLION))
    ]
    near = flag_of(trade() + silent)["comparables"]
    assert [comparable["why"].startswith("refused") for comparable in near].count(True) == 1


def test_where_no_other_hub_sells_the_good_other_goods_of_the_pair_are_nearest_the_heading_before_the_chapter() -> None:
    alone = [row for row in trade() if row["reporter_iso"] not in ("UZB", "TUR", "MNG")]
    near = flag_of(alone)["comparables"]
    assert [(comparable["nearness"], comparable["exporter_iso"], comparable["good"]) for comparable in near] == [
        ("same heading", "KAZ", "847990"),
        ("same chapter", "KAZ", "840110"),
        ("same good", "GEO", "847989"),
    ]
    assert near[2]["why"] == "too small: below 1.0 million USD in the window"


def test_a_route_that_rose_while_nothing_around_it_fell_says_that_it_rose_alone() -> None:
    alone = rising("KAZ", "RUS", 2, 12) + rising("KAZ", "RUS", 2, 12, code="847950")
    direct = rising("DEU", "RUS", 100, 15)
    steady, fallen = (rising("DEU", "RUS", 5, now, code="847950") for now in (6, 2))
    words = [flag_of(alone + direct + beside)["comparables"][0]["why"] for beside in (steady, fallen)]
    assert words == [
        "it rose alone: neither the direct trade nor a neighbour of the good fell",
        "nothing in the rule keeps it from being a flag",
    ]


def test_the_coalitions_own_trade_comes_last_and_says_what_it_is() -> None:
    near = flag_of([*rising("KAZ", "RUS", 2, 12), *rising("DEU", "RUS", 100, 15)])["comparables"]
    assert [(comparable["nearness"], comparable["exporter_iso"]) for comparable in near] == [
        ("coalition's own trade", "DEU")
    ]
    assert near[0]["why"] == "a country of the coalition: its own sales are the direct trade"


def test_a_flagged_route_is_nobodys_comparable() -> None:
    flags = flagged(trade(), ("KAZ", "RUS"), ("TUR", "RUS"))
    near = set(flags["comparables"].explode().struct.unnest().select("exporter_iso", "good").rows())
    assert ("UZB", "847989") in near
    assert not {("KAZ", "847989"), ("TUR", "847989")} & near


def test_both_sides_and_the_re_exports_are_shown_for_window_year_before_and_baseline(hub_flag: dict[str, Any]) -> None:
    names = ("span", "export_value_fob_usd", "import_value_cif_usd", "reexport_value_fob_usd", "net_wgt_g")
    assert [tuple(side[name] for name in names) for side in hub_flag["sides"]] == [
        ("window", 12 * MILLION, 13 * MILLION, 9 * MILLION, 1_200 * MILLION),
        ("year before", 2 * MILLION, 2_200_000, 100_000, 200 * MILLION),
        ("baseline", 2 * MILLION, 2_200_000, 100_000, 200 * MILLION),
    ]


def test_the_side_that_did_not_report_is_unknown_and_the_one_that_reported_nothing_is_nothing() -> None:
    rows = [row for row in trade() if row["flow_code"] != "M"]
    assert {side["import_value_cif_usd"] for side in flag_of(rows)["sides"]} == {None}
    rows += rising("RUS", "CHN", 1, 1, flow="M")
    assert {side["import_value_cif_usd"] for side in flag_of(rows)["sides"]} == {None}, (
        "the partner is not in the extract"
    )
    rows += rising("RUS", "KAZ", 1, 1, flow="M", code="640399")
    assert {side["import_value_cif_usd"] for side in flag_of(rows)["sides"]} == {0}


def test_an_exporter_that_never_reports_re_exports_has_them_unknown() -> None:
    rows = [row for row in trade() if row["flow_code"] != "RX"]
    assert {side["reexport_value_fob_usd"] for side in flag_of(rows)["sides"]} == {None}


def test_own_production_is_measured_by_what_the_hub_sold_before_and_spoken_against_by_declared_re_exports(
    hub_flag: dict[str, Any],
) -> None:
    own = explanation(hub_flag, "The exporter makes it itself")
    assert "would have to make 10.0 million USD more" in own["text"]
    assert "It then sold 7.0 million USD to anyone. It declares 9.0 million USD" in own["text"]
    assert own["verdict"] == "against"
    silent = flag_of([row for row in trade() if row["flow_code"] != "RX"])
    assert explanation(silent, "The exporter makes it itself")["verdict"] == "partly"


def test_sellers_outside_the_coalition_would_have_to_have_sold_what_came_out(hub_flag: dict[str, Any]) -> None:
    sellers = explanation(hub_flag, "Sellers outside the coalition deliver it")
    assert "10.0 million USD more of the good to Kazakhstan" in sellers["text"]
    assert "they sold 4.0 million USD after 3.0 million USD" in sellers["text"]
    assert sellers["verdict"] == "against"


def test_sellers_that_report_and_have_no_row_sold_nothing_and_sellers_outside_the_data_are_unknown() -> None:
    name = "Sellers outside the coalition deliver it"
    without_china = [row for row in trade() if (row["reporter_iso"], row["partner_iso"]) != ("CHN", "KAZ")]
    assert "they sold nothing after nothing" in explanation(flag_of(without_china), name)["text"]
    extract = [row for row in trade() if row["partner_iso"] == "RUS" and row["flow_code"] == "X"]
    assert explanation(flag_of(extract), name)["verdict"] == "unknown"


def test_a_buyer_that_changed_the_road_needs_another_seller_that_lost_as_much(hub_flag: dict[str, Any]) -> None:
    name = "The same buyers changed the road"
    assert explanation(hub_flag, name)["verdict"] == "against"
    fell = [row for row in trade() if row["reporter_iso"] != "TUR"] + rising("TUR", "RUS", 30, 19)
    moved = explanation(flag_of(fell), name)
    assert "they went from 41.4 million USD a year before to 29.6 million USD" in moved["text"]
    assert moved["verdict"] == "fits"


def test_a_rise_of_the_price_alone_fits_and_one_of_the_weight_speaks_against_it(hub_flag: dict[str, Any]) -> None:
    name = "The price rose, not the quantity"
    assert explanation(hub_flag, name)["verdict"] == "against"
    dearer = [row for row in trade() if (row["reporter_iso"], row["cmd_code"]) != ("KAZ", "847989")]
    dearer += rising("KAZ", "RUS", 2, 12, weight_g=200_000_000)
    price = explanation(flag_of(dearer), name)
    assert (
        "A kilogram cost 10.0 USD a year before and costs 60.0 (+500 %); the weight changed by +0 %." in price["text"]
    )
    assert price["verdict"] == "fits"


def test_what_no_figure_can_say_is_said_to_be_unknown(hub_flag: dict[str, Any]) -> None:
    assert hub_flag["benign_if"][-1]["verdict"] == "unknown"
    assert "no trade figure says" in hub_flag["benign_if"][-1]["text"]


def test_the_sentence_names_the_three_legs_and_says_what_does_not_close(hub_flag: dict[str, Any]) -> None:
    assert hub_flag["evidence"] == (
        "Against the year before, the coalition's sales to Russia went from 100.0 million USD to 15.0 million USD (−85 %), "
        "its sales to Kazakhstan went from 6.0 million USD to 40.0 million USD (+567 %), what Kazakhstan sold to Russia went "
        "from 2.0 million USD to 12.0 million USD (+500 %). All three fit goods that go by way of Kazakhstan."
    )
    without = [row for row in trade() if (row["reporter_iso"], row["partner_iso"]) != ("DEU", "KAZ")]
    not_shown = [row | ({"dataset": "eu"} if row["reporter_iso"] == "DEU" else {}) for row in without]
    assert flag_of(not_shown)["evidence"].endswith("whether the coalition sold more to Kazakhstan is not known.")
    shown = flag_of(without)  # of a table that has Kazakhstan among its partners
    assert shown["evidence"].endswith("It does not close: the coalition sold no more to Kazakhstan.")
    open_leg = flag_of(without + rising("DEU", "KAZ", 6, 5))
    assert open_leg["evidence"].endswith("It does not close: the coalition sold no more to Kazakhstan.")


def test_the_sentence_says_how_much_of_the_rise_the_hubs_purchases_can_carry() -> None:
    without = [row for row in trade() if (row["reporter_iso"], row["partner_iso"]) != ("DEU", "KAZ")]
    some = flag_of(without + rising("DEU", "KAZ", 6, 8))
    assert some["evidence"].endswith(
        "All three fit goods that go by way of Kazakhstan, but what it bought more is 20 % of what it sold more."
    )


def test_a_route_that_stands_above_its_baseline_only_is_compared_with_the_baseline() -> None:
    fell = [row for row in trade() if (row["reporter_iso"], row["cmd_code"]) != ("KAZ", "847989")]
    fell += years("KAZ", "RUS", {2019: MILLION, 2020: MILLION, 2021: 13 * MILLION, 2022: 12 * MILLION})
    row = flag_of(fell)
    assert row["evidence"].startswith("Against 2019-2021, ")
    assert (
        "more of the good to Kazakhstan than in 2019-2021"
        in explanation(row, "Sellers outside the coalition deliver it")["text"]
    )


def test_a_ghost_transit_is_compared_with_what_the_same_sender_sends_to_other_hubs() -> None:
    rows = [*rising("DEU", "KAZ", 6, 40), *rising("KAZ", "DEU", 6, 8, flow="M"), *rising("DEU", "UZB", 7, 9)]
    near = flagged(rows, ("DEU", "KAZ"), flag_type="ghost_transit")["comparables"].item()
    assert [(comparable["nearness"], comparable["importer_iso"]) for comparable in near] == [
        ("same sender, other hub", "UZB")
    ]
    assert near[0]["why"] == "the receiving side's report is not known: no gap can be measured"


GHOST = {
    "exporter_name": "Germany", "importer_name": "Kazakhstan", "baseline_years": "2019-2021", "window_months": 12,
    "value_usd": 24 * MILLION, "value_prior_year_usd": 10 * MILLION, "value_baseline_usd": 10 * MILLION,
    "leg_exported_usd": 24 * MILLION, "leg_imported_usd": 9 * MILLION, "leg_exported_baseline_usd": 10 * MILLION,
    "leg_imported_baseline_usd": 10 * MILLION, "since": "prior", "floor_usd": 100_000,
}  # fmt: skip


def test_goods_lost_on_the_way_are_not_explained_by_freight_nor_by_a_month_on_the_road() -> None:
    items = {item["explanation"]: item for item in benign_if(GHOST, "ghost_transit")}
    assert items["Freight and insurance"]["verdict"] == "against"
    road = items["It was still on the road when the window ended"]
    assert road["text"] == "15.0 million USD more than usual did not arrive; a month of this route is 2.0 million USD."
    assert road["verdict"] == "against"


def test_goods_recorded_under_another_country_of_dispatch_explain_a_gap() -> None:
    name = "It is recorded under another country of dispatch"
    row = {**GHOST, "recorded_from_others_usd": 20 * MILLION, "recorded_from_others_prior_usd": 5 * MILLION}
    assert {item["explanation"]: item["verdict"] for item in benign_if(row, "ghost_transit")}[name] == "fits"
    assert {item["explanation"]: item["verdict"] for item in benign_if(GHOST, "ghost_transit")}[name] == "unknown"


def test_what_others_sold_is_not_compared_across_a_change_of_edition_that_breaks_the_good() -> None:
    """The rows of `trade` are of HS 2017 up to 2021 and of HS 2022 from then on."""
    cells, coverage, scope = prepared(rising("CHN", "KAZ", 3, 4))
    window = {
        "freq_code": ["A"],
        "window_months": [12],
        "window_end": [date(2022, 12, 1)],
        "baseline_years": ["2019-2021"],
    }
    windows = pl.DataFrame(window, schema_overrides={"window_months": pl.Int16})
    broken = pl.DataFrame({"good": ["847989"], "newer_edition": [6]}, schema_overrides={"newer_edition": pl.Int8})
    values = ["value_usd", "value_prior_year_usd", "value_baseline_usd"]
    whole = other_sellers.build(cells, coverage, scope, broken.clear(), windows).select(values).row(0)
    assert whole == (4 * MILLION, 3 * MILLION, 3 * MILLION)
    assert other_sellers.build(cells, coverage, scope, broken, windows).select(values).row(0) == (
        4 * MILLION,
        None,
        None,
    )


def test_what_the_importer_records_from_others_leaves_the_route_itself_out() -> None:
    cells, _, _ = prepared([*rising("KAZ", "DEU", 1, 9, flow="M"), *rising("KAZ", "CHN", 4, 5, flow="M")])
    flags = pl.DataFrame(
        {"flag_id": ["x"], "freq_code": ["A"], "window_months": [12], "window_end": [date(2022, 12, 1)],
         "good": ["847989"], "exporter_iso": ["DEU"], "importer_iso": ["KAZ"]},
        schema_overrides={"window_months": pl.Int16},
    )  # fmt: skip
    assert other_sellers.recorded_from_others(flags, cells).row(0) == ("x", 5 * MILLION, 4 * MILLION)


@pytest.mark.parametrize(
    "flag_type", [*[registered.name for registered in TYPES if registered.leg == HUB_TO_TARGET], "not known yet"]
)
def test_every_type_has_a_sentence_and_a_list_of_its_own_and_needs_no_column_that_may_be_missing(
    flag_type: str,
) -> None:
    row = flag_of(trade(), flag_type=flag_type)
    assert row["evidence"].endswith(".")
    assert {item["verdict"] for item in row["benign_if"]} <= {"fits", "partly", "against", "unknown"}
    assert all(item["text"].endswith(".") for item in row["benign_if"])


def test_a_route_that_ended_has_not_moved_where_no_other_seller_took_over() -> None:
    row = {
        **GHOST,
        "value_usd": 2 * MILLION,
        "all_to_importer_usd": 50 * MILLION,
        "all_to_importer_prior_usd": 58 * MILLION,
    }
    stayed = {**row, "others_to_target_usd": 30 * MILLION, "others_to_target_then_usd": 30 * MILLION}
    moved = {**row, "others_to_target_usd": 38 * MILLION, "others_to_target_then_usd": 30 * MILLION}
    name = "It ended and did not move to another hub"
    verdicts = [
        {item["explanation"]: item["verdict"] for item in benign_if(route, "resolved")}[name]
        for route in (stayed, moved)
    ]
    assert verdicts == ["fits", "against"]
