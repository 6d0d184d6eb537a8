"""report.html by its text: what it says, what it counts, and that it can neither run nor fetch anything."""

import html
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.cases import changes
from anomaly.contract.errors import ContractBroken
from anomaly.flags import naming
from anomaly.flags.types import TYPES
from anomaly.reports import html as page
from anomaly.reports.html import REPORT, policy_hash
from anomaly.reports.tallies import flat_settings, routes_and_amount
from tests.reports.findings import findings, poisoned

ATTACK = "\"'><img src=x onerror=alert(1)><script>alert(2)</script><a href=javascript:alert(3)>{{ 7*7 }}"


class Tags(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def text_of(content: bytes) -> str:
    """What a person reads: no tags, style or script."""
    bare = re.sub(r"<(style|script)>.*?</\1>", "", content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare)))


def test_a_flag_shows_its_sentence_reasons_thresholds_and_caveats_and_how_sure_it_is() -> None:
    text = text_of(REPORT.render(findings(1)))
    assert (
        "178.2 million USD of Pure-bred breeding horses went from Kazakhstan to Russia in 2022, after 37.4 million USD "
        "in the same months a year before (+376 %); the baseline is 33.7 million USD." in text
    )
    assert "fell from 402.7 million USD to 39.9 million USD (−90 %). direct_drop_log 2.31 ≥ 0.22" in text
    assert "Caveats A single month holds 62 %" in text
    assert (
        "How sure it is q-value 0.0050 Stability 100 % Excess 133.7 million USD (98.0 million USD to 151.5 million USD) "
        "p-value 0.0004 Score 0.800 Rank in window 1" in text
    )
    assert "A flag is a question, not an accusation." in text


def test_a_flag_shows_what_fits_together_and_what_else_could_explain_it_with_what_the_data_say() -> None:
    text = text_of(REPORT.render(findings(1)))
    assert "All three fit goods that go by way of Kazakhstan." in text
    assert "What else could explain it: 1 possible, 1 possible in part, 2 spoken against The exporter makes" in text
    assert "The exporter makes it itself : the data speak against it. Kazakhstan would have to make 143.6" in text
    assert "Also to rule out: A new plant or assembly line in the exporting country; A road or port closed" in text


def test_without_explanations_of_its_own_a_flag_shows_the_general_ones() -> None:
    given_ = findings(1)
    bare = replace(given_, flags=given_.flags.with_columns(benign_if=pl.lit([], dtype=given_.flags["benign_if"].dtype)))
    assert "Rule out first A new plant or assembly line" in text_of(REPORT.render(bare))


def test_a_flag_shows_both_sides_and_what_is_left_without_each_publisher() -> None:
    text = text_of(REPORT.render(findings(1)))
    assert "Window Year before Baseline Exporter, FOB 178.2 37.4 37.4 of which re-exports 142.6 29.9 29.9" in text
    assert "Importer, CIF 188.9 39.7 39.7" in text
    assert "Eurostat, Comext left out: It would still be flagged, with 6 of 8 reasons; q 0.022 becomes 0.036." in text
    assert "Not known then: upstream_surge_log, route_through_usd." in text
    assert "United Nations, Comtrade left out: The route cannot be compared" in text


def test_a_flag_that_was_not_tried_without_a_publisher_says_so() -> None:
    cards = REPORT.render(findings(7)).decode().split("<article")[1:]
    assert ["not tried for this flag" in card for card in cards] == [False] * 6 + [True]


def test_a_flag_shows_the_nearest_routes_that_were_not_flagged_and_why() -> None:
    cards = [text_of(card.encode()) for card in REPORT.render(findings(4)).decode().split("<article")[1:]]
    assert "The nearest routes that were not flagged" not in cards[0]
    assert "Route Value Change Why it is no flag" in cards[3]
    assert "same heading" in cards[3]
    assert "not unusual enough: q 0.31 is above the limit of 0.1" in cards[3]


