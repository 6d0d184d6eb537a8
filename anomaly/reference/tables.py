"""The facts as files: `reference/*.csv`, each row or file with its source and date (docs/reference.md)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import polars as pl

REFERENCE = Path(__file__).parent


@cache
def read(name: str) -> pl.DataFrame:
    """A reference table, every column as text; an empty cell is null.

    The largest has some hundred rows: the standard library reads it in less time than a CSV engine takes to start, and
    every question reads two.

    Parameters
    ----------
    name : str
        Name of a CSV file in this folder.

    Returns
    -------
    polars.DataFrame
        The file's own columns and rows, in its order.
    """
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    return pl.DataFrame(
        {column: [cell or None for cell in cells] for column, cells in columns.items()},
        schema=dict.fromkeys(header, pl.String),
    )
