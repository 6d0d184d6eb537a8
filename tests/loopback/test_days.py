"""What is out on a day: first releases, late reporters, revisions, outages; and in the end all that the world has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl
import pytest

from loopback.facts import published
from loopback.server import Loopback, Outage, serving
from tests.loopback.asking import FREE, SOCKETS, UNMETERED, ask, small_world

pytestmark = SOCKETS
END = date(2026, 1, 1)  # after the last release


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving(small_world(), UNMETERED) as loopback:
        yield loopback


def available(server: Loopback) -> dict[tuple[int, int], tuple[int, str]]:
    datasets = ask(f"{server.url}/public/v1/getDA/C/M/HS").json["data"]
    return {(row["reporterCode"], row["period"]): (row["datasetChecksum"], row["lastReleased"]) for row in datasets}


def test_in_the_end_all_that_the_world_has_is_out_and_final():
    assert published(small_world(), UNMETERED, END).reports.equals(published(small_world(), UNMETERED).reports)
    assert published(small_world(), UNMETERED).reports.equals(small_world().reports)


def first_releases() -> pl.DataFrame:
    """reporter, month and lag in days between the end of the month and its first release."""
    calendar = enumerate(small_world().world.calendar)
    ends = {place: (month.replace(day=28) + timedelta(days=4)).replace(day=1) for place, month in calendar}
    lag = (pl.col("released") - pl.col("month").replace_strict(ends)).dt.total_days()
    return small_world().releases.filter(pl.col("number") == 1).with_columns(lag=lag)


def test_a_month_is_out_after_it_ended_and_for_members_of_the_eu_by_the_middle_of_the_month_after_next():
    lags = first_releases()
    assert min(lags["lag"].to_list()) >= 35
    assert max(lags.filter(pl.col("reporter").is_in(list(small_world().world.eu)))["lag"].to_list()) <= 48


def test_some_of_a_reporters_months_come_much_later_than_its_others():
    lags = sorted(first_releases().filter(pl.col("reporter") == "KAZ")["lag"].to_list())
    usual = lags[len(lags) // 2]
    assert lags[-1] > usual + 60
    assert sum(lag > usual + 60 for lag in lags) < len(lags) / 6


def test_the_next_day_may_bring_months_and_never_takes_one_away(server):
    server.turn_to(date(2022, 9, 1))
    before = available(server)
    server.turn_to(date(2022, 10, 1))
    after = available(server)
    assert set(before) < set(after)
    assert max(period for _, period in before) <= 202207


def test_what_was_released_again_has_another_checksum_and_the_rest_has_the_same(server):
    server.turn_to(date(2022, 9, 1))
    before = available(server)
    server.turn_to(date(2022, 12, 1))
    after = available(server)
    again = {key for key in before if after[key][1] != before[key][1]}
    assert 0 < len(again) < len(before)
    assert {key for key in before if after[key][0] != before[key][0]} <= again
    assert len({key for key in again if after[key][0] != before[key][0]}) > len(again) / 2


def test_rows_of_a_month_that_is_revised_lacked_or_had_another_value(server):
    server.turn_to(date(2022, 9, 1))
    early = published(small_world(), UNMETERED, date(2022, 9, 1)).reports
    final = small_world().reports
    key = ["reporter", "partner", "flow", "code", "month"]
    out = early.select("reporter", "month").unique()
    final = final.join(out, on=["reporter", "month"], how="semi")
    both = early.join(final, on=key, suffix="_final")
    assert 0 < final.height - early.height < final.height * 0.05
    changed = both.filter(pl.col("value_usd") != pl.col("value_usd_final"))
    assert 0 < changed.height < early.height * 0.2
    assert early.join(final, on=key, how="anti").is_empty()


def test_a_days_answers_are_of_that_day(server):
    address = f"{server.url}/data/v1/get/C/M/HS?reporterCode=398&period=202206&countOnly=true"
    server.turn_to(date(2022, 7, 5))
    assert ask(address, FREE).json["count"] == 0
    server.turn_to(END)
    assert ask(address, FREE).json["count"] > 0


def test_the_listing_of_comext_has_a_months_day_and_another_size_once_revised(server):
    def listed(day: date) -> str:
        server.turn_to(day)
        return ask(f"{server.url}/eurostat/api/dissemination/files/?dir=comext/COMEXT_DATA/PRODUCTS").body.decode()

    rows = [
        {line.split('">')[1].split("<")[0]: line for line in listed(day).splitlines() if "full_v2" in line}
        for day in (date(2022, 8, 17), date(2023, 8, 17))
    ]
    before, after = rows
    assert "full_v2_202206.7z" in before
    assert "full_v2_202207.7z" not in before
    changed = [name for name in before if before[name] != after[name]]
    assert 0 < len(changed) < 12


def test_a_rate_is_out_once_its_month_is_over(server):
    address = f"{server.url}/service/data/EXR/M.USD.EUR.SP00.A?format=csvdata&startPeriod=2022-06"
    server.turn_to(date(2022, 6, 30))
    assert ask(address).status == 404
    server.turn_to(date(2022, 7, 1))
    assert ask(address).body.count(b"2022-06") == 1


def test_a_publisher_that_is_away_answers_503_on_those_days_and_others_answer():
    outage = Outage("comtrade", date(2022, 9, 2), date(2022, 9, 3))
    address = "/public/v1/getDA/C/M/HS?reporterCode=398&period=202205"
    with serving(small_world(), UNMETERED, outages=[outage], today=date(2022, 9, 1)) as server:
        came = []
        for day in range(1, 5):
            server.turn_to(date(2022, 9, day))
            came.append(ask(server.url + address).status)
        server.turn_to(date(2022, 9, 2))
        assert ask(f"{server.url}/service/data/EXR?format=csvdata").status == 200
    assert came == [200, 503, 503, 200]


def test_a_script_can_turn_the_day_over_the_wire(server):
    assert ask(f"{server.url}/-/today?date=2022-09-01").json == {"today": "2022-09-01"}
    assert server.published.today == date(2022, 9, 1)
    assert ask(f"{server.url}/-/today?date=").json == {"today": "2023-07-20"}
