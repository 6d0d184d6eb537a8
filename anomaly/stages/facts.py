"""What stages take from the reference tables: countries, and of the scenario's regime goods lists and dated measures."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.stages.stage import Stage


def _countries(_settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import countries

    yield (countries.table(),)


def _goods_lists(families: pl.DataFrame, settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import goods

    yield (goods.listed([goods_list.file for goods_list in settings.goods_lists], families),)


def _policy_events(settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import policy_events

    yield (policy_events.of(settings.facts_of),)


COUNTRIES = Stage("countries", (), ("countries",), _countries)
GOODS_LISTS = Stage("goods lists", ("families",), ("goods_lists",), _goods_lists)
POLICY_EVENTS = Stage("measures", (), ("policy_events",), _policy_events)
