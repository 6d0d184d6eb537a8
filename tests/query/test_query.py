"""Questions put to frames: what comes back for a window, a route, a group, and what is said where there is no answer."""

import contextlib
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.bilateral import known
from anomaly.contract.errors import BadRequest
from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import Window
from anomaly.contract.settings import load
from anomaly.flags.rule import limits_of
from anomaly.query import answer, flagged, held, question, series
from anomaly.reference import countries
from tests.query_tables import CARS, FLAG_ID, REASON, frames
from tests.trade import PHONES, flow, prepared

H1_2022 = Window("M", 6, date(2022, 6, 1))
YEAR_2022 = Window("A", 12, date(2022, 12, 1))
LIMITS = limits_of(load())


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return frames()


def ask(tables, code, exporter=None, importer=None, window=H1_2022, limit=50, baseline_years=(2019, 2020, 2021)):
    seller, buyer = (question.parse_side(text, {"EU27": countries.EU27}) for text in (exporter, importer))
    parsed = question.Question(question.parse_goods(code, PHONES), seller, buyer)
    return answer.answer(parsed, (window,), tables, baseline_years, LIMITS, limit)


@pytest.mark.parametrize("code", ["8517.12", "8517.13", "851714", "851712+", "8517.12.00"])
def test_every_code_of_a_family_finds_the_route_from_37_to_178_million_flagged_with_its_reason(tables, code):
    rows, count = ask(tables, code, "KAZ", "RUS")
    assert count == 1
    row = rows.row(0, named=True)
    assert (row["value_prior_year_usd"], row["value_usd"]) == (37_000_000, 178_000_000)
    assert row["change_percent"] == 381.1
    assert (row["is_flagged"], row["flag_id"], row["q_value"]) == (True, FLAG_ID, 0.012)
    assert row["reasons"] == [REASON]
    assert row["value_baseline_usd"] == 35_000_000


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("M", 12, date(2022, 6, 1)), (True, "2022H1")),  # the half-year that is flagged lies in it
        (("M", 7, date(2022, 7, 1)), (True, "2022H1")),
        (("M", 3, date(2022, 6, 1)), (None, None)),  # a part of what is flagged is not flagged for that
        (("M", 6, date(2022, 7, 1)), (None, None)),
    ],
)
def test_a_window_is_flagged_where_one_of_its_parts_is_and_the_part_is_named(tables, asked, expected):
    row = ask(tables, "851713", "KAZ", "RUS", Window(*asked))[0].row(0, named=True)
    assert (row["is_flagged"], row["flagged_period"]) == expected
    assert row["flag_id"] == (FLAG_ID if expected[0] else None)
    assert ("flagged in its part 2022H1" in row["note"]) == (expected[0] is True)


HALF_AND_YEAR = Window("M", 12, date(2022, 6, 1))


def flagged_as(tables, window, flag_type, q_value):
    """The tables with the one flag again in another window."""
    repeat = tables["flags"].with_columns(
        flag_id=pl.lit("again"), flag_type=pl.lit(flag_type), q_value=q_value,
        window_months=pl.lit(window.months, pl.Int16), window_end=pl.lit(window.end),
    )  # fmt: skip
    return {**tables, "flags": pl.concat([tables["flags"], repeat])}


def test_a_part_that_is_resolved_makes_no_flag_of_the_whole(tables):
    resolved = {**tables, "flags": tables["flags"].with_columns(flag_type=pl.lit("resolved"))}
    assert ask(resolved, "851713", "KAZ", "RUS", HALF_AND_YEAR)[0]["flag_id"].to_list() == [None]
    assert ask(resolved, "851713", "KAZ", "RUS")[0]["flag_id"].to_list() == [FLAG_ID]


def test_a_part_that_stands_goes_before_a_whole_that_is_resolved(tables):
    two_flags = flagged_as(tables, HALF_AND_YEAR, "resolved", None)
    assert ask(two_flags, "851713", "KAZ", "RUS", HALF_AND_YEAR)[0]["flag_id"].to_list() == [FLAG_ID]


