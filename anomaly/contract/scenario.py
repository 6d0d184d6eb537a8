"""What a question must know of the scenario that made the tables: plain data, read where `settings` would be slow to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT = "russia-2022"  # of anomaly/scenarios, where none is said


@dataclass(frozen=True, slots=True)
class Scenario:
    """The part of the settings that answers to questions hang on.

    Parameters
    ----------
    name, title : str
        As the scenario's file has them.
    baseline_years : tuple of int
        Years whose mean a later window is compared with.
    extract_floor_usd : int
        A long dataset without smaller values leaves them out.
    coalition, targets : tuple of str
        ISO 3166-1 alpha-3.
    """

    name: str
    title: str
    baseline_years: tuple[int, ...]
    extract_floor_usd: int
    coalition: tuple[str, ...]
    targets: tuple[str, ...]


def of_record(record: Mapping[str, Any]) -> Scenario:
    """The scenario that a table keeps.

    Parameters
    ----------
    record : mapping
        Settings.recorded.

    Returns
    -------
    Scenario
        The part of it that questions use.
    """
    return Scenario(
        name=record["name"],
        title=record["title"],
        baseline_years=tuple(record["baseline_years"]),
        extract_floor_usd=record["extract_floor_usd"],
        coalition=tuple(record["coalition"]["countries"]),
        targets=tuple(record["targets"]["countries"]),
    )
