"""What a report is: frames in, the bytes of one document out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from anomaly.contract.schema_supply import Leakage, LeakageCoverage, SupplyCalibration, SupplyHubs


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a report may show. Frames keep the contracts of schema.TABLES.

    run         run id, code version, scenario name and title, settings as text, windows, `is_simulated`; where it has
                them, `publishers` (source → name for people) and `indicators` (name → what it measures)
    goods       good → short name for people
    countries   ISO-3 → English name
    supply, supply_hubs, leakage, leakage_coverage   what the coalition sells to hubs; empty where it does not report it
    series      one row per flag_id and period: flag_id, ref_date, value_usd (null where not reported)
    """

    run: dict[str, Any]
    flags: pl.DataFrame
    without: pl.DataFrame
    rollups: pl.DataFrame
    calibration: pl.DataFrame
    refused: pl.DataFrame
    files: pl.DataFrame
    rejected: pl.DataFrame
    series: pl.DataFrame
    goods: dict[str, str]
    countries: dict[str, str]
    supply: pl.DataFrame = field(default_factory=SupplyCalibration.create_empty)
    supply_hubs: pl.DataFrame = field(default_factory=SupplyHubs.create_empty)
    leakage: pl.DataFrame = field(default_factory=Leakage.create_empty)
    leakage_coverage: pl.DataFrame = field(default_factory=LeakageCoverage.create_empty)


@dataclass(frozen=True, slots=True)
class Report:
    """A format: `render` gives the same bytes for the same findings, always."""

    name: str
    suffix: str
    says: str
    render: Callable[[Findings], bytes]
