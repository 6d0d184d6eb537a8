"""How the flags are judged: as of each date, against what is true, beside the rivals. Pure.

docs/backtest.md says what each figure means. A ranking is of one window and leg as of one date; there every method ranks
the same candidate routes, and is held to as many flags as we raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from anomaly.backtest.as_of import by_window
from anomaly.backtest.rivals import RIVALS
from anomaly.backtest.strata import with_fall
from anomaly.contract.schema import ROUTE_KEY
from anomaly.contract.schema_results import Backtest

OURS, CHANCE, ALL = "ours", "chance", "all"
METHODS = (OURS, *(rival.name for rival in RIVALS))
DEPTHS = (10, 20, 50, 100)
FALSE_SHARE = 0.05
ALIKE = "_alike"  # ends a measure's name: every method is held to as many flags as we raise among goods that fell alike
PLANTED, CASES, NOTHING = "planted", "cases", "nothing"

_RANKING = ["freq_code", "leg", "as_of", "window_months", "window_end"]
_OUT = [
    "freq_code",
    "leg",
    "as_of",
    "window_months",
    "judged_by",
    "method",
    "measure",
    "kind",
    "value",
    "hits",
    "out_of",
]


def ranked(routes: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Routes of one date with a score of every rival, window by window.

    Parameters
    ----------
    routes : polars.DataFrame
        as_of.routes.
    as_of : datetime.date
        The date whose knowledge they are of.

    Returns
    -------
    polars.DataFrame
        The routes with one Float64 a rival, named as it is, and `as_of`.
    """
    parts = [
        window.with_columns(rival.rank(window).alias(rival.name) for rival in RIVALS) for window in by_window(routes)
    ]
    if not parts:
        parts = [routes.with_columns(pl.lit(None, pl.Float64).alias(rival.name) for rival in RIVALS)]
    return pl.concat(parts).with_columns(as_of=pl.lit(as_of))


def nothing() -> pl.DataFrame:
    """The table where no date could be asked about."""
    return pl.DataFrame(schema={name: column.dtype for name, column in Backtest.columns().items()})


def build(
    rows: pl.DataFrame,
    judges: Sequence[str],
    events: pl.DataFrame,
    calibration: pl.DataFrame,
    events_by: str,
    events_in_all: int,
) -> pl.DataFrame:
    """The figures of the backtest from the routes of every as-of date.

    Parameters
    ----------
    rows : polars.DataFrame
        `ranked` of every date, with one Boolean column a judge: whether a flag on the route is right.
    judges : sequence of str
        Names of these columns; PLANTED among them where the world is simulated.
    events : polars.DataFrame
        truth.of_labels or truth.of_cases of the rows: what there is to find.
    calibration : polars.DataFrame
        schema.Calibration of the same windows with `as_of`: how often placebos reach the score of our flags.
    events_by : str
        What the events are: PLANTED or CASES.
    events_in_all : int
        How many events of evasion there are, in these data or not.

    Returns
    -------
    polars.DataFrame
        schema.Backtest, in the order of its key.
    """
    rows = with_fall(_with_ours(rows)).with_row_index("row")
    places, alike = _places(rows, _RANKING), _places(rows, [*_RANKING, "fall"])
    chosen = {"flags": places.filter("is_named", pl.col("position") <= pl.col("flags")).select("row", "method")}
    named = places.filter("is_named")
    chosen[f"flags{ALIKE}"] = alike.filter("is_named", pl.col("position") <= pl.col("flags")).select("row", "method")
    if PLANTED in judges:
        chosen |= _at_false_share(named, rows)
    measured = [_counted(places), *_precision(places, rows, judges), *_rates(named, rows, calibration)]
    measured += _precision_alike(alike, rows, judges)
    event_rows = rows.filter("is_candidate", ~pl.col("is_before_sanctions"))
    event_rows = event_rows.select("row", "freq_code", "leg", "as_of", *ROUTE_KEY[1:]).join(
        events, on=list(ROUTE_KEY), how="inner"
    )
    measured.append(_tested(event_rows, events_in_all, events_by))
    for name, rows_chosen in chosen.items():
        measured += _recall(event_rows, rows_chosen, name, events_by)
    if events_by == CASES:
        measured.append(_each_case(event_rows, chosen["flags"]))
    columns = Backtest.columns()
    figures = pl.concat([part.select(_OUT) for part in measured], how="vertical_relaxed")
    return figures.select(pl.col(name).cast(columns[name].dtype) for name in columns).sort(Backtest.primary_key())


