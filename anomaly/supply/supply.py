"""bilateral → supply: what the coalition sells each hub, good by good, and which of it rose beyond what can be explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import dataframely as dy
import polars as pl

from anomaly.contract import schema_supply as contracts
from anomaly.contract.settings import Settings
from anomaly.supply import frames, judge, rise, series
from anomaly.supply.reporting import Span
from anomaly.supply.series import Legs


@dataclass(frozen=True, slots=True)
class Tables:
    """The table supply and its companions, columns of their contracts, sorted by their keys.

    Parameters
    ----------
    supply : polars.DataFrame
        Supply: a row a material leg and window.
    calibration : polars.DataFrame
        SupplyCalibration: a row a window.
    hubs : polars.DataFrame
        SupplyHubs: a row a window and hub.
    series : polars.DataFrame
        SupplySeries: a row a called leg and month.
    refused : polars.DataFrame
        SupplyRefused: a row a leg and window that cannot be compared.
    """

    supply: pl.DataFrame
    calibration: pl.DataFrame
    hubs: pl.DataFrame
    series: pl.DataFrame
    refused: pl.DataFrame


CONTRACTS: dict[str, type[dy.Schema]] = {
    "supply": contracts.Supply,
    "calibration": contracts.SupplyCalibration,
    "hubs": contracts.SupplyHubs,
    "series": contracts.SupplySeries,
    "refused": contracts.SupplyRefused,
}


def build(
    chunks: Iterable[pl.DataFrame],
    spans: Sequence[Span],
    broken: pl.DataFrame,
    settings: Settings,
    lists: pl.DataFrame | None = None,
) -> Tables:
    """Every window of every material leg from the coalition to a hub.

    Parameters
    ----------
    chunks : sequence of polars.DataFrame
        bilateral, whole goods, sorted by good, frequency, exporter, importer and period.
    spans : sequence of Span
        reporting.spans: which months are read, and whose.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is never compared.
    settings : Settings
        Scenario: coalition, targets, date of the measure, goods_asked, materiality and all of `supply`.
    lists : polars.DataFrame, optional
        reference.goods.listed; needed where the scenario asks about listed goods only.

    Returns
    -------
    Tables
        Without what the members, the hub and the targets report: see `sides.beside`.
    """
    least = round(rise.least_usd(settings, settings.supply.window_months))
    by_chunk = [series.legs(chunk, spans, broken, least, settings) for chunk in chunks]
    tables = [
        _of_span(legs, span, settings, lists)
        for number, span in enumerate(spans)
        if (legs := series.joined(parts[number] for parts in by_chunk)) is not None
    ]
    return _together(tables)


def _of_span(legs: Legs, span: Span, settings: Settings, lists: pl.DataFrame | None) -> Tables:
    """All windows that are read from one run of months."""
    judged = judge.windows(legs, span, settings, lists)
    return Tables(
        frames.legs(legs, judged, settings),
        frames.calibration(legs, span, judged, settings),
        frames.hubs(legs, judged, settings),
        frames.months(legs, judged),
        frames.refused(legs, judged, settings),
    )


def _together(tables: Sequence[Tables]) -> Tables:
    frames_by_name = {}
    for field in fields(Tables):
        contract = CONTRACTS[field.name]
        frame = pl.concat([contract.create_empty(), *[getattr(part, field.name) for part in tables]])
        # the months of a leg are those of the last run it is called in
        frames_by_name[field.name] = frame.unique(contract.primary_key(), keep="last").sort(contract.primary_key())
    return Tables(**frames_by_name)
