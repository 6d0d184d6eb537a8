"""What questions read of the store: which columns of each table, and the rows of a window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.keys import ROUTE, SERIES_KEY, WINDOW_TYPES
from anomaly.flags.rule import MEASURES
from anomaly.indicators import INDICATORS

BROKEN = "families.broken"
BOTH_SIDES = (
    "export_value_fob_usd",
    "import_value_cif_usd",
    "reexport_value_fob_usd",
    "net_wgt_g",
)  # of bilateral, in a series

Tables = Mapping[str, pl.DataFrame]


def _kind_of(name: str) -> Any:
    """The type of a column of features that the rule of a flag looks at, by its name."""
    if name in {indicator.name for indicator in INDICATORS}:
        return pl.Float64
    return pl.Int64 if name.endswith("_usd") else pl.Boolean if name.startswith("is_") else pl.Float64


# What is read of each table; a table that the store does not hold is an empty frame of these columns.
COLUMNS: dict[str, dict[str, Any]] = {
    "bilateral": {
        **dict.fromkeys(SERIES_KEY, pl.String),
        "ref_date": pl.Date,
        **dict.fromkeys(("source", "dataset", "value_basis"), pl.String),
        "value_usd": pl.Int64,
    },
    "features": {
        **WINDOW_TYPES,
        **dict.fromkeys((*ROUTE, "source", "value_basis", "baseline_years"), pl.String),
        "baseline_gap_years": pl.Int8,
        **dict.fromkeys(("value_usd", "value_prior_year_usd", "value_baseline_usd"), pl.Int64),
        **{name: _kind_of(name) for name in MEASURES},
    },
    "features.refused": {**WINDOW_TYPES, **dict.fromkeys((*ROUTE, "says"), pl.String)},
    "flags": {
        **WINDOW_TYPES,
        **dict.fromkeys((*ROUTE, "flag_id", "flag_type", "severity"), pl.String),
        "q_value": pl.Float64,
        "reasons": pl.List(pl.Struct({"text": pl.String})),
    },
    "scores": {
        **WINDOW_TYPES,
        **dict.fromkeys(ROUTE, pl.String),
        "q_value": pl.Float64,
    },
    "scores.calibration": {
        **WINDOW_TYPES,
        "leg": pl.String,
        "q_limit": pl.Float64,
    },
    "coverage": {
        **dict.fromkeys(("source", "dataset", "freq_code", "reporter_iso", "flow_code"), pl.String),
        "ref_date": pl.Date,
        "hs_edition": pl.Int8,
        "is_complete": pl.Boolean,
    },
    BROKEN: {"good": pl.String, "newer_edition": pl.Int8},
    "coverage.scope": {
        **dict.fromkeys(("source", "dataset", "freq_code", "flow_code", "dimension", "code"), pl.String),
        "ref_date": pl.Date,
        **dict.fromkeys(("rows", "smallest_value_usd"), pl.Int64),
    },
}  # fmt: skip


def table(tables: Tables, name: str) -> pl.DataFrame:
    """A table's columns that questions use.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        The store's tables by name.
    name : str
        A key of COLUMNS.

    Returns
    -------
    polars.DataFrame
        The columns of COLUMNS[name] in their order; without rows where the store does not hold the table.
    """
    return tables[name].select(list(COLUMNS[name])) if name in tables else pl.DataFrame(schema=COLUMNS[name])