def test_a_flag_of_the_whole_goes_before_a_surer_one_of_a_part(tables):
    two_flags = flagged_as(tables, HALF_AND_YEAR, "hub_reexport", 0.09)
    row = ask(two_flags, "851713", "KAZ", "RUS", HALF_AND_YEAR)[0].row(0, named=True)
    assert (row["flag_id"], row["flagged_q_value"], row["note"]) == ("again", 0.09, "")


def test_of_several_flagged_parts_the_surest_is_named_with_its_q(tables):
    quarter = Window("M", 3, date(2022, 6, 1))
    two_flags = flagged_as(tables, quarter, "hub_reexport", 0.001)
    row = ask(two_flags, "851713", "KAZ", "RUS", HALF_AND_YEAR)[0].row(0, named=True)
    assert (row["flagged_period"], row["flagged_q_value"], row["q_value"]) == ("2022Q2", 0.001, None)


def test_beside_a_flagged_part_the_reason_why_the_whole_has_none_is_kept(tables):
    key = ["freq_code", "window_months", "window_end", "good", "exporter_iso", "importer_iso"]
    refused = (
        tables["flags"]
        .select(key)
        .with_columns(window_months=pl.lit(12, pl.Int16), says=pl.lit("July is not published"))
    )
    row = ask({**tables, "features.refused": refused}, "851713", "KAZ", "RUS", HALF_AND_YEAR)[0].row(0, named=True)
    assert row["note"] == "flagged in its part 2022H1; as a whole refused: July is not published"


@pytest.mark.parametrize("code", ["851712", "851713", "8517", "85", "851712+", "99", "9999"])
def test_every_good_a_code_stands_for_lies_between_the_first_and_the_last_that_are_told(code):
    between, named = question.goods_between(code, PHONES), question.parse_goods(code, PHONES)
    assert between is not None
    assert named is not None
    first_good, last_good = between
    around = ["010101", "85", "851711", "851712", "851712+", "851714", "8517ZZ", "99", "999999", "9999AA"]
    goods = pl.DataFrame({"good": [*around, *PHONES["good"]]}).unique()
    meant = goods.filter(named)
    assert meant.filter(~pl.col("good").is_between(pl.lit(first_good), pl.lit(last_good))).is_empty()
    assert question.goods_between(question.TOTAL, PHONES) is None


def test_a_window_the_run_does_not_hold_is_added_up_and_says_that_it_is_not_scored(tables):
    months = Window("M", 2, date(2022, 2, 1))
    row = ask(tables, "851713", "KAZ", "RUS", months)[0].row(0, named=True)
    assert (row["value_prior_year_usd"], row["value_usd"]) == (2 * 6_166_666, 2 * 29_666_666)
    assert row["value_baseline_usd"] == round((2 * 5_500_000 + 2 * 5_833_333 + 2 * 6_166_666) / 3)
    assert row["is_flagged"] is None
    assert row["note"] == "not scored: window not in the run"


def test_the_answer_from_bilateral_is_the_answer_from_features_where_both_can_give_it(tables):
    own = {name: frame for name, frame in tables.items() if name in ("bilateral", "coverage", "coverage.scope")}
    for code, window in (("851712", H1_2022), ("8703", YEAR_2022)):
        scored, computed = (ask(store, code, window=window)[0] for store in (tables, own))
        joined = scored.filter(pl.col("value_usd") >= LIMITS.materiality_usd).join(
            computed, on=["good", "exporter_iso", "importer_iso"]
        )
        assert joined.height >= 2
        for name in ("value_usd", "value_prior_year_usd", "value_baseline_usd"):
            assert joined[name].to_list() == joined[f"{name}_right"].to_list()


def test_baseline_years_are_a_range_when_all_are_known_and_a_list_when_one_is_not():
    for years, baseline in (((2019, 2020, 2021, 2022), "2019-2021"), ((2019, 2021, 2022), "2019, 2021")):
        sides, covered, scope = prepared([flow(year, "DEU", "KGZ", 5_000) for year in years])
        own = {"bilateral": sides, "coverage": covered, "coverage.scope": scope}
        assert ask(own, "847989", "EU27", "KGZ", YEAR_2022)[0]["baseline_years"].to_list() == [baseline]


