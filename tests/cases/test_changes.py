"""What changed in a case since the run before: one word, and the figures of then beside those of now."""

from datetime import date

import polars as pl
import pytest

from anomaly.cases import cases, changes
from anomaly.contract.schema_cases import Changes
from tests.cases.made import flag, flags

NEWER = date(2023, 7, 1)
THEN = flag()


def compared(before: list[dict] | None, now: list[dict]) -> pl.DataFrame:
    then = None if before is None else cases.build(flags(*before))
    return Changes.validate(changes.build(cases.build(flags(*now)), then))


@pytest.mark.parametrize(
    ("now", "change"),
    [
        (flag(), "same"),
        (flag(value_usd=13_000_000), "revised"),
        (flag(value_prior_year_usd=1_900_000), "revised"),
        (flag(severity="high"), "worse"),
        (flag(severity="low"), "better"),
        (flag(NEWER, excess_usd=8_900_000), "worse"),
        (flag(NEWER, excess_usd=8_700_000), "same"),
        (flag(NEWER, excess_usd=7_300_000), "same"),
        (flag(NEWER, excess_usd=7_100_000), "better"),
        (flag(NEWER, excess_usd=7_100_000, severity="high"), "worse"),
        (flag(NEWER, 3, excess_usd=30_000_000), "same"),
        (flag(NEWER, flag_type="resolved"), "resolved"),
        (flag(NEWER, flag_type="backfill", severity="high"), "better"),
    ],
)
def test_a_case_of_both_runs_has_one_word_for_what_changed(now: dict, change: str) -> None:
    assert compared([THEN], [THEN, now] if now["window_end"] > THEN["window_end"] else [now])["change"][0] == change


def test_what_was_told_apart_and_is_an_alarm_now_is_worse_whatever_its_severity() -> None:
    before = flag(flag_type="backfill", severity="high")
    assert compared([before], [flag(severity="low")])["change"].to_list() == ["worse"]


def test_a_case_that_stays_resolved_is_unchanged() -> None:
    assert compared([flag(flag_type="resolved")], [flag(flag_type="resolved")])["change"].to_list() == ["same"]


def test_a_case_that_the_run_before_did_not_have_is_new() -> None:
    row = compared([], [flag()]).row(0, named=True)
    assert (row["change"], row["value_before_usd"], row["windows_before"]) == ("new", None, None)


def test_a_case_that_is_gone_keeps_its_last_figures_for_one_run() -> None:
    (row,) = compared([THEN], []).to_dicts()
    assert (row["change"], row["case_id"], row["value_usd"]) == ("gone", "to-target-854231-KGZ-RUS", 12_000_000)
    assert (row["value_before_usd"], row["says"]) == (12_000_000, "last flagged in Jul 2022–Jun 2023")
    assert compared([], []).is_empty()


def test_on_a_first_run_nothing_is_called_new() -> None:
    table = compared(None, [flag()])
    assert (table["change"].to_list(), changes.counts(table)) == (["first run"], {})


def test_what_changed_stands_in_words_with_the_figures_of_then_and_now() -> None:
    (row,) = compared([THEN], [THEN, flag(NEWER, severity="high", excess_usd=9_000_000)]).to_dicts()
    assert row["says"] == (
        "medium before, high now; newest window Aug 2022–Jul 2023; excess 8.0 million USD before, 9.0 million USD now"
    )
    names = ("severity_before", "excess_before_usd", "windows_before", "window_end_before")
    assert [row[name] for name in names] == ["medium", 8_000_000, 1, date(2023, 6, 1)]


def test_every_kind_of_change_is_counted_and_none_is_left_out() -> None:
    table = compared([THEN, flag(good="851762")], [THEN, flag(good="870323")])
    numbers = changes.counts(table)
    assert {change: number for change, number in numbers.items() if number} == {"new": 1, "gone": 1, "same": 1}
    assert sum(numbers.values()) == table.height
