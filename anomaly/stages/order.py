"""Every stage from flows to what is flagged, in order. A stage between two others is put in here, by its table's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anomaly.contract.settings import Settings
from anomaly.contract.tables import Frame
from anomaly.stages import bilateral, coverage, families, features, flags, scores, stage
from anomaly.stages.stage import Held, Stage


def stages() -> tuple[Stage, ...]:
    """All stages up to the flags themselves; what a stage reads is made by one before it, or is flows."""
    listed = (
        *families.STAGES,
        *coverage.STAGES,
        *bilateral.STAGES,
        *features.STAGES,
        *scores.STAGES,
        *flags.STAGES,
    )
    return tuple(dict.fromkeys(listed))  # current flows, countries and goods lists are in more than one row


def through(names: Sequence[str], at_hand: Mapping[str, Frame], settings: Settings) -> Held:
    """Make tables in memory from those at hand, as a run makes them.

    Parameters
    ----------
    names : sequence of str
        Names of the tables to make.
    at_hand : mapping of str to polars.DataFrame or polars.LazyFrame
        Tables at hand, by name; these are not made, even where a stage could.
    settings : Settings
        The scenario.

    Returns
    -------
    Held
        The tables wanted: `.read(name)` for a frame, `.scan(name)` lazily.

    Raises
    ------
    ContractBroken
        Where a table is needed that is neither given nor made by a stage.
    """
    return stage.through(stages(), names, at_hand, settings)
