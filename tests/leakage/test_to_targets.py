"""What hubs sold the target beyond their counterfactuals, on made-up features with a planted amount."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from anomaly.contract.keys import HUB_TO_TARGET
from anomaly.contract.settings import Settings, load
from anomaly.leakage import frames, to_targets
from tests.supply.made import NO_LISTS

END = date(2022, 12, 1)
HUBS = ("ARM", "GEO", "KGZ", "SRB", "UZB", "TUR")
PLACEBOS = ("PER", "CHL", "KEN", "GHA", "MAR", "DZA", "COL", "ECU")
FELL, STOOD = tuple(f"8481{number:02d}" for number in range(20)), tuple(f"8708{number:02d}" for number in range(10))
NO_ROUGHNESS = pl.DataFrame(
    schema={
        "freq_code": pl.String, "window_months": pl.Int16, "baseline_gap_years": pl.Int8, "window_end": pl.Date,
        "has_direct_fallen": pl.Boolean, "roughness": pl.Float64,
    }
)  # fmt: skip
SETTINGS = load()


def features(planted: dict[tuple[str, str], int] | None = None, seed: int = 3) -> pl.DataFrame:
    """Routes of every hub, good and importer; `planted` (hub, good) → USD on top of what RUS would have bought."""
    rng, rows = np.random.default_rng(seed), []
    for hub in HUBS:
        for importer in (*PLACEBOS, "RUS"):
            for good in (*FELL, *STOOD):
                expected = round(4_000_000 * np.exp(rng.normal(0, 0.8)))
                value = round(expected * np.exp(rng.normal(0, 0.3)))
                more = (planted or {}).get((hub, good), 0) if importer == "RUS" else 0
                rows.append((hub, importer, good, value + more, expected, "target" if importer == "RUS" else "placebo"))
    columns = ["exporter_iso", "importer_iso", "good", "value_usd", "counterfactual_usd", "role"]
    direct = pl.when(pl.col("good").is_in(FELL)).then(1_000_000).otherwise(9_500_000)
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        freq_code=pl.lit("A"), window_months=pl.lit(12, dtype=pl.Int16), window_end=pl.lit(END),
        baseline_gap_years=pl.lit(1, dtype=pl.Int8), source=pl.lit("comtrade"), dataset=pl.lit("extract"),
        value_basis=pl.lit("export"), is_before_sanctions=pl.lit(value=False),
        value_baseline_usd=pl.col("counterfactual_usd"), coalition_to_target_usd=direct,
        coalition_to_target_baseline_usd=pl.lit(10_000_000), coalition_to_hub_usd=pl.lit(0, dtype=pl.Int64),
        coalition_to_hub_baseline_usd=pl.lit(0, dtype=pl.Int64), elsewhere_baseline_usd=pl.lit(0, dtype=pl.Int64),
        revealed_advantage=pl.lit(0.1),
    )  # fmt: skip


def built(rows: pl.DataFrame, settings: Settings = SETTINGS, lists: pl.DataFrame = NO_LISTS) -> frames.Tables:
    return frames.together(to_targets.build(rows.lazy(), NO_ROUGHNESS, lists, settings))


def at(tables: frames.Tables, level: str, **key: str) -> dict[str, int]:
    return tables.leakage.filter(level=level, **key).row(0, named=True)


PLANTED = {("KGZ", good): 30_000_000 for good in FELL[:6]}


@pytest.fixture(scope="module")
def planted() -> frames.Tables:
    return built(features(PLANTED))


def test_the_planted_excess_lies_in_the_interval_of_its_hub_and_of_each_good(planted: frames.Tables) -> None:
    hub = at(planted, "hub", hub_iso="KGZ")
    assert hub["excess_low_usd"] <= 180_000_000 <= hub["excess_high_usd"]
    assert hub["excess_low_usd"] > 120_000_000
    for good in FELL[:6]:
        row = at(planted, "hub_good", hub_iso="KGZ", good=good)
        assert 15_000_000 < row["excess_low_usd"] <= 30_000_000 + 5_000_000


def test_hubs_to_whose_target_nothing_went_on_have_intervals_that_hold_none(planted: frames.Tables) -> None:
    others = [at(planted, "hub", hub_iso=hub) for hub in HUBS if hub != "KGZ"]
    assert sum(row["excess_low_usd"] <= 0 <= row["excess_high_usd"] for row in others) >= 4


def test_only_goods_whose_direct_trade_fell_are_in_the_sums_and_what_it_lost_stands_beside_them(
    planted: frames.Tables,
) -> None:
    assert set(planted.leakage["good"]) == {"", *FELL}
    assert set(planted.leakage["leg"]) == {HUB_TO_TARGET}
    assert at(planted, "good", good=FELL[0])["direct_lost_usd"] == 9_000_000
    assert at(planted, "hub", hub_iso="KGZ")["direct_lost_usd"] == 9_000_000 * len(FELL)


def test_sums_are_those_of_their_parts_to_the_last_dollar(planted: frames.Tables) -> None:
    for value in ("value_usd", "value_before_usd", "legs"):
        whole = planted.leakage.filter(level="all")[value].item()
        for level in ("hub", "good", "hub_good"):
            assert planted.leakage.filter(level=level)[value].sum() == whole


def test_what_a_maker_sold_is_in_no_sum_and_has_a_row_of_its_own(planted: frames.Tables) -> None:
    of_maker = (pl.col("exporter_iso") == "KGZ") & (pl.col("good") == FELL[0])
    makes_it = pl.when(of_maker).then(pl.lit(5.0)).otherwise(pl.lit(0.1))
    sells_many = pl.when(of_maker).then(pl.lit(10**9)).otherwise(pl.lit(0))
    table = built(features(PLANTED).with_columns(revealed_advantage=makes_it, elsewhere_baseline_usd=sells_many))
    value = at(planted, "hub_good", hub_iso="KGZ", good=FELL[0])["value_usd"]
    assert at(table, "maker", hub_iso="KGZ", good=FELL[0])["value_usd"] == value
    assert at(planted, "all")["value_usd"] - at(table, "all")["value_usd"] == value


def test_the_coverage_is_read_on_placebos_that_were_left_out_and_is_what_is_asked_for() -> None:
    sums = held = 0
    for seed in range(5):
        of_hubs = built(features(seed=seed)).coverage.filter(of="hub")
        sums, held = sums + of_hubs["sums"].item(), held + of_hubs["held"].item()
    assert sums == 5 * len(PLACEBOS) * len(HUBS)
    assert 0.85 <= held / sums <= 0.95


def test_what_is_planted_changes_no_placebo_and_no_coverage(planted: frames.Tables) -> None:
    assert planted.coverage.equals(built(features()).coverage)


def test_where_listed_goods_are_asked_about_no_other_good_is_in_a_sum() -> None:
    lists = pl.DataFrame({"good": FELL[:5], "tier": ["1"] * 5}).with_columns(
        valid_from=pl.date(2022, 2, 24), valid_to=pl.lit(None, dtype=pl.Date)
    )
    table = built(features(PLANTED), SETTINGS.model_copy(update={"goods_asked": "listed"}), lists).leakage
    assert set(table.filter(level="hub_good")["good"]) == set(FELL[:5])


def test_too_few_placebos_give_no_leakage() -> None:
    few = features(PLANTED).filter((pl.col("role") == "target") | (pl.col("importer_iso") == "PER"))
    rules = SETTINGS.calibration.model_copy(update={"least_placebos": 1_000})
    assert built(few, SETTINGS.model_copy(update={"calibration": rules})).leakage.is_empty()


def test_a_rougher_year_has_wider_intervals() -> None:
    rows = features(PLANTED)
    rough = (
        rows.select(*NO_ROUGHNESS.columns[:4])
        .unique()
        .with_columns(has_direct_fallen=pl.lit(value=True), roughness=pl.lit(3.0))
    )
    usual, wide = (
        at(frames.together(to_targets.build(rows.lazy(), table, NO_LISTS, SETTINGS)), "all")
        for table in (NO_ROUGHNESS, rough)
    )
    assert wide["excess_high_usd"] - wide["excess_low_usd"] > 2 * (usual["excess_high_usd"] - usual["excess_low_usd"])
