"""What the coalition sells to hubs in the real statistics, where they are at hand: what must be called, and what must not."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.keys import COALITION, COALITION_TO_HUB, HUB_TO_TARGET
from anomaly.store.store import Store
from pipelines import run
from tests import REAL_RAW
from tests.conftest import MadeOnce

BORN_IN_2022 = ("851712+", "870120+", "854151", "854159", "880621", "880622", "851770+", "900659")
LAST = date(2022, 11, 1)
# good and hub → the first window, of those asked about, in which it must be called
MUST_BE_CALLED = {
    ("870899", "ARM"): date(2022, 6, 1), ("844331", "ARM"): date(2022, 6, 1), ("852872", "KAZ"): date(2022, 6, 1),
    ("870333", "KGZ"): date(2022, 9, 1), ("870324", "KGZ"): date(2022, 9, 1), ("870324", "KAZ"): date(2022, 9, 1),
    ("844331", "KGZ"): date(2022, 9, 1), ("847130", "ARM"): LAST,
}  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL_RAW.is_dir(), reason="real statistics are not at hand (ANOMALY_REAL_RAW)"),
]


@pytest.fixture(scope="module")
def store(made_once: MadeOnce) -> Store:
    data: Path = made_once("real", lambda folder: run.main(REAL_RAW, folder, "russia-2022"))
    return Store(data)


def leaked(store: Store, leg: str) -> pl.DataFrame:
    return store.read("leakage").filter(leg=leg)


@pytest.mark.parametrize(("route", "by"), MUST_BE_CALLED.items(), ids=["-".join(route) for route in MUST_BE_CALLED])
def test_the_known_cases_are_called_at_q_of_a_twentieth_by_one_of_the_tests(
    store: Store, route: tuple[str, str], by: date
) -> None:
    rows = store.read("supply").filter(good=route[0], importer_iso=route[1])
    for end in {by, LAST}:
        row = rows.filter(window_end=end).row(0, named=True)
        assert row["called_by"] is not None
        assert min(row[name] for name in ("window_q_value", "date_q_value") if row[name] is not None) <= 0.05


def test_no_date_before_the_measure_taken_for_it_calls_a_leg(store: Store) -> None:
    calibration = store.read("supply.calibration").filter(window_end=LAST).row(0, named=True)
    assert calibration["pseudo_dates"] >= 6
    assert calibration["pseudo_calls"] == 0


def test_of_the_year_before_the_measure_at_most_one_leg_in_a_hundred_is_called(store: Store) -> None:
    calibration = store.read("supply.calibration")
    assert (calibration["year_before_called"] * 100 <= calibration["year_before_tested"]).all()
    assert calibration.filter(window_end=LAST)["year_before_tested"].item() > 500
    assert store.read("supply").filter("is_before_sanctions")["called_by"].is_null().all()


def test_codes_born_in_2022_are_refused_by_name_and_never_called(store: Store) -> None:
    refused = store.read("supply.refused").filter(pl.col("refusal") == "born_in_edition")
    assert set(BORN_IN_2022) & set(refused["good"]) >= {"851712+", "870120+"}
    called = store.read("supply").filter(pl.col("called_by").is_not_null())["good"]
    assert set(called).isdisjoint(BORN_IN_2022)


def test_single_lumpy_goods_are_not_called_and_would_carry_their_caveat(store: Store) -> None:
    from anomaly.flags.caveats import is_lumpy

    rows = store.read("supply").filter(pl.col("good").is_in(["841112", "880212"]), importer_iso="GEO")
    assert rows["value_usd"].max() > 9_000_000  # type: ignore[operator]
    assert rows["called_by"].is_null().all()
    assert is_lumpy("841112")
    assert is_lumpy("880212")


def test_the_flags_are_of_the_coalition_as_one_and_say_on_what_they_rest(store: Store) -> None:
    flags = store.read("flags").filter(flag_type="diverted_supply")
    assert set(flags["exporter_iso"]) == {COALITION}
    row = flags.filter(window_end=LAST, good="870899", importer_iso="ARM").row(0, named=True)
    text = " ".join(reason["text"] for reason in row["reasons"])
    assert "Jun–Nov 2022" in text
    assert "on the months since January 2020" in text
    assert row["severity"] == "medium"


@pytest.mark.parametrize("hub", ["KGZ", "ARM", "KAZ", "GEO", "UZB"])
def test_the_leakage_is_of_what_the_members_report_to_the_dollar(store: Store, hub: str) -> None:
    """January to November 2022. Of goods that stand for several codes a member may fall silent for a year: unknown, so in no sum."""
    eleven = leaked(store, COALITION_TO_HUB).filter(window_end=LAST, window_months=11, hub_iso=hub)
    goods = eleven.filter(~pl.col("good").str.ends_with("+"), level="hub_good")
    flows = store.read(
        "bilateral",
        where=(pl.col("freq_code") == "M") & (pl.col("importer_iso") == hub) & (pl.col("ref_date") >= date(2022, 1, 1)),
    )
    reported = flows.filter(pl.col("good").is_in(goods["good"].implode()))["export_value_fob_usd"].sum()
    assert goods["value_usd"].sum() == reported
    assert eleven.filter(level="hub_good")["value_usd"].sum() == eleven.filter(level="hub")["value_usd"].item()


def test_the_leakage_intervals_held_about_as_often_as_they_ask_for_where_nothing_can_have_gone_round(
    store: Store,
) -> None:
    """The design was chosen on simulated worlds, not here."""
    coverage = store.read("leakage.coverage")
    kinds = ((COALITION_TO_HUB, ("hub_chapter", "hub")), (HUB_TO_TARGET, ("hub", "good", "all")))
    for leg, of in kinds:
        rows = coverage.filter(pl.col("of").is_in(of), leg=leg)
        assert 0.88 <= int(rows["held"].sum()) / int(rows["sums"].sum()) <= 0.92, leg


def test_the_leakage_is_of_the_size_that_the_prototype_found(store: Store) -> None:
    of_leg = leaked(store, COALITION_TO_HUB).filter(window_end=LAST, window_months=11)
    all_goods = of_leg.filter(level="all").row(0, named=True)
    assert 1_600_000_000 < all_goods["excess_middle_usd"] < 3_200_000_000
    assert all_goods["excess_low_usd"] > 0
    cars = of_leg.filter(level="good", good="870324")
    assert cars["excess_of_lost_share"].item() == pytest.approx(1.0, abs=0.03)


def test_what_went_on_to_russia_stands_on_the_second_leg_and_chinese_cars_are_in_no_sum(store: Store) -> None:
    of_year = leaked(store, HUB_TO_TARGET).filter(window_end=date(2022, 12, 1))
    armenia = of_year.filter(level="hub", hub_iso="ARM").row(0, named=True)
    assert armenia["excess_low_usd"] > 50_000_000
    assert of_year.filter(level="hub_good", hub_iso="ARM", good="870324")["excess_low_usd"].item() > 30_000_000
    assert ("CHN", "870323") in of_year.filter(level="maker").select("hub_iso", "good").rows()
    assert ("CHN", "870323") not in of_year.filter(level="hub_good").select("hub_iso", "good").rows()
