"""`anomaly fetch` against the publishers on loopback ends with what the world's own files hold, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from anomaly.fetch import PUBLISHERS, comtrade_ask, need, run
from anomaly.fetch.base import Need
from anomaly.fetch.client import Clock
from anomaly.sources.base import Context
from anomaly.sources.comtrade import SOURCE
from anomaly.world.files import files
from loopback.server import Loopback, Outage, serving
from pipelines.raw import find
from pipelines.scenario import of_run
from tests.loopback.asking import SOCKETS, UNMETERED, small_world

pytestmark = [*SOCKETS, pytest.mark.slow]
COMTRADE = next(publisher for publisher in PUBLISHERS if publisher.name == "comtrade")
KEY = ["ref_date", "reporter_iso", "partner_iso", "flow_code", "classification_code", "cmd_code"]
VALUES = ["primary_value_usd", "net_wgt_g", "is_net_wgt_estimated"]
SINCE = date(2022, 1, 1)
END = date(2025, 2, 1)


def at(day: date) -> Clock:
    """A day's clock on which nobody waits."""
    waited = [0.0]

    def wait(seconds: float) -> None:
        waited[0] += seconds

    return Clock(
        now=lambda: datetime.combine(day, time(3, tzinfo=UTC)) + timedelta(seconds=waited[0]),
        monotonic=lambda: waited[0],
        sleep=wait,
    )


def needed(day: date) -> Need:
    return need.of_scenario(of_run("russia-2022"), day)


def fetch(server: Loopback, raw: Path, day: date, since: date = SINCE) -> run.Done:
    return run.fetch(COMTRADE, needed(day), raw, SecretStr("loopback-free"), since, at(day), address=server.url)


def flows(raw: Path) -> pl.DataFrame:
    """What the newest file says of each key."""
    parts = []
    for described in find(raw):
        if SOURCE.claims(described.raw) and "reference" not in described.raw.name:
            parts += [batch.flows for batch in SOURCE.read(described.raw, Context({}))]
    newest = pl.concat(parts).sort("vintage").unique(KEY, keep="last")
    return newest.select(*KEY, *VALUES).sort(KEY)


def planted(tmp_path: Path, since: date = SINCE) -> pl.DataFrame:
    """What the world's files of UN Comtrade hold of the goods and months that are asked for."""
    raw = tmp_path / "brought"
    for name, content in files(small_world().world, small_world().reports).items():
        if name.startswith("comtrade/"):
            (raw / name).parent.mkdir(parents=True, exist_ok=True)
            (raw / name).write_bytes(content)
    asked = needed(END)
    return flows(raw).filter(pl.col("ref_date") >= since, pl.col("cmd_code").is_in(list(asked.goods)))


def nights(server: Loopback, raw: Path, days: Sequence[date]) -> list[str]:
    """A fetch a night; what went wrong, by night."""
    wrong = []
    for day in days:
        server.turn_to(day)
        try:
            fetch(server, raw, day)
        except Exception as error:
            wrong.append(f"{day} {type(error).__name__}")
    return wrong


def test_what_is_fetched_is_what_the_worlds_files_hold_of_the_same_goods_and_months(tmp_path):
    with serving(small_world(), UNMETERED) as server:
        fetch(server, tmp_path / "raw", END)
    came = flows(tmp_path / "raw")
    assert came.height > 1_000
    assert came.equals(planted(tmp_path))


def test_a_cap_that_cuts_many_answers_leaves_nothing_out(tmp_path, monkeypatch):
    monkeypatch.setitem(comtrade_ask.MOST_ROWS, comtrade_ask.DATA, 60)
    since = date(2023, 4, 1)
    with serving(small_world(), replace(UNMETERED, key_rows=60)) as server:
        fetch(server, tmp_path / "raw", END, since)
        calls = [entry for entry in server.log if entry["path"].startswith("/data/v1/get/C/M")]
    assert len(calls) > 20
    assert flows(tmp_path / "raw").equals(planted(tmp_path, since))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_faults_by_chance_leave_the_same_figures(tmp_path, seed):
    with serving(small_world(), UNMETERED, faults=[f"random:0.3:{seed}"]) as server:
        fetch(server, tmp_path / "raw", END)
        faults = [entry["fault"] for entry in server.log if entry["fault"]]
    assert len(faults) >= 3
    assert flows(tmp_path / "raw").equals(planted(tmp_path))


def test_a_year_of_nights_with_revisions_and_outages_ends_as_one_fetch_over_everything(tmp_path):
    days = [date(2022, 9, 1) + timedelta(days=45 * number) for number in range(8)]
    outages = [Outage("comtrade", date(2022, 11, 1), date(2022, 12, 15))]
    with serving(small_world(), UNMETERED, outages=outages) as server:
        wrong = nights(server, tmp_path / "nightly", [*days, END])
        nights(server, tmp_path / "once", [END])
    away = [day for day in days if date(2022, 11, 1) <= day <= date(2022, 12, 15)]
    assert [text[:10] for text in wrong] == [str(day) for day in away]
    assert len(away) == 1
    assert flows(tmp_path / "nightly").equals(flows(tmp_path / "once"))
    assert flows(tmp_path / "once").equals(planted(tmp_path))
