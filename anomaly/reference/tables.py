"""The facts as files: `reference/*.csv`, each row or file with its source and date (docs/reference.md)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

REFERENCE = Path(__file__).parent


@cache
def read(name: str) -> pl.DataFrame:
    """A reference table, every column as text; an empty cell is null.

    Parameters
    ----------
    name : str
        Name of a CSV file in this folder.

    Returns
    -------
    polars.DataFrame
        The file's own columns and rows, in its order.
    """
    return pl.read_csv(REFERENCE / name, infer_schema=False, encoding="utf8")