def test_a_route_too_small_for_the_run_is_still_answered(tables):
    row = ask(tables, "851712", "KAZ", "ARM")[0].row(0, named=True)
    assert row["value_usd"] == 6_000
    assert row["note"] == "too small: below 1.0 million USD in the window"


def test_a_year_before_without_a_row_is_nothing_where_the_reporter_reported_and_unknown_where_it_did_not():
    rows = [flow(year, "KAZ", "RUS", 5_000, code="870324") for year in (2019, 2020, 2021, 2022)]
    rows += [flow(2022, "KAZ", "RUS", 7_000, code="870323"), flow(2022, "UZB", "RUS", 9_000, code="870323")]
    rows += [flow(year, "DEU", "RUS", 1_000, code="870323") for year in (2019, 2020, 2021, 2022)]
    sides, covered, scope = prepared(rows)
    tables = {"bilateral": sides, "coverage": covered, "coverage.scope": scope}
    before = dict(ask(tables, "870323", window=YEAR_2022)[0].select("exporter_iso", "value_prior_year_usd").iter_rows())
    assert before == {"KAZ": 0, "UZB": None, "DEU": 1_000}


@pytest.mark.parametrize(("partners", "before"), [(0, None), (12, 0)])
def test_a_partner_that_an_extract_lacks_in_a_year_is_unknown_in_it_and_nothing_in_a_whole_dataset(partners, before):
    rows = [flow(year, "KAZ", "RUS", 5_000) for year in (2021, 2022)] + [flow(2022, "KAZ", "BLR", 7_000)]
    rows += [flow(2022, "KAZ", f"AA{chr(65 + number)}", 5_000) for number in range(partners)]
    sides, covered, scope = prepared(rows)
    tables = {"bilateral": sides, "coverage": covered, "coverage.scope": scope}
    for exporter in ("KAZ", None):
        answered = ask(tables, "847989", exporter, "BLR", YEAR_2022)[0]
        assert answered.select("value_usd", "value_prior_year_usd").rows() == [(7_000, before)]


@pytest.mark.parametrize("code", ["847989", "TOTAL"])
def test_a_sum_does_not_call_new_a_partner_that_the_extract_did_not_hold(code):
    rows = [flow(year, "DEU", "RUS", 5_000) for year in (2021, 2022)] + [flow(2022, "DEU", "BLR", 7_000)]
    sides, covered, scope = prepared(rows)
    own = {"bilateral": sides, "coverage": covered, "coverage.scope": scope}
    answered = ask(own, code, "EU27", "BLR", YEAR_2022)[0]
    assert answered.select("value_usd", "value_prior_year_usd").rows() == [(7_000, None)]


def test_a_reporter_that_moved_to_other_codes_of_a_family_is_unknown_and_not_nothing():
    rows = [flow(year, "UZB", "KAZ", 8_000, code="851712") for year in (2019, 2020, 2021)]
    rows += [flow(year, "UZB", "KAZ", 5_000, code="870324") for year in (2019, 2020, 2021, 2022)]
    rows += [
        flow(year, "DEU", "KAZ", 1_000, code="851712" if year < 2022 else "851713") for year in (2019, 2020, 2021, 2022)
    ]
    sides, covered, scope = prepared(rows, PHONES)
    tables = {"bilateral": sides, "coverage": covered, "coverage.scope": scope}
    rows = ask(tables, "851712", "UZB", "KAZ", YEAR_2022)[0]
    assert rows["value_usd"].to_list() == [None]
    assert rows["value_prior_year_usd"].to_list() == [8_000]


def in_part(coverage, reporter, year):
    """The reporter published only a part of a year."""
    is_part = (pl.col("reporter_iso") == reporter) & (pl.col("ref_date").dt.year() == year)
    return coverage.with_columns(is_complete=~is_part)