def test_every_input_of_the_score_is_shown_in_words_the_one_it_rests_on_most_first() -> None:
    text = text_of(REPORT.render(findings(1)))
    shown = re.findall(r"what ([a-z ]+) measures, against the same months a year before (0\.\d+)", text)
    assert [name for name, _ in shown[:2]] == ["surge log", "baseline excess log"]
    assert len(shown) == 8
    assert [float(drop) for _, drop in shown] == sorted((float(drop) for _, drop in shown), reverse=True)


def test_the_share_of_seeds_and_backgrounds_that_flag_it_stands_beside_q_where_it_is_known() -> None:
    given_ = findings(1)
    unknown = given_.flags.with_columns(stability_share=pl.lit(None, dtype=pl.Float64))
    stable = given_.flags.with_columns(stability_share=pl.lit(0.93))
    assert "q-value 0.0050 Stability 93 %" in text_of(REPORT.render(replace(given_, flags=stable)))
    assert not re.search(r"Stability \d", text_of(REPORT.render(replace(given_, flags=unknown))))


def test_a_flag_that_has_ended_and_has_no_score_still_has_a_card() -> None:
    given_ = findings(1)
    names = ("anomaly_score", "anomaly_rank", "p_value", "q_value")
    ended = given_.flags.with_columns(pl.lit(None, dtype=given_.flags.schema[name]).alias(name) for name in names)
    text = text_of(REPORT.render(replace(given_, flags=ended)))
    assert "p-value not known Score not scored Rank in window none" in text


def test_reasons_about_the_coalition_stand_apart_but_not_on_a_ghost_transit() -> None:
    cards = REPORT.render(findings(3)).decode().split("<article")[1:]
    legs = [re.findall(r"<small>(\w+)", card.split("The coalition’s legs")[-1]) for card in cards[:2]]
    assert legs[0] == ["upstream_surge_log", "direct_drop_log", "replacement_share"]
    assert "ghost transit" in cards[2]
    assert "The coalition’s legs" not in cards[2]


def test_checks_before_the_sanctions_are_counted_nowhere_among_the_findings() -> None:
    content = REPORT.render(findings(30))
    text = text_of(content)
    assert "Cases 27 Windows flagged 27 Routes to targets with an alarm" in text
    assert "These are 3 checks, not findings" in text
    table = content.decode().split('id="flag-table"')[1].split("</table>")[0]
    assert table.count("<tr>") - 1 == content.decode().count("<article") == 27
    assert ">2019<" not in table


def test_the_head_of_the_page_says_what_is_new_since_the_run_before() -> None:
    head = text_of(REPORT.render(findings(30)).split(b'<section id="summary"')[0])
    assert "27 cases, 27 windows" in head
    assert re.search(r"Since the run before 1 new .* 1 worse .* 1 gone .* 1 revised .* 24 unchanged", head)


def test_a_first_run_and_a_run_without_news_say_so_too() -> None:
    given_ = findings(30)
    first = changes.build(given_.cases, None)
    assert "There is no run before to compare with." in text_of(REPORT.render(replace(given_, changes=first)))
    same = changes.build(given_.cases, given_.cases)
    assert "Nothing has changed: 27 cases are what they were." in text_of(REPORT.render(replace(given_, changes=same)))


def test_every_case_has_its_address_and_leads_to_the_card_of_each_window() -> None:
    given_ = findings(30)
    content = REPORT.render(given_).decode()
    for case in given_.cases.to_dicts():
        row = content.split(f'<tr id="case-{case["case_id"]}">')[1].split("<tr")[0]
        assert re.findall(r'href="#flag-([^"]+)"', row) == case["windows"]


def test_a_route_counts_once_however_many_of_its_windows_are_flagged() -> None:
    flag = findings(1).flags
    later = flag.with_columns(window_end=pl.lit(date(2023, 12, 1)), value_usd=pl.lit(200_000_000, dtype=pl.Int64))
    assert routes_and_amount(pl.concat([flag, later])) == (1, 200_000_000)


