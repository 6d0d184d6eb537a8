"""Every registered type of flag keeps one contract, and a new one needs nothing but its own file and line."""

import re
from dataclasses import replace
from typing import Any

import dataframely as dy
import polars as pl
import pytest

from anomaly.contract.keys import COALITION_TO_HUB, LEGS
from anomaly.contract.schema import ROUTE_KEY, Flags
from anomaly.contract.settings import load
from anomaly.evidence import evidence
from anomaly.features.features import table_schema as features_schema
from anomaly.flags import flags, naming, rollups, rule, types
from anomaly.flags.types.base import Condition, FlagType, Limits
from anomaly.flags.types.explanations import VERDICTS, unknowable
from anomaly.reports.html import REPORT
from tests import ROOT
from tests.flags.scored import calibrated, no_contributions, scored
from tests.flags.test_flags import NAMES, NO_LIST
from tests.reports.findings import findings
from tests.trade import measured, years

MILLION = 1_000_000
SETTINGS = load()
LIMITS = rule.limits_of(SETTINGS)
METHOD = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
# All that a row of features must say; the rest may be unknown.
LEAST: dict[str, Any] = {
    **dict.fromkeys(features_schema().columns()), "value_usd": 12 * MILLION, "value_prior_year_usd": 2 * MILLION,
    "baseline_years": "2019-2021", "window_months": 12, "since": "prior", "floor_usd": 100_000, "sides": [],
    "exporter_name": "Kazakhstan", "importer_name": "Russia",
}  # fmt: skip


def faults(flag_type: FlagType) -> list[str]:
    """What a type lacks of what everybody reads of it."""
    sentence, items = flag_type.sentence(LEAST), [explain(LEAST) for explain in flag_type.explanations]
    steps = naming.next_steps(flag_type.name, "Kazakhstan", "Russia", "mobile phones")
    checks = {
        "a name in snake case": re.fullmatch(r"[a-z]+(_[a-z]+)*", flag_type.name),
        "words for people": flag_type.words and "_" not in flag_type.words,
        "what the figures look like, in sentences": flag_type.says.endswith("."),
        "a leg": flag_type.leg in LEGS,
        "a severity": flag_type.most_severe in naming.SEVERITIES,
        "a sentence of a row that says little": sentence.endswith(".") and "None" not in sentence,
        "two explanations and what no figure says": len(items) >= 3 and items[-1]["verdict"] == "unknown",
        "verdicts": {item["verdict"] for item in items} <= set(VERDICTS),
        "explanations in sentences": all(item["text"].endswith(".") for item in items),
        "two or three short questions to ask next": 2 <= len(steps) <= 3 and max(map(len, steps)) <= 140,
        "questions that end as such, names put in": all(step.endswith("?") and "{" not in step for step in steps),
        "both what it shows and what stands beside it, or neither": (flag_type.shows is None)
        == (flag_type.beside is None),
        "a line in docs/method.md": f"| `{flag_type.name}` |" in METHOD,
    }
    return [name for name, holds in checks.items() if not holds]


@pytest.mark.parametrize("flag_type", types.TYPES, ids=lambda flag_type: flag_type.name)
def test_every_type_keeps_the_contract_of_types(flag_type: FlagType) -> None:
    assert faults(flag_type) == []


def test_a_type_that_says_nothing_is_found() -> None:
    empty = replace(
        types.TYPES[0], name="Ghost", words="", says="", leg="any", sentence=str, explanations=(), next_steps=(), beside=None
    )  # fmt: skip
    assert faults(empty) == [
        "a name in snake case", "words for people", "what the figures look like, in sentences", "a leg",
        "a sentence of a row that says little", "two explanations and what no figure says",
        "both what it shows and what stands beside it, or neither", "a line in docs/method.md",
    ]  # fmt: skip


def test_names_and_words_are_of_one_type_each() -> None:
    assert (
        len({flag_type.name for flag_type in types.TYPES})
        == len({flag_type.words for flag_type in types.TYPES})
        == len(types.TYPES)
    )


