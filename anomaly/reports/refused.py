"""Comparisons that the data cannot carry, counted by reason and told in a line. Frames in, plain rows out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.periods import window_of
from anomaly.contract.schema import ROUTE_KEY
from anomaly.reports.amounts import usd

MOST_EXAMPLES = 3
_ROUTE = ("good", "exporter_iso", "importer_iso")


def refusals(refused: pl.DataFrame) -> list[dict[str, Any]]:
    """What could not be compared: per reason how often, and the largest trade it is about.

    Parameters
    ----------
    refused : polars.DataFrame
        The table features.refused.

    Returns
    -------
    list of dict
        The most frequent first: refusal, comparisons, routes, largest_usd (None where none is known), examples (rows of
        the table as dicts, the largest MOST_EXAMPLES routes).
    """
    ordered = refused.sort(["value_usd", *ROUTE_KEY], descending=[True] + [False] * len(ROUTE_KEY), nulls_last=True)
    rows = []
    for (name,), part in ordered.group_by("refusal", maintain_order=True):
        examples = part.unique(_ROUTE, keep="first", maintain_order=True).head(MOST_EXAMPLES)
        rows.append(
            {
                "refusal": str(name),
                "comparisons": part.height,
                "routes": part.select(_ROUTE).n_unique(),
                "largest_usd": part["value_usd"].max(),
                "examples": examples.to_dicts(),
            }
        )
    return sorted(rows, key=lambda row: (-row["comparisons"], row["refusal"]))


def refused_example(row: Mapping[str, Any], good: str, exporter: str, importer: str) -> str:
    """One refused comparison in a line.

    Parameters
    ----------
    row : mapping
        Of the table features.refused.
    good, exporter, importer : str
        Their names for people.

    Returns
    -------
    str
        A sentence, and the largest trade known where any is.
    """
    window = window_of(row).words
    largest = "" if row["value_usd"] is None else f" Largest trade known: {usd(row['value_usd'])}."
    return (
        f"{exporter} → {importer}, {row['good']} {good if good != row['good'] else ''}".rstrip()
        + f", {window}: {row['says'].rstrip('.')}.{largest}"
    )
