"""The nearest routes of the same window that were not flagged, and why not."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from anomaly.contract.keys import WINDOW_KEY
from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.settings import Settings
from anomaly.indicators import INDICATORS
from anomaly.indicators.base import COALITION_TO_HUB, HUB_TO_TARGET, usd

MOST = 3
NEARNESS = (
    "same good", "same heading", "same chapter", "same sender, other hub", "same good", "coalition's own trade",
    "not the coalition's",
)  # fmt: skip
_RISES = ("surge_log", "baseline_excess_log", "new_route")
_OTHER = {"good": "other_good", "exporter_iso": "other_exporter", "importer_iso": "other_importer"}
_SHOWN = ("good", "exporter_iso", "importer_iso", "value_usd", "value_prior_year_usd", "q_value")
_JOINT = ("coalition_to_target_usd", "coalition_to_target_baseline_usd", "direct_drop_log", "neighbour_code_shift")
_MEASURED = (
    *ROUTE_KEY,
    "value_usd",
    "value_prior_year_usd",
    "value_baseline_usd",
    *_RISES,
    "mirror_gap_shift_log",
    *_JOINT,
)


def build(
    flags: pl.DataFrame,
    features: pl.DataFrame,
    scores: pl.DataFrame,
    refused: pl.DataFrame,
    market: pl.DataFrame,
    calibration: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """flag_id and `comparables`: at most MOST routes each, the nearest first.

    features   rows of the windows' own gap
    market     market.build: routes that are too small to be measured are in it too

    Nearest is the same good to the same country from other exporters of the same kind, the closest in size first;
    then other goods of the heading, then of the chapter, on the same pair; of a ghost transit also the good from the same
    sender to other hubs; then the good on routes too small to be measured, and last the coalition's own trade of it. At
    most one of them is a refused comparison. A flagged route is nobody's comparable, whatever its type.
    """
    leg = pl.when("is_ghost").then(pl.lit(COALITION_TO_HUB)).otherwise(pl.lit(HUB_TO_TARGET))
    asked = flags.select(
        "flag_id", *WINDOW_KEY, "good", "exporter_iso", "importer_iso", own_usd="value_usd", is_ghost=_is_in(settings)
    )
    other = _unflagged(flags, features, scores, refused, market, settings).rename(_OTHER)
    limits = calibration.select(*WINDOW_KEY, "leg", "q_limit")
    pairs = _pairs(asked, other, settings).with_columns(leg=leg).join(limits, on=[*WINDOW_KEY, "leg"], how="left")
    return _nearest(pairs, settings)


def _pairs(asked: pl.DataFrame, other: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """A row per flag and route of its window that has two of good (or its chapter), exporter and importer in common."""
    is_large = pl.col("size_usd").fill_null(0) >= settings.materiality_usd
    is_kin = pl.col("is_ghost") == pl.col("is_coalition")
    is_heading = _first("good", 4) == _first("other_good", 4)
    far = pl.when("is_ghost").then(6).otherwise(5)

    def sharing(flags: pl.DataFrame, *names: str) -> pl.DataFrame:
        on = [*WINDOW_KEY, *names]
        found = flags.join(other, left_on=on, right_on=[*WINDOW_KEY, *[_OTHER[name] for name in names]])
        return found.with_columns(pl.col(name).alias(_OTHER[name]) for name in names)

    same_pair = (
        asked.with_columns(chapter=_first("good", 2))
        .join(
            other.with_columns(chapter=_first("other_good", 2)),
            left_on=[*WINDOW_KEY, "exporter_iso", "importer_iso", "chapter"],
            right_on=[*WINDOW_KEY, "other_exporter", "other_importer", "chapter"],
        )
        .with_columns(other_exporter="exporter_iso", other_importer="importer_iso")
    )
    parts = [
        sharing(asked, "good", "importer_iso").with_columns(
            nearness=pl.when(~is_kin).then(far).when(is_large).then(0).otherwise(4)
        ),
        same_pair.with_columns(nearness=pl.when(is_heading).then(1).otherwise(2)),
        sharing(asked.filter("is_ghost"), "good", "exporter_iso").with_columns(nearness=pl.lit(3)),
    ]
    return pl.concat(parts, how="diagonal")


def _is_in(settings: Settings) -> pl.Expr:
    return pl.col("exporter_iso").is_in(list(settings.coalition.countries))


def _first(column: str, digits: int) -> pl.Expr:
    return pl.col(column).str.slice(0, digits)


def _unflagged(
    flags: pl.DataFrame,
    features: pl.DataFrame,
    scores: pl.DataFrame,
    refused: pl.DataFrame,
    market: pl.DataFrame,
    settings: Settings,
) -> pl.DataFrame:
    """Every route of the flags' windows that may be a comparable: measured, refused, or only known of."""
    key = list(ROUTE_KEY)
    windows = flags.select(WINDOW_KEY).unique()
    measured = (
        features.select(_MEASURED)
        .join(windows, on=WINDOW_KEY, how="semi")
        .join(scores.select(*key, "q_value"), on=key, how="left")
        .with_columns(is_measured=pl.lit(value=True), size_usd="value_usd")
    )
    traded = market.select(*key, "value_usd", "value_prior_year_usd")
    not_compared = (
        refused.join(windows, on=WINDOW_KEY, how="semi")
        .select(*key, "says", size_usd="value_usd")
        .join(traded, on=key, how="left")
    )
    told = pl.concat([measured.select(key), not_compared.select(key)])
    known = traded.filter(pl.col("value_usd") > 0).join(told, on=key, how="anti").with_columns(size_usd="value_usd")
    every = pl.concat([measured, not_compared, known], how="diagonal").join(flags.select(key), on=key, how="anti")
    return every.with_columns(
        is_coalition=_is_in(settings), is_target=pl.col("exporter_iso").is_in(list(settings.targets.countries))
    )


