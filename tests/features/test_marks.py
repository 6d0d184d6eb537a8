"""What silence means: the frames that questions and evidence ask and the grids of features say the same of every period."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from anomaly.bilateral import known, sums
from anomaly.contract.keys import ROUTE
from anomaly.features import measure, windows
from anomaly.features.refusals import edition_bits
from anomaly.query import series
from tests.silence import Silence, laid, of_grid, silences

PERIOD = [*ROUTE, "ref_date"]
MANY = settings(max_examples=50)
pytestmark = pytest.mark.slow


def assert_same(left: pl.DataFrame, right: pl.DataFrame) -> None:
    assert_frame_equal(left, right, check_row_order=False, check_column_order=False)


@MANY
@given(silences())
def test_a_frame_and_a_grid_know_the_same_value_of_each_route_in_each_period(world: Silence) -> None:
    if world.trade.is_empty():
        return
    spoken = known.silences(world.trade, world.coverage, world.scope)
    values = sums.fill(world.trade, spoken).select(*PERIOD, "value_usd")
    assert_same(values, of_grid(laid(world), "value_usd", lambda grid: grid.value).drop_nulls())


@MANY
@given(silences())
def test_a_frame_and_a_grid_know_the_same_of_what_importers_record(world: Silence) -> None:
    grid = laid(world) if world.trade.height else None
    if grid is None or grid.imported is None:
        return
    beside = known.silences_beside(world.trade, "M", world.trade, world.coverage, world.scope)
    rows = world.trade.select(*PERIOD, "import_value_cif_usd")
    nothing = pl.when("is_nothing").then(pl.lit(0, dtype=pl.Int64))
    recorded = beside.join(rows, on=PERIOD, how="left").select(
        *PERIOD, pl.coalesce("import_value_cif_usd", nothing).alias("import_value_cif_usd")
    )
    assert_same(recorded.drop_nulls(), of_grid(grid, "import_value_cif_usd", lambda grid: grid.imported).drop_nulls())  # type: ignore[arg-type,return-value]


@MANY
@given(silences())
def test_a_series_and_a_grid_call_the_same_periods_nothing(world: Silence) -> None:
    if world.trade.is_empty():
        return
    grid = laid(world)
    rows = world.trade.select(*PERIOD, "value_usd", "import_value_cif_usd")
    of_series = of_grid(grid, "value", lambda grid: grid.value).join(rows, on=PERIOD, how="left")
    if grid.imported is not None:
        of_series = of_series.join(of_grid(grid, "imported", lambda grid: grid.imported), on=PERIOD)  # type: ignore[arg-type,return-value]
    for (good, exporter, importer), own in of_series.group_by(ROUTE):
        nothing = series.known_nothing(world.coverage, world.scope, good, exporter, importer, 10_000, world.trade)
        cells = own.join(nothing, on="ref_date", how="left")
        is_import = (
            world.trade.filter(good=good, exporter_iso=exporter, importer_iso=importer)["value_basis"][0] == "import"
        )
        side = "has_nothing_imported" if is_import else "has_nothing_exported"
        silent = cells.filter(pl.col("value_usd").is_null())
        assert silent[side].fill_null(value=False).to_list() == (silent["value"] == 0).fill_null(value=False).to_list()
        if grid.imported is not None and not is_import:
            silent = cells.filter(pl.col("import_value_cif_usd").is_null())
            heard = (silent["imported"] == 0).fill_null(value=False).to_list()
            assert silent["has_nothing_imported"].fill_null(value=False).to_list() == heard


@MANY
@given(silences())
def test_sums_of_frames_are_compared_across_editions_where_those_of_grids_are(world: Silence) -> None:
    """Window, year before and baseline, of every window that features compute."""
    if world.trade.is_empty():
        return
    grid = laid(world)
    broken_by = edition_bits(world.broken, grid.names.goods)
    filled = sums.fill(world.trade, known.silences(world.trade, world.coverage, world.scope))
    for comparison in windows.plan(grid.known, (2,), (2018, 2019), 1):
        of_frames = sums.by_year(filled, comparison.window, comparison.baseline_years)
        of_frames = of_frames.with_columns(
            is_broken=known.is_broken(of_frames, world.broken, "oldest_edition", "newest_edition"),
            is_broken_since=known.is_broken(of_frames, world.broken, "oldest_edition_since", "newest_edition_since"),
        )
        year, count = comparison.window.year, len(comparison.baseline_years)
        base = pl.sum_horizontal(
            [f"_{baseline_year}" for baseline_year in comparison.baseline_years], ignore_nulls=False
        )
        compared = measure.compare(grid, comparison, broken_by)
        routes = of_grid(grid, "x", lambda grid: grid.raw).select(ROUTE)[: len(grid.good)]
        grids = routes.with_columns(
            pl.Series("window", compared.value), pl.Series("prior", compared.prior), pl.Series("base", compared.baseline),
            pl.Series("is_comparable", compared.is_comparable),
        ).with_columns(pl.when(pl.col("window", "prior", "base") >= 0).then(pl.col("window", "prior", "base")))  # fmt: skip
        mean = (base + count // 2) // max(count, 1) if count else pl.lit(None, dtype=pl.Int64)
        are_both_known = pl.col(f"_{year}").is_not_null() & pl.col(f"_{year - 1}").is_not_null()
        frames = of_frames.select(
            *ROUTE, window=f"_{year}", prior=f"_{year - 1}", base=pl.when(~pl.col("is_broken_since")).then(mean),
            is_comparable=are_both_known & ~pl.col("is_broken"),
        )  # fmt: skip
        are_both_known = pl.col("window").is_not_null() & pl.col("prior").is_not_null()
        sides = [
            side.with_columns(base=pl.when(are_both_known).then("base")).filter(
                pl.any_horizontal(pl.col("window", "prior").is_not_null())
            )
            for side in (frames, grids)
        ]
        assert_same(*sides)
