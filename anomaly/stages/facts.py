"""What stages take from the reference tables: countries, and measures with their dates."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.stages.stage import Stage


def _countries(_settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import countries

    yield (countries.table(),)


def _policy_events(_settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import policy_events

    yield (policy_events.read_all(),)


COUNTRIES = Stage("countries", (), ("countries",), _countries)
POLICY_EVENTS = Stage("measures", (), ("policy_events",), _policy_events)