def _nearest(pairs: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    floor = settings.floor_usd
    distance = ((pl.col("size_usd").fill_null(0) + floor) / (pl.col("own_usd") + floor)).log().abs()
    order = ["flag_id", "nearness", "distance", "other_good", "other_exporter", "other_importer"]
    return (
        pairs.with_columns(distance=distance, why=_why(settings))
        .sort(order)
        .filter(pl.col("says").is_null() | pl.col("says").is_not_null().cum_sum().over("flag_id").eq(1))
        .group_by("flag_id", maintain_order=True)
        .head(MOST)
        .drop("good", "exporter_iso", "importer_iso")
        .rename({other: name for name, other in _OTHER.items()})
        .with_columns(nearness=pl.col("nearness").replace_strict(dict(enumerate(NEARNESS)), return_dtype=pl.String))
        .group_by("flag_id", maintain_order=True)
        .agg(comparables=pl.struct("nearness", *_SHOWN, "why"))
    )


def _why(settings: Settings) -> pl.Expr:
    """The first rule that keeps a route from being a flag, in words."""
    limit, q_value = pl.col("q_limit"), pl.col("q_value")
    own, ghost = pl.col("is_measured").fill_null(value=False), pl.col("is_ghost")
    has_risen = (pl.col("value_usd") > pl.col("value_prior_year_usd")) | (
        pl.col("value_usd") > pl.col("value_baseline_usd")
    ).fill_null(value=False)
    thresholds = {one.name: float(settings.thresholds.get(one.name, one.threshold)) for one in INDICATORS}
    is_rise = pl.any_horizontal([(pl.col(name) >= thresholds[name]).fill_null(value=False) for name in _RISES])
    gap = pl.col("mirror_gap_shift_log")
    rules = [
        (pl.col("says").is_not_null(), pl.format("refused: {}", pl.col("says"))),
        (pl.col("is_coalition") & ~ghost, pl.lit("a country of the coalition: its own sales are the direct trade")),
        (pl.col("is_target"), pl.lit("a target itself, nobody's hub")),
        (
            ~pl.col("is_coalition") & ghost,
            pl.lit("not a country of the coalition: only the coalition's goods can be lost on the way"),
        ),
        (
            pl.col("value_usd") < settings.materiality_usd,
            pl.lit(f"too small: below {usd(settings.materiality_usd)} in the window"),
        ),
        (~own, pl.lit("its two windows cannot be compared")),
        (~has_risen, pl.lit("it did not rise: not above the year before nor above its baseline")),
        (ghost & gap.is_null(), pl.lit("the receiving side's report is not known: no gap can be measured")),
        (q_value.is_null(), pl.lit("not scored: too few placebos, or nothing the scenario asks about")),
        (
            q_value > limit,
            pl.format("not unusual enough: q {} is above the limit of {}", q_value.round(4), limit),
        ),
        (ghost & (gap < thresholds["mirror_gap_shift_log"]), pl.lit("its mirror gap is as wide as it was")),
        (~is_rise, pl.lit("no rise of its own is over its threshold")),
        (
            ~ghost & _stands_alone(thresholds),
            pl.lit("it rose alone: neither the direct trade nor a neighbour of the good fell"),
        ),
    ]
    said = pl.lit("no rule of a flag holds for it")
    for applies, words in reversed(rules):
        said = pl.when(applies.fill_null(value=False)).then(words).otherwise(said)
    return said


def _stands_alone(thresholds: Mapping[str, float]) -> pl.Expr:
    """Whether the coalition's direct trade is known and did not fall, and no neighbour of the good fell either."""
    now, then = pl.col("coalition_to_target_usd"), pl.col("coalition_to_target_baseline_usd")
    since_baseline = ((then + 1) / (now + 1)).log()
    fell = pl.max_horizontal(pl.col("direct_drop_log"), since_baseline).fill_null(0.0) >= thresholds["direct_drop_log"]
    matched = pl.col("neighbour_code_shift").fill_null(0.0) >= thresholds["neighbour_code_shift"]
    return now.is_not_null() & ~fell & ~matched
