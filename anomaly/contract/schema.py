"""The contract between tables: every table's columns, types, units and meaning, in one place.

A table of the store is one of `TABLES`. A name with a dot is a companion: it lies in the folder of the
table before the dot and is committed together with it. null is unknown, 0 is known to be nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import dataframely as dy
import polars as pl

from anomaly.contract.keys import ROUTE_KEY as ROUTE_KEY
from anomaly.contract.schema_bilateral import Bilateral as Bilateral
from anomaly.contract.schema_bilateral import Broken as Broken
from anomaly.contract.schema_bilateral import Families as Families
from anomaly.contract.schema_cases import Cases as Cases
from anomaly.contract.schema_cases import Changes as Changes
from anomaly.contract.schema_features import Features as Features
from anomaly.contract.schema_features import Pairs as Pairs
from anomaly.contract.schema_features import Refused as Refused
from anomaly.contract.schema_features import Roughness as Roughness
from anomaly.contract.schema_flags import Flags as Flags
from anomaly.contract.schema_flags import Without as Without
from anomaly.contract.schema_reported import FLOWS as FLOWS
from anomaly.contract.schema_reported import FREQUENCIES as FREQUENCIES
from anomaly.contract.schema_reported import MOST_PLAUSIBLE_USD as MOST_PLAUSIBLE_USD
from anomaly.contract.schema_reported import VALUE_BASES as VALUE_BASES
from anomaly.contract.schema_reported import Coverage as Coverage
from anomaly.contract.schema_reported import Doubts as Doubts
from anomaly.contract.schema_reported import Flows as Flows
from anomaly.contract.schema_reported import RawFiles as RawFiles
from anomaly.contract.schema_reported import Rejected as Rejected
from anomaly.contract.schema_reported import Scope as Scope
from anomaly.contract.schema_reported import SetAside as SetAside
from anomaly.contract.schema_reported import Withheld as Withheld
from anomaly.contract.schema_results import Backtest as Backtest
from anomaly.contract.schema_results import Rollups as Rollups
from anomaly.contract.schema_scores import Calibration as Calibration
from anomaly.contract.schema_scores import Contributions as Contributions
from anomaly.contract.schema_scores import Profiles as Profiles
from anomaly.contract.schema_scores import Scores as Scores
from anomaly.contract.schema_supply import (
    Leakage,
    LeakageCoverage,
    Supply,
    SupplyCalibration,
    SupplyHubs,
    SupplyRefused,
    SupplySeries,
)

TABLES: dict[str, type[dy.Schema]] = {
    "flows": Flows,
    "flows.rejected": Rejected,
    "flows.files": RawFiles,
    "flows.doubts": Doubts,
    "flows.set_aside": SetAside,
    "flows.withheld": Withheld,
    "families": Families,
    "families.broken": Broken,
    "coverage": Coverage,
    "coverage.scope": Scope,
    "bilateral": Bilateral,
    "features": Features,
    "features.refused": Refused,
    "features.pairs": Pairs,
    "features.roughness": Roughness,
    "supply": Supply,
    "supply.calibration": SupplyCalibration,
    "supply.hubs": SupplyHubs,
    "supply.series": SupplySeries,
    "supply.refused": SupplyRefused,
    "leakage": Leakage,
    "leakage.coverage": LeakageCoverage,
    "scores": Scores,
    "scores.calibration": Calibration,
    "scores.contributions": Contributions,
    "scores.profiles": Profiles,
    "flags": Flags,
    "flags.without": Without,
    "cases": Cases,
    "changes": Changes,
    "changes.before": Cases,
    "rollups": Rollups,
    "backtest": Backtest,
}


def is_own_gap(baseline_years: Sequence[int]) -> pl.Expr:
    """Rows of features that are compared with their window's own baseline; the others are placebos of later windows.

    Parameters
    ----------
    baseline_years : sequence of int
        The scenario's.

    Returns
    -------
    polars.Expr
        Boolean over window_end and baseline_gap_years.
    """
    year = pl.col("window_end").dt.year().cast(pl.Int64)
    return pl.col("baseline_gap_years") == pl.max_horizontal(pl.lit(1, dtype=pl.Int64), year - max(baseline_years))


def describe(table: str, contract: type[dy.Schema] | None = None) -> list[dict[str, str]]:
    """Name, type, unit and meaning of every column of a table, for `anomaly tables` and the docs.

    Parameters
    ----------
    table : str
        A name of TABLES.
    contract : type of dataframely.Schema, optional
        The table's own, where a registry has a part in it.

    Returns
    -------
    list of dict
        column, type, unit (empty where it has none), nullable (yes or no) and meaning, in the table's order.
    """
    return [
        {
            "column": name,
            "type": str(column.dtype),
            "unit": str((column.metadata or {}).get("unit", "")),
            "nullable": "yes" if column.nullable else "no",
            "meaning": column.description or "",
        }
        for name, column in (contract or TABLES[table]).columns().items()
    ]