@pytest.mark.parametrize(("year", "values"), [(2022, (None, 5_000)), (2021, (7_000, None))])
def test_a_row_of_a_year_that_was_published_in_part_is_not_the_value_of_the_year(year, values):
    sides, covered, scope = prepared([flow(2021, "KAZ", "RUS", 5_000), flow(2022, "KAZ", "RUS", 7_000)])
    own = {"bilateral": sides, "coverage": in_part(covered, "KAZ", year), "coverage.scope": scope}
    row = ask(own, "847989", "KAZ", "RUS", YEAR_2022)[0].row(0, named=True)
    assert (row["value_usd"], row["value_prior_year_usd"]) == values


@pytest.mark.parametrize("code", ["847989", "TOTAL"])
def test_a_sum_of_a_group_does_not_know_a_month_that_its_only_reporter_published_in_part(code):
    rows = [flow(f"{year}-0{month}", "DEU", "RUS", 5_000) for year in (2021, 2022) for month in (1, 2)]
    sides, covered, scope = prepared(rows)
    without_february = covered.with_columns(is_complete=pl.col("ref_date") != date(2021, 2, 1))
    own = {"bilateral": sides, "coverage": without_february, "coverage.scope": scope}
    answered = ask(own, code, "EU27", "RUS", Window("M", 2, date(2022, 2, 1)))[0]
    assert answered.select("value_usd", "value_prior_year_usd").rows() == [(10_000, None)]


def test_a_code_is_not_compared_where_the_reporter_went_back_to_an_edition_in_which_it_is_another_thing():
    rows = [flow(2021, "KAZ", "RUS", 5_000, edition="H6"), flow(2022, "KAZ", "RUS", 7_000, edition="H5")]
    sides, covered, scope = prepared(rows)
    breaks = pl.DataFrame({"good": ["847989"], "newer_edition": [6]}, schema_overrides={"newer_edition": pl.Int8})
    own = {"bilateral": sides, "coverage": covered, "coverage.scope": scope, held.BROKEN: breaks}
    row = ask(own, "847989", "KAZ", "RUS", YEAR_2022)[0].row(0, named=True)
    assert (row["value_usd"], row["value_prior_year_usd"]) == (7_000, None)


def test_a_code_that_changed_its_meaning_with_the_edition_is_not_compared_across_it(tables):
    breaks = pl.DataFrame({"good": ["870324"], "newer_edition": [6]}, schema_overrides={"newer_edition": pl.Int8})
    own = {name: tables[name] for name in ("bilateral", "coverage", "coverage.scope")} | {held.BROKEN: breaks}
    row = ask(own, "870324", "KAZ", "RUS", YEAR_2022)[0].row(0, named=True)
    assert (row["value_usd"], row["value_prior_year_usd"], row["value_baseline_usd"]) == (5_000_000, None, None)
    assert row["note"] == "not compared: the code changed its meaning with the HS edition"
    later = ask(own, "870324", "KAZ", "RUS", Window("A", 12, date(2023, 12, 1)))[0].row(0, named=True)
    assert (later["value_prior_year_usd"], later["value_baseline_usd"]) == (5_000_000, None)


def test_a_refused_comparison_says_why(tables):
    refused = (
        tables["scores"]
        .select(*ROUTE, "freq_code", "window_months", "window_end")
        .with_columns(exporter_iso=pl.lit("DEU"), says=pl.lit("the reporter published nothing for the window"))
    )
    refused_tables = tables | {
        "features.refused": refused,
        "features": tables["features"].filter(pl.col("exporter_iso") != "DEU"),
    }
    row = ask(refused_tables, "851712", "DEU", "RUS")[0].row(0, named=True)
    assert row["note"] == "refused: the reporter published nothing for the window"


def test_a_group_is_a_sum_of_its_members_and_total_is_a_sum_of_goods(tables):
    rows, _ = ask(tables, "TOTAL", "EU27", "RUS", YEAR_2022)
    assert rows.height == 1
    assert rows.row(0, named=True)["exporter_iso"] == "EU27"
    assert rows["value_usd"].item() == 390_002_022 + 9_000_000
    assert rows["value_prior_year_usd"].item() == 390_002_021 + 9_000_000
    assert rows["note"].item() == "a sum of reports, not scored"