def test_the_contract_of_flags_takes_registered_types_and_no_other() -> None:
    column = flags.table_schema().columns()["flag_type"]
    assert list(flags.table_schema().columns()) == Flags.column_names()
    for flag_type in types.TYPES:
        assert flag_type.name in (column.description or "")
    kinds: type[dy.Schema] = type("Kinds", (dy.Schema,), {"flag_type": column})
    assert kinds.is_valid(pl.DataFrame({"flag_type": [flag_type.name for flag_type in types.TYPES]}))
    assert not kinds.is_valid(pl.DataFrame({"flag_type": ["ghost transit"]}))


def test_a_type_not_registered_is_told_as_the_plainest_under_its_own_name() -> None:
    unknown = naming.type_of("not_known_yet")
    assert (unknown.name, unknown.words, unknown.says) == ("not_known_yet", "not known yet", types.TYPES[0].says)
    rows = pl.DataFrame({"flag_type": ["not_known_yet", "hub_reexport", "price_only", "resolved", "ghost_transit"]})
    assert rows.select(naming.is_alarm())["flag_type"].to_list() == [True, True, False, False, True]
    assert rows.select(naming.has_ended())["flag_type"].to_list() == [False, False, False, True, False]
    assert rows.select(naming.is_on(COALITION_TO_HUB))["flag_type"].to_list() == [False, False, False, False, True]


FIGURES = {
    "exporter_iso": "KAZ", "importer_iso": "RUS", "good": "848280", "neighbour_fell_good": "848210", "neighbour_code_shift": 0.9,
    "new_route": 1.0, "route_through_usd": 4e6, "price_surge_log": 0.6, "volume_surge_log": 0.0, "surge_log": 0.7, "record_excess_log": 0.7,
    "mirror_gap_shift_log": 1.0, "value_usd": 12 * MILLION, "value_baseline_usd": 2 * MILLION,
    **dict.fromkeys(
        ("coalition_to_target_usd", "coalition_to_target_prior_usd", "coalition_to_target_baseline_usd", "coalition_to_hub_usd",
         "coalition_to_hub_baseline_usd", "elsewhere_baseline_usd", "revealed_advantage")
    ),
}  # fmt: skip


def called(listed: tuple[str, ...] = ("848210",), **change: Any) -> tuple[str, str]:
    """flag_type and most_severe of a flagged route that shows every type of its leg, but for the change."""
    kinds = {name: column.dtype for name, column in features_schema().columns().items() if name in FIGURES}
    row = naming.with_flag_type(pl.DataFrame([FIGURES | change], schema=kinds), listed, LIMITS).row(0, named=True)
    return row["flag_type"], row["most_severe"]


def test_a_flag_is_called_by_the_most_telling_type_that_it_shows_and_is_no_more_severe_than_any_of_them() -> None:
    assert called() == ("relabel", "low")  # dearer, not more: whatever else it is called
    assert called(price_surge_log=None) == ("relabel", "high")
    assert called(listed=("848210", "848280"), price_surge_log=None) == ("new_route", "high")
    assert called(listed=(), new_route=0.0) == ("price_only", "low")
    assert called(listed=(), new_route=0.0, price_surge_log=0.4) == ("hub_reexport", "high")
    assert called(listed=(), new_route=0.0, record_excess_log=1.1) == ("hub_reexport", "high")
    assert called(listed=(), new_route=0.0, volume_surge_log=0.2) == ("hub_reexport", "high")
    assert called(neighbour_code_shift=0.4, new_route=None, price_surge_log=None) == ("hub_reexport", "high")


def test_a_route_of_the_coalition_or_between_hubs_is_called_by_a_type_of_its_own_leg() -> None:
    assert called(exporter_iso="DEU", importer_iso="KAZ") == ("ghost_transit", "high")
    fell = {"coalition_to_target_usd": MILLION, "coalition_to_target_prior_usd": 9 * MILLION}
    hop: dict[str, Any] = {"exporter_iso": "GEO", "importer_iso": "KAZ", **fell}
    assert called(**hop) == ("second_hop", "medium")


