"""Routes that were flagged a year ago and fell: shown as resolved, not forgotten, with a measure where one may be why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.keys import HUB_TO_TARGET, WINDOW_KEY
from anomaly.contract.periods import first_month, window_of
from anomaly.contract.schema import ROUTE_KEY, is_own_gap
from anomaly.contract.settings import Settings
from anomaly.flags import naming
from anomaly.indicators.base import change, usd
from anomaly.reference.statements import is_about

_KEY = list(ROUTE_KEY)
_MARKET = [*WINDOW_KEY, "good", "importer_iso"]
_ROUTE_AND_LENGTH = [name for name in _KEY if name != "window_end"]
_MEASURE = {"measure": pl.String, "measure_date": pl.Date}
FLAG_TYPE = "resolved"  # shown by a flag of the year before, not by the figures of one window
FALL = 0.5  # at most half of the year before
LEAST_FALL_LOG = 0.693  # the same, as a reason says it
# Effects by which a measure may end a route, the most telling first. A warning forbids nothing, and what is in transit is
# in nobody's exports: no fall is tied to them.
_EFFECTS = ("fewer re-exports", "dearer imports")
MOST_HUBS_NAMED = 3


def candidates(features: pl.DataFrame, flags: pl.DataFrame, events: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Rows of features that are resolved, with measure, measure_date, displaced_usd and displaced_to beside them.

    A route is resolved where it was an alarm in the same months of an earlier year, went on until the year before, carries
    at most FALL of what it did then, and is not flagged any more. A measure is named where it bears on the good and the route, and the fall can lie after it:
    at least half of the window does, at least half of the window of the year before does not, and in monthly data the
    route had not fallen as far in the last window that ended before it.

    Parameters
    ----------
    features : polars.DataFrame
        Every window of the routes to targets, also those below materiality that were above it a year before.
    flags : polars.DataFrame
        Columns of schema.Flags, of all windows.
    events : polars.DataFrame
        policy_events.of: date, title, effect, leg, and the exporters, importers and goods each bears on.
    settings : Settings
        The scenario.

    Returns
    -------
    polars.DataFrame
        Sorted by the key; measure and measure_date are null where no measure may be the reason.
    """
    own = features.filter(is_own_gap(settings.baseline_years), pl.col("role") == "target")
    alarms = flags.filter(~pl.col("is_before_sanctions"), naming.is_on(HUB_TO_TARGET), naming.is_alarm())
    fell = (
        own.join(_years_after(alarms, own), on=_KEY, how="inner")
        .join(flags.select(_KEY), on=_KEY, how="anti")
        .filter(
            pl.col("value_prior_year_usd") >= settings.materiality_usd,
            pl.col("value_prior_year_usd") >= FALL * pl.col("was_usd"),
            pl.col("value_usd") <= FALL * pl.col("value_prior_year_usd"),
        )
        .drop("was_usd")
    )
    return (
        fell.join(_measures(fell, own, events), on=_KEY, how="left")
        .join(_displaced(own, settings), on=[*_MARKET, "exporter_iso"], how="left")
        .sort(_KEY)
    )


def _years_after(alarms: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The same months of every later year, with the flag that came last before them and what the route carried in it."""
    last = own["window_end"].max()
    if alarms.is_empty() or not isinstance(last, date):
        return alarms.select(_KEY, was_usd="value_usd", was_flagged="flag_id").clear()
    first = min(alarms["window_end"].to_list())
    after = [
        alarms.select(
            *_ROUTE_AND_LENGTH,
            window_end=pl.col("window_end").dt.offset_by(f"{years_later}y"),
            was_usd="value_usd",
            was_flagged="flag_id",
        )
        for years_later in range(1, max(last.year - first.year, 1) + 1)
    ]
    return pl.concat(after).unique(_KEY, keep="first", maintain_order=True)


def _measures(fell: pl.DataFrame, own: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Of the measures that may be why a route fell the most telling, then the one nearest to the start of its window."""
    traded = fell["good"].unique().sort().to_list()
    on_hubs = events.filter(
        pl.col("effect").is_in(list(_EFFECTS)),
        pl.col("leg").is_in([HUB_TO_TARGET, "any"]),
        *[pl.col(scope).is_not_null() for scope in ("exporters", "importers", "goods")],
    )
    parts = [
        fell.filter(
            is_about(event["exporters"], event["importers"], event["goods"], traded), _may_be_why(event["date"])
        )
        .select(_KEY)
        .with_columns(
            measure=pl.lit(event["title"]), measure_date=pl.lit(event["date"]), rank=_EFFECTS.index(event["effect"])
        )
        for event in on_hubs.to_dicts()
    ]
    if not parts:
        return fell.select(_KEY).clear().with_columns(pl.lit(None, kind).alias(name) for name, kind in _MEASURE.items())
    near = (pl.col("measure_date") - first_month()).abs()
    return (
        _not_fallen_before(pl.concat(parts), own)
        .sort("rank", near, "measure")
        .unique(_KEY, keep="first", maintain_order=True)
        .select(*_KEY, *_MEASURE)
    )


def _may_be_why(measure_date: Any) -> pl.Expr:
    """Half of the window at least lies after a measure, and half of the year before's at least before it."""
    begins, ends = first_month(), pl.col("window_end").dt.month_end()
    half = (ends - begins) / 2
    return pl.lit(measure_date).is_between(begins.dt.offset_by("-12mo") + half, begins + half)


def _not_fallen_before(measured: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Without the measures that came when a monthly route had fallen as far: in the last window that ended before them."""
    fallen = pl.col("value_usd") <= FALL * pl.col("value_prior_year_usd")
    earlier = own.filter(pl.col("freq_code") == "M").select(*_KEY, had_fallen=fallen).drop_nulls("had_fallen")
    return (
        measured.with_columns(month=pl.col("measure_date").dt.month_start())
        .sort("month")
        .join_asof(
            earlier.rename({"window_end": "month"}).sort("month"),
            on="month", by=_ROUTE_AND_LENGTH, allow_exact_matches=False, check_sortedness=False,
        )
        .filter(~pl.col("had_fallen").fill_null(value=False))
    )  # fmt: skip


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
        f"({change(row['value_usd'], row['value_prior_year_usd'])}). {beside_measure(row)} "
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


def beside_measure(row: Mapping[str, Any]) -> str:
    """How the window lies to the measure; the order in time and no more is said.

    Parameters
    ----------
    row : mapping
        WINDOW_KEY, measure (None: there is none) and measure_date.

    Returns
    -------
    str
        A sentence or two.
    """
    if row["measure"] is None:
        return "No measure on record bears on this good and route and came early enough to be a reason."
    window, day = window_of(row), row["measure_date"]
    measure = f"a measure on this trade: {row['measure']} ({day})."
    if day <= window.start:
        return f"{window.words} lies after {measure}"
    if row["freq_code"] == "A":
        return f"This is in the year of {measure} Annual figures do not say which came first."
    before = (day.year - window.start.year) * 12 + day.month - window.start.month
    after = window.months - before - (day.day > 1)
    return f"Of the {window.months} months {after} lie wholly after {measure}"
