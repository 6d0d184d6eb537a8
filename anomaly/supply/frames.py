"""Judged windows → the rows of supply and of its companions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dataframely as dy
import numpy as np
import polars as pl

from anomaly.contract import schema_supply as contracts
from anomaly.contract.keys import COALITION
from anomaly.contract.settings import Settings
from anomaly.features.cells import UNKNOWN
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.supply import beside, sentences, stock
from anomaly.supply.judge import Judged, places
from anomaly.supply.reporting import Span
from anomaly.supply.rise import REFUSALS, least_usd, refusal
from anomaly.supply.series import Legs


def legs(all_legs: Legs, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """A row a material leg and window; what others report of it is not filled in.

    Parameters
    ----------
    all_legs : Legs
        All legs of the span.
    judged : sequence of Judged
        The windows of the span.
    settings : Settings
        Scenario: date of the measure.

    Returns
    -------
    polars.DataFrame
        Columns of Supply; members empty, arrivals and onward sales null.
    """
    laid_in = stock.before_measure(all_legs, settings)
    return _as(
        contracts.Supply, [_with_stock(_window(all_legs, window), all_legs, window, laid_in) for window in judged]
    )


def _with_stock(frame: pl.DataFrame, all_legs: Legs, window: Judged, laid_in: stock.Stock | None) -> pl.DataFrame:
    """The rows of a window with what was sold in the last months before the measure; null where that is not in the data."""
    if laid_in is None:
        return frame
    row = np.flatnonzero(window.asked)
    good = all_legs.good[row]
    target = window.direct.target[good]
    return frame.with_columns(
        stock_of=pl.lit(laid_in.window.words),
        stock_usd=_null_where_unknown(laid_in.value[row]),
        stock_prior_usd=_null_where_unknown(laid_in.prior[row]),
        direct_stock_usd=_null_where_unknown(laid_in.direct[good, target]),
        direct_stock_prior_usd=_null_where_unknown(laid_in.direct_prior[good, target]),
    )


def _window(all_legs: Legs, window: Judged) -> pl.DataFrame:
    row = np.flatnonzero(window.asked)
    good, rise, direct = all_legs.good[row], window.rise, window.direct
    month = all_legs.value[row][:, window.spell.at(window.spell.end)]
    value = rise.value[row]
    step, at = (None, None) if window.steps is None else (window.steps.size[row], window.steps.at[row])
    place = places(window)[row]
    return _key(all_legs, window, row).with_columns(
        is_before_sanctions=window.is_before,
        value_usd=value,
        value_prior_year_usd=rise.prior[row],
        value_best_usd=rise.best[row],
        compared_with=pl.lit(sentences.compared_with(all_legs.months, window.spell)),
        prior_end=pl.lit(all_legs.months[window.spell.before[0]]),
        active_months=(month > 0).sum(axis=1),
        largest_month_share=month.max(axis=1) / np.maximum(value, 1),
        direct_target_iso=pl.Series([all_legs.targets[number] for number in direct.target[good]], dtype=pl.String),
        direct_usd=_null_where_unknown(direct.value[good]),
        direct_prior_usd=_null_where_unknown(direct.prior[good]),
        direct_fall_log=_real(direct.fall_log[good]),
        direct_trade=_texts(
            [direct.fell[good], direct.stood[good], (direct.value[good] >= 0) & (direct.prior[good] >= 0)],
            ["fell", "stood", "small"],
            "unknown",
        ),
        sum_rise_log=_real(rise.sum_log[row]),
        rise_log=_real(rise.rise_log[row]),
        scaled_rise=_real(rise.scaled[row]),
        own_growth=_real(window.tested.effect[row]),
        p_value=_real(window.tested.p_value[row]),
        window_q_value=_real(window.calls.window_q[row]),
        step_log=pl.lit(None, dtype=pl.Float64) if step is None else _real(step),
        break_month=pl.lit(None, dtype=pl.Date) if at is None else _months(all_legs, at),
        date_q_value=_real(window.calls.date_q[row]),
        called_by=_texts(
            [window.calls.by_window[row] & window.calls.by_date[row], window.calls.by_window[row], window.calls.by_date[row], window.by_rule[row]],
            ["both", "window", "date", "rule"],
            None,
        ),
        place=pl.Series([int(number) or None for number in place], dtype=pl.Int64),
        members=pl.lit([], dtype=contracts.Supply.columns()["members"].dtype),
    )  # fmt: skip


def _key(all_legs: Legs, window: Judged, row: Ids) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "good": all_legs.goods.gather(all_legs.good[row]),
            "importer_iso": all_legs.importers.gather(all_legs.importer[row]),
        }
    )
    key = {name: pl.lit(value) for name, value in _window_key(all_legs, window).items()}
    return frame.with_columns(exporter_iso=pl.lit(COALITION), **key)


def _window_key(all_legs: Legs, window: Judged) -> dict[str, object]:
    return {"freq_code": "M", "window_months": window.spell.months, "window_end": all_legs.months[window.spell.end]}


def _as(contract: type[dy.Schema], parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The parts in the contract's columns; those that are not there yet are null."""
    kinds = {name: column.dtype for name, column in contract.columns().items()}
    empty: pl.DataFrame = contract.create_empty()
    filled = [
        part.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in kinds.items() if name not in part.columns)
        .select(pl.col(name).cast(kind) for name, kind in kinds.items())
        for part in parts
    ]  # fmt: skip
    return pl.concat([empty, *filled])