def _outgrew(limits: Limits) -> Condition:
    return Condition(
        "the coalition's own reports rose", limits.over("surge_log"), pl.lit("it rose too little to be diverted")
    )


DIVERTED = FlagType(
    name="planted_supply",
    words="planted supply",
    says="The coalition's own reports rose into the hub.",
    leg=COALITION_TO_HUB,
    sentence=lambda row: f"{row['exporter_name']} sent {row['importer_name']} more.",
    explanations=(unknowable, unknowable, unknowable),
    next_steps=("Who in {importer} bought {good}?", "Who in {exporter} sold it?"),
    shows=pl.lit(value=True),
    beside=_outgrew,
    most_severe="medium",
)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more type in the registry."""
    monkeypatch.setattr(types, "TYPES", (*types.TYPES, DIVERTED))


def supplied(value_usd: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(features, flags) of Germany's sales to Kazakhstan, which reports nothing."""
    features, _ = measured(
        years("DEU", "KAZ", {2019: 6 * MILLION, 2020: 6 * MILLION, 2021: 6 * MILLION, 2022: value_usd})
    )
    route = features.filter(pl.col("window_end").dt.year() == 2022)
    scores, calibration = scored(route), calibrated(route, COALITION_TO_HUB)
    flagged = flags.build(features, scores, no_contributions(scores), calibration, NO_LIST, NAMES, SETTINGS)
    return features, flagged


def test_a_planted_type_is_flagged_judged_and_counted_by_its_own_entry_alone(planted: None) -> None:
    features, flagged = supplied(40 * MILLION)
    assert flagged.select("exporter_iso", "flag_type", "severity").rows() == [("DEU", "planted_supply", "medium")]
    assert flags.table_schema().is_valid(flagged)
    assert flagged.filter(naming.is_on(COALITION_TO_HUB), naming.is_alarm(), ~naming.has_ended()).height == 1
    row = {**LEAST, **flagged.row(0, named=True), "exporter_name": "Germany", "importer_name": "Kazakhstan"}
    assert evidence.sentence(row, "planted_supply") == "Germany sent Kazakhstan more."
    assert len(evidence.benign_if(row, "planted_supply")) == 3
    assert rollups.build(flagged, features, SETTINGS.targets.countries).is_empty()


def test_a_route_that_misses_what_every_type_of_its_leg_asks_for_is_told_of_each(planted: None) -> None:
    limits = replace(LIMITS, thresholds={**LIMITS.thresholds, "surge_log": 9.0, "baseline_excess_log": 0.1})
    features, _ = supplied(40 * MILLION)
    route = features.filter(pl.col("window_end").dt.year() == 2022)
    calibration = calibrated(route, COALITION_TO_HUB)
    beside = rule.beside_scores(route, route.select(*ROUTE_KEY, q_value=0.05), calibration, limits)
    why = beside.select(rule.why_not(limits)).item()
    assert why == "the receiving side's report is not known: no gap can be measured; it rose too little to be diverted"


def test_a_planted_type_stands_in_the_report_by_its_own_entry_alone(planted: None) -> None:
    original = findings(1)
    page = REPORT.render(
        replace(original, flags=original.flags.with_columns(flag_type=pl.lit("planted_supply")))
    ).decode()
    assert "<dt>Planted supply</dt><dd>The coalition&#39;s own reports rose into the hub.</dd>" in page
    assert "Who in Russia bought" in page
    assert "1 route into hubs" in page
    assert faults(DIVERTED) == ["a line in docs/method.md"]


def test_the_fixed_columns_of_flags_know_no_type() -> None:
    assert not any(flag_type.name in (Flags.flag_type.description or "") for flag_type in types.TYPES)
