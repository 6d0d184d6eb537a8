"""What remains of a flag when one publisher's data are left out."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from anomaly.contract import schema
from anomaly.contract.settings import load
from anomaly.evidence import left_out, remains
from anomaly.scores import scores
from anomaly.stages.order import through
from tests.trade import at_hand, codes_of, years

MILLION = 1_000_000
YEARS = range(2019, 2023)
KEY = list(schema.ROUTE_KEY)
ELSEWHERE = [f"{first}{second}Q" for first in "ABCDEFGHIJKLMNOPQRSTUVWX" for second in "ABCDEFGHIJ"]
CALM = ("VNM", "THA", "IND", "IDN", "MYS", "PHL", "PAK", "BGD", "LKA", "EGY")
QUICK = load(
    forest={"trees": 30, "seeds": [0, 1], "max_samples": 256},
    calibration={"least_placebos": 30, "least_with_room": 30},
)


def trade(**upstream: Any) -> list[dict[str, Any]]:
    """Kazakhstan's sales to Russia rise as Germany's fall; what Germany sells to Kazakhstan is Eurostat's to tell."""
    rows = years("DEU", "RUS", {2019: 90 * MILLION, 2020: 95 * MILLION, 2021: 100 * MILLION, 2022: 15 * MILLION})
    inward = {2019: 5 * MILLION, 2020: 5 * MILLION, 2021: 6 * MILLION, 2022: 40 * MILLION}
    rows += years("DEU", "KAZ", inward, **{"source": "comext", "dataset": "eu", **upstream})
    rows += years("KAZ", "RUS", {**dict.fromkeys(YEARS, 2 * MILLION), 2022: 12 * MILLION})
    for calm in ("UZB", "TUR"):
        rows += years(calm, "RUS", dict.fromkeys(YEARS, 3 * MILLION))
    for number, name in enumerate(ELSEWHERE):
        rows += years("KAZ", name, {year: (3 + (number * year) % 4) * MILLION for year in YEARS})
        rows += years("DEU", name, {year: (30 + (number * year) % 9) * MILLION for year in YEARS})
    return rows


@dataclass(frozen=True)
class Ran:
    """A small run: its tables by name, its flags to the target, and what leaving out each publisher needs of it."""

    tables: dict[str, pl.DataFrame]
    reported: dict[str, pl.DataFrame]
    flags: pl.DataFrame

    @property
    def features(self) -> pl.DataFrame:
        return self.tables["features"]

    @property
    def scores(self) -> pl.DataFrame:
        return self.tables["scores"]

    def measured(self, source: str, routes: pl.DataFrame) -> pl.DataFrame:
        """Features of the routes without a publisher; the countries are the made-up ones."""
        return left_out.measured(self.reported, source, routes, through, QUICK)

    def left_out(self, source: str) -> pl.DataFrame:
        """Rows of flags.without of one publisher."""
        routes = self.flags.select(KEY)
        changed = {source: self.measured(source, routes)}
        scored = left_out.scored(changed, self.tables, through, QUICK)[source]
        still = left_out.judged(changed[source], scored, self.tables, through, QUICK)
        own = self.features.join(routes, on=KEY, how="semi").filter(baseline_gap_years=1)
        remaining = remains.tell(self.flags, source, own, changed[source], scored, still, QUICK)
        return schema.Without.validate(remaining)

    def without_publisher(self, source: str) -> dict[str, Any]:
        remaining: dict[str, Any] = self.left_out(source).row(0, named=True)
        return remaining


# what the features of a run are made of, and what it makes of them
BEFORE = (
    "current", "families", "families.broken", "coverage", "coverage.scope", "exporter_totals", "windows", "features.pairs",
    "features.roughness",
)  # fmt: skip
MADE_UP = ("countries", "precedence")
AFTER = ("features", "scores", "scores.calibration", "scores.contributions")


def run(rows: list[dict[str, Any]]) -> Ran:
    made = through([*BEFORE, *MADE_UP, *AFTER], at_hand(rows), QUICK)
    tables = {name: made.read(name) for name in (*BEFORE, *MADE_UP, *AFTER)}
    flagged = through(["flagged"], {**tables, "policy_events": pl.DataFrame()}, QUICK).read("flagged")
    reported = {name: tables[name] for name in (*BEFORE, *MADE_UP)}
    return Ran(tables, reported, flagged.filter(importer_iso="RUS"))