def test_a_sum_over_months_that_nobody_published_is_unknown(tables):
    rows, _ = ask(tables, "TOTAL", "EU27", "RUS", Window("M", 12, date(2022, 12, 1)))
    assert rows.is_empty()


def test_a_sum_does_not_call_new_a_good_that_the_extract_did_not_hold():
    rows = [flow(f"{year}-0{month}", "DEU", "KGZ", 5_000, code="870324") for year in (2021, 2022) for month in (1, 2)]
    rows += [flow(f"2022-0{month}", "DEU", "KGZ", 9_000, code="851713") for month in (1, 2)]
    sides, covered, scope = prepared(rows, PHONES)
    own = {"bilateral": sides, "coverage": covered, "coverage.scope": scope}
    answered = ask(own, "851712", "EU27", "KGZ", Window("M", 2, date(2022, 2, 1)))[0]
    assert (answered["value_usd"].item(), answered["value_prior_year_usd"].item()) == (18_000, None)


def added_up(rows, code="847989", exporter="EU27", importer="KGZ", window=YEAR_2022, families=PHONES):
    """value, value a year before and note of a sum over a group."""
    sides, covered, scope = prepared(rows, families)
    sums = ask({"bilateral": sides, "coverage": covered, "coverage.scope": scope}, code, exporter, importer, window)[0]
    return sums.select("value_usd", "value_prior_year_usd", "note").row(0)


@pytest.mark.parametrize("code", ["847989", "TOTAL"])
def test_a_member_that_reported_only_one_of_the_windows_is_in_the_sum_and_named(code):
    rows = [flow(year, "DEU", "KGZ", 5_000) for year in (2021, 2022)] + [flow(2022, "LTU", "KGZ", 3_000)]
    note = "a sum of reports, not scored; other months than a year before: LTU"
    assert added_up(rows, code) == (8_000, 5_000, note)


def test_where_no_member_reported_the_year_before_the_window_is_added_up_alone():
    rows = [flow(2022, "DEU", "KGZ", 5_000), flow(2022, "LTU", "KGZ", 3_000)]
    assert added_up(rows)[:2] == (8_000, None)


def test_a_member_that_reported_some_months_of_a_window_adds_those_and_is_named():
    rows = [flow(f"{year}-0{month}", "DEU", "KGZ", 5_000) for year in (2021, 2022) for month in (1, 2)]
    rows += [flow(month, "LTU", "KGZ", 700) for month in ("2021-01", "2021-02", "2022-01")]
    note = "a sum of reports, not scored; other months than a year before: LTU"
    assert added_up(rows, window=Window("M", 2, date(2022, 2, 1))) == (10_700, 11_400, note)


def test_a_sum_as_importers_report_it_knows_what_nothing_is():
    rows = [
        flow(year, "KGZ", country, 5_000, flow="M") for year, country in ((2021, "DEU"), (2022, "DEU"), (2021, "LTU"))
    ]
    rows += [flow(2022, "KGZ", "LTU", 1, flow="M", code="870324")]
    assert added_up(rows)[:2] == (5_000, 10_000)


def test_the_largest_routes_come_first_and_the_cut_is_counted(tables):
    rows, count = ask(tables, "8703", window=YEAR_2022, limit=2)
    assert count == 5
    assert rows["value_usd"].to_list() == [390_002_022, CARS[2022]]


def test_a_flagged_route_comes_before_larger_ones_and_is_not_cut_off(tables):
    of_the_smallest = tables | {"flags": tables["flags"].with_columns(importer_iso=pl.lit("ARM"))}
    rows, count = ask(of_the_smallest, "8517.12", limit=1)
    assert count == 3
    assert rows.select("exporter_iso", "importer_iso", "is_flagged").rows() == [("KAZ", "ARM", True)]
    assert ask(of_the_smallest, "8517.12")[0]["importer_iso"].to_list() == ["ARM", "RUS", "RUS"]


