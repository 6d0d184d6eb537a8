"""What was published against a flag stands beside it, both sides of what is contested, and changes nothing else."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from anomaly.contract.keys import COALITION
from anomaly.contract.settings import load
from anomaly.evidence import published
from anomaly.reference import cases

SETTINGS = load()
CASE: dict[str, Any] = {
    "case_id": "kgz", "judgement": "contested", "exporters": ["KGZ"], "importers": ["RUS"], "goods": ["87"],
    "goods_named": "vehicles; the chapter is our reading", "start": date(2022, 1, 1), "end": date(2022, 12, 1),
    "period": "2022", "source": "RFE/RL, 2023", "says": "re-exports", "says_otherwise": "its own make",
}  # fmt: skip
LISTS = dict.fromkeys(("exporters", "importers", "goods"), pl.List(pl.String))
FLAG = {
    "freq_code": "A", "window_months": 12, "window_end": date(2022, 12, 1), "good": "870323", "exporter_iso": "KGZ",
    "importer_iso": "RUS", "severity": "high", "caveats": ["its own"],
}  # fmt: skip


def caveats(*case_changes: dict[str, Any], **flag_changes: Any) -> list[str]:
    flags = pl.DataFrame([{**FLAG, **flag_changes}], schema_overrides={"window_months": pl.Int16})
    table = pl.DataFrame([{**CASE, **changes} for changes in case_changes or ({},)], schema_overrides=LISTS)
    with_cases = published.beside(flags, table, SETTINGS)
    assert with_cases.drop("caveats").equals(flags.drop("caveats"))
    texts: list[str] = with_cases["caveats"].item().to_list()
    return texts


def test_a_flag_on_a_contested_case_says_so_and_prints_both_sides() -> None:
    own, text = caveats()
    assert own == "its own"
    assert text == "Contested: vehicles, 2022 (RFE/RL, 2023). One side: re-exports. The other: its own make."


@pytest.mark.parametrize(
    ("judgement", "words"),
    [
        ("benign", "Published as honest trade: vehicles, 2022"),
        ("backfill", "Published as a maker's own sales, no re-export"),
    ],
)
def test_what_was_published_as_no_re_export_stands_beside_the_flag(judgement: str, words: str) -> None:
    assert caveats({"judgement": judgement})[-1].startswith(words)


@pytest.mark.parametrize("judgement", ["evasion", "relabel", "stopped", "other"])
def test_a_case_that_does_not_disagree_adds_nothing(judgement: str) -> None:
    assert caveats({"judgement": judgement}) == ["its own"]


@pytest.mark.parametrize(
    "changes", [{"exporter_iso": "KAZ"}, {"importer_iso": "BLR"}, {"good": "854231"}, {"window_end": date(2021, 12, 1)}]
)
def test_a_flag_on_another_route_good_or_year_has_no_caveat_more(changes: dict[str, Any]) -> None:
    assert caveats(**changes) == ["its own"]


def test_a_case_of_a_member_is_also_about_the_coalitions_leg_and_one_of_another_country_is_not() -> None:
    leg = {"exporter_iso": COALITION, "importer_iso": "KGZ"}
    assert len(caveats({"exporters": ["DEU"], "importers": ["KGZ"]}, **leg)) == 2
    assert len(caveats({"exporters": ["EU27"], "importers": ["KGZ"]}, **leg)) == 2
    assert caveats({"exporters": ["CHN"], "importers": ["KGZ"]}, **leg) == ["its own"]


def test_caveats_of_several_cases_follow_in_their_order() -> None:
    assert [text[:9] for text in caveats({}, {"case_id": "b", "judgement": "benign"})] == [
        "its own",
        "Contested",
        "Published",
    ]


def test_every_case_that_ships_can_be_said() -> None:
    against = cases.read().filter(pl.col("judgement").is_in(list(cases.CLAIMS_AGAINST)))
    assert against.height >= 25
    for case in against.to_dicts():
        text = published.sentence(case)
        assert "None" not in text, text
        assert ".." not in text, text