@pytest.fixture(scope="module")
def ran() -> Ran:
    small_run = run(trade())
    assert small_run.flags["flag_id"].to_list() == ["847989-KAZ-RUS-2022"]
    return small_run


def test_without_the_only_publisher_of_a_route_it_cannot_be_compared(ran: Ran) -> None:
    row = ran.without_publisher("comtrade")
    assert (row["remains"], row["value_usd"], row["q_value"]) == ("not_comparable", None, None)
    assert "no other publisher has it" in row["says"]


def test_without_the_publisher_of_a_leg_its_reasons_are_unknown_and_the_others_stay(ran: Ran) -> None:
    row = ran.without_publisher("comext")
    reasons = [reason["indicator"] for reason in ran.flags["reasons"].item()]
    assert set(row["unknown"]) == {"upstream_surge_log", "route_through_usd"}
    assert set(row["reasons_left"]) == set(reasons) - {"upstream_surge_log", "route_through_usd"}
    assert (row["remains"], row["reasons_lost"], row["value_usd"]) == ("weaker", [], 12 * MILLION)


def test_a_reason_that_falls_below_its_threshold_is_lost_and_not_unknown() -> None:
    rows = trade() + years("FRA", "KAZ", dict.fromkeys(YEARS, 50 * MILLION))
    row = run(rows).without_publisher("comext")
    assert "upstream_surge_log" in row["reasons_lost"]
    assert "upstream_surge_log" not in row["unknown"]
    assert row["remains"] == "not_flagged"  # there is no more to re-export