def test_trade_into_hubs_is_not_added_to_trade_out_of_them() -> None:
    given_ = findings(3)
    assert given_.flags["flag_type"].to_list() == ["hub_reexport", "new_route", "ghost_transit"]
    text = text_of(REPORT.render(given_))
    assert "Routes to targets with an alarm 2 Trade on them 344.4 million USD" in text
    assert "1 route into hubs with 155.7 million USD is flagged as ghost transit" in text


def test_every_type_of_flag_is_explained_to_the_reader() -> None:
    text = text_of(REPORT.render(findings(1)))
    for flag_type in TYPES:
        assert f"{flag_type.words.capitalize()} {flag_type.says}" in text


def test_a_card_asks_what_to_ask_next_in_the_names_of_its_countries_and_its_good() -> None:
    given_ = findings(3)
    cards = REPORT.render(given_).decode().split("<article")[1:]
    for flag, card in zip(given_.flags.to_dicts(), cards, strict=True):
        exporter, importer = (given_.countries[flag[side]] for side in ("exporter_iso", "importer_iso"))
        steps = naming.next_steps(flag["flag_type"], exporter, importer, given_.goods[flag["good"]])
        assert f"Ask next {' '.join(steps)}" in text_of(card.encode())


def test_the_calibration_is_said_in_words_and_its_absence_too() -> None:
    text = text_of(REPORT.render(findings(3)))
    assert (
        "Annual data, hub to target: of 1,000 placebo routes 3.3 look as unusual as a flagged one; of 1,000 routes "
        "judged 188 do (1,842 placebo routes, 96 routes judged)." in text
    )
    assert "windows of 3 months, hub to target: 1 of 1 windows have no placebos to compare with" in text


def test_refusals_are_counted_with_their_largest_examples() -> None:
    text = text_of(REPORT.render(findings(3)))
    assert "not reported 17 17 35.1 United Arab Emirates → Russia, 851712+ Smartphones" in text
    assert "it was not judged" in text
    assert re.search(r"[^.]\. Largest trade known: ", text), "the reason is a sentence of its own"
    assert not re.search(r"[^.] Largest trade known|\.\. Largest trade known", text)


def test_files_show_their_sum_and_one_that_does_not_add_up_is_marked() -> None:
    given_ = findings(3)
    assert "64,203 rows in = 60,000 kept + 4,050 rejected + 153 folded into a kept row" in text_of(
        REPORT.render(given_)
    )
    assert "does not add up" not in text_of(REPORT.render(given_))
    broken = replace(given_, files=given_.files.with_columns(rows_kept=pl.col("rows_kept") - 1))
    assert text_of(REPORT.render(broken)).count("does not add up") == 3


def test_more_flags_than_the_page_holds_are_counted_where_a_person_sees_it() -> None:
    text = text_of(REPORT.render(findings(600)))
    assert "500 of 540 flags are on this page , those with the highest priority. The other 40 are only in" in text


@pytest.fixture(scope="module")
def page_of_500() -> bytes:
    """As many flags as a page holds, no check before the sanctions among them."""
    given_ = findings(500)
    return REPORT.render(replace(given_, flags=given_.flags.with_columns(is_before_sanctions=pl.lit(False))))


def test_five_hundred_flags_fit_in_two_megabytes(page_of_500: bytes) -> None:
    assert page_of_500.count(b"<article") == 500
    assert len(page_of_500) <= page.MOST_BYTES


def test_where_not_all_cards_fit_whole_the_first_are_and_the_page_counts_them(page_of_500: bytes) -> None:
    cards = page_of_500.decode().split("<article")
    is_whole = ["<details>" in card for card in cards[1:]]
    whole = sum(is_whole)
    assert 80 < whole < 500
    assert is_whole == [True] * whole + [False] * (500 - whole)
    assert f"The first {whole} cards are whole; the other {500 - whole} are short" in text_of(cards[0].encode())
    assert all("What speaks for it" in card for card in cards[1:])


