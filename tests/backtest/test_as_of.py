"""As of a date, only what was out by then is known, and nothing else changes a score."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from anomaly.backtest import as_of as replay
from anomaly.contract.settings import load
from anomaly.indicators import INDICATORS
from anomaly.scores import scores
from anomaly.sources import vintages
from tests.trade import flow

SETTINGS = load()
NAMES = {"hub to target": ["growth", "share"], "coalition to hub": ["share", "growth"]}


def routes(importers: list[str], role: str, end: date, count: int) -> pl.DataFrame:
    """Inputs of some routes of the year up to a month: noise; in a shock all to targets rise, as much where nothing can be re-exported."""
    noise, year = np.random.default_rng([end.year, end.month, count]), end.year
    rise = noise.normal(SHOCK_LOG if role == "target" and end in SHOCKS else 0.0, 0.3, count)
    return pl.DataFrame(
        {
            "freq_code": "A",
            "window_months": 12,
            "window_end": end,
            "good": [f"84{number:04d}" for number in range(count)],
            "exporter_iso": "KAZ",
            "importer_iso": [importers[number % len(importers)] for number in range(count)],
            "baseline_gap_years": 2 if year == 2023 else 1,
            "role": role,
            "is_before_sanctions": year < 2022,
            "value_usd": 5_000_000,
            "is_from_coalition": False,
            "is_measured": True,
            "evidence_weight": 1.0,
            "source": "comtrade",
            "dataset": "extract",
            "value_basis": "export",
            "is_wide": True,
            "rise_log": rise,
            "rest_log": rise,
            "room_log": [0.0, 2.0] * (count // 2),
            "step_log": None,
            "step_age_months": None,
            "roughness": 1.0,
            "has_direct_fallen": [True, True, False, False] * (count // 4),
            "is_direct_known": True,
            "is_matched": False,
            "growth": np.maximum(noise.normal(0, 0.3, count), 0),
            "share": np.maximum(noise.normal(0, 0.3, count), 0),
        },
        schema_overrides={
            "window_months": pl.Int16,
            "baseline_gap_years": pl.Int8,
            "step_log": pl.Float64,
            "step_age_months": pl.Int32,
        },
    )


SHOCKS, SHOCK_LOG = (date(2022, 6, 1), date(2023, 6, 1)), 1.0
ENDS = (date(2021, 12, 1), date(2022, 6, 1), date(2022, 12, 1), date(2023, 6, 1), date(2023, 12, 1))


def is_out(period: int | str, as_of: date, source: str = "comtrade") -> bool:
    row = pl.DataFrame([flow(period, "KAZ", "RUS", 1, source=source)], schema_overrides={"net_wgt_g": pl.Int64})
    return row.select(replay.is_out(as_of, SETTINGS)).item()


@pytest.mark.parametrize(
    ("period", "source", "out"),
    [
        ("2022-06", "comtrade", date(2022, 9, 30)),
        ("2022-12", "comext", date(2023, 3, 31)),
        ("2022-06", "table", date(2022, 10, 31)),
        (2022, "comtrade", date(2023, 10, 31)),
        (2022, "baci", date(2024, 1, 31)),
    ],
)
def test_a_period_is_out_when_the_lag_of_its_source_is_over(period, source, out):
    assert is_out(period, out, source)
    assert not is_out(period, out.replace(day=1) - (date(2022, 1, 2) - date(2022, 1, 1)), source)


def covered(*periods: tuple[str, date]) -> pl.DataFrame:
    return pl.DataFrame(
        [("comtrade", freq, day) for freq, day in periods], schema=["source", "freq_code", "ref_date"], orient="row"
    )


def test_dates_are_ends_of_quarters_for_months_and_of_years_for_years_until_all_is_out():
    monthly = replay.dates(covered(("M", date(2018, 1, 1)), ("M", date(2022, 5, 1))), SETTINGS)
    assert monthly == [
        ("M", date(2021, 12, 31)),
        ("M", date(2022, 3, 31)),
        ("M", date(2022, 6, 30)),
        ("M", date(2022, 9, 30)),
    ]
    annual = replay.dates(covered(("A", date(2018, 1, 1)), ("A", date(2021, 1, 1))), SETTINGS)
    assert annual == [("A", date(2020, 12, 31)), ("A", date(2021, 12, 31)), ("A", date(2022, 12, 31))]


def releases(*rows: tuple[str, int, str]) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Flows of (month, value, vintage) of one route, and their releases."""
    released: list[dict[str, Any]] = [
        flow(month, "KAZ", "RUS", value) | {"vintage": vintage} for month, value, vintage in rows
    ]
    flows = pl.DataFrame(released, schema_overrides={"net_wgt_g": pl.Int64})
    return flows.lazy(), flows.select(*vintages.GROUP, *vintages.RELEASE, "classification_code").unique()


def values(as_of: date, *rows: tuple[str, int, str]) -> list[int]:
    flows, files = releases(*rows)
    current = replay.current(flows, files, as_of).filter("is_current").collect()
    return sorted(current["primary_value_usd"].to_list())


def test_a_correction_is_not_known_before_it_was_published_and_replaces_the_first_figure_after():
    rows = (("2022-01", 10, "2022-04-20"), ("2022-01", 15, "2023-01-20"))
    assert values(date(2022, 12, 31), *rows) == [10]
    assert values(date(2023, 1, 31), *rows) == [15]


