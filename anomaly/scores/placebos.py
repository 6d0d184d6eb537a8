"""Which routes are asked about, and which cannot be evasion and are what the others are held against.

Expressions and selections over forest_inputs.build.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_HUB, HUB_TO_TARGET, LEGS, WINDOW_KEY
from anomaly.contract.schema import is_own_gap
from anomaly.contract.settings import Settings
from anomaly.features.goods_asked import is_ever_controlled, is_in_question
from anomaly.scores.forest_inputs import PUBLISHED


def is_asked_about(settings: Settings, legs: Collection[str] = LEGS) -> pl.Expr:
    """Routes that are asked about: hubs to targets, the coalition to possible hubs and these to each other.

    Of the goods in question. Between hubs of those alone of which the coalition's direct trade fell, where what it sells the
    first hub is known. Before the sanctions only whole years are scored, as a check.

    Parameters
    ----------
    settings : Settings
        Scenario: targets, possible hubs, baseline years.
    legs : collection of str, optional
        The legs asked about.

    Returns
    -------
    polars.Expr
        Boolean over the columns of forest_inputs.build.
    """
    ghost = (pl.col("role") == "other") & pl.col("is_measured")
    is_asked = (
        pl.when(pl.col("is_from_coalition"))
        .then(ghost & pl.lit(COALITION_TO_HUB in legs))
        .when(pl.col("role") == "target")
        .then(pl.lit(HUB_TO_TARGET in legs))
        .otherwise(_is_second_hop(settings) & pl.lit(HUB_TO_HUB in legs))
    )
    is_check = pl.col("is_before_sanctions") & (pl.col("window_months") != 12)
    is_from_target = pl.col("exporter_iso").is_in(list(settings.targets.countries))  # a target is nobody's hub
    is_own = is_own_gap(settings.baseline_years)
    return is_asked & ~is_from_target & is_own & ~is_check & is_in_question(settings)


def _is_second_hop(settings: Settings) -> pl.Expr:
    """From a possible hub to another, of a good that the coalition sells the targets less."""
    exporter, named = pl.col("exporter_iso"), settings.hub_candidates
    neighbours = settings.neighbours.countries if settings.neighbours else ()
    is_hub = pl.lit(named.everyone_else) | exporter.is_in([*named.countries, *neighbours])
    is_hub &= ~exporter.is_in(list(settings.coalition.countries))
    is_gated = pl.col("has_direct_fallen") & pl.col("room_log").is_not_null()
    return (pl.col("role") == "other") & is_hub & pl.col("is_measured") & is_gated


def is_placebo(settings: Settings) -> pl.Expr:
    """Routes that cannot be evasion: to importers outside the matter, and the targets' own before the sanctions.

    Where the scenario asks about listed goods, also the targets' own of goods that no measure is on.

    Parameters
    ----------
    settings : Settings
        Of it goods_asked.

    Returns
    -------
    polars.Expr
        Boolean over the columns of forest_inputs.build and `leg`.
    """
    target = pl.when(pl.col("leg") == HUB_TO_TARGET).then(pl.lit("target")).otherwise(pl.lit("other"))
    is_free = pl.col("is_before_sanctions") | ~is_in_question(settings)
    is_outside = (pl.col("role") == "placebo") | (is_free & (pl.col("role") == target))
    return is_outside & pl.col("is_measured")


def thinned(group: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Routes asked about and placebos, no more of these than a p needs.

    Parameters
    ----------
    group : polars.DataFrame
        Rows of forest_inputs.build with one `leg`, sorted by key.
    settings : Settings
        Scenario: what is_asked_about uses, and calibration.most_placebos of a window and role.

    Returns
    -------
    polars.DataFrame
        The rows kept, in their order; where there are too many placebos, evenly over the key.
    """
    most = settings.calibration.most_placebos
    kind = [*WINDOW_KEY, "role"]
    place, count = pl.int_range(pl.len()).over(kind), pl.len().over(kind)
    is_kept = (place * most // count) != ((place - 1) * most // count)
    is_asked = is_asked_about(settings, (group["leg"][0],)) if group.height else pl.lit(value=True)
    return group.filter(is_asked | (is_placebo(settings) & ((count <= most) | is_kept)))


@dataclass(frozen=True, slots=True)
class Placebos:
    """What routes of a window are held against.

    Parameters
    ----------
    rows : polars.DataFrame
        Of the routes that placebos_of was given.
    kind : str
        What they are: importers, periods, both, goods, goods_and_periods or none.
    is_borrowed : bool
        Whether they are other publishers' too, since those alike were too few.
    """

    rows: pl.DataFrame
    kind: str
    is_borrowed: bool


def placebos_of(asked: pl.DataFrame, routes: pl.DataFrame, settings: Settings) -> Placebos:
    """The placebos of routes: of the same publisher and alike published; of all, where these are too few.

    Parameters
    ----------
    asked : polars.DataFrame
        Routes of a window that are asked about and published alike; at least one row.
    routes : polars.DataFrame
        All routes of the leg, as `thinned` gives them.
    settings : Settings
        Of it calibration.least_placebos and goods_asked.

    Returns
    -------
    Placebos
        Those to hold them against.
    """
    alike = pl.all_horizontal([pl.col(name) == pl.lit(asked[name][0]) for name in PUBLISHED])
    rows, kind = _of(asked, routes.filter(alike), settings)
    if rows.height >= fewest_of(asked, settings):
        return Placebos(rows, kind, is_borrowed=False)
    of_all, kind_of_all = _of(asked, routes, settings)
    return Placebos(of_all, kind_of_all, is_borrowed=of_all.height > rows.height)


def fewest_of(asked: pl.DataFrame, settings: Settings) -> int:
    """Placebos with which routes are scored, and stand without other publishers'.

    Parameters
    ----------
    asked : polars.DataFrame
        Routes of one leg; at least one row.
    settings : Settings
        Of it calibration.

    Returns
    -------
    int
        On the coalition's leg least_placebos: p is counted there and nothing else.
    """
    calibration = settings.calibration
    return calibration.least_placebos if asked["is_from_coalition"][0] else calibration.fewest


def _of(window: pl.DataFrame, routes: pl.DataFrame, settings: Settings) -> tuple[pl.DataFrame, str]:
    """Importers outside the matter, else goods outside it, else earlier periods.

    Goods where the scenario asks about listed ones only. Of earlier periods those of the same season, where they are enough.
    """
    end, months = window["window_end"][0], int(window["window_months"][0])
    outside = routes.filter(is_placebo(settings))
    is_role = pl.col("role") == window["role"][0]
    beside, kind = outside.filter(pl.col("role") == "placebo", pl.col("window_end") == end), "importers"
    least = settings.calibration.least_placebos
    if beside.height < least and settings.goods_asked == "listed":
        goods = outside.filter(is_role, pl.col("window_end") == end, ~is_in_question(settings))
        beside, kind = pl.concat([beside, goods]), "goods" if goods.height else kind
    if beside.height >= least:
        return beside, kind
    months_apart = (
        (pl.col("window_end").dt.year() - end.year) * 12 + pl.col("window_end").dt.month().cast(pl.Int32) - end.month
    ).abs()
    periods = outside.filter(is_role, months_apart >= months, is_ever_controlled(settings))
    of_season = periods.filter(pl.col("window_end").dt.month() == end.month)
    periods = of_season if of_season.height >= least else periods
    if beside.is_empty():
        return periods, "periods" if periods.height else "none"
    if beside.height + periods.height < least and not window["is_from_coalition"][0]:
        periods = pl.concat([periods, outside.filter(pl.col("role") == "placebo", months_apart >= months)])
    return pl.concat([beside, periods]), "both" if kind == "importers" else "goods_and_periods"
