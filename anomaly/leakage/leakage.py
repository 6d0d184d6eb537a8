"""bilateral → leakage: hub by good, hub and good, with an interval, and how often such intervals held the year before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from anomaly.contract.periods import Window
from anomaly.contract.schema_supply import Leakage, LeakageCoverage
from anomaly.contract.settings import Settings
from anomaly.features.level_shifts import Floats
from anomaly.features.marks import Amounts
from anomaly.leakage import counterfactual
from anomaly.leakage.counterfactual import Cells, Growths
from anomaly.supply import rise, series, stock
from anomaly.supply.asked import in_question
from anomaly.supply.reporting import Span
from anomaly.supply.rise import Spell
from anomaly.supply.series import Legs

CHAPTER_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Tables:
    """The table leakage and how its intervals did, columns of their contracts, sorted by their keys.

    Parameters
    ----------
    leakage : polars.DataFrame
        Leakage: hub by good, hub, good and all, a row each and window.
    coverage : polars.DataFrame
        LeakageCoverage: how often the intervals held the year before, a row a window and kind of sum.
    """

    leakage: pl.DataFrame
    coverage: pl.DataFrame


def build(
    chunks: Iterable[pl.DataFrame],
    spans: Sequence[Span],
    broken: pl.DataFrame,
    settings: Settings,
    lists: pl.DataFrame | None = None,
) -> Tables:
    """What the coalition sold hubs beyond what the years before the measure explain, of goods whose direct trade fell.

    Parameters
    ----------
    chunks : sequence of polars.DataFrame
        bilateral, whole goods, sorted by good, frequency, exporter, importer and period.
    spans : sequence of Span
        reporting.spans: which months are read, and whose.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is never compared.
    settings : Settings
        Scenario: coalition, targets, date of the measure, goods_asked, materiality, least_months and all of `supply`.
    lists : polars.DataFrame, optional
        reference.goods.listed; needed where the scenario asks about listed goods only.

    Returns
    -------
    Tables
        Windows of `supply.window_months`, and the year so far up to the last month out and to each December.
    """
    by_chunk = [series.legs(chunk, spans, broken, 0, settings, (series.HUB,)) for chunk in chunks]
    tables = [
        table
        for number, span in enumerate(spans)
        if (legs := series.joined(parts[number] for parts in by_chunk)) is not None
        for table in _of_span(legs, span, spans[-1].ends[-1], settings, lists)
    ]
    leakage = pl.concat([Leakage.create_empty(), *[table.leakage for table in tables]])
    coverage = pl.concat([LeakageCoverage.create_empty(), *[table.coverage for table in tables]])
    return Tables(leakage.sort(Leakage.primary_key()), coverage.sort(LeakageCoverage.primary_key()))


def _of_span(legs: Legs, span: Span, last: date, settings: Settings, lists: pl.DataFrame | None) -> Iterable[Tables]:
    measure = legs.position(settings.sanctions_since.replace(day=1))
    rules = settings.model_copy(update={"supply": settings.supply.model_copy(update={"reference_years": 1})})
    for end in span.ends:
        lengths = {settings.supply.window_months}
        if end == last or end.month == 12:
            lengths.add(end.month if end.month >= settings.least_months else settings.supply.window_months)
        for months in sorted(lengths):
            window = rise.spell(legs.months.index(end), measure, months, None, rules)
            if window is not None and (table := _window(legs, window, measure, settings, lists)) is not None:
                yield table


def _window(legs: Legs, window: Spell, measure: int, settings: Settings, lists: pl.DataFrame | None) -> Tables | None:
    """One window; None where the data do not reach back to a year before that nothing was diverted in."""
    before = replace(window, end=window.before[0], before=(2 * window.before[0] - window.end,))
    if before.before[0] - window.months + 1 < 0:
        return None
    direct = rise.direct(legs, window, settings)
    is_known = (rise.refusal(legs, window) == "") & (rise.refusal(legs, before) == "")
    end, is_before = legs.months[window.end], window.end < measure
    counted = direct.fell & is_known & in_question(legs.goods, end, lists, settings, is_before=is_before)
    now = counterfactual.cells(legs, window.at(window.end), window.at(window.before[0]), counted)
    then = counterfactual.cells(legs, before.at(before.end), before.at(before.before[0]), counted)
    if not now.value.size:
        return None
    all_hubs = np.ones(len(now.hubs), dtype=np.bool_)
    past = counterfactual.growths(then, all_hubs, window.months, settings)
    key = {"freq_code": "M", "window_months": window.months, "window_end": legs.months[window.end]}
    rows = _rows(legs, now, past, direct, window.months, settings)
    kinds = {name: column.dtype for name, column in Leakage.columns().items()}
    leakage = rows.with_columns(
        **{name: pl.lit(value) for name, value in key.items()}, is_before_sanctions=pl.lit(window.end < measure)
    ).select(pl.col(name).cast(kind) for name, kind in kinds.items())
    laid_in = stock.says(stock.before_measure(legs, settings), now.goods, direct.target[now.goods])
    return Tables(leakage, _coverage(legs, then, before, key, settings, laid_in))


def _rows(legs: Legs, now: Cells, past: Growths, direct: rise.Direct, months: int, settings: Settings) -> pl.DataFrame:
    """Every cell with trade, every hub, every good and all of it."""
    hubs, goods = legs.importers.gather(now.hubs), legs.goods.gather(now.goods)
    by_good = np.zeros((len(goods), settings.supply.draws))
    parts, of_hubs = [], []
    sent, sent_then = (np.maximum(amounts[now.goods], 0) for amounts in (direct.value, direct.prior))
    for at, hub in enumerate(hubs):
        drawn = counterfactual.draws(now.prior[at], past, months, settings, _number(hub))
        by_good += drawn
        of_hubs.append(drawn.sum(axis=0))
        traded = np.flatnonzero((now.value[at] > 0) | (now.prior[at] > 0))
        cells = _frame(drawn[traded], now.value[at, traded], now.prior[at, traded], settings)
        parts.append(
            _named(
                cells, "hub_good", [hub] * len(traded), goods.gather(traded).to_list(), sent[traded], sent_then[traded]
            )
        )
    everywhere = np.ones(len(goods), dtype=np.int64)
    per_hub = _frame(np.stack(of_hubs), now.value.sum(axis=1), now.prior.sum(axis=1), settings)
    all_sent = np.full(len(hubs), sent.sum()), np.full(len(hubs), sent_then.sum())
    parts.append(_named(per_hub, "hub", hubs.to_list(), [""] * len(hubs), *all_sent, legs=len(goods)))
    per_good = _frame(by_good, now.value.sum(axis=0), now.prior.sum(axis=0), settings)
    parts.append(_named(per_good, "good", [""] * len(goods), goods.to_list(), sent, sent_then, legs=len(hubs)))
    total = _frame(np.sum(of_hubs, axis=0)[None], now.value.sum()[None], now.prior.sum()[None], settings)
    parts.append(
        _named(
            total, "all", [""], [""], sent.sum()[None], sent_then.sum()[None], legs=len(hubs) * int(everywhere.sum())
        )
    )
    return pl.concat(parts)


def _number(hub: str) -> int:
    """A number of a country code that no other country has."""
    return int.from_bytes(hub.encode(), "big")


def _frame(drawn: Floats, value: Amounts, prior: Amounts, settings: Settings) -> pl.DataFrame:
    low, middle, high = counterfactual.interval(drawn, settings).reshape(-1, 3).T
    return pl.DataFrame(
        {
            "value_usd": value,
            "value_prior_year_usd": prior,
            "counterfactual_low_usd": low,
            "counterfactual_middle_usd": middle,
            "counterfactual_high_usd": high,
            "excess_low_usd": value - high,
            "excess_middle_usd": value - middle,
            "excess_high_usd": value - low,
        }
    )


def _named(
    frame: pl.DataFrame,
    level: str,
    hubs: list[str],
    goods: list[str],
    sent: Amounts,
    sent_then: Amounts,
    *,
    legs: int = 1,
) -> pl.DataFrame:
    lost = pl.max_horizontal(pl.col("direct_prior_usd") - pl.col("direct_usd"), 0)
    return frame.with_columns(
        level=pl.lit(level),
        importer_iso=pl.Series(hubs, dtype=pl.String),
        good=pl.Series(goods, dtype=pl.String),
        legs=pl.lit(legs),
        direct_usd=pl.Series(sent, dtype=pl.Int64),
        direct_prior_usd=pl.Series(sent_then, dtype=pl.Int64),
    ).with_columns(direct_lost_usd=lost).with_columns(
        excess_of_lost_share=pl.when(pl.col("direct_lost_usd") > 0).then(
            pl.col("excess_middle_usd") / pl.col("direct_lost_usd")
        )
    )  # fmt: skip


def _coverage(
    legs: Legs, before_cells: Cells, before: Spell, key: dict[str, object], settings: Settings, laid_in: str
) -> pl.DataFrame:
    """How often the interval held what came a year before, each hub by the growth of the others; and what was laid in."""
    chapter = legs.goods.gather(before_cells.goods).str.slice(0, CHAPTER_DIGITS).to_numpy()
    least = settings.materiality_usd * before.months / 12
    tried = {"hub_chapter": [0, 0], "hub": [0, 0]}
    for at, hub in enumerate(legs.importers.gather(before_cells.hubs)):
        is_other_hub = np.arange(len(before_cells.hubs)) != at
        if not is_other_hub.any():
            continue
        past = counterfactual.growths(before_cells, is_other_hub, before.months, settings)
        drawn = counterfactual.draws(before_cells.prior[at], past, before.months, settings, _number(hub))
        for level, groups in (("hub_chapter", np.unique(chapter)), ("hub", [""])):
            for group in groups:
                members = np.flatnonzero((chapter == group) | (level == "hub"))
                if before_cells.prior[at, members].sum() >= least:
                    low, _, high = counterfactual.interval(drawn[members].sum(axis=0), settings)
                    tried[level][0] += 1
                    tried[level][1] += bool(low <= before_cells.value[at, members].sum() <= high)
    rows = [
        {**key, "of": level, "interval_share": settings.supply.interval_share, "sums": sums, "held": held,
         "checked_end": legs.months[before.end], "says": f"{_says(legs, before, level, sums, held, settings)} {laid_in if level == 'hub' else ''}".strip()}
        for level, (sums, held) in tried.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema={name: column.dtype for name, column in LeakageCoverage.columns().items()})


def _says(legs: Legs, before: Spell, level: str, sums: int, held: int, settings: Settings) -> str:
    summed_over = {"hub": "a hub's goods", "hub_chapter": "a hub's goods of a chapter"}[level]
    window = Window("M", before.months, legs.months[before.end]).words
    if not sums:
        return f"Of sums over {summed_over} none was large enough in {window} to try the interval on."
    return (
        f"In {window}, before the measure, intervals that ask for {100 * settings.supply.interval_share:.0f} % held "
        f"{held} of {sums} sums over {summed_over} ({100 * held / sums:.1f} %), each hub by the growth of the others."
    )
