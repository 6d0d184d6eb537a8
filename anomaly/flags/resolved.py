"""Routes that were flagged a year ago and fell after a dated measure: shown as resolved, not forgotten."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.schema import ROUTE_KEY, is_own_gap
from anomaly.contract.settings import Settings
from anomaly.flags import naming
from anomaly.indicators.base import HUB_TO_TARGET, change, usd

_KEY = list(ROUTE_KEY)
_WINDOW = ["freq_code", "window_months", "window_end"]
_MARKET = [*_WINDOW, "good", "importer_iso"]
FLAG_TYPE = "resolved"  # shown by a flag of the year before, not by the figures of one window
FALL = 0.5  # at most half of the year before
LEAST_FALL_LOG = 0.693  # the same, as a reason says it
# Effects by which a measure counts, the most telling first: on the exporter itself, then on the way to the target.
_EFFECTS = ("fewer re-exports", "less transit", "warning")
MOST_HUBS_NAMED = 3


def candidates(features: pl.DataFrame, flags: pl.DataFrame, events: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Rows of features that are resolved, with measure, measure_date, displaced_usd and displaced_to beside them.

    A route is resolved where it was flagged in the same months a year before, carries at most FALL of what it did, is
    not flagged any more, and a measure that names its exporter or its target took effect after the earlier window began.

    Parameters
    ----------
    features : polars.DataFrame
        Every window of the routes to targets, also those below materiality that were above it a year before.
    flags : polars.DataFrame
        Columns of schema.Flags, of all windows.
    events : polars.DataFrame
        date, title, countries (ISO 3166-1 alpha-3 with spaces between), effect.
    settings : Settings
        The scenario.

    Returns
    -------
    polars.DataFrame
        Sorted by the key; no measure, no row.
    """
    own = features.filter(is_own_gap(settings.baseline_years), pl.col("role") == "target")
    flagged_before = flags.filter(~pl.col("is_before_sanctions"), naming.is_on(HUB_TO_TARGET)).select(
        *[pl.col(name) for name in _KEY if name != "window_end"],
        window_end=pl.col("window_end").dt.offset_by("12mo"),
        was_flagged=pl.col("flag_id"),
    )
    fell = (
        own.join(flagged_before, on=_KEY, how="inner")
        .join(flags.select(_KEY), on=_KEY, how="anti")
        .filter(
            pl.col("value_prior_year_usd") >= settings.materiality_usd,
            pl.col("value_usd") <= FALL * pl.col("value_prior_year_usd"),
        )
    )
    measured = _measures(fell, events)
    return measured.join(_displaced(own, settings), on=[*_MARKET, "exporter_iso"], how="left").sort(_KEY)


def _measures(fell: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Of the most telling measures on each route the one nearest to the start of its window; no measure, no row."""
    measures = events.filter(pl.col("effect").is_in(list(_EFFECTS))).select(
        measure="title",
        measure_date="date",
        country=pl.col("countries").str.split(" "),
        rank=pl.col("effect").replace_strict({effect: place for place, effect in enumerate(_EFFECTS)}),
    )
    # back to the start of the year before's window
    months_back = pl.format("-{}mo", pl.col("window_months").cast(pl.Int64) + 11)
    begins = pl.col("window_end").dt.offset_by(months_back).dt.month_start()
    starts = begins.dt.offset_by("12mo")
    ends = pl.col("window_end").dt.month_end()
    return (
        fell.join(measures.explode("country"), how="cross")
        .filter(
            (pl.col("country") == pl.col("exporter_iso")) | (pl.col("country") == pl.col("importer_iso")),
            pl.col("measure_date").is_between(begins, ends),
        )
        .sort("rank", (pl.col("measure_date") - starts).abs(), "measure")
        .unique(_KEY, keep="first", maintain_order=True)
        .drop("country", "rank")
    )


def _displaced(own: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """What other hubs sold the target more of the good than a year before, for each route: amount, and who most."""
    rose = own.filter(
        pl.col("value_usd") > pl.col("value_prior_year_usd"),
        ~pl.col("exporter_iso").is_in([*settings.coalition.countries, *settings.targets.countries]),
    ).select(*_MARKET, hub_iso="exporter_iso", more_usd=pl.col("value_usd") - pl.col("value_prior_year_usd"))
    return (
        own.select(*_MARKET, "exporter_iso")
        .join(rose, on=_MARKET)
        .filter(pl.col("hub_iso") != pl.col("exporter_iso"))
        .sort("more_usd", "hub_iso", descending=[True, False])
        .group_by(*_MARKET, "exporter_iso", maintain_order=True)
        .agg(
            displaced_usd=pl.col("more_usd").sum(),
            displaced_to=pl.struct("hub_iso", "more_usd").head(MOST_HUBS_NAMED),
        )
    )


def reason(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The reason of a resolved route: its fall, the measure, and where the trade may have gone.

    Parameters
    ----------
    row : mapping
        A row of `candidates`.
    names : mapping
        Country → English name.

    Returns
    -------
    dict
        indicator, value, unit, threshold and text, as in schema.Flags.
    """
    text = (
        f"Trade on the route fell from {usd(row['value_prior_year_usd'])} to {usd(row['value_usd'])} "
        f"({change(row['value_usd'], row['value_prior_year_usd'])}) after: {row['measure']} ({row['measure_date']}). "
    )
    if row["displaced_usd"]:
        hubs = ", ".join(
            f"{names.get(hub['hub_iso'], hub['hub_iso'])} {usd(hub['more_usd'])}" for hub in row["displaced_to"]
        )
        text += f"Other hubs sold {usd(row['displaced_usd'])} more of the good to the same target: {hubs}."
    else:
        text += "No other hub in the data sold more of the good to the same target."
    return {
        "indicator": "fall_log",
        "value": math.log(row["value_prior_year_usd"] / max(row["value_usd"], 1)),
        "unit": "log",
        "threshold": LEAST_FALL_LOG,
        "text": text,
    }
