"""The backtest for people: the best of a row stands out, a page's block is replaced whole, the chart is drawn."""

import xml.etree.ElementTree as ET
from typing import Any

import polars as pl
import pytest

from anomaly.backtest import page
from anomaly.backtest.judge import CHANCE, METHODS
from anomaly.contract.errors import BadRequest
from anomaly.contract.schema_results import Backtest

LEG = "hub to target"


def figure_row(measure: str, method: str, hits: int | None, out_of: int | None, **changes: Any) -> dict[str, Any]:
    value = None if hits is None or not out_of else hits / out_of
    row = {
        "freq_code": "M", "leg": LEG, "as_of": "all", "window_months": 0, "judged_by": "planted", "method": method,
        "measure": measure, "kind": "", "value": value, "hits": hits, "out_of": out_of,
    }  # fmt: skip
    return row | changes


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    always = [
        figure_row("flagged_share", "ours", 12, 345, judged_by="nothing"),
        figure_row("events_tested", "all", 18, 25, leg="all"),
        figure_row("precision_of_all", CHANCE, 5, 100),
    ]
    return pl.DataFrame(
        [*always, *rows], schema={name: column.dtype for name, column in Backtest.columns().items()}, orient="row"
    )


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1, rows
    return rows[0]


def test_the_best_of_a_row_is_marked_where_more_is_better_and_where_less_is():
    right = table(figure_row("precision_at_10", "ours", 7, 10), figure_row("precision_at_10", "growth", 3, 10))
    row = only(page.summary(right))
    assert (row["ours"], row["growth"], row["eu_rule"], row["chance"]) == ("**70 %**", "30 %", "", "5 %")
    wrong = table(
        figure_row("flagged_before_sanctions", "ours", 7, 1000),
        figure_row("flagged_before_sanctions", "growth", 3, 1000),
    )
    row = only(page.summary(wrong))
    assert (row["ours"], row["growth"]) == ("7.0", "**3.0**")


def test_equals_are_marked_alike_and_nothing_where_all_are_equal():
    rows = [
        figure_row("recall_at_flags", method, hits, 12)
        for method, hits in zip(METHODS, [9, 9] + [3] * (len(METHODS) - 2), strict=True)
    ]
    row = only(page.summary(table(*rows)))
    assert (row["ours"], row["growth"], row["eu_rule"]) == ("**9 of 12**", "**9 of 12**", "3 of 12")
    equal = [figure_row("recall_at_flags", method, 9, 12) for method in METHODS]
    assert only(page.summary(table(*equal)))["ours"] == "9 of 12"


def test_the_kinds_stand_below_their_sum_unless_there_is_one_only():
    one_kind = [
        figure_row("recall_at_flags", "ours", 1, 2),
        figure_row("recall_at_flags", "ours", 1, 2, kind="new_route"),
    ]
    assert [row["figure"] for row in page.summary(table(*one_kind))] == ["found with as many flags"]
    two_kinds = [*one_kind, figure_row("recall_at_flags", "ours", 0, 1, kind="relabel")]
    assert [row["figure"] for row in page.summary(table(*two_kinds))] == [
        "found with as many flags",
        "found with as many flags, new_route",
        "found with as many flags, relabel",
    ]


def test_a_list_with_none_of_the_candidates_is_left_out_and_two_judges_are_named():
    rows = [
        figure_row("precision_at_10", "ours", 0, 10, judged_by="list_final"),
        figure_row("precision_of_all", CHANCE, 0, 99, judged_by="list_final"),
    ]
    assert page.summary(table(*rows)) == []
    rows[1]["hits"] = 3
    two_judges = page.summary(table(*rows, figure_row("precision_at_10", "ours", 7, 10)))
    assert [row["figure"] for row in two_judges] == [
        "right among the first 10 (list_final)",
        "right among the first 10 (planted)",
    ]


def test_figures_of_one_date_are_not_on_the_page():
    assert page.summary(table(figure_row("precision_at_10", "ours", 7, 10, as_of="2022-09-30"))) == []


