"""What the benchmarks measure is the same work: three engines, one answer."""

from math import log
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.settings import load
from anomaly.flags.rule import limits_of
from anomaly.store.store import Store
from benchmarks import compare, features_ours, level_shifts, ranks, trade_years
from benchmarks import false_flags as false_flags_of
from benchmarks.tables import prepare

TINY = trade_years.World(countries=50, goods=192, rows_per_year=10_000)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("tables"), TINY, range(2018, 2024), 192)


@pytest.mark.slow
@pytest.mark.parametrize("materiality_usd", ["0", "1000000"])
def test_the_engines_compute_the_same_features(root: Path, tmp_path: Path, materiality_usd: str) -> None:
    pytest.importorskip("duckdb")
    from benchmarks import features_duckdb, features_pandas, features_polars

    features_ours.run(str(root), str(tmp_path / "ours"), materiality_usd, rows="5000")
    features_duckdb.run(str(root), str(tmp_path / "duckdb"), materiality_usd)
    features_pandas.run(str(root), str(tmp_path / "pandas"), materiality_usd)
    features_polars.run(str(root), str(tmp_path / "polars"), materiality_usd, rows="20000")
    features = pl.read_parquet(tmp_path / "ours" / "*.parquet")
    assert features.height > 100
    assert features.select((pl.col("size_effect") > 1).any(), (pl.col("neighbour_code_shift") > 0).any()).row(0) == (
        True,
        True,
    )
    assert compare.differences(tmp_path / "ours", tmp_path / "duckdb") == []
    assert compare.differences(tmp_path / "ours", tmp_path / "pandas") == []
    assert compare.differences(tmp_path / "ours", tmp_path / "polars") == []


def test_a_difference_is_found(root: Path, tmp_path: Path) -> None:
    features_ours.run(str(root), str(tmp_path / "ours"), "1000000")
    changed = pl.read_parquet(tmp_path / "ours" / "*.parquet").with_columns(
        window_year=pl.col("window_end").dt.year(), value_usd=pl.col("value_usd") + (pl.int_range(pl.len()) == 3)
    )
    (tmp_path / "other").mkdir()
    changed.write_parquet(tmp_path / "other" / "part.parquet")
    assert compare.differences(tmp_path / "ours", tmp_path / "other") == [f"value_usd: 1 of {changed.height:,} differ"]


@pytest.mark.slow  # seconds
def test_chunks_and_threads_do_not_change_the_features(root: Path, tmp_path: Path) -> None:
    features_ours.run(str(root), str(tmp_path / "one"), "0", threads="1", rows="1000000")
    features_ours.run(str(root), str(tmp_path / "many"), "0", threads="4", rows="3000")
    one_chunk, many_chunks = (pl.read_parquet(tmp_path / name / "*.parquet") for name in ("one", "many"))
    assert one_chunk.equals(many_chunks)


def test_the_made_up_months_add_up_to_the_years_and_the_monthly_part_runs_on_them(tmp_path: Path) -> None:
    small = trade_years.World(countries=30, goods=192, rows_per_year=4_000)
    root = level_shifts.prepare(tmp_path, small, 4)
    months = Store(root).read("bilateral")
    years = pl.concat(trade_years.bilateral(small, level_shifts.YEARS, trade_years.some_goods(small, 4)))
    assert months.height == 12 * years.height
    assert abs(int(months["value_usd"].sum()) - int(years["value_usd"].sum())) <= 6 * years.height
    level_shifts.laid(str(root))
    level_shifts.alone(str(root))


def test_a_change_of_rank_is_told_by_what_the_ranking_looks_at() -> None:
    row = {
        "value_usd": 9_000_000, "value_prior_year_usd": 1_000_000, "value_baseline_usd": 3_000_000, "record_excess_log": 1.1,
        "p_value": 0.01, "fall_log": 0.1, "upstream_surge_log": None, "evidence_weight": 0.2,
    }  # fmt: skip
    assert ranks.why(row) == "+200 % on its baseline; p 0.010; the coalition's direct trade stood; weight 0.2"
    assert ranks.why({**row, "value_usd": 2_000_000}).startswith("it is below what it was")
    assert ranks.why({**row, "record_excess_log": 0.0}).startswith("a year of its baseline was as high")
    assert ranks.why({**row, "record_excess_log": None}).startswith("its baseline years are not known")
    supplied = {
        "fall_log": log(2),
        "upstream_surge_log": 0.7,
        "coalition_to_hub_usd": 4,
        "coalition_to_hub_prior_usd": 2,
    }
    reason = ranks.why({**row, **supplied})
    assert "direct trade fell by 50 %; the coalition sells the exporter +100 %" in reason


