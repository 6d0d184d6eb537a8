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
from anomaly.supply import beside, sentences
from anomaly.supply.judge import Judged, places
from anomaly.supply.reporting import Span
from anomaly.supply.rise import REFUSALS, least_usd, refusal
from anomaly.supply.series import Legs


def legs(of: Legs, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """A row a material leg and window, columns of Supply; what others report of it is not filled in."""
    return _as(contracts.Supply, [_window(of, one, settings) for one in judged])


def _window(of: Legs, one: Judged, settings: Settings) -> pl.DataFrame:
    row = np.flatnonzero(one.asked)
    good, rise, direct = of.good[row], one.rise, one.direct
    month = of.value[row][:, one.spell.at(one.spell.end)]
    value = rise.value[row]
    step, at = (None, None) if one.steps is None else (one.steps.size[row], one.steps.at[row])
    place = places(one)[row]
    return _key(of, one, row).with_columns(
        is_before_sanctions=one.is_before,
        value_usd=value,
        value_prior_year_usd=rise.prior[row],
        value_best_usd=rise.best[row],
        compared_with=pl.lit(sentences.compared_with(of.months, one.spell)),
        prior_end=pl.lit(of.months[one.spell.before[0]]),
        active_months=(month > 0).sum(axis=1),
        largest_month_share=month.max(axis=1) / np.maximum(value, 1),
        direct_target_iso=pl.Series([of.targets[number] for number in direct.target[good]], dtype=pl.String),
        direct_usd=_known(direct.value[good]),
        direct_prior_usd=_known(direct.prior[good]),
        direct_fall_log=_real(direct.fall_log[good]),
        direct_trade=_texts(
            [direct.fell[good], direct.stood[good], (direct.value[good] >= 0) & (direct.prior[good] >= 0)],
            ["fell", "stood", "small"],
            "unknown",
        ),
        sum_rise_log=_real(rise.sum_log[row]),
        rise_log=_real(rise.rise_log[row]),
        scaled_rise=_real(rise.scaled[row]),
        own_growth=_real(one.tested.effect[row]),
        p_value=_real(one.tested.p_value[row]),
        window_q_value=_real(one.calls.window_q[row]),
        step_log=pl.lit(None, dtype=pl.Float64) if step is None else _real(step),
        break_month=pl.lit(None, dtype=pl.Date) if at is None else _months(of, at),
        date_q_value=_real(one.calls.date_q[row]),
        called_by=_texts(
            [one.calls.by_window[row] & one.calls.by_date[row], one.calls.by_window[row], one.calls.by_date[row], one.by_rule[row]],
            ["both", "window", "date", "rule"],
            None,
        ),
        place=pl.Series([int(number) or None for number in place], dtype=pl.Int64),
        members=pl.lit([], dtype=contracts.Supply.columns()["members"].dtype),
    )  # fmt: skip


def _key(of: Legs, one: Judged, row: Ids) -> pl.DataFrame:
    frame = pl.DataFrame({"good": of.goods.gather(of.good[row]), "importer_iso": of.importers.gather(of.importer[row])})
    window = {name: pl.lit(value) for name, value in _window_key(of, one).items()}
    return frame.with_columns(exporter_iso=pl.lit(COALITION), **window)


def _window_key(of: Legs, one: Judged) -> dict[str, object]:
    return {"freq_code": "M", "window_months": one.spell.months, "window_end": of.months[one.spell.end]}


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


def _known(amounts: Amounts) -> pl.Series:
    values = pl.Series(amounts)
    return values.to_frame("usd").select(pl.when(pl.col("usd") != UNKNOWN).then("usd")).to_series()


def _real(values: Floats) -> pl.Series:
    return pl.Series(np.asarray(values, dtype=np.float64)).fill_nan(None)


def _texts(marks: Sequence[Marks], names: Sequence[str], otherwise: str | None) -> pl.Series:
    number = np.select(marks, range(len(names)), default=len(names))
    return pl.Series([*names, otherwise], dtype=pl.String).gather(number)


def _months(of: Legs, at: Ids) -> pl.Series:
    return pl.Series([None if one < 0 else of.months[one] for one in at], dtype=pl.Date)


def calibration(of: Legs, span: Span, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """A row a window: what stands beside its calls, columns of SupplyCalibration."""
    rows = [{**_window_key(of, one), **_beside(of, span, one)} for one in judged]
    return _rows(contracts.SupplyCalibration, [{**row, "says": sentences.calibration(row, settings)} for row in rows])


def _beside(of: Legs, span: Span, one: Judged) -> dict[str, object]:
    dated = one.dated
    called = one.called
    return {
        "months_read_since": of.months[0 if one.steps is None else one.steps.first],
        "legs": int(one.asked.sum()),
        "tested": int(one.gated.sum()),
        "placebo_importers": one.tested.importers,
        "placebo_periods": one.tested.periods,
        "called_by_window": int(one.calls.by_window.sum()),
        "called_by_date": int(one.calls.by_date.sum()),
        "called": int(called.sum()),
        "steps_since": 0 if dated is None else dated.since,
        "steps_before": 0 if dated is None else dated.before,
        "dates_since": 0 if dated is None else dated.dates_since,
        "dates_before": 0 if dated is None else dated.dates_before,
        "pseudo_dates": 0 if dated is None else dated.pseudo_dates,
        "pseudo_calls": 0 if dated is None else dated.pseudo_calls,
        "year_before_tested": one.year_before[0],
        "year_before_called": one.year_before[1],
        "controls": int(one.controls.sum()),
        "controls_called": int(one.calls.controls_called.sum()),
        "members_with_gaps": list(span.gaps),
        "members_left_out": span.left_out["reporter_iso"].to_list(),
    }


def hubs(of: Legs, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """A row a window and hub, columns of SupplyHubs."""
    rows = [
        {**_window_key(of, one), "importer_iso": of.importers[int(importer)], **_hub(of, one, int(importer), settings)}
        for one in judged
        for importer in np.unique(of.importer[one.asked])
    ]
    return _rows(contracts.SupplyHubs, [{**row, "says": sentences.hub(row)} for row in rows])


def _hub(of: Legs, one: Judged, importer: int, settings: Settings) -> dict[str, object]:
    mine = of.importer == importer
    tested, controls = mine & one.gated, mine & one.controls
    counts = [int(marks.sum()) for marks in (tested, mine & one.called, controls, mine & one.calls.controls_called)]
    dose, chance = beside.dose_response(one.rise, one.direct.fall_log[of.good], np.flatnonzero(tested))
    own = one.tested.effect[np.flatnonzero(mine)[0]]
    rises = one.rise.rise_log[tested]
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


def months(of: Legs, judged: Sequence[Judged]) -> pl.DataFrame:
    """The months of the legs that any window calls, columns of SupplySeries."""
    row = np.flatnonzero(
        np.logical_or.reduce([np.zeros(len(of.good), dtype=np.bool_), *[one.called for one in judged]])
    )
    frame = pl.DataFrame(
        {
            "good": of.goods.gather(np.repeat(of.good[row], len(of.months))),
            "importer_iso": of.importers.gather(np.repeat(of.importer[row], len(of.months))),
            "ref_date": pl.Series(list(of.months) * len(row), dtype=pl.Date),
            "value_usd": _known(of.value[row].reshape(-1)),
        }
    )
    return _as(contracts.SupplySeries, [frame])


def refused(of: Legs, judged: Sequence[Judged], settings: Settings) -> pl.DataFrame:
    """Hubs' legs that are material in a window since the measure and cannot be compared, columns of SupplyRefused."""
    parts = []
    for one in judged:
        name = refusal(of, one.spell)[of.good]
        largest = np.maximum(of.value[:, one.spell.at(one.spell.end)], 0).sum(axis=1)
        is_large = largest >= least_usd(settings, one.spell.months)
        row = np.flatnonzero(is_large & of.is_hub[of.importer] & ~one.rise.is_known & (not one.is_before))
        named = pl.Series([text or "outside_extract" for text in name[row].tolist()], dtype=pl.String)
        parts.append(
            _key(of, one, row).with_columns(
                refusal=named, says=named.replace_strict(REFUSALS, return_dtype=pl.String), value_usd=largest[row]
            )
        )
    return _as(contracts.SupplyRefused, parts)
