"""Small made-up trade for tests: flows in the shape of schema.Flows, from short rows."""

from datetime import date
from typing import Any

import polars as pl

from anomaly.bilateral import bilateral
from anomaly.contract.schema import Scope
from anomaly.contract.settings import Settings, load
from anomaly.contract.tables import Frame
from anomaly.reference import nomenclature
from anomaly.stages.order import through

NO_FAMILIES = pl.DataFrame(schema={"edition": pl.Int8, "cmd_code": pl.String, "good": pl.String})
PHONES = pl.DataFrame(
    {"edition": [5, 6, 6], "cmd_code": ["851712", "851713", "851714"], "good": ["851712+"] * 3},
    schema_overrides={"edition": pl.Int8},
)
ALL_LINKED = pl.DataFrame(schema={"good": pl.String, "newer_edition": pl.Int8})
PRECEDENCE = pl.DataFrame({"source": ["comtrade", "comext", "baci"], "precedence": [10, 20, 30]})


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
    return pl.DataFrame({"iso3": names, "name": names, "kind": ["country"] * len(names)})


def at_hand(
    rows: list[dict[str, Any]], families: pl.DataFrame = NO_FAMILIES, broken: pl.DataFrame = ALL_LINKED
) -> dict[str, Frame]:
    """What a run would go on from: the current flows of short rows, families, countries and the order of publishers."""
    return {
        "current": bilateral.with_goods(flows(rows), families, EDITION),
        "withheld": Scope.create_empty(),
        "families": families,
        "families.broken": broken,
        "countries": countries(rows),
        "precedence": PRECEDENCE,
    }


def broken_in(*changes: tuple[str, int]) -> pl.DataFrame:
    """Goods with the newer editions whose coming they do not survive."""
    return pl.DataFrame(changes, schema=ALL_LINKED.schema, orient="row")


def prepared(rows: list[dict[str, Any]], families: pl.DataFrame = NO_FAMILIES) -> tuple[pl.DataFrame, ...]:
    """(bilateral, coverage, scope) of short rows."""
    tables = ["bilateral", "coverage", "coverage.scope"]
    made = through(tables, at_hand(rows, families), load())
    return tuple(made.read(table) for table in tables)


def measured(
    rows: list[dict[str, Any]],
    families: pl.DataFrame = NO_FAMILIES,
    broken: pl.DataFrame = ALL_LINKED,
    settings: Settings | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(features, refused) of short rows."""
    made = through(["features", "features.refused"], at_hand(rows, families, broken), settings or load())
    return made.read("features"), made.read("features.refused")


def years(reporter: str, partner: str, values: dict[int, int], **options: Any) -> list[dict[str, Any]]:
    """One flow a year."""
    return [flow(year, reporter, partner, value, **options) for year, value in values.items()]
