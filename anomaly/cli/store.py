"""What commands share: the question as typed, the store it is put to, and the tables that are read for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anomaly.contract.errors import BadRequest, SourceUnavailable
from anomaly.contract.scenario import Scenario, of_record
from anomaly.flags.rule import limits_of_record
from anomaly.flags.types.base import Limits
from anomaly.query import question as asking
from anomaly.query.held import COLUMNS
from anomaly.query.question import Question
from anomaly.reference import countries, goods
from anomaly.store import made_by
from anomaly.store.store import Store

Frames = dict[str, pl.DataFrame]

_EDITIONS = (4, 5, 6)  # HS 2012, 2017 and 2022: where the store does not say
_TRADE = ("coverage", "bilateral")  # tables that every question of trade reads
_CURRENCIES = ("USD", "EUR", "GBP", "JPY")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as typed."""

    code: str
    exporter: str | None
    importer: str | None
    period: str | None
    source: str | None
    currency: str


def open_store(data: Path) -> Store:
    """The store under a folder. Raises SourceUnavailable where there is no such folder."""
    if not data.is_dir():
        raise SourceUnavailable(
            "a folder that holds the tables",
            f"{data}: not there",
            hint="run `make`, or name another folder with --data",
        )
    return Store(data)


def editions_used(store: Store) -> list[int]:
    """HS editions that the store's reporters used, as numbers."""
    if not store.exists("coverage"):
        return list(_EDITIONS)
    return sorted(store.read("coverage", columns=["hs_edition"])["hs_edition"].unique()) or list(_EDITIONS)


def families(store: Store) -> pl.DataFrame:
    """The HS families that the run used: edition, cmd_code, good. They may come from a table beside its raw files."""
    if store.exists("families"):
        return store.read("families")
    from anomaly.reference import editions

    return editions.family_map(editions_used(store))


def members(store: Store, good: str) -> list[str]:
    """The six-digit codes that a good stands for; one that is no family stands for itself."""
    known = families(store).filter(pl.col("good") == good)["cmd_code"].unique().sort().to_list()
    return known or [good.removesuffix("+")]


def scenario_of(store: Store, tables: Iterable[str]) -> Scenario:
    """The scenario that made the tables a question reads. Raises SettingsWrong where they are of several or of none."""
    return of_record(made_by.record(store, tables))


def limits_of(store: Store, tables: Iterable[str]) -> Limits:
    """What a flag's rule is held against: of the scenario that made the tables, as for `scenario_of`."""
    return limits_of_record(made_by.record(store, tables))


def groups_for(data: Path, *texts: str | None) -> dict[str, Sequence[str]]:
    """Groups of countries that can be asked for by name; the coalition is that of the tables, read only when named."""
    known: dict[str, Sequence[str]] = {"EU27": countries.EU27, "EU": countries.EU27}
    if any(text is not None and text.strip().casefold() == "coalition" for text in texts):
        known["coalition"] = scenario_of(open_store(data), _TRADE).coalition
    return known


def read(
    store: Store, names: Iterable[str], where: dict[str, pl.Expr], between: tuple[str, str] | None = None
) -> Frames:
    """The columns that questions need of the tables that exist, narrowed where told; `between` as for Store.read."""
    return {
        name: store.read(name, list(COLUMNS[name]), where.get(name), between if name in where else None)
        for name in names
        if store.exists(name)
    }


def understood(asked: Asked, data: Path) -> tuple[Question, Store]:
    """The question as understood, and the store to put it to. The text is checked before any path is touched."""
    if asked.code.strip().upper() != asking.TOTAL:
        goods.parse_code(asked.code)
    if asked.currency.upper() not in _CURRENCIES:
        raise BadRequest(f"a currency: {', '.join(_CURRENCIES)}", repr(asked.currency))
    _check_source(asked.source)
    groups = groups_for(data, asked.exporter, asked.importer)
    exporter, importer = (asking.parse_side(side, groups) for side in (asked.exporter, asked.importer))
    if asked.code.strip().upper() == asking.TOTAL and exporter is None and importer is None:
        raise BadRequest("an exporter or an importer beside TOTAL", "neither", hint="add --exporter or --importer")
    store = open_store(data)
    known = families(store)
    wanted, between = asking.parse_goods(asked.code, known), asking.goods_between(asked.code, known)
    return Question(wanted, exporter, importer, asked.source, between), store