def test_long_texts_lower_the_number_of_cards_and_never_raise_the_size() -> None:
    content = REPORT.render(findings(400, "a very long explanation " * 40))
    assert len(content) <= page.MOST_BYTES
    shown = content.count(b"<article")
    assert 0 < shown < 360
    assert f"{shown} of 360 flags are on this page" in text_of(content)


def test_simulated_data_say_so_and_real_ones_do_not() -> None:
    assert "Simulated data." in text_of(REPORT.render(findings(3)))
    assert "imulated" not in text_of(REPORT.render(findings(3, is_simulated=False)))


def test_no_letter_that_acts_stands_in_the_page_and_its_escape_does() -> None:
    content = REPORT.render(poisoned("planted\u202e\u2066\u200f\x1b\x9b")).decode()
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", content) == []
    assert "planted\\u202e\\u2066" in content


def test_hostile_text_adds_no_element_and_no_attribute() -> None:
    def kinds(content: bytes) -> set[tuple[str, frozenset[str]]]:
        return {(tag, frozenset(names)) for tag, names in Tags(content.decode()).found}

    hostile = REPORT.render(poisoned(ATTACK))
    assert kinds(hostile) <= kinds(REPORT.render(findings(30)))
    assert "{{ 7*7 }}" in text_of(hostile)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
@settings(max_examples=20, deadline=None)
def test_no_text_at_all_adds_an_element(text: str) -> None:
    tags = [tag for tag, _ in Tags(REPORT.render(poisoned(text, 2)).decode()).found]
    assert tags.count("script") == tags.count("style") == 1
    assert not {"img", "iframe", "object", "embed", "link", "form", "base", "video", "audio"} & set(tags)


def test_the_policy_allows_this_style_and_this_script_and_nothing_else() -> None:
    content = REPORT.render(findings(3)).decode()
    policy = next(names["content"] for tag, names in Tags(content).found if names.get("http-equiv"))
    style = re.search(r"<style>(.*?)</style>", content, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", content, re.DOTALL)
    assert style is not None
    assert script is not None
    assert policy == (
        f"default-src 'none'; style-src '{policy_hash(style.group(1))}'; script-src '{policy_hash(script.group(1))}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "\r" not in content


def test_links_lead_into_the_page_only_and_every_one_arrives() -> None:
    for content in (REPORT.render(findings(30)), REPORT.render(poisoned(ATTACK)), REPORT.render(findings(0))):
        tags = Tags(content.decode()).found
        ids = [names["id"] for _, names in tags if "id" in names]
        assert len(ids) == len(set(ids))
        targets = [names["href"] or "" for tag, names in tags if tag == "a"]
        assert {target[:1] for target in targets} == {"#"}
        assert {target[1:] for target in targets} <= set(ids)
        assert not any("style" in names or any(name.startswith("on") for name in names) for _, names in tags)


def test_nested_settings_are_listed_one_by_one() -> None:
    nested = {
        "name": "x",
        "forest": {"trees": 100, "seeds": [0, 1]},
        "lists": [{"file": "a.csv"}],
        "none": {},
        "unset": None,
    }
    assert flat_settings(nested) == [
        ("name", "x"),
        ("forest.trees", "100"),
        ("forest.seeds", "0, 1"),
        ("lists.1.file", "a.csv"),
        ("none", "none"),
        ("unset", "none"),
    ]


def test_a_run_that_does_not_describe_itself_is_refused_by_name() -> None:
    with pytest.raises(ContractBroken, match="no code_version, title"):
        REPORT.render(replace(findings(1), run={"run_id": "", "scenario": "", "settings": {}, "is_simulated": False}))