def test_countries_side_by_side_are_routes_and_no_sum(tables):
    rows, _ = ask(tables, "870323", "ARM,DEU", "RUS", YEAR_2022)
    assert sorted(rows["exporter_iso"]) == ["ARM", "DEU"]


@pytest.mark.parametrize("text", ["EU27,KAZ", ",", "KAZ,Nowhere"])
def test_a_list_that_is_not_of_countries_is_refused(text):
    with pytest.raises(BadRequest):
        question.parse_side(text, {"EU27": countries.EU27})


def test_a_name_with_a_comma_in_it_is_one_country():
    assert question.parse_side("Korea, Republic of", {}) == question.Side("KOR", ("KOR",))


def test_the_newest_window_with_a_flag_is_the_one_that_ends_last_and_of_these_the_longest():
    windows = [("M", 3, date(2022, 6, 1)), ("M", 6, date(2022, 6, 1)), ("A", 12, date(2021, 12, 1))]
    flags = pl.DataFrame(windows, schema=["freq_code", "window_months", "window_end"], orient="row")
    flags = flags.with_columns(flag_type=pl.lit("hub_reexport"))
    assert flagged.newest_flagged(flags) == (Window("M", 6, date(2022, 6, 1)),)
    ended = flags.with_columns(flag_type=pl.lit("resolved"))
    assert flagged.newest_flagged(ended) == ()


def test_the_newest_window_is_the_longest_that_ends_last(tables):
    newest = answer.latest(tables)
    assert [window.freq_code for window in newest] == ["A", "M"]
    assert newest[0].end == date(2023, 12, 1)
    assert newest[1].end == date(2022, 6, 1)


@pytest.mark.parametrize(
    ("text", "start", "end", "months"),
    [
        ("2022-01:2022-11", date(2022, 1, 1), date(2022, 11, 1), 11),
        ("2022-01..2022-11", date(2022, 1, 1), date(2022, 11, 1), 11),
        ("2022H1", date(2022, 1, 1), date(2022, 6, 1), 6),
        ("2022Q1:2022Q3", date(2022, 1, 1), date(2022, 9, 1), 9),
        ("January to June 2022", date(2022, 1, 1), date(2022, 6, 1), 6),
        ("Jan-Jun 2022", date(2022, 1, 1), date(2022, 6, 1), 6),
        ("Nov 2021 - Mar 2022", date(2021, 11, 1), date(2022, 3, 1), 5),
        ("H1 2022 to Q3 2022", date(2022, 1, 1), date(2022, 9, 1), 9),
    ],
)
def test_periods_and_ranges_of_them_are_read(text, start, end, months):
    period = question.parse_span(text)
    assert (period.start, period.end, period.months) == (start, end, months)


@pytest.mark.parametrize("text", ["2022:2021", "1:2:3", "", "2022-13", ":", "2022-01:"])
def test_a_period_that_is_none_is_refused_with_a_sentence(text):
    with pytest.raises(BadRequest, match="expected"):
        question.parse_span(text)


def test_a_window_of_more_than_a_year_is_refused():
    with pytest.raises(BadRequest, match="at most twelve months"):
        question.windows_of(question.parse_span("2021:2022"))


@pytest.mark.parametrize(
    ("text", "frequencies"),
    [
        ("2022", ["A", "M", "Q"]),
        ("2022H1", ["M", "Q"]),
        ("2022Q3", ["M", "Q"]),
        ("2022-07", ["M"]),
        ("2022-02:2022-07", ["M"]),
    ],
)
def test_a_period_is_a_window_of_every_frequency_that_can_be_added_up_to_it(text, frequencies):
    windows = question.windows_of(question.parse_span(text))
    assert [window.freq_code for window in windows] == frequencies


@given(st.integers(1, 12), st.integers(1, 12), st.integers(2000, 2030))
def test_a_windows_name_is_read_back_as_the_same_window(months, month, year):
    window = Window("M", months, date(year, month, 1))
    windows = question.windows_of(question.parse_span(window.name))
    assert window in windows