def _with_ours(rows: pl.DataFrame) -> pl.DataFrame:
    """Our order as one number: flags first, then q, then the rank in the window; null where the route was not scored."""
    q_value, rank = -pl.col("q_value").fill_null(1.0), -pl.col("anomaly_rank").fill_null(rows.height)
    order = pl.struct("is_flagged", q_value.alias("q"), rank.alias("rank")).rank("dense").cast(pl.Float64)
    return rows.with_columns(pl.when("is_candidate").then(order).alias(OURS))


def _places(rows: pl.DataFrame, ranking: Sequence[str]) -> pl.DataFrame:
    """A row a candidate and method since the sanctions: its position in the ranking, and how many flags we raise there.

    What a method does not name comes last: `is_named` is false, and its place is an empty one.
    """
    candidates = rows.filter("is_candidate", ~pl.col("is_before_sanctions")).with_columns(
        flags=pl.col("is_flagged").sum().over(ranking)
    )
    return (
        candidates.unpivot(METHODS, index=["row", "flags", *ranking], variable_name="method", value_name="score")
        .sort(
            *ranking,
            "method",
            "score",
            "row",
            descending=[False] * (len(ranking) + 1) + [True, False],
            nulls_last=True,
        )
        .with_columns(
            is_named=pl.col("score").is_not_null(), position=pl.int_range(1, pl.len() + 1).over(*ranking, "method")
        )
    )


def _filled(frame: pl.DataFrame, **columns: str) -> pl.DataFrame:
    """The frame with what it lacks of the table's columns; a share is hits / out_of."""
    missing = {"as_of": ALL, "window_months": 0, "judged_by": NOTHING, "kind": "", **columns}
    filled = frame.with_columns(
        pl.lit(value).alias(name) for name, value in missing.items() if name not in frame.columns
    )
    if "value" not in filled.columns:
        filled = filled.with_columns(value=pl.when(pl.col("out_of") > 0).then(pl.col("hits") / pl.col("out_of")))
    empty = [pl.lit(None, dtype=pl.Int64).alias(name) for name in ("hits", "out_of") if name not in filled.columns]
    return filled.with_columns(*empty, pl.col("as_of").cast(pl.String))


def _in_sums(frame: pl.DataFrame, by: Sequence[str], sums: Sequence[pl.Expr]) -> pl.DataFrame:
    """Sums by ranking, by length of window over all dates, and over everything."""
    levels: tuple[list[str], ...] = (["as_of", "window_months"], ["window_months"], [])
    parts = [frame.group_by("freq_code", "leg", *level, *by).agg(sums) for level in levels]
    return pl.concat(
        [_filled(part).select("freq_code", "leg", "as_of", "window_months", *by, *_names(sums)) for part in parts],
        how="vertical_relaxed",
    )


def _names(sums: Sequence[pl.Expr]) -> list[str]:
    return [total.meta.output_name() for total in sums]


def _counted(places: pl.DataFrame) -> pl.DataFrame:
    """How many flags there are, and of how many candidates."""
    ours = places.filter(pl.col("method") == OURS)
    sums = [(pl.col("position") <= pl.col("flags")).sum().alias("hits"), pl.len().alias("out_of")]
    return _filled(_in_sums(ours, ["method"], sums), measure="flagged_share")


def _precision(places: pl.DataFrame, rows: pl.DataFrame, judges: Sequence[str]) -> list[pl.DataFrame]:
    """Of the first k places of each method those with a right route, and of as many as we flag; of chance: of all
    candidates. A place that a rule leaves empty is not right.
    """
    figures = []
    for judge in judges:
        judged = places.join(rows.select("row", is_true=judge), on="row")
        for name, limit in (*((str(depth), pl.lit(depth)) for depth in DEPTHS), ("flags", pl.col("flags"))):
            placed = judged.filter(pl.col("position") <= limit)
            sums = [(pl.col("is_true") & pl.col("is_named")).sum().alias("hits"), pl.len().alias("out_of")]
            figures.append(_filled(_in_sums(placed, ["method"], sums), judged_by=judge, measure=f"precision_at_{name}"))
        candidates = judged.filter(pl.col("method") == OURS).with_columns(method=pl.lit(CHANCE))
        sums = [pl.col("is_true").sum().alias("hits"), pl.len().alias("out_of")]
        figures.append(_filled(_in_sums(candidates, ["method"], sums), judged_by=judge, measure="precision_of_all"))
    return figures