def _check_source(name: str | None) -> None:
    if name is None:
        return
    from anomaly.sources import SOURCES

    known = [source.name for source in SOURCES]
    if name not in known:
        raise BadRequest(
            "the name of a source",
            repr(name[:40]),
            hint=f"sources are {', '.join(known)}; `anomaly sources` tells what they are",
        )


def cells_of(store: Store, question: Question, currency: str, more: Sequence[str] = ()) -> pl.DataFrame:
    """Rows of bilateral for the question, with more of its columns where told; of flows, where another currency is asked for."""
    if not store.exists("bilateral"):
        raise SourceUnavailable(
            "a table of trade", "no bilateral table in the store", hint="run `make`, or name another folder with --data"
        )
    if currency == "USD" and question.source is not None:
        return _cells_of_source(store, question, more)
    if currency == "USD":
        # Whole goods, not only the routes asked for: the reporter's other routes tell nothing from unknown.
        where = question.where() if question.goods is None else question.goods
        return store.read("bilateral", [*COLUMNS["bilateral"], *more], where, question.between)
    from anomaly.bilateral import coverage
    from anomaly.query import series as told_as
    from anomaly.reference import editions

    sides = [side.members for side in (question.exporter, question.importer) if side is not None]
    about = pl.col("is_current") & (pl.col("currency") == currency)
    for members in sides:
        about = about & (pl.col("reporter_iso").is_in(list(members)) | pl.col("partner_iso").is_in(list(members)))
    flows = store.read("flows", where=about)
    extracts = coverage.extracts(store.scan("flows").filter("is_current"))
    flows = flows.join(extracts, on=["source", "dataset"]).with_columns(dataset=pl.col("extract"))
    cells = told_as.in_currency(
        flows, families(store), editions.edition_number(pl.col("classification_code")), currency
    )
    real = countries.table().filter(pl.col("kind") == "country")["iso3"].implode()
    return cells.filter(question.where(), pl.col("exporter_iso").is_in(real), pl.col("importer_iso").is_in(real))


def _cells_of_source(store: Store, question: Question, more: Sequence[str]) -> pl.DataFrame:
    """The same of one publisher's flows alone, as if there were no other: also of routes another one speaks for."""
    from anomaly.bilateral import bilateral, coverage
    from anomaly.reference import editions

    reported = coverage.as_extracts(store.scan("flows").filter("is_current"))
    own = reported.filter(pl.col("source") == question.source)
    flows = bilateral.with_goods(own, families(store), editions.edition_number(pl.col("classification_code")))
    if question.goods is not None:
        flows = flows.filter(question.goods)
    is_own = pl.col("source") == question.source
    who, scope = (store.read(name, where=is_own) for name in ("coverage", "coverage.scope"))
    since = min(scenario_of(store, _TRADE).baseline_years)
    cells = bilateral.build(flows, who, scope, countries.table(), {str(question.source): 0}, since)
    whole = cells if question.goods is not None else cells.filter(question.where())
    return whole.select(*COLUMNS["bilateral"], *more)


def held_or_nearest(store: Store, question: Question, code: str) -> None:
    """Raise BadRequest with the nearest goods of the data where the good asked for is in none of its rows."""
    if question.goods is None:
        return
    held = store.read("bilateral", columns=["good"])["good"].unique().sort().to_list()
    if pl.DataFrame({"good": held}, schema={"good": pl.String}).filter(question.goods).height:
        return
    near = asking.nearest_goods(goods.parse_code(code), held)
    raise BadRequest(
        "a good that the data hold",
        f"{code}: no row has it",
        count=len(held),
        examples=[f"{good} {goods.good_name(good)}".strip() for good in near],
        hint="ask for one of these, or for its first two or four digits",
    )


def goods_of(cells: pl.DataFrame) -> pl.Expr:
    """The rows of coverage.scope about the goods of these rows of trade, and about partners."""
    is_good = pl.col("dimension") == "good"
    return ~is_good | pl.col("code").is_in(cells["good"].unique().sort().to_list())


def named(name: str, currency: str) -> str:
    """A column of amounts by its true unit: value_usd is value_eur where the amounts are in EUR."""
    return name if currency == "USD" or not name.endswith("_usd") else f"{name.removesuffix('usd')}{currency.lower()}"


def in_currency(rows: pl.DataFrame, currency: str) -> pl.DataFrame:
    """The answer with its columns of amounts named by their true unit."""
    return rows.rename({name: named(name, currency) for name in rows.columns})
