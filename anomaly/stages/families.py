"""flows → families and families.broken: the goods that are compared, whatever edition of the HS a code is of."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.contract.settings import Settings
from anomaly.stages.stage import Lazy, Stage


def _links(_settings: Settings) -> Iterator[tuple[pl.DataFrame]]:
    from anomaly.reference import editions

    yield (editions.edition_links(),)


def _families(flows: pl.LazyFrame, links: pl.DataFrame, _settings: Settings) -> Iterator[tuple[pl.DataFrame, ...]]:
    """Across the editions in all flows, older releases too: a split that no row straddles coarsens nothing."""
    from anomaly.bilateral import bilateral
    from anomaly.reference import editions, families

    edition = editions.edition_number(pl.col("classification_code"))
    codes = flows.select("classification_code", pl.col("cmd_code").str.slice(0, 6)).unique()
    codes = codes.collect(engine="streaming").lazy()
    used = codes.select(edition.unique()).collect().to_series().drop_nulls().to_list()
    linked = editions.linked_goods(used, links)
    of_code = families.map_of(linked, used).select("edition", "cmd_code", "good")
    goods = bilateral.with_goods(codes, of_code, edition).select(pl.col("good").unique().sort()).collect()["good"]
    yield of_code, families.broken(goods, families.breaks_of(linked), editions.edition_tables(), used)


LINKS = Stage("links between editions", (), ("links",), _links)
FAMILIES = Stage("families", (Lazy("flows"), "links"), ("families", "families.broken"), _families)
STAGES = (LINKS, FAMILIES)
