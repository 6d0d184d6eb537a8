"""How few calls bring a scenario's data: beside the least that the caps allow, and never more than asked for twice."""

import math
import random
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from anomaly.contract.settings import load
from anomaly.fetch import PUBLISHERS, need
from anomaly.fetch.base import Asking, Cell, Plan, Release
from anomaly.fetch.comtrade_ask import DATA, MOST_LETTERS, MOST_ROWS, Ask, halves, of_params, reporters
from anomaly.fetch.comtrade_plan import dataset_of, least_calls, templates
from anomaly.fetch.run import SURPRISE

PUBLISHER = next(publisher for publisher in PUBLISHERS if publisher.name == "comtrade")
TODAY = date(2026, 11, 20)
SPREAD = (0.5, 0.7, 0.8, 1.0, 1.3, 1.6, 2.2)  # of how many rows of all a reporter has for each that is asked for
MONTHLY, ANNUAL = 85, 170  # reporters that publish so at all, of the shape that UNSD tells


def made_up(seed: int) -> dict[tuple[str, int, str], int]:
    """Rows of a reporter's period for the default scenario's goods: a few report ten times what most do, and some come late."""
    rng = random.Random(seed)
    numbers = sorted(reporters().values())
    rows = {}
    for freq, count, typical in (("M", MONTHLY, 900.0), ("A", ANNUAL, 1500.0)):
        for reporter in rng.sample(numbers, count):
            usual, late = typical * math.exp(rng.gauss(0, 1.0)), rng.randrange(6)
            periods = months() if freq == "M" else [str(year) for year in range(2019, 2026)]
            for period in periods[: len(periods) - (late if freq == "M" else late // 5)]:
                rows[freq, reporter, period] = round(usual * rng.uniform(0.8, 1.2))
    return rows


def months() -> list[str]:
    return [f"{month:%Y%m}" for month in need.months(need.of_scenario(load(), TODAY))]


def question(**parts) -> Asking:
    needed = need.of_scenario(load(), TODAY)
    return replace(Asking(needed, {}, {}, True, None, TODAY), **parts)


def news(rows) -> dict[str, Release]:
    """What is out, with the rows of all goods and breakdowns: a share of them, which differs by reporter, is asked for."""
    return {
        f"{dataset_of(freq)}/{reporter}/{period}": Release("c", "d", round(count * 90 * SPREAD[reporter % 7]))
        for (freq, reporter, period), count in rows.items()
    }


def held(rows) -> dict[str, Cell]:
    """All of it there already, and of sizes that are known."""
    scope = templates(question())[0].scope
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return {
        f"{dataset_of(freq)}/{scope}/{reporter}/{period}": Cell("x", Release("old", "d", count), now)
        for (freq, reporter, period), count in rows.items()
    }


def asks(plan: Plan) -> list[Ask]:
    return [of_params(call.path, call.params) for call in plan.calls if not call.is_reference]


def calls_made(plan: Plan, rows) -> int:
    """Calls with those that come back at the cap and are cut in two."""
    made, left = 0, asks(plan)
    while left:
        ask = left.pop()
        made += 1
        if sum(rows.get((ask.freq, r, p), 0) for r in ask.reporters for p in ask.periods) >= MOST_ROWS[DATA]:
            left += halves(ask)
    return made


def calls_made_as_sizes_come(question, rows) -> int:
    """As the fetch does it: each call that comes otherwise than expected has the rest planned again."""
    made, there = 0, dict(question.held)
    left = [call for call in PUBLISHER.plan(question).calls if not call.is_reference]
    while left:
        call = left.pop(0)
        ask = of_params(call.path, call.params)
        made += calls_made(Plan((call,)), rows)
        came = {
            (ask.freq, r, p): rows[ask.freq, r, p]
            for r in ask.reporters
            for p in ask.periods
            if (ask.freq, r, p) in rows
        }
        there |= {
            name: Cell("x", Release("c", "d", count), datetime(2026, 11, 20, tzinfo=UTC))
            for (freq, r, p), count in came.items()
            for name in [f"{dataset_of(freq)}/{ask.scope}/{r}/{p}"]
        }
        if left and not 1 / SURPRISE <= sum(came.values()) / (call.rows or 1) <= SURPRISE:
            left = [call for call in PUBLISHER.plan(replace(question, held=there)).calls if not call.is_reference]
    return made


def least(rows) -> int:
    return sum(
        least_calls({(r, p): count for (f, r, p), count in rows.items() if f == freq}, DATA) for freq in ("M", "A")
    )


@pytest.mark.parametrize("seed", [11, 12])
def test_every_period_that_is_out_is_asked_for_once(seed):
    rows = made_up(seed)
    asked = [
        (ask.freq, r, p)
        for ask in asks(PUBLISHER.plan(question(news=news(rows))))
        for r in ask.reporters
        for p in ask.periods
    ]
    assert len(set(asked)) == len(asked)
    assert set(rows) <= set(asked)


@pytest.mark.parametrize("seed", [11, 12])
def test_calls_of_known_sizes_are_few_over_the_least(seed):
    rows = made_up(seed)
    plan = PUBLISHER.plan(question(news=news(rows), held=held(rows)))
    assert {call.why for call in plan.calls if not call.is_reference} == {"revised"}
    assert calls_made(plan, rows) <= 1.25 * least(rows)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_calls_of_a_first_fetch_learn_sizes_as_they_come(seed):
    rows = made_up(seed)
    assert calls_made_as_sizes_come(question(news=news(rows)), rows) <= 1.6 * least(rows)


def test_no_call_is_over_a_cap_that_is_known_beforehand():
    for ask in asks(PUBLISHER.plan(question(news=None))):
        assert len(ask.periods) <= 12
        assert ask.letters <= MOST_LETTERS


def test_a_preview_asks_for_one_period_at_a_time():
    periods = [ask.periods for ask in asks(PUBLISHER.plan(question(news=None, has_key=False)))]
    assert {len(period) for period in periods} == {1}


def test_what_is_missing_comes_first_and_newest_first():
    rows = made_up(1)
    plan = PUBLISHER.plan(question(news=news(rows)))
    periods = [call.period for call in plan.calls if call.dataset == "C-M-HS"]
    assert periods == sorted(periods, reverse=True)


def test_goods_are_the_lists_codes_in_every_edition_of_these_years():
    goods = need.of_scenario(load(), TODAY).goods
    assert {"852580", "852589", "854231"} <= set(goods)  # 852580: what cameras were until 2021
    assert all(len(code) == 6 for code in goods)


def test_where_everyone_else_may_be_a_hub_everyone_else_is_asked():
    needed = need.of_scenario(load("china-minerals-2023"), TODAY)
    assert "KAZ" in needed.hubs
    assert not set(needed.hubs) & {*needed.coalition, *needed.targets}


def test_since_leaves_out_what_is_before():
    plan = PUBLISHER.plan(question(news=None, since=date(2026, 1, 1)))
    assert {period[:4] for ask in asks(plan) for period in ask.periods} == {"2026"}
