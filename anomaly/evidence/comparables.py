"""The nearest routes of the same window that were not flagged, and why not."""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import ROUTE, ROUTE_KEY, WINDOW_KEY
from anomaly.contract.settings import Settings
from anomaly.flags import rule
from anomaly.flags.types.base import Limits

MOST = 3
NEARNESS = (
    "same good", "same heading", "same chapter", "same sender, other hub", "same good", "coalition's own trade",
    "not the coalition's",
)  # fmt: skip
_BESIDE = dict(zip(ROUTE, ("other_good", "other_exporter", "other_importer"), strict=True))
_SHOWN = (*ROUTE, "value_usd", "value_prior_year_usd", "q_value")
_VALUES = ("value_usd", "value_prior_year_usd", "value_baseline_usd")


def build(
    flags: pl.DataFrame,
    features: pl.DataFrame,
    scores: pl.DataFrame,
    refused: pl.DataFrame,
    market: pl.DataFrame,
    calibration: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """The routes nearest to each flag, at most MOST, the nearest first.

    Nearest is the same good to the same country from other exporters of the same kind, the closest in size first;
    then other goods of the heading, then of the chapter, on the same pair; of a ghost transit also the good from the same
    sender to other hubs; then the good on routes too small to be measured, and last the coalition's own trade of it. At
    most one of them is a refused comparison. A flagged route is nobody's comparable, whatever its type.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags.
    features : polars.DataFrame
        Rows of the windows' own gap.
    scores : polars.DataFrame
        q_value of routes.
    refused : polars.DataFrame
        features.refused.
    market : polars.DataFrame
        market.build: routes that are too small to be measured are in it too.
    calibration : polars.DataFrame
        scores.calibration.
    settings : Settings
        Scenario: limits, materiality and coalition.

    Returns
    -------
    polars.DataFrame
        flag_id and `comparables`; a flag without one has no row.
    """
    limits = rule.limits_of(settings)
    compared = flags.select(
        "flag_id",
        *ROUTE_KEY,
        own_usd="value_usd",
        is_ghost=limits.is_from_coalition(),
    )
    windows = flags.select(WINDOW_KEY).unique()
    measured = rule.beside_scores(
        features.select(*ROUTE_KEY, *dict.fromkeys((*_VALUES, *rule.MEASURES))).join(
            windows, on=WINDOW_KEY, how="semi"
        ),
        scores.select(*ROUTE_KEY, "q_value"),
        calibration,
        limits,
    )
    not_compared = refused.join(windows, on=WINDOW_KEY, how="semi")
    unflagged = _unflagged(flags, measured, not_compared, market, limits).rename(_BESIDE)
    return _nearest(_pairs(compared, unflagged, limits), limits)


def _pairs(flagged: pl.DataFrame, unflagged: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """A row per flag and route of its window that has two of good (or its chapter), exporter and importer in common."""
    is_large = pl.col("size_usd").fill_null(0) >= limits.materiality_usd
    is_kin = pl.col("is_ghost") == pl.col("is_coalition")
    is_heading = _first("good", 4) == _first("other_good", 4)
    far = pl.when("is_ghost").then(6).otherwise(5)

    def sharing(flags: pl.DataFrame, *names: str) -> pl.DataFrame:
        on = [*WINDOW_KEY, *names]
        pairs = flags.join(unflagged, left_on=on, right_on=[*WINDOW_KEY, *[_BESIDE[name] for name in names]])
        return pairs.with_columns(pl.col(name).alias(_BESIDE[name]) for name in names)

    same_pair = (
        flagged.with_columns(chapter=_first("good", 2))
        .join(
            unflagged.with_columns(chapter=_first("other_good", 2)),
            left_on=[*WINDOW_KEY, "exporter_iso", "importer_iso", "chapter"],
            right_on=[*WINDOW_KEY, "other_exporter", "other_importer", "chapter"],
        )
        .with_columns(other_exporter="exporter_iso", other_importer="importer_iso")
    )
    parts = [
        sharing(flagged, "good", "importer_iso").with_columns(
            nearness=pl.when(~is_kin).then(far).when(is_large).then(0).otherwise(4)
        ),
        same_pair.with_columns(nearness=pl.when(is_heading).then(1).otherwise(2)),
        sharing(flagged.filter("is_ghost"), "good", "exporter_iso").with_columns(nearness=pl.lit(3)),
    ]
    return pl.concat(parts, how="diagonal")


def _first(column: str, digits: int) -> pl.Expr:
    return pl.col(column).str.slice(0, digits)


def _unflagged(
    flags: pl.DataFrame, measured: pl.DataFrame, refused: pl.DataFrame, market: pl.DataFrame, limits: Limits
) -> pl.DataFrame:
    """Every route of the flags' windows that may be a comparable: measured, refused, or only known of."""
    key = list(ROUTE_KEY)
    traded = market.select(*key, "value_usd", "value_prior_year_usd")
    not_compared = refused.select(*key, refused_because="says", size_usd="value_usd").join(traded, on=key, how="left")
    held = pl.concat([measured.select(key), not_compared.select(key)])
    traded_only = (
        traded.filter(pl.col("value_usd") > 0).join(held, on=key, how="anti").with_columns(size_usd="value_usd")
    )
    return (
        pl.concat([measured.with_columns(size_usd="value_usd"), not_compared, traded_only], how="diagonal")
        .join(flags.select(key), on=key, how="anti")
        .with_columns(is_coalition=limits.is_from_coalition())
    )


def _nearest(pairs: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    floor = limits.floor_usd
    distance = ((pl.col("size_usd").fill_null(0) + floor) / (pl.col("own_usd") + floor)).log().abs()
    order = ["flag_id", "nearness", "distance", "other_good", "other_exporter", "other_importer"]
    is_refused = pl.col("refused_because").is_not_null()
    return (
        pairs.with_columns(distance=distance)
        .sort(order)
        .filter(~is_refused | is_refused.cum_sum().over("flag_id").eq(1))
        .group_by("flag_id", maintain_order=True)
        .head(MOST)
        .drop(ROUTE)
        .rename({beside: name for name, beside in _BESIDE.items()})
        .with_columns(
            nearness=pl.col("nearness").replace_strict(dict(enumerate(NEARNESS)), return_dtype=pl.String),
            why=rule.why_not(limits),
        )
        .group_by("flag_id", maintain_order=True)
        .agg(comparables=pl.struct("nearness", *_SHOWN, "why"))
    )
