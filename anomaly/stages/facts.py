"""What stages take from the reference tables: countries, and of the scenario's regime goods lists, dated measures and cases."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.stages.stage import Stage


def _countries(settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    """A group that the scenario names in its coalition trades as a country does: sums that are published without members."""
    from anomaly.reference import countries

    is_member = pl.col("iso3").is_in(list(settings.coalition.countries)) & (pl.col("kind") == "group")
    yield (countries.table().with_columns(kind=pl.when(is_member).then(pl.lit("country")).otherwise("kind")),)


def _goods_lists(families: pl.DataFrame, settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import goods

    yield (goods.listed([goods_list.file for goods_list in settings.goods_lists], families),)


def _policy_events(settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import policy_events

    yield (policy_events.of(settings.facts_of),)


def _published_cases(settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import cases

    yield (cases.read().filter(pl.col("regime") == settings.facts_of),)


COUNTRIES = Stage("countries", (), ("countries",), _countries)
GOODS_LISTS = Stage("goods lists", ("families",), ("goods_lists",), _goods_lists)
POLICY_EVENTS = Stage("measures", (), ("policy_events",), _policy_events)
PUBLISHED_CASES = Stage("published cases", (), ("published_cases",), _published_cases)
