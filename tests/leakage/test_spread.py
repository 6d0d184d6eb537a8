"""How rises are spread: what comes next lies where it should, thin sizes borrow from their like, shared shocks are seen."""

import numpy as np
import pytest

from anomaly.leakage import spread
from anomaly.leakage.spread import Groups

SIZES = 3
NO_SHOCK = (0.0, 0.0)


def grouped(hubs: int, goods: int) -> Groups:
    """Hubs, and five goods a chapter in each."""
    hub, good = np.divmod(np.arange(hubs * goods), goods)
    return Groups((hub, hub * goods + good // 5))


@pytest.mark.parametrize("count", [20, 40, 100])
def test_nine_tenths_of_a_spread_hold_nine_tenths_of_what_comes_next_however_few_it_was_read_from(count: int) -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(1500):
        steps = spread.equally_likely(np.sort(rng.normal(size=count)))
        low, high = np.quantile(steps, [0.05, 0.95])
        held.append(low <= rng.normal() <= high)
    assert np.mean(held) == pytest.approx(0.9, abs=0.025)


def test_a_thin_size_borrows_from_the_sizes_beside_it_and_never_from_what_came_from_nothing() -> None:
    size = np.repeat([0, 1, 2], [500, 3, 100])
    rise = np.where(size == 0, 0.0, np.random.default_rng(2).normal(0, 0.5, len(size)))
    read = spread.read(rise, size, SIZES, Groups((np.zeros(603, int), np.arange(603))), NO_SHOCK)
    assert np.quantile(read.of_size[1], 0.95) > 0.5
    assert np.quantile(read.of_size[0], 0.95) == 0.0


@pytest.mark.parametrize(("of_hub", "of_chapter"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.3, 0.3)])
def test_shocks_that_rows_share_are_read_from_the_rows_of_a_group(of_hub: float, of_chapter: float) -> None:
    rng, groups = np.random.default_rng(3), grouped(60, 50)
    hub, chapter = groups.levels
    rise = rng.normal(0, 0.4, 3000) + of_hub * rng.normal(size=60)[hub] + of_chapter * rng.normal(size=3000)[chapter]
    shared = spread.read(rise, np.full(3000, 2), SIZES, groups, NO_SHOCK).shared_log
    assert shared == pytest.approx((of_hub, of_chapter), abs=0.08)


def test_a_usual_shock_counts_as_two_groups_beside_those_that_are_seen() -> None:
    rise = np.random.default_rng(4).normal(0, 0.01, 400)
    shared = spread.read(rise, np.full(400, 2), SIZES, grouped(4, 100), (0.3, 0.0)).shared_log
    assert shared[0] == pytest.approx(0.3 * np.sqrt(2 / 6), abs=0.01)


def test_a_shock_read_from_few_groups_is_drawn_wider_than_one_read_from_many() -> None:
    of_few, of_many = (spread.Spread((), np.array([]), (0.3,), (freedom,)) for freedom in (3, 60))
    few, many = (np.quantile(spread.shock(read, 0, (0, 1), 4000), 0.95) for read in (of_few, of_many))
    assert few > 1.3 * many


def test_draws_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    read = spread.read(np.random.default_rng(5).normal(size=90), np.full(90, 2), SIZES, grouped(9, 10), NO_SHOCK)
    size = np.full(4, 2)
    assert np.array_equal(spread.rises(read, size, (0, 7), 50), spread.rises(read, size, (0, 7), 50))
    assert not np.array_equal(spread.rises(read, size, (0, 7), 50), spread.rises(read, size, (0, 8), 50))
