"""Small made-up trade for tests: flows in the shape of schema.Flows, from short rows."""

from datetime import date
from typing import Any

import polars as pl

from anomaly.bilateral import bilateral, coverage
from anomaly.contract.settings import Settings, load
from anomaly.features import features
from anomaly.features.refusals import Breaks
from anomaly.reference import nomenclature

NO_FAMILIES = pl.DataFrame(schema={"edition": pl.Int8, "cmd_code": pl.String, "good": pl.String})
PHONES = pl.DataFrame(
    {"edition": [5, 6, 6], "cmd_code": ["851712", "851713", "851714"], "good": ["851712+"] * 3},
    schema_overrides={"edition": pl.Int8},
)
ALL_LINKED = Breaks(
    unstable=pl.DataFrame(schema={"good": pl.String, "newer_edition": pl.Int8}),
    tables=pl.DataFrame({"older": [4, 5], "newer": [5, 6], "chapter": ["all", "all"]}),
)


def codes_of(chapter: str, count: int, edition: int = 6) -> list[str]:
    """The first codes of a chapter, or of all that follow it, in an edition."""
    codes = nomenclature.codes().filter(pl.col("edition") == edition, pl.col("code") >= chapter)["code"]
    return codes.head(count).to_list()


EDITION = pl.col("classification_code").str.slice(1).cast(pl.Int8)


def flow(
    period: int | str,
    reporter: str,
    partner: str,
    value: int,
    *,
    code: str = "847989",
    flow: str = "X",
    edition: str | None = None,
    source: str = "comtrade",
    dataset: str = "extract",
    weight_g: int | None = None,
) -> dict[str, Any]:
    """One flow; an int is a year, '2022-07' a month."""
    year, month = (period, 1) if isinstance(period, int) else (int(period[:4]), int(period[5:]))
    return {
        "source": source,
        "dataset": dataset,
        "freq_code": "A" if isinstance(period, int) else "M",
        "ref_date": date(year, month, 1),
        "reporter_iso": reporter,
        "partner_iso": partner,
        "flow_code": flow,
        "classification_code": edition or ("H6" if year >= 2022 else "H5"),
        "cmd_code": code,
        "primary_value_usd": value,
        "net_wgt_g": weight_g,
    }


def flows(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    """Flows of short rows."""
    return pl.DataFrame(rows, schema_overrides={"net_wgt_g": pl.Int64}).lazy()


def countries(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Every reporter and partner of the rows, as real countries."""
    names = sorted({row["reporter_iso"] for row in rows} | {row["partner_iso"] for row in rows})
    return pl.DataFrame({"iso3": names, "kind": ["country"] * len(names)})


def prepared(rows: list[dict[str, Any]], families: pl.DataFrame = NO_FAMILIES) -> tuple[pl.DataFrame, ...]:
    """(bilateral, coverage, scope) of short rows."""
    goods = bilateral.with_goods(flows(rows), families, EDITION)
    who, scope = coverage.build(goods)
    precedence = {"comtrade": 10, "comext": 20, "baci": 30}
    return bilateral.build(goods, who, scope, countries(rows), precedence, 2019), who, scope


def measured(
    rows: list[dict[str, Any]],
    families: pl.DataFrame = NO_FAMILIES,
    breaks: Breaks = ALL_LINKED,
    settings: Settings | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(features, refused) of short rows."""
    settings = settings or load()
    sides, who, scope = prepared(rows, families)
    return features.build(sides, features.plan(who, scope, breaks, settings), settings)


def years(reporter: str, partner: str, values: dict[int, int], **options: Any) -> list[dict[str, Any]]:
    """One flow a year."""
    return [flow(year, reporter, partner, value, **options) for year, value in values.items()]
