"""The two legs beside a route: what the coalition sells to each country, and whether the other side records it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl

from anomaly import windows
from anomaly.windows import UNKNOWN, Grid, Window

LEG_COLUMNS = ("coalition_to_usd", "coalition_to_prior_usd", "coalition_to_baseline_usd")
_MIRROR = ("leg_exported_usd", "leg_imported_usd", "leg_exported_baseline_usd", "leg_imported_baseline_usd")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def coalition_legs(
    grid: Grid,
    monthly: Grid | None,
    window: Window,
    compared: pl.DataFrame,
    compare: Callable[[Grid, Window], pl.DataFrame],
    coalition: list[str],
) -> pl.DataFrame:
    """The coalition's exports of each good to each country: good, country, LEG_COLUMNS, legs_compared.

    Reporters that are comparable in the window, the year before and the baseline only. Where annual data have no
    such leg, monthly data give it for the months of the year that are out, the same months in each year.
    """
    legs = _legs(
        compared,
        coalition,
        f"12 months of {window.end.year} with {window.end.year - 1}" if window.freq_code == "A" else _says(window),
    )
    if window.freq_code != "A" or monthly is None:
        return legs
    so_far = _year_so_far(monthly, window)
    if so_far is None:
        return legs
    also = _legs(compare(monthly, so_far), coalition, _says(so_far))
    return pl.concat([legs, also.join(legs, on=["good", "country"], how="anti")])


def _legs(compared: pl.DataFrame, coalition: list[str], says: str) -> pl.DataFrame:
    return (
        compared.filter(pl.col("is_in_totals"), pl.col("exporter_iso").is_in(coalition))
        .group_by("good", country="importer_iso")
        .agg(
            coalition_to_usd=pl.col("value_usd").sum(),
            coalition_to_prior_usd=pl.col("value_prior_year_usd").sum(),
            coalition_to_baseline_usd=pl.when(pl.col("value_baseline_usd").null_count() == 0).then(
                pl.col("value_baseline_usd").sum()
            ),
            legs_compared=pl.lit(f"{says}, ") + pl.col("source").unique().sort().str.join(" and "),
        )
    )


def _year_so_far(monthly: Grid, window: Window) -> Window | None:
    """The months of the window's year that monthly data have, as a window of its own."""
    known = monthly.known
    out = [
        period.month
        for position, period in enumerate(known.periods)
        if period.year == window.end.year and known.complete[:, position].any()
    ]
    if len(out) < 3:
        return None
    end = date(window.end.year, max(out), 1)
    if known.index(end, len(out)) is None or known.index(end, len(out), 1) is None:
        return None
    held = tuple(year for year in window.baseline_years if known.index(end.replace(year=year), len(out)) is not None)
    return Window("M", len(out), end, held if len(held) >= windows.LEAST_BASELINE_YEARS else (), window.gap_years)


def _says(window: Window) -> str:
    year, first, last = window.end.year, (window.end.month - window.months) % 12, window.end.month - 1
    if window.months == window.end.month:
        span = "January" if window.months == 1 else f"January-{_MONTHS[last]}"
        missing = "" if window.months in (6, 12) or window.months % 3 == 0 else f" ({_not_out(window)})"
        return f"{span} {year} with {span} {year - 1}{missing}"
    return f"{_MONTHS[first]}-{_MONTHS[last]} {year} with the same months a year before"


def _not_out(window: Window) -> str:
    left = _MONTHS[window.end.month :]
    return (
        f"{left[0]} {window.end.year} not published"
        if len(left) == 1
        else f"{left[0]}-{left[-1]} {window.end.year} not published"
    )


def mirror_legs(frame: pl.DataFrame, grid: Grid, window: Window, coalition: list[str]) -> pl.DataFrame:
    """Add _MIRROR: the coalition's exports to the exporter as both sides report them, where both report both windows.

    On a route that starts in the coalition itself the leg is the route. Null where no importer reports.
    """
    if grid.exported is None or grid.imported is None or not window.baseline_years:
        return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(column) for column in _MIRROR)
    both = _both_sides(grid, window)
    sent = both.filter(pl.col("exporter_iso").is_in(coalition))
    into_hub = sent.group_by("good", exporter_iso="importer_iso").agg(pl.col(column).sum() for column in _MIRROR)
    is_first_leg = pl.col("exporter_iso").is_in(coalition)
    own = both.select("route", *[pl.col(column).alias(f"_{column}") for column in _MIRROR])
    return (
        frame.join(into_hub, on=["good", "exporter_iso"], how="left", maintain_order="left")
        .join(own, on="route", how="left", maintain_order="left")
        .with_columns(
            pl.when(is_first_leg).then(pl.col(f"_{column}")).otherwise(pl.col(column)).alias(column)
            for column in _MIRROR
        )
        .drop(f"_{column}" for column in _MIRROR)
    )


def _both_sides(grid: Grid, window: Window) -> pl.DataFrame:
    known = grid.known
    now = known.index(window.end, window.months)
    base = [at for year in window.baseline_years if (at := known.index(window.end.replace(year=year), window.months))]
    if grid.exported is None or grid.imported is None:
        return grid.routes.head(0).with_columns(pl.lit(0).alias(column) for column in ("route", *_MIRROR))
    sums = (
        windows.total(grid.exported, now),
        windows.total(grid.imported, now),
        windows.mean(grid.exported, base),
        windows.mean(grid.imported, base),
    )
    is_known = np.logical_and.reduce([one > UNKNOWN for one in sums])
    return (
        grid.routes.select("good", "exporter_iso", "importer_iso")
        .with_row_index("route")
        .with_columns(pl.Series(column, one) for column, one in zip(_MIRROR, sums, strict=True))
        .filter(pl.Series(is_known))
    )