def test_where_another_publisher_has_the_route_too_the_flag_stands_on_its_figure() -> None:
    also = [row for row in trade() if row["source"] == "comtrade" and row["partner_iso"] != "ARG"]
    also = [
        {**row, "source": "baci", "dataset": "B", "primary_value_usd": row["primary_value_usd"] * 11 // 10}
        for row in also
    ]
    rows = trade() + also
    without = run(rows).without_publisher("comtrade")
    assert (without["remains"], without["value_usd"]) == ("flagged", 13_200_000)
    assert without["says"].endswith("; the trade is another publisher's figure.")


def test_a_flag_that_uses_nothing_of_a_publisher_has_no_row_for_it() -> None:
    apart = years("CHN", "ARG", dict.fromkeys(YEARS, 9 * MILLION), source="baci", dataset="B")
    assert run(trade() + apart).left_out("baci").is_empty()


def test_an_importer_that_only_the_left_out_publisher_speaks_for_is_silent_and_has_not_recorded_nothing() -> None:
    """Kazakhstan's records of France are why no record of Germany is a nothing; they are the left-out publisher's."""
    sent = dict.fromkeys(YEARS, 4 * MILLION)
    rows = years("DEU", "KAZ", sent) + years("UZB", "DEU", sent, flow="M") + years("DEU", "UZB", sent)
    for partner, code in (("FRA", "847989"), ("DEU", "640399")):
        rows += years("KAZ", partner, sent, flow="M", source="comext", dataset="eu", code=code)
    ran = run(rows)
    route = ran.features.filter(good="847989", exporter_iso="DEU", importer_iso="KAZ", baseline_gap_years=1)
    route = route.filter(pl.col("window_end").dt.year() == 2022)
    assert route["leg_imported_usd"].to_list() == [0]
    left = ran.measured("comext", route.select(KEY))
    assert left["leg_imported_usd"].to_list() == [None]


def among_others(*, boom: bool) -> list[dict[str, Any]]:
    """More exporters to many: Turkey, which buys no more and of whose routes one rises most of all, and those of which nobody
    tells what they buy, China, whose sales to Russia rise too, and ten calm ones. In a boom Kazakhstan's sales to one
    country rise, which Eurostat alone tells.
    """
    rows = years("DEU", "TUR", dict.fromkeys(YEARS, 6 * MILLION), source="comext", dataset="eu")
    for exporter in ("TUR", "CHN"):
        for number, name in enumerate(ELSEWHERE[:30]):
            rows += years(exporter, name, {year: (3 + (number * year) % 4) * MILLION for year in YEARS})
    for exporter in CALM:
        for importer in ("RUS", ELSEWHERE[0]):
            rows += years(exporter, importer, dict.fromkeys(YEARS, 3 * MILLION))
    rows += years("TUR", "XXQ", {**dict.fromkeys(YEARS, 2 * MILLION), 2022: 30 * MILLION})
    rows += years("CHN", "RUS", {**dict.fromkeys(YEARS, 2 * MILLION), 2022: 11 * MILLION})
    if boom:
        sold = {**dict.fromkeys(YEARS, MILLION), 2022: 20_000 * MILLION}
        rows += years("KAZ", "YYQ", sold, source="comext", dataset="eu")
    return rows


@pytest.mark.parametrize("boom", [False, True])
def test_the_score_without_a_publisher_is_that_of_the_changed_route_among_the_runs_own_routes(boom: bool) -> None:
    """Put in the place of the route's own row, the changed one has the p and q that leaving out gives it.

    What the coalition sells the hub is the room for its rise: without it the rise alone judges, and a placebo counts that rose
    more with nothing to re-export. What the hub sells elsewhere is taken off its rise: without it the rise is its own again.
    """
    ran = run(trade() + among_others(boom=boom))
    route = ran.features.filter(exporter_iso="KAZ", importer_iso="RUS", baseline_gap_years=1).select(KEY)
    route = route.filter(pl.col("window_end").dt.year() == 2022)
    changed = ran.measured("comext", route)
    replaced = pl.concat([ran.features.join(changed, on=[*KEY, "baseline_gap_years"], how="anti"), changed])
    rescored = through(["scores"], {**ran.reported, "features": replaced}, QUICK).read("scores")
    expected = rescored.join(route, on=KEY, how="semi").row(0, named=True)
    scored = left_out.scored({"comext": changed}, ran.tables, through, QUICK)["comext"].row(0, named=True)
    was = ran.scores.join(route, on=KEY, how="semi").row(0, named=True)
    assert (was["tested_among"], scored["tested_among"]) == (
        "comtrade, extract, export; rise and room; room known; few, among all of the window",
        "comtrade, extract, export; rise; room unknown",
    )
    assert (scored["p_value"] < was["p_value"]) == boom
    assert scored["p_value"] == expected["p_value"] == 2 / (1 + scored["placebos"])
    assert scored["q_value"] == pytest.approx(expected["q_value"])
    assert scored["q_value"] == pytest.approx(12 * scored["p_value"] / 2)  # two of twelve, beside China's of the same p


def test_a_route_that_has_no_room_without_a_publisher_is_no_sign_of_a_shock_of_the_year() -> None:
    """Twenty goods that rise with what Eurostat tells of their supply: without it each would be a control route that rose."""
    rows: list[dict[str, Any]] = []
    for good in codes_of("8471", 20):
        for row in trade() + years("FRA", "KAZ", dict.fromkeys(YEARS, 50 * MILLION)):
            if row["partner_iso"] not in ELSEWHERE[20:]:
                rows.append(row | {"cmd_code": good})
    ran = run(rows)
    of_2022 = ran.scores.filter(pl.col("window_end").dt.year() == 2022, exporter_iso="KAZ", importer_iso="RUS")
    assert of_2022.height == 20
    assert set(of_2022["shock_ratio"]) == {1.0}
    changed = ran.measured("comext", of_2022.select(KEY))
    scored = left_out.scored({"comext": changed}, ran.tables, through, QUICK)["comext"]
    assert (scored["room_log"].max(), scored.height) == (0.0, 20)
    assert set(scored["shock_ratio"]) == {1.0}


def test_a_route_with_the_same_inputs_keeps_its_score_and_no_forest_is_fitted(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = ran.flags.select(KEY)
    own = ran.features.join(route, on=KEY, how="semi").filter(baseline_gap_years=1)
    monkeypatch.setattr(scores, "build", None)
    scored = left_out.scored({"baci": own}, ran.tables, through, QUICK)["baci"]
    assert scored["anomaly_score"].to_list() == ran.flags["anomaly_score"].to_list()
    assert scored["q_value"].to_list() == ran.flags["q_value"].to_list()


def test_where_one_publisher_alone_has_data_nothing_is_left_without_it(ran: Ran) -> None:
    without = schema.Without.validate(remains.nothing_left(ran.flags, "comtrade"))
    assert without.select("flag_id", "source_left_out", "remains").rows() == [
        ("847989-KAZ-RUS-2022", "comtrade", "not_comparable")
    ]
    assert without["says"].item().startswith("Nothing is left")
