"""What a report is: frames in, the bytes of one document out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from anomaly.contract.schema_cases import Cases, Changes
from anomaly.contract.schema_supply import Leakage, LeakageCoverage, SupplyCalibration, SupplyHubs


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a report may show. Frames keep the contracts of schema.TABLES.

    Parameters
    ----------
    run : dict
        run_id, code_version, scenario (its name), title, settings (nested, or as text), is_simulated; where it has them,
        publishers (source → name for people) and indicators (name → what it measures).
    flags : polars.DataFrame
        The table flags.
    without : polars.DataFrame
        The table flags.without.
    rollups : polars.DataFrame
        The table rollups.
    calibration : polars.DataFrame
        The table scores.calibration.
    refused : polars.DataFrame
        The table features.refused.
    files : polars.DataFrame
        The table flows.files.
    rejected : polars.DataFrame
        The table flows.rejected.
    series : polars.DataFrame
        One row per flag and period: flag_id, ref_date, value_usd (null where not reported).
    goods : dict of str to str
        Good → short name for people.
    countries : dict of str to str
        ISO-3 → English name.
    cases, changes : polars.DataFrame
        The tables of these names.
    supply, supply_hubs, leakage, leakage_coverage : polars.DataFrame
        What the coalition sells to hubs: supply.calibration, supply.hubs and the two tables of leakage; empty where it does
        not report it by month.
    doubts : polars.DataFrame
        The table flows.doubts; empty where there are none.
    set_aside : polars.DataFrame
        The table flows.set_aside; empty where there are none.
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
    cases: pl.DataFrame = field(default_factory=Cases.create_empty)
    changes: pl.DataFrame = field(default_factory=Changes.create_empty)
    supply: pl.DataFrame = field(default_factory=SupplyCalibration.create_empty)
    supply_hubs: pl.DataFrame = field(default_factory=SupplyHubs.create_empty)
    leakage: pl.DataFrame = field(default_factory=Leakage.create_empty)
    leakage_coverage: pl.DataFrame = field(default_factory=LeakageCoverage.create_empty)
    doubts: pl.DataFrame = field(default_factory=pl.DataFrame)
    set_aside: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True, slots=True)
class Report:
    """A format: the same findings give the same bytes, always.

    Parameters
    ----------
    name : str
        Name of the file without its suffix.
    suffix : str
        Suffix of the file, with its dot.
    says : str
        What it is, for a person who looks for it in the list.
    render : callable
        Findings → bytes of the document.
    """

    name: str
    suffix: str
    says: str
    render: Callable[[Findings], bytes]
