"""A case is a route with all its windows; its name and its figures."""

from datetime import date

from anomaly.cases import cases
from anomaly.cases.words import sentence
from anomaly.contract.schema_cases import Cases
from tests.cases.made import END, flag, flags

EARLIER = date(2023, 3, 1)


def test_all_flagged_windows_of_a_route_are_one_case_the_oldest_first() -> None:
    case = cases.build(flags(flag(), flag(EARLIER, 3), flag(EARLIER, 6))).to_dicts()
    assert [row["windows"] for row in case] == [
        ["854231-KGZ-RUS-2023-03-3M", "854231-KGZ-RUS-2023-03-6M", "854231-KGZ-RUS-2023-06-12M"]
    ]


def test_the_name_of_a_case_says_leg_good_and_countries_and_stays_when_windows_come_and_go() -> None:
    names = [
        cases.build(flags(*rows))["case_id"].to_list()
        for rows in ([flag()], [flag(EARLIER, 3)], [flag(), flag(EARLIER, 3)])
    ]
    assert names == [["to-target-854231-KGZ-RUS"]] * 3


def test_a_check_before_the_sanctions_is_no_case() -> None:
    assert cases.build(flags(flag(is_before_sanctions=True))).is_empty()


def test_the_figures_are_those_of_the_newest_window_and_of_windows_that_end_together_the_longest() -> None:
    newest = flag(END, 12, value_usd=5, excess_usd=4, list_tier="2", severity="low")
    table = flags(flag(END, 3, value_usd=1), newest, flag(EARLIER, 12, value_usd=9))
    (case,) = cases.build(table).to_dicts()
    names = ("value_usd", "excess_usd", "list_tier", "severity_now", "window_end", "window_months", "flag_id")
    assert [case[name] for name in names] == [5, 4, "2", "low", END, 12, newest["flag_id"]]
    assert case["first_window_end"] == EARLIER


def test_severity_priority_and_q_are_the_worst_of_all_windows() -> None:
    table = flags(flag(EARLIER, severity="high", priority=30.0, q_value=0.001), flag(severity="low", q_value=None))
    (case,) = cases.build(table).to_dicts()
    assert (case["severity"], case["priority"], case["best_q_value"]) == ("high", 30.0, 0.001)


def test_a_route_that_is_flagged_on_two_legs_is_two_cases() -> None:
    table = flags(flag(), flag(flag_type="second_hop"))
    assert sorted(cases.build(table)["case_id"]) == ["hub-hub-854231-KGZ-RUS", "to-target-854231-KGZ-RUS"]


def test_a_case_whose_newest_window_has_ended_is_no_alarm_and_comes_after_those_that_are() -> None:
    ended = [flag(EARLIER, priority=90.0), flag(flag_type="resolved", priority=90.0)]
    table = cases.build(flags(*ended, flag(good="851762")))
    assert table.select("good", "is_alarm").rows() == [("851762", True), ("854231", False)]


def test_cases_keep_their_contract_also_where_there_is_none() -> None:
    for rows in ([], [flag(), flag(good="851762", excess_usd=None, list_tier=None)]):
        assert Cases.validate(cases.build(flags(*rows))).height == len(rows)


def test_the_order_of_the_flags_does_not_matter() -> None:
    rows = [flag(), flag(EARLIER, 3), flag(good="851762"), flag(exporter_iso="ARM")]
    assert cases.build(flags(*rows)).equals(cases.build(flags(*rows[::-1])))


def test_a_sentence_says_what_is_known_and_nothing_where_it_is_not() -> None:
    names = {"KGZ": "Kyrgyzstan", "RUS": "Russia"}, {"854231": "chips"}
    (case,) = cases.build(flags(flag())).to_dicts()
    assert sentence(case, *names) == (
        "chips, Kyrgyzstan to Russia (hub re-export): 12.0 million USD in Jul 2022–Jun 2023 after 2.0 million USD "
        "(+500 %), 8.0 million USD more than explained; 1 window."
    )
    (case,) = cases.build(flags(flag(value_prior_year_usd=None, excess_usd=None))).to_dicts()
    assert "in Jul 2022–Jun 2023, the year before not known; 1 window." in sentence(case, *names)