def _rows(contract: type[dy.Schema], rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: column.dtype for name, column in contract.columns().items()}, orient="row")


def _null_where_unknown(amounts: Amounts) -> pl.Series:
    values = pl.Series(amounts)
    return values.to_frame("usd").select(pl.when(pl.col("usd") != UNKNOWN).then("usd")).to_series()


def _real(values: Floats) -> pl.Series:
    return pl.Series(np.asarray(values, dtype=np.float64)).fill_nan(None)


def _texts(marks: Sequence[Marks], names: Sequence[str], otherwise: str | None) -> pl.Series:
    number = np.select(marks, range(len(names)), default=len(names))
    return pl.Series([*names, otherwise], dtype=pl.String).gather(number)


def _months(all_legs: Legs, at: Ids) -> pl.Series:
    return pl.Series([None if month < 0 else all_legs.months[month] for month in at], dtype=pl.Date)


def calibration(all_legs: Legs, span: Span, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """A row a window: what stands beside its calls.

    Parameters
    ----------
    all_legs : Legs
        All legs of the span.
    span : Span
        The months, and which members have gaps or are left out.
    judged : sequence of Judged
        The windows of the span.
    settings : Settings
        Scenario: limits that the sentences name.

    Returns
    -------
    polars.DataFrame
        Columns of SupplyCalibration.
    """
    rows = [{**_window_key(all_legs, window), **_beside(all_legs, span, window)} for window in judged]
    return _rows(contracts.SupplyCalibration, [{**row, "says": sentences.calibration(row, settings)} for row in rows])


def _beside(all_legs: Legs, span: Span, window: Judged) -> dict[str, object]:
    dated = window.dated
    called = window.called
    return {
        "months_read_since": all_legs.months[0 if window.steps is None else window.steps.first],
        "legs": int(window.asked.sum()),
        "tested": int(window.gated.sum()),
        "placebo_importers": window.tested.importers,
        "placebo_periods": window.tested.periods,
        "called_by_window": int(window.calls.by_window.sum()),
        "called_by_date": int(window.calls.by_date.sum()),
        "called": int(called.sum()),
        "steps_since": 0 if dated is None else dated.since,
        "steps_before": 0 if dated is None else dated.before,
        "dates_since": 0 if dated is None else dated.dates_since,
        "dates_before": 0 if dated is None else dated.dates_before,
        "pseudo_dates": 0 if dated is None else dated.pseudo_dates,
        "pseudo_calls": 0 if dated is None else dated.pseudo_calls,
        "year_before_tested": window.year_before[0],
        "year_before_called": window.year_before[1],
        "controls": int(window.controls.sum()),
        "controls_called": int(window.calls.controls_called.sum()),
        "members_with_gaps": list(span.gaps),
        "members_left_out": span.left_out["reporter_iso"].to_list(),
    }


def hubs(all_legs: Legs, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """A row a window and hub: how many of its legs were tested and called, and whether a boom could be the cause.

    Parameters
    ----------
    all_legs : Legs
        All legs of the span.
    judged : sequence of Judged
        The windows of the span.
    settings : Settings
        Scenario: supply, when controls tell of a boom.

    Returns
    -------
    polars.DataFrame
        Columns of SupplyHubs; a hub without a material leg in a window has no row there.
    """
    rows = [
        {
            **_window_key(all_legs, window),
            "importer_iso": all_legs.importers[int(importer)],
            **_hub(all_legs, window, int(importer), settings),
        }
        for window in judged
        for importer in np.unique(all_legs.importer[window.asked])
    ]
    return _rows(contracts.SupplyHubs, [{**row, "says": sentences.hub(row)} for row in rows])


def _hub(all_legs: Legs, window: Judged, importer: int, settings: Settings) -> dict[str, object]:
    of_hub = all_legs.importer == importer
    tested, controls = of_hub & window.gated, of_hub & window.controls
    counts = [
        int(marks.sum()) for marks in (tested, of_hub & window.called, controls, of_hub & window.calls.controls_called)
    ]
    dose, chance = beside.dose_response(window.rise, window.direct.fall_log[all_legs.good], np.flatnonzero(tested))
    own = window.tested.effect[np.flatnonzero(of_hub)[0]]
    rises = window.rise.rise_log[tested]
    return {
        "tested": counts[0],
        "called": counts[1],
        "controls": counts[2],
        "controls_called": counts[3],
        "own_growth": _or_none(own),
        "median_rise_log": _or_none(np.median(rises) if len(rises) else np.nan),
        "dose_response": _or_none(dose),
        "dose_response_p": _or_none(chance),
        "is_boom_possible": beside.is_boom_possible(settings, *counts),
    }


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def months(all_legs: Legs, judged: Sequence[Judged]) -> pl.DataFrame:
    """The months of the legs that any window calls.

    Parameters
    ----------
    all_legs : Legs
        All legs of the span.
    judged : sequence of Judged
        The windows of the span.

    Returns
    -------
    polars.DataFrame
        Columns of SupplySeries; value_usd null where unknown.
    """
    row = np.flatnonzero(
        np.logical_or.reduce([np.zeros(len(all_legs.good), dtype=np.bool_), *[window.called for window in judged]])
    )
    frame = pl.DataFrame(
        {
            "good": all_legs.goods.gather(np.repeat(all_legs.good[row], len(all_legs.months))),
            "importer_iso": all_legs.importers.gather(np.repeat(all_legs.importer[row], len(all_legs.months))),
            "ref_date": pl.Series(list(all_legs.months) * len(row), dtype=pl.Date),
            "value_usd": _null_where_unknown(all_legs.value[row].reshape(-1)),
        }
    )
    return _as(contracts.SupplySeries, [frame])


def refused(all_legs: Legs, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """Hubs' legs that are material in a window since the measure and cannot be compared.

    Parameters
    ----------
    all_legs : Legs
        All legs of the span.
    judged : sequence of Judged
        The windows of the span; those before the measure refuse nothing.
    settings : Settings
        Scenario: materiality.

    Returns
    -------
    polars.DataFrame
        Columns of SupplyRefused, with the reason by name and as a sentence.
    """
    parts = []
    for window in judged:
        name = refusal(all_legs, window.spell)[all_legs.good]
        largest = np.maximum(all_legs.value[:, window.spell.at(window.spell.end)], 0).sum(axis=1)
        is_large = largest >= least_usd(settings, window.spell.months)
        row = np.flatnonzero(
            is_large & all_legs.is_hub[all_legs.importer] & ~window.rise.is_known & (not window.is_before)
        )
        named = pl.Series([text or "outside_extract" for text in name[row].tolist()], dtype=pl.String)
        parts.append(
            _key(all_legs, window, row).with_columns(
                refusal=named, says=named.replace_strict(REFUSALS, return_dtype=pl.String), value_usd=largest[row]
            )
        )
    return _as(contracts.SupplyRefused, parts)