def test_what_was_fetched_on_the_day_itself_is_known_on_it():
    rows = (("2022-01", 10, "2022-04-20"), ("2022-01", 15, "2023-01-31T235959Z-99999999"))
    assert values(date(2023, 1, 31), *rows) == [15]


def test_the_first_release_held_stands_for_what_was_published_before_it():
    assert values(date(2022, 12, 31), ("2022-01", 10, "2025-02-26")) == [10]
    assert values(date(2022, 12, 31), ("2022-01", 10, "202501"), ("2022-01", 15, "202601")) == [10]
    assert values(date(2026, 1, 31), ("2022-01", 10, "202501"), ("2022-01", 15, "202601")) == [15]


def inputs() -> pl.DataFrame:
    """Three windows of one gap and two of the next, each with placebos."""
    parts = [(["RUS"], "target", 60), (["ARG", "CHL"], "placebo", 200)]
    return pl.concat([routes(importer, role, end, count) for end in ENDS for importer, role, count in parts])


def test_the_newest_window_of_each_length_and_leg_is_looked_at():
    hubs = inputs()
    later = hubs.filter(pl.col("window_end") == date(2021, 12, 1), role="target")
    quarters = later.with_columns(window_months=pl.lit(3, pl.Int16), window_end=pl.lit(date(2023, 3, 1)))
    ghost = hubs.filter(pl.col("window_end") == date(2022, 12, 1), role="target").with_columns(
        is_from_coalition=pl.lit(value=True), role=pl.lit("other")
    )
    unknown = ghost.with_columns(window_end=pl.lit(date(2023, 12, 1)), is_measured=pl.lit(value=False))
    newest = replay.newest(pl.concat([hubs, quarters, ghost, unknown]), "A")
    assert newest.rows() == [
        ("A", 3, False, date(2023, 3, 1)),
        ("A", 12, False, date(2023, 12, 1)),
        ("A", 12, True, date(2022, 12, 1)),
    ]


@pytest.mark.parametrize("year", [2022, 2023])
def test_scoring_only_what_the_newest_window_needs_changes_no_score_of_it(year: int) -> None:
    """Control routes of the window before, in which a shock was, raise its p too: that window is kept."""
    settings = load(
        forest={"trees": 20, "seeds": [0, 1], "max_samples": 256}, calibration={"least_with_room": 100, "resamples": 2}
    )
    published = inputs().filter(pl.col("window_end").dt.year() <= year)
    early = published.filter(pl.col("window_end").dt.year() == 2021).with_columns(freq_code=pl.lit("M"))
    published = pl.concat([published, early])
    windows = replay.newest(published, "A")
    needed = replay.of_windows(published, windows, settings)
    assert needed.height == (780 if year == 2022 else 520)
    whole, part = scores.build(published, NAMES, settings).scores, scores.build(needed, NAMES, settings).scores
    expected = whole.join(windows, on=["freq_code", "window_months", "window_end"], how="semi")
    assert expected.height == 60
    assert (
        expected.select(pl.col("shock_ratio").min()).item() > 1.5
    )  # of the window before: in its own no control route rose more than placebos
    assert_frame_equal(part.join(expected, on=["window_end"], how="semi"), expected)


def looked_at(flag_type: str | None, q_value: float | None) -> dict[str, Any]:
    """What replay.routes says of one route with a score and perhaps a flag."""
    key = {"freq_code": "A", "window_months": 12, "window_end": date(2022, 12, 1), "good": "870323"}
    route = pl.DataFrame(
        [key | {"exporter_iso": "ARM", "importer_iso": "RUS"}], schema_overrides={"window_months": pl.Int16}
    )
    values = {
        "value_usd": 5,
        "value_prior_year_usd": 1,
        "value_baseline_usd": 1,
        "role": "target",
        "is_before_sanctions": False,
    }
    numbers = {indicator.name: 1.0 for indicator in INDICATORS}
    features = route.with_columns(
        baseline_gap_years=pl.lit(1, pl.Int8), **{k: pl.lit(v) for k, v in (values | numbers).items()}
    )
    scores = route.with_columns(anomaly_score=pl.lit(0.5), anomaly_rank=pl.lit(1), q_value=pl.lit(q_value, pl.Float64))
    flags = route.with_columns(flag_type=pl.lit(flag_type)).filter(flag_type is not None)
    windows = route.select("freq_code", "window_months", "window_end", is_from_coalition=pl.lit(value=False))
    routes = replay.routes(features, windows, scores, flags, SETTINGS)
    return routes.row(0, named=True) if routes.height else {}


@pytest.mark.parametrize(
    ("flag_type", "is_alarm"),
    [
        ("hub_reexport", True),
        ("new_route", True),
        ("relabel", True),
        ("price_only", False),
        ("resolved", False),
        (None, False),
    ],
)
def test_a_flag_that_says_that_nothing_goes_round_is_no_alarm(flag_type: str | None, is_alarm: bool) -> None:
    assert looked_at(flag_type, 0.01)["is_flagged"] is is_alarm


def test_a_route_without_q_is_no_candidate_unless_it_is_flagged_by_rule() -> None:
    assert looked_at(None, 0.9)["is_candidate"] is True
    assert looked_at("new_route", None)["is_candidate"] is True
    assert looked_at(None, None) == {}
