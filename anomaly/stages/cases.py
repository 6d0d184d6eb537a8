"""flags → cases, and cases beside those of the run before → changes."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.stages.stage import Stage

BEFORE = "cases_of_the_run_before"  # no table of this run: the job of changes has it at hand; no column: there was none


def _cases(flags: pl.DataFrame, _settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.cases import cases

    yield (cases.build(flags),)


def _changes(
    cases: pl.DataFrame, before: pl.DataFrame, _settings: Settings
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    from anomaly.cases import changes
    from anomaly.contract.schema_cases import Cases

    was_there = bool(before.columns)
    yield changes.build(cases, before if was_there else None), before if was_there else Cases.create_empty()


CASES = Stage("cases", ("flags",), ("cases",), _cases)
CHANGES = Stage("changes", ("cases", BEFORE), ("changes", "changes.before"), _changes)
STAGES = (CASES, CHANGES)