def test_an_event_that_is_never_flagged_has_waited_for_ever():
    rows = [
        figure_row("median_months_to_flag", "ours", 2, 2, value=7.5),
        figure_row("median_months_to_flag", "growth", 0, 2, value=None),
    ]
    row = only(page.summary(table(*rows)))
    assert (row["ours"], row["growth"]) == ("**7.5**", "never")


def test_the_block_takes_the_place_of_what_stood_between_the_marks():
    block = page.block(
        table(figure_row("precision_at_10", "ours", 7, 10)), ["2022-09-30", "2022-12-31"], "docs/backtest.svg"
    )
    assert "18 of 25 events of evasion (planted) are in the data" in block
    assert "12 flags of 345 routes in windows" in block
    written = page.put(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", block)
    assert written == f"before\n{block}\nafter\n"
    assert page.put(written, block) == written
    with pytest.raises(BadRequest, match="marks"):
        page.put("a page without them", block)


def test_the_short_table_sets_ours_beside_the_best_rival_and_names_it():
    right = [("ours", 80), ("growth", 70), ("eu_rule", 77), ("plain_forest", 60)]
    early = [("ours", 9), ("growth", 3), ("eu_rule", 3), ("plain_forest", 8)]
    rows = [figure_row("precision_at_flags", method, hits, 100) for method, hits in right]
    rows += [figure_row("flagged_before_sanctions", method, hits, 1000, judged_by="nothing") for method, hits in early]
    lines = page.brief(table(*rows), ["2022-12-31"]).splitlines()
    assert "| right among as many as we flag (5 % by chance) | **80 %** | 77 %, eu rule |" in lines
    assert "| flagged of 1,000 before the measures | 9.0 | **3.0**, growth and eu rule |" in lines


def test_the_short_table_has_no_row_of_other_figures_kinds_judges_or_legs():
    rows = [
        figure_row("precision_at_10", "ours", 7, 10),
        figure_row("recall_at_flags", "ours", 7, 10, kind="relabel"),
        figure_row("recall_at_flags", "ours", 6, 10, judged_by="cases"),
        figure_row("recall_at_flags", "ours", 5, 10, leg="coalition to hub"),
    ]
    lines = page.brief(table(*rows), ["2022-12-31"]).splitlines()
    assert lines[-2:] == ["|---|---|---|", page.END]
    written = page.brief(table(*rows, figure_row("recall_at_flags", "ours", 8, 10)), ["2022-12-31"])
    assert written.splitlines()[-2:] == ["| found with as many flags | 8 of 10 |  |", page.END]


def test_the_chart_has_a_bar_a_method_with_something_to_show_and_is_xml():
    rows = [
        figure_row("precision_at_flags", method, hits, len(METHODS) - 1)
        for method, hits in zip(METHODS, range(len(METHODS)), strict=True)
    ]
    drawn = ET.fromstring(page.draw(table(*rows)))  # noqa: S314 - our own
    bars = [path for path in drawn.iter() if path.tag.endswith("path")]
    assert len(bars) == len(METHODS) - 1  # nothing is no bar
    texts = [text.text for text in drawn.iter() if text.tag.endswith("text")]
    assert {"0 %", "100 %", "ours", "Hidiroglou-Berthelot"} <= set(texts)


def test_the_figure_among_goods_that_fell_alike_stands_beside_its_own_chance():
    rows = [
        figure_row("precision_at_flags_alike", "ours", 7, 10),
        figure_row("precision_at_flags_alike", "growth", 3, 10),
        figure_row("precision_of_all_alike", CHANCE, None, None, value=0.21),
    ]
    row = only(page.summary(table(*rows)))
    assert (row["ours"], row["growth"], row["chance"]) == ("**70 %**", "30 %", "21 %")
    lines = page.brief(table(*rows), ["2022-12-31"]).splitlines()
    assert "| the same among goods whose direct trade fell alike (21 % by chance) | **70 %** | 30 %, growth |" in lines
