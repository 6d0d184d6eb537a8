"""What coalition members publish, fetched from loopback, is what the world's offices reported; Comext and rates alone make a report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from anomaly.fetch import PUBLISHERS, need, run
from anomaly.sources import SOURCES, find
from anomaly.sources.base import Context
from anomaly.store.store import Store
from loopback.server import Loopback, serving
from pipelines import raw as raw_folder
from pipelines import run as pipelines
from pipelines.scenario import of_run
from tests.loopback.asking import SOCKETS, UNMETERED, small_world
from tests.loopback.test_fetched import at

pytestmark = [*SOCKETS, pytest.mark.slow]
DAY, LAST = date(2023, 7, 20), date(2023, 5, 1)  # June is not yet asked for on that day
KEY = ["ref_date", "reporter_iso", "partner_iso", "cmd_code"]


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving(small_world(), UNMETERED) as loopback:
        yield loopback


def bring(server: Loopback, raw: Path, *names: str, since: date | None = None) -> None:
    needed = need.of_scenario(of_run("russia-2022"), DAY)
    for publisher in PUBLISHERS:
        if publisher.name in names:
            run.fetch(publisher, needed, raw, SecretStr("loopback-free"), since, at(DAY), address=server.url)


def read(raw: Path, source: str) -> pl.DataFrame:
    """Flows of a source, by its reader, with the rates that were fetched."""
    items = [(item.raw, find(item.raw)) for item in raw_folder.find(raw)]
    ecb = next(it for it in SOURCES if it.rates is not None)
    assert ecb.rates is not None
    rates = next((ecb.rates(file) for file, of in items if of is ecb), {})
    batches = [batch for file, of in items if of.name == source for batch in of.read(file, Context(rates))]
    assert not pl.concat(batch.rejected for batch in batches)["is_error"].any()
    return pl.concat(batch.flows for batch in batches)


def reported(*reporters: str) -> pl.DataFrame:
    """Exports that offices reported, by code of six digits."""
    facts = small_world()
    months = dict(enumerate(facts.world.calendar))
    rows = facts.reports.filter(pl.col("reporter").is_in(reporters), pl.col("flow") == "X", pl.col("value_usd") > 0)
    return (
        rows.with_columns(ref_date=pl.col("month").replace_strict(months))
        .group_by("ref_date", reporter_iso="reporter", partner_iso="partner", cmd_code="code")
        .agg(pl.col("value_usd").sum())
        .sort(KEY)
    )


def test_the_united_states_exports_are_what_they_reported(server, tmp_path):
    bring(server, tmp_path, "census", since=date(2022, 1, 1))
    flows = read(tmp_path, "census").select(*KEY, "primary_value_usd").sort(KEY)
    truth = reported("USA").filter(pl.col("ref_date").is_between(date(2022, 1, 1), LAST))
    assert truth.height > 50
    assert flows.rows() == truth.rows()


def test_the_united_kingdoms_exports_are_what_it_reported_but_for_pence(server, tmp_path):
    bring(server, tmp_path, "hmrc", "ecb", since=date(2022, 6, 1))
    flows = read(tmp_path, "hmrc").with_columns(pl.col("cmd_code").str.slice(0, 6)).select(*KEY, "primary_value_usd")
    truth = reported("GBR").filter(pl.col("ref_date").is_between(date(2022, 6, 1), LAST))
    both = truth.join(flows, on=KEY, how="full", coalesce=True)
    assert both.height == truth.height > 50
    assert both.null_count().sum_horizontal().item() == 0
    assert ((pl.Series(both["value_usd"]) - both["primary_value_usd"]).abs() <= 2).all()


def test_months_and_slices_of_comext_say_the_same_of_listed_goods(server, tmp_path):
    since = date(2023, 1, 1)
    bring(server, tmp_path / "months", "comext", "ecb", since=since)
    bring(server, tmp_path / "slices", "comext-slices", "ecb", since=since)
    months, slices = (
        read(tmp_path / name, "comext")
        .filter(~pl.col("is_confidential"))
        .group_by(*KEY[:3], cmd_code=pl.col("cmd_code").str.slice(0, 6))
        .agg(pl.col("reported_value").sum())
        .sort(KEY)
        for name in ("months", "slices")
    )
    goods = need.of_scenario(of_run("russia-2022"), DAY).goods
    assert slices.height > 100
    assert slices.rows() == months.filter(pl.col("cmd_code").is_in(list(goods))).rows()


def test_comext_and_rates_alone_end_in_a_report_on_the_coalitions_sales(server, tmp_path):
    bring(server, tmp_path / "raw", "comext", "ecb")
    pipelines.main(tmp_path / "raw", tmp_path / "data", "russia-2022")
    supply = Store(tmp_path / "data").scan("supply").collect()
    assert supply.filter(~pl.col("is_before_sanctions"))["importer_iso"].n_unique() > 3
    assert (tmp_path / "data" / "reports" / "latest" / "report.html").stat().st_size > 10_000