def test_a_part_of_the_made_up_trade_is_the_part_of_the_whole() -> None:
    whole = pl.concat(trade_years.bilateral(TINY, range(2020, 2022), trade_years.some_goods(TINY, TINY.goods)))
    part = pl.concat(trade_years.bilateral(TINY, range(2021, 2022), trade_years.some_goods(TINY, 3)))
    expected = whole.filter(pl.col("good").is_in(part["good"].unique().implode()), pl.col("ref_date").dt.year() == 2021)
    assert part.height > 100
    assert part.equals(expected)


def test_a_made_up_zip_reads_back_to_the_same_trade(tmp_path: Path) -> None:
    from anomaly.sources import baci
    from anomaly.sources.base import Context, RawFile

    path = tmp_path / "BACI_HS17_V202501.zip"
    rows = trade_years.write_zip(TINY, path, range(2020, 2022))
    flows = pl.concat([batch.flows for batch in baci.read(RawFile(path, path.name), Context())])
    sides = pl.concat(trade_years.bilateral(TINY, range(2020, 2022), trade_years.some_goods(TINY, TINY.goods)))
    assert flows.height == sum(rows.values()) == sides.height
    columns = ["good", "exporter_iso", "importer_iso", "ref_date", "value_usd", "net_wgt_g"]
    renamed = flows.rename(
        {
            "cmd_code": "good",
            "reporter_iso": "exporter_iso",
            "partner_iso": "importer_iso",
            "primary_value_usd": "value_usd",
        }
    )
    assert renamed.select(columns).sort(columns[:4]).equals(sides.select(columns).sort(columns[:4]))


def made_up_seed(number: int, false_called: list[int], false_flags: int) -> false_flags_of.Seed:
    """Two windows with ten routes called each, and ten flags."""
    shared = {"leg": "hub to target", "is_before_sanctions": False, "q_level": 0.10}
    flags = pl.DataFrame([shared | {"is_evasion": row >= false_flags, "planted": "nothing"} for row in range(10)])
    called = pl.DataFrame([shared | {"tested": 100, "called": 10, "false": false} for false in false_called])
    return false_flags_of.Seed(number, 1.0, flags, called, pl.DataFrame())


def test_the_false_share_is_a_mean_over_seeds_with_an_interval_around_it() -> None:
    seeds = [made_up_seed(1, [0, 4], 1), made_up_seed(2, [0, 0], 3)]
    row = next(row for row in false_flags_of.false_shares(seeds) if row["q"] == 0.10 and row["leg"] == "hub to target")
    assert (row["tested"], row["called"], row["flagged"]) == (200, 20, 10)
    assert row["false_of_called"][0] == row["false_in_window"][0] == pytest.approx(0.1)
    mean, low, high = row["false_of_flagged"]
    assert (mean, low, high) == pytest.approx((0.2, 0.2 - 0.196, 0.2 + 0.196))


def test_a_supplier_of_an_evasion_and_a_small_route_of_a_boom_are_told_from_nothing() -> None:
    labels = pl.DataFrame(
        schema={
            "exporter_iso": pl.String, "importer_iso": pl.String, "good": pl.String, "kind": pl.String,
            "start": pl.Date, "end": pl.Date, "is_evasion": pl.Boolean,
        }
    )  # fmt: skip
    routes = pl.DataFrame(
        {
            "exporter_iso": ["KOR", "SRB", "TUR", "TUR"],
            "importer_iso": ["KAZ", "RUS", "RUS", "RUS"],
            "good": ["851712+", "640399", "850760", "640399"],
        }
    ).with_columns(window_months=pl.lit(6), window_end=pl.date(2022, 6, 1))
    judged = false_flags_of.judged(routes, labels, limits_of(load()).leg())
    boom = false_flags_of.BOOM
    assert judged["planted"].to_list() == [false_flags_of.UPSTREAM, boom, boom, "nothing"]
    assert judged["leg"].to_list() == ["coalition to hub", *["hub to target"] * 3]