@given(st.text(max_size=30))
def test_any_text_is_a_side_a_period_or_a_code_or_is_refused_with_a_sentence(text):
    for parse in (
        lambda: question.parse_side(text, {}),
        lambda: question.parse_span(text),
        lambda: question.parse_goods(text, PHONES),
    ):
        with contextlib.suppress(BadRequest):
            parse()


def test_world_is_no_side_and_the_message_names_the_groups():
    with pytest.raises(BadRequest, match="leave the side out for everyone"):
        question.parse_side("World", {"EU27": countries.EU27})


def test_there_are_27_members_of_the_eu():
    assert len(set(countries.EU27)) == 27


def test_the_nearest_goods_share_the_most_digits():
    assert question.nearest_goods("851799", ["010121", "851712+", "851762", "870323"], most=2) == ["851762", "851712+"]


def test_a_series_keeps_both_sides_and_tells_nothing_from_not_reported():
    rows = [
        *[flow(year, "ARM", "RUS", value, code="870323") for year, value in CARS.items() if year != 2020],
        flow(2020, "ARM", "RUS", 5, code="870324"),
        flow(2022, "RUS", "ARM", 131_000_000, code="870323", flow="M", dataset="mirror"),
        flow(2020, "DEU", "RUS", 77, code="870323"),
        flow(2018, "DEU", "RUS", 77, code="870323"),
    ]
    sides, covered, scope = prepared(rows)
    nothing = series.known_nothing(covered, scope, "870323", "ARM", "RUS", 10_000)
    own = sides.filter(pl.col("good") == "870323", pl.col("exporter_iso") == "ARM")
    by_period = series.series(own, nothing, "A")
    exported = dict(by_period.select("period", "export_value_fob_usd").iter_rows())
    assert exported == {"2019": 400_000, "2020": 0, "2021": 1_087_497, "2022": 127_950_897, "2023": 185_702_354}
    imported = dict(by_period.select("period", "import_value_cif_usd").iter_rows())
    assert imported == {"2019": None, "2020": None, "2021": None, "2022": 131_000_000, "2023": None}


def test_a_series_does_not_read_nothing_from_a_dataset_whose_rows_it_does_not_show():
    own = {year: 7 for year in range(2017, 2023) if year != 2020}
    rows = [flow(year, "ARM", "RUS", value, code="870323", source="baci", dataset="B") for year, value in own.items()]
    rows += [flow(2020, "DEU", "RUS", 3, code="870323", source="baci", dataset="B")]
    rows += [flow(2020, "ARM", "RUS", 3, code="870324", source="baci", dataset="B")]
    rows += [flow(2023, "ARM", "RUS", 9, code="870323")]
    rows += [flow(year, "RUS", "ARM", 8, code="870323", flow="M") for year in (2020, 2021)]
    rows += [flow(2022, "RUS", "ARM", 8, code="870323", flow="M", dataset="newer")]
    sides, covered, scope = prepared(rows)
    cells = sides.filter(pl.col("good") == "870323", pl.col("exporter_iso") == "ARM")
    by_period = series.series(cells, series.known_nothing(covered, scope, "870323", "ARM", "RUS", 10_000, cells), "A")
    exported = dict(by_period.select("period", "export_value_fob_usd").iter_rows())
    assert (exported["2020"], exported["2022"], exported.get("2023")) == (0, 7, None)
    imported = dict(by_period.select("period", "import_value_cif_usd").iter_rows())
    assert (imported["2020"], imported["2021"], imported["2022"]) == (8, 8, None)


def test_a_series_does_not_read_nothing_from_a_reporter_that_moved_to_other_codes_of_a_family():
    rows = [flow(year, "UZB", "KAZ", 8, code="851712") for year in (2020, 2021)]
    rows += [flow(year, "UZB", "KAZ", 5, code="870324") for year in (2020, 2021, 2022)]
    rows += [flow(year, "DEU", "KAZ", 1, code="851712" if year < 2022 else "851713") for year in (2020, 2021, 2022)]
    for to_others, exported in (([], {"2020": 8, "2021": 8}), ([1], {"2020": 8, "2021": 8, "2022": 0})):
        trade, covered, scope = prepared(
            rows + [flow(2022, "UZB", "RUS", value, code="851713") for value in to_others], PHONES
        )
        nothing = series.known_nothing(covered, scope, "851712+", "UZB", "KAZ", 10_000, trade)
        own = trade.filter(good="851712+", exporter_iso="UZB", importer_iso="KAZ")
        by_period = series.series(own, nothing, "A")
        assert dict(by_period.select("period", "export_value_fob_usd").iter_rows()) == exported