def _precision_alike(alike: pl.DataFrame, rows: pl.DataFrame, judges: Sequence[str]) -> list[pl.DataFrame]:
    """As `_precision` of as many as we flag, each method held to as many among goods that fell alike; by stratum too.

    Chance draws as many in each stratum as we flag there: its hits are an expectation, and only the share is kept.
    """
    figures = []
    sums = [(pl.col("is_true") & pl.col("is_named")).sum().alias("hits"), pl.len().alias("out_of")]
    drawn = [(pl.col("share") * pl.col("flags")).sum().alias("hits"), pl.col("flags").sum().alias("out_of")]
    for judge in judges:
        judged = alike.join(rows.select("row", is_true=judge), on="row")
        placed = judged.filter(pl.col("position") <= pl.col("flags")).rename({"fall": "kind"})
        by_chance = (
            judged.filter(pl.col("method") == OURS, pl.col("flags") > 0)
            .group_by(*_RANKING, kind="fall")
            .agg(pl.col("flags").first(), share=pl.col("is_true").mean())
            .with_columns(method=pl.lit(CHANCE))
        )
        for by in (["method"], ["method", "kind"]):
            figures.append(_filled(_in_sums(placed, by, sums), judged_by=judge, measure=f"precision_at_flags{ALIKE}"))
            expected = _in_sums(by_chance, by, drawn).with_columns(value=pl.col("hits") / pl.col("out_of"))
            expected = expected.with_columns(hits=pl.lit(None, pl.Int64), out_of=pl.lit(None, pl.Int64))
            figures.append(_filled(expected, judged_by=judge, measure=f"precision_of_all{ALIKE}"))
    return figures


