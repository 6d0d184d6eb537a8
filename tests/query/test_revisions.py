"""What became of the flags, and why: planted changes of every kind, and two runs in which only one of the two causes is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from anomaly.cli.commands import main
from anomaly.contract.errors import SourceUnavailable
from anomaly.contract.settings import Settings
from anomaly.query import revisions
from anomaly.query.revisions import APPEARED, BOTH, MOVED, NEW, REVISED, VANISHED
from anomaly.store.store import Store, of_last_run
from anomaly.world.files import files
from pipelines import revisions as between
from pipelines import run
from pipelines.scenario import of_run
from tests.loopback.asking import small_world
from tests.sources.test_ingest import table

SCHEMA = {
    "flag_id": pl.String,
    "severity": pl.String,
    "flag_type": pl.String,
    "value_usd": pl.Int64,
    "q_value": pl.Float64,
}
CUT = date(2023, 1, 1)


def flags(**severity_of: str) -> pl.DataFrame:
    return pl.DataFrame([[name, word, "t", 5, 0.1] for name, word in severity_of.items()], schema=SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("before", "revised", "now", "expected"),
    [
        ({}, {"a": "high"}, {"a": "high"}, (APPEARED, REVISED)),
        ({}, {}, {"a": "high"}, (APPEARED, NEW)),
        ({"a": "high"}, {}, {}, (VANISHED, REVISED)),
        ({"a": "high"}, {"a": "high"}, {}, (VANISHED, NEW)),
        ({"a": "high"}, {"a": "low"}, {"a": "low"}, (MOVED, REVISED)),
        ({"a": "high"}, {"a": "high"}, {"a": "low"}, (MOVED, NEW)),
        ({"a": "high"}, {"a": "medium"}, {"a": "low"}, (MOVED, BOTH)),
        ({}, {"a": "medium"}, {"a": "low"}, (APPEARED, BOTH)),
        ({"a": "high"}, {}, {"a": "high"}, None),  # as it was, whatever lay between
        ({"a": "high"}, {"a": "high"}, {"a": "high"}, None),
    ],
)
def test_each_change_has_its_word_and_its_cause(before, revised, now, expected):
    rows = revisions.changes(flags(**before), flags(**revised), flags(**now))
    assert [row[1:3] for row in rows.rows()] == ([expected] if expected else [])


def test_another_value_is_a_move_and_another_q_alone_is_none():
    old = flags(a="high", b="high")
    new = old.with_columns(
        value_usd=pl.when(pl.col("flag_id") == "a").then(6).otherwise("value_usd"), q_value=pl.lit(0.2)
    )
    rows = revisions.changes(old, old, new)
    assert rows.select("flag_id", "change", "value_usd_before", "value_usd_now").rows() == [("a", MOVED, 5, 6)]


COVERAGE = {
    "source": pl.String,
    "freq_code": pl.String,
    "ref_date": pl.Date,
    "reporter_iso": pl.String,
    "rows": pl.Int64,
    "value_usd": pl.Int64,
}


def covered(**of_reporter: tuple[int, int]) -> pl.DataFrame:
    rows = [["comext", "M", CUT, name, *counts] for name, counts in of_reporter.items()]
    return pl.DataFrame(rows, schema=COVERAGE, orient="row")


def test_periods_are_new_revised_or_gone_and_one_as_before_is_left_out():
    before = covered(DEU=(1, 5), FRA=(1, 5), ITA=(1, 5), NLD=(1, 5))
    now = covered(DEU=(1, 5), FRA=(1, 6), ITA=(2, 5), POL=(1, 5))
    found = dict(revisions.periods(before, now).select("reporter_iso", "change").rows())
    assert found == {"FRA": "revised", "ITA": "revised", "NLD": "gone", "POL": "new"}


def test_rows_of_a_new_period_are_taken_out_and_revised_ones_stay():
    now = covered(DEU=(1, 5), POL=(1, 5))
    kept = revisions.without_new(now.lazy(), covered(DEU=(9, 9), FRA=(1, 5))).collect()
    assert kept["reporter_iso"].to_list() == ["DEU"]


def test_where_there_is_one_run_it_says_so(tmp_path):
    from tests.house.test_nightly import ROW, nightly

    table(tmp_path / "raw", [ROW])
    nightly(tmp_path, None)
    with pytest.raises(SourceUnavailable, match="the last is the first"):
        between.before(of_last_run(tmp_path / "data"))
    assert CliRunner().invoke(main, ["revisions", "--data", str(tmp_path / "data")]).exit_code == 69


@pytest.fixture(scope="module")
def whole(made_once: Callable[..., Path]) -> Path:
    """A run on a small world."""

    def fill(root: Path) -> None:
        for name, content in files(small_world().world, small_world().reports).items():
            (root / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "raw" / name).write_bytes(content)
        run.main(root / "raw", root / "data", "russia-2022")

    return made_once("small_world_run", fill)


def ended(data: Path, whole: Path, change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Store:
    """A run on the figures of the small world, changed."""
    settings: Settings = of_run("russia-2022")
    now, store = of_last_run(whole / "data"), Store(data)
    store.begin_run()
    with store.writer("flows", inputs={}, scenario=settings.recorded()) as writer:
        writer.add(change(now.scan("flows")).collect())
        for name in ("rejected", "doubts", "set_aside", "files"):
            writer.add(now.read(f"flows.{name}"), f"flows.{name}")
    with store.writer("families", inputs={}, scenario=settings.recorded()) as writer:
        writer.add(now.read("families"))
        writer.add(now.read("families.broken"), "families.broken")
    jobs = [job for job in run.JOBS if job.name not in between.LEFT_OUT]
    for job in jobs:
        between._make(job, store, settings)
    store.end_run(["flows", "families", *(job.name for job in jobs)])
    return of_last_run(data)


def as_it_is(flows: pl.LazyFrame) -> pl.LazyFrame:
    return flows


def cut(flows: pl.LazyFrame) -> pl.LazyFrame:
    return flows.filter(pl.col("ref_date") < CUT)


def halved(flows: pl.LazyFrame) -> pl.LazyFrame:
    """What was said of possible hubs' exports since the sanctions at first: half, so that nothing was to be seen."""
    is_late = (pl.col("ref_date") >= date(2022, 3, 1)) & pl.col("partner_iso").is_in(["RUS", "BLR"])
    return flows.with_columns(
        primary_value_usd=pl.when(is_late).then(pl.col("primary_value_usd") // 20).otherwise("primary_value_usd")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "cause"), [(cut, NEW), (halved, REVISED)], ids=["new periods alone", "revisions alone"]
)
def test_where_only_one_cause_is_there_every_change_has_it(whole, tmp_path, first, cause):
    ended(tmp_path / "data", whole, first)
    now = ended(tmp_path / "data", whole, as_it_is)
    rows = between.changes(now, between.before(now))
    assert rows.height > 3
    assert APPEARED in rows["change"].to_list()
    assert rows["because"].unique().to_list() == [cause]


@pytest.mark.slow
def test_where_both_causes_are_there_what_was_revised_is_what_a_run_without_the_new_periods_shows(whole, tmp_path):
    ended(tmp_path / "data", whole, lambda flows: halved(cut(flows)))
    before = of_last_run(tmp_path / "data").read("flags", between.FLAGS)
    now = ended(tmp_path / "data", whole, as_it_is)
    rows = between.changes(now, between.before(now))
    truth = ended(tmp_path / "truth", whole, cut).read("flags", between.FLAGS)
    appeared = rows.filter(change=APPEARED)
    by_revision = set(truth["flag_id"]) - set(before["flag_id"])
    assert by_revision & set(appeared["flag_id"]) == set(appeared.filter(pl.col("because") != NEW)["flag_id"])
    assert {NEW, REVISED} <= set(appeared["because"])