def test_a_series_calls_what_a_side_does_not_record_nothing_where_all_its_datasets_that_ever_can_say_so():
    rows = [flow(year, "KAZ", "RUS", 9) for year in (2021, 2022)]
    rows += [
        flow(year, "RUS", "DEU", 1, flow="M", dataset=name) for name, year in (("a", 2021), ("a", 2022), ("b", 2022))
    ]
    rows += [
        flow(year, "RUS", "KAZ", 1, flow="M", dataset=name, code="870324")
        for name, year in (("a", 2021), ("a", 2022), ("b", 2022))
    ]
    trade, covered, scope = prepared(rows)
    nothing = series.known_nothing(covered, scope, "847989", "KAZ", "RUS", 10_000, trade)
    assert nothing.filter("has_nothing_imported")["ref_date"].dt.year().to_list() == [2022]
    of_no_row = series.known_nothing(covered, scope, "847989", "KAZ", "RUS", 10_000, trade.clear())
    assert sorted(of_no_row.filter("has_nothing_imported")["ref_date"].dt.year()) == [2021, 2022], (
        "no rows were set aside"
    )


def test_an_extract_cut_by_value_cannot_say_that_there_was_nothing():
    rows = [flow(year, "DEU", "UZB", 150_000, code="870324") for year in (2021, 2022)]
    rows += [flow(2022, "DEU", "UZB", 150_000, code="870323"), flow(2021, "FRA", "UZB", 150_000, code="870323")]
    _, covered, scope = prepared(rows)
    months = series.known_nothing(covered, scope, "870323", "DEU", "UZB", 10_000)
    assert months.height == 2, "too few rows to show that it was cut"
    long = pl.col("rows") * known.ROWS_THAT_SHOW_A_CUT
    assert series.known_nothing(covered, scope.with_columns(long), "870323", "DEU", "UZB", 10_000).is_empty()
    _, covered, scope = prepared([*rows, flow(2021, "FRA", "UZB", 90, code="870324")])
    assert series.known_nothing(covered, scope.with_columns(long), "870323", "DEU", "UZB", 10_000).height == 2


def test_amounts_in_a_reported_currency_are_summed_as_reported_by_the_exporter():
    base = {
        "source": "comext", "dataset": "d", "freq_code": "M", "ref_date": date(2022, 1, 1), "classification_code": "CN2022",
        "currency": "EUR", "net_wgt_g": None, "is_current": True, "partner_iso": "KGZ", "flow_code": "X",
    }  # fmt: skip
    flows = pl.DataFrame(
        [
            base | {"reporter_iso": "DEU", "cmd_code": "85171300", "reported_value": 70},
            base | {"reporter_iso": "DEU", "cmd_code": "85171400", "reported_value": 30},
            base | {"reporter_iso": "DEU", "cmd_code": "85171400", "reported_value": 999, "is_current": False},
            base | {"reporter_iso": "LTU", "cmd_code": "85171300", "reported_value": 5, "currency": "USD"},
            base
            | {
                "reporter_iso": "KGZ",
                "partner_iso": "DEU",
                "flow_code": "M",
                "cmd_code": "851713",
                "reported_value": 60,
            },
        ],
        schema_overrides={"net_wgt_g": pl.Int64},
    )
    cells = series.in_currency(flows, PHONES, pl.lit(6), "EUR")
    row = cells.row(0, named=True)
    assert cells.height == 1
    assert (row["good"], row["exporter_iso"], row["importer_iso"]) == ("851712+", "DEU", "KGZ")
    assert (row["export_value_fob_usd"], row["import_value_cif_usd"], row["value_usd"]) == (100, 60, 100)