def _at_false_share(places: pl.DataFrame, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What each method flags at one threshold for all dates and windows: the lowest at which 5 % are false.

    Of its flags, or of all routes that are no evasion; ties are flagged together.
    """
    group = ["freq_code", "leg", "method"]
    ordered = (
        places.join(rows.select("row", is_false=~pl.col(PLANTED)), on="row")
        .with_columns(negatives=pl.col("is_false").sum().over(group))
        .sort(*group, "score", "row", descending=[False, False, False, True, False])
        .with_columns(place=pl.int_range(1, pl.len() + 1).over(group), false=pl.col("is_false").cum_sum().over(group))
        .with_columns(false=pl.col("false").max().over(*group, "score"))  # a threshold takes the whole of a tie
    )
    rules = {
        "5pct_of_flags": pl.col("false") <= FALSE_SHARE * pl.col("place"),
        "5pct_of_negatives": pl.col("false") <= FALSE_SHARE * pl.col("negatives"),
    }
    return {
        name: ordered.filter(pl.col("score") >= pl.col("score").filter(rule).min().over(group)).select("row", "method")
        for name, rule in rules.items()
    }


def _rates(places: pl.DataFrame, rows: pl.DataFrame, calibration: pl.DataFrame) -> list[pl.DataFrame]:
    """Flags where there can be none: before the sanctions, and among placebos, per 1,000 routes.

    A rival's threshold is the score at which it flags as often as we do over all dates since the sanctions. Our own rate
    among placebos is that of scores.calibration, before the rules of a flag.
    """
    group = ["freq_code", "leg", "method"]
    flags = places.filter(pl.col("method") == OURS, pl.col("position") <= pl.col("flags")).group_by(group[:2]).len("n")
    limit = (
        places.join(flags, on=group[:2])
        .sort(*group, "score", descending=[False, False, False, True])
        .filter(pl.int_range(pl.len()).over(group) < pl.col("n"))
        .group_by(group)
        .agg(limit=pl.col("score").min())
    )
    outside = (
        rows.with_columns(is_before=pl.col("is_candidate") & pl.col("is_before_sanctions"))
        .filter(pl.col("is_before") | ((pl.col("role") == "placebo") & ~pl.col("is_before_sanctions")))
        .unpivot(
            METHODS, index=["freq_code", "leg", "is_before", "is_flagged"], variable_name="method", value_name="score"
        )
        .join(limit, on=group, how="left")
    )
    is_over = pl.when(pl.col("method") == OURS).then("is_flagged").otherwise(pl.col("score") >= pl.col("limit"))
    sums = [is_over.fill_null(value=False).sum().alias("hits"), pl.len().alias("out_of")]
    before = outside.filter("is_before").group_by(group).agg(sums)
    placebos = outside.filter(~pl.col("is_before"), pl.col("method") != OURS).group_by(group).agg(sums)
    per_placebo = pl.col("placebos_flagged_per_1000").fill_null(0) * pl.col("placebos") / 1000
    by_calibration = (
        calibration.filter(pl.col("placebos") > 0)
        .group_by("freq_code", "leg")
        .agg(hits=per_placebo.sum().round().cast(pl.Int64), out_of=pl.col("placebos").sum())
        .with_columns(method=pl.lit(OURS))
    )
    rates = [(before, "flagged_before_sanctions"), (placebos, "placebos_flagged"), (by_calibration, "placebos_flagged")]
    return [_filled(frame, measure=measure) for frame, measure in rates]


def _recall(event_rows: pl.DataFrame, chosen: pl.DataFrame, name: str, events_by: str) -> list[pl.DataFrame]:
    """Events found by each method: recall by kind, months to the first flag, and how many were found by each date.

    about    rows and the events they are about, over all candidates: an event that is in no candidate is not counted
    chosen   rows that each method flags
    """
    group = ["freq_code", "leg", "method"]
    event = ["freq_code", "leg", "event_id", "kind", "is_evasion"]
    tested = event_rows.group_by(event).agg(pl.col("start").first())
    tested = tested.join(pl.DataFrame({"method": METHODS}), how="cross")
    first_flags = event_rows.join(chosen, on="row").group_by(*event, "method").agg(first=pl.col("as_of").min())
    months = _month("first") - _month("start")
    events = tested.join(first_flags, on=[*event, "method"], how="left").with_columns(months=months.cast(pl.Float64))
    sums = [pl.col("first").is_not_null().sum().alias("hits"), pl.len().alias("out_of")]
    to_find, benign = events.filter("is_evasion"), events.filter(~pl.col("is_evasion"))
    measures = [(to_find, f"recall_at_{name}"), (benign, f"benign_flagged_at_{name}")]
    parts = [
        _filled(events_of.group_by(*group, *by).agg(sums), judged_by=events_by, measure=measure)
        for events_of, measure in measures
        for by in ([], ["kind"])
    ]
    if name == "flags":
        half = pl.col("months").fill_null(float("inf")).median()
        waited = to_find.drop_nulls("start").group_by(group).agg(half.alias("value"), *sums)
        waited = waited.with_columns(value=pl.when(pl.col("value").is_finite()).then("value"))
        parts.append(_filled(waited, judged_by=events_by, measure="median_months_to_flag"))
        days = event_rows.select("freq_code", "as_of").unique().join(to_find, on="freq_code")
        by_day = [
            (pl.col("first") <= pl.col("as_of")).fill_null(value=False).sum().alias("hits"),
            pl.len().alias("out_of"),
        ]
        parts.append(_filled(days.group_by(*group, "as_of").agg(by_day), judged_by=events_by, measure="found_by"))
    return parts


def _tested(event_rows: pl.DataFrame, events_in_all: int, events_by: str) -> pl.DataFrame:
    """Of all events of evasion those that some candidate is about, on either leg."""
    of_evasion = pl.col("event_id").filter("is_evasion").n_unique().cast(pl.Int64)
    tested = event_rows.group_by("freq_code").agg(hits=of_evasion).with_columns(out_of=pl.lit(events_in_all))
    return _filled(tested, leg=ALL, method=ALL, judged_by=events_by, measure="events_tested")


def _month(column: str) -> pl.Expr:
    return pl.col(column).dt.year().cast(pl.Int32) * 12 + pl.col(column).dt.month()


def _each_case(event_rows: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """Of the candidate routes in windows of each case those that each method flags; `kind` is the case's name."""
    group = ["freq_code", "leg", "event_id"]
    tested = event_rows.group_by(group).agg(out_of=pl.len()).join(pl.DataFrame({"method": METHODS}), how="cross")
    hit = event_rows.join(chosen, on="row").group_by(*group, "method").agg(hits=pl.len())
    routes = tested.join(hit, on=[*group, "method"], how="left").with_columns(pl.col("hits").fill_null(0))
    return _filled(routes.rename({"event_id": "kind"}), judged_by=CASES, measure="case_routes_flagged")
