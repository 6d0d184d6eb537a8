"""What commands share: the question as typed, the store it is put to, and the tables that are read for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from anomaly.cli.output import say
from anomaly.contract.errors import BadRequest, SettingsWrong, SourceUnavailable
from anomaly.contract.keys import SIMULATED
from anomaly.contract.scenario import Scenario, of_record
from anomaly.flags.rule import limits_of_record
from anomaly.flags.types.base import Limits
from anomaly.query import question as asking
from anomaly.query.held import COLUMNS
from anomaly.query.question import Question
from anomaly.reference import countries, goods
from anomaly.store import as_of as dated
from anomaly.store import made_by
from anomaly.store.store import Store, of_last_run

if TYPE_CHECKING:
    from anomaly.contract.tables import Frame  # settings' library is not for every question

_EDITIONS = (4, 5, 6)  # HS 2012, 2017 and 2022: where the store does not say
_TRADE = ("coverage", "bilateral")  # tables that every question of trade reads
OF_SIMULATION = "simulated trade: no figure here is real"
_HS_DIGITS = 6  # the digits that all countries share
_CURRENCIES = ("USD", "EUR", "GBP", "JPY")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as typed.

    Parameters
    ----------
    code : str
        Of the good, or TOTAL.
    exporter : str, optional
        Country or group.
    importer : str, optional
        Country or group.
    period : str, optional
        Such as 2022H1 or 2022-01:2022-11; the newest window where it is not said.
    source : str, optional
        Name of the one publisher whose figures count.
    currency : str
        USD, EUR, GBP or JPY, in either case.
    """

    code: str
    exporter: str | None
    importer: str | None
    period: str | None
    source: str | None
    currency: str


def open_store(data: Path) -> Store:
    """The tables under a folder, as the run that ended last has left them; once a question.

    Parameters
    ----------
    data : pathlib.Path
        Folder that holds the tables.

    Returns
    -------
    Store
        Of one run, whatever is committed meanwhile.

    Raises
    ------
    SourceUnavailable
        Where there is no such folder, or no run has ended in it.
    StoreFailure
        Where the record of the run is lost or damaged.
    """
    day = dated.day_of(data)
    if not data.is_dir():
        first = f"run `anomaly run --as-of {day}` first" if day else "run `make`"
        raise SourceUnavailable(
            "a folder that holds the tables", f"{data}: not there", hint=f"{first}, or name another folder with --data"
        )
    store = of_last_run(data)
    if store.is_unfinished:
        raise SourceUnavailable(
            "tables of a run that has ended",
            f"{data}: a run has begun here, and none has ended yet",
            hint="wait for it; if it was stopped, run `make` again",
        )
    if day is not None:
        _say_the_day(store, day)
    return store


def _say_the_day(store: Store, day: date) -> None:
    """Say as of when the answer is; refuse tables that were put under that name and are of another day."""
    made_as_of = store.meta("flows")["inputs"].get("as_of", "today") if store.exists("flows") else "nothing"
    if made_as_of != day.isoformat():
        hint = f"make them again: anomaly run --as-of {day}"
        raise SettingsWrong(f"tables as of {day} in {store.root}", f"tables of {made_as_of}", hint=hint)
    say(f"as of {day}: raw files that came later are not seen")


def say_if_simulated(store: Store) -> None:
    """Say on stderr that no figure of the store is real, where its files are those of the world that is made up.

    Parameters
    ----------
    store : Store
        The store that is asked; one without `flows` says nothing.
    """
    if store.exists("flows.files"):
        datasets = store.read("flows.files", columns=["dataset"])["dataset"]
        if datasets.str.contains(SIMULATED, literal=True).any():
            say(OF_SIMULATION)


def editions_used(store: Store) -> list[int]:
    """HS editions that the store's reporters used.

    Parameters
    ----------
    store : Store
        The store that is asked.

    Returns
    -------
    list of int
        Their numbers in order; HS 2012, 2017 and 2022 where coverage does not say.
    """
    if not store.exists("coverage"):
        return list(_EDITIONS)
    return sorted(store.read("coverage", columns=["hs_edition"])["hs_edition"].unique()) or list(_EDITIONS)


def families(store: Store) -> pl.DataFrame:
    """The HS families that the run used.

    Parameters
    ----------
    store : Store
        The store that is asked.

    Returns
    -------
    polars.DataFrame
        Columns edition, cmd_code and good. They may come from a table beside the run's raw files; without one they
        are made from the editions used.
    """
    if store.exists("families"):
        return store.read("families")
    from anomaly.reference import editions

    return editions.family_map(editions_used(store))


def members(store: Store, good: str) -> list[str]:
    """The six-digit codes that a good stands for.

    Parameters
    ----------
    store : Store
        The store that is asked.
    good : str
        A code, with + where it is a family.

    Returns
    -------
    list of str
        In order; a good that is no family stands for itself.
    """
    codes = families(store).filter(pl.col("good") == good)["cmd_code"].unique().sort().to_list()
    return codes or [good.removesuffix("+")]


def scenario_of(store: Store, tables: Iterable[str]) -> Scenario:
    """The scenario that made the tables a question reads.

    Parameters
    ----------
    store : Store
        The store that is asked.
    tables : iterable of str
        Names of tables; one that is not there says nothing.

    Returns
    -------
    Scenario
        As the tables keep it.

    Raises
    ------
    SettingsWrong
        Where they are of different scenarios, or do not say which one made them.
    """
    return of_record(made_by.record(store, tables))


def scenario_and_limits(store: Store, tables: Iterable[str]) -> tuple[Scenario, Limits]:
    """The scenario that made the tables a question reads, and what it holds the rule of a flag against.

    Parameters
    ----------
    store : Store
        The store that is asked.
    tables : iterable of str
        Names of tables; one that is not there says nothing.

    Returns
    -------
    tuple of Scenario and Limits
        As the tables keep it.

    Raises
    ------
    SettingsWrong
        Where they are of different scenarios, or do not say which one made them.
    """
    record = made_by.record(store, tables)
    return of_record(record), limits_of_record(record)


def groups_for(opened: Callable[[], Store], *texts: str | None) -> dict[str, Sequence[str]]:
    """Groups of countries that can be asked for by name.

    Parameters
    ----------
    opened : callable
        Gives the store that the question is put to.
    *texts : str or None
        Sides as typed; the tables are read only where one is coalition.

    Returns
    -------
    dict of str to sequence of str
        ISO-3 codes of EU27 and EU, and of the tables' coalition where it is named.

    Raises
    ------
    SourceUnavailable
        Where there is no such folder.
    SettingsWrong
        Where the coalition is named and the tables are not of one scenario.
    """
    groups: dict[str, Sequence[str]] = {"EU27": countries.EU27, "EU": countries.EU27}
    if any(text is not None and text.strip().casefold() == "coalition" for text in texts):
        groups["coalition"] = scenario_of(opened(), _TRADE).coalition
    return groups


def in_code(asked: Asked) -> tuple[Asked, list[str]]:
    """The question by a code, where it names its good by words, and what has to be said of how its good was taken.

    Parameters
    ----------
    asked : Asked
        The question as typed.

    Returns
    -------
    tuple of Asked and list of str
        The same question with digits for words; a sentence where words or more than six digits were typed.

    Raises
    ------
    BadRequest
        Where the words may mean no good or several, with those that they may.
    """
    named_good = goods.code_of_words(asked.code)
    if named_good is not None:
        return replace(asked, code=named_good), [f"{asked.code}: taken as {named_good}, {goods.good_name(named_good)}"]
    if asked.code.strip().upper() == asking.TOTAL:
        return asked, []
    digits = goods.parse_code(asked.code)
    if len(digits.removesuffix("+")) <= _HS_DIGITS:
        return asked, []
    hs_digits = digits[:_HS_DIGITS]
    return asked, [
        f"{asked.code}: a national line of {len(digits)} digits, taken as its first six, {hs_digits} "
        f"{goods.good_name(hs_digits)}"
    ]


def understood(asked: Asked, data: Path) -> tuple[Question, Store]:
    """The question as understood, and the store to put it to.

    Parameters
    ----------
    asked : Asked
        The question as typed.
    data : pathlib.Path
        Folder that holds the tables.

    Returns
    -------
    Question
        Code and currency were checked before any path was touched.
    Store
        That of the folder.

    Raises
    ------
    BadRequest
        Where code, currency, source or a side is not understood, or TOTAL has no side.
    SourceUnavailable
        Where there is no such folder.
    SettingsWrong
        Where the coalition is named and the tables are not of one scenario.
    """
    if asked.code.strip().upper() != asking.TOTAL:
        goods.parse_code(asked.code)
    if asked.currency.upper() not in _CURRENCIES:
        raise BadRequest(f"a currency: {', '.join(_CURRENCIES)}", repr(asked.currency))
    _check_source(asked.source)
    opened = cache(lambda: open_store(data))
    groups = groups_for(opened, asked.exporter, asked.importer)
    exporter, importer = (asking.parse_side(side, groups) for side in (asked.exporter, asked.importer))
    if asked.code.strip().upper() == asking.TOTAL and exporter is None and importer is None:
        raise BadRequest("an exporter or an importer beside TOTAL", "neither", hint="add --exporter or --importer")
    store = opened()
    family_map = families(store)
    is_asked, between = asking.parse_goods(asked.code, family_map), asking.goods_between(asked.code, family_map)
    return Question(is_asked, exporter, importer, asked.source, between), store


def _check_source(name: str | None) -> None:
    if name is None:
        return
    from anomaly.sources import SOURCES

    names = [source.name for source in SOURCES]
    if name not in names:
        raise BadRequest(
            "the name of a source",
            repr(name[:40]),
            hint=f"sources are {', '.join(names)}; `anomaly sources` tells what they are",
        )


def cells_of(store: Store, question: Question, currency: str, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Rows of bilateral for the question.

    Parameters
    ----------
    store : Store
        The store that is asked.
    question : Question
        As it was understood.
    currency : str
        In capitals; in another one than USD they are made from flows.
    columns : sequence of str, optional
        Columns of bilateral beyond those that questions need.

    Returns
    -------
    polars.DataFrame
        In USD whole goods, not only the routes asked for; of one publisher's flows alone where a source is named.

    Raises
    ------
    SourceUnavailable
        Where there is no bilateral in the store.
    SettingsWrong
        Where a source is named and the tables are not of one scenario.
    """
    if not store.exists("bilateral"):
        raise SourceUnavailable(
            "a table of trade", "no bilateral table in the store", hint="run `make`, or name another folder with --data"
        )
    if currency == "USD" and question.source is not None:
        return _cells_of_source(store, question, columns)
    if currency == "USD":
        # Whole goods, not only the routes asked for: the reporter's other routes tell nothing from unknown.
        where = question.where() if question.goods is None else question.goods
        return store.read("bilateral", [*COLUMNS["bilateral"], *columns], where, question.between)
    from anomaly.bilateral import coverage
    from anomaly.query import series
    from anomaly.reference import editions

    sides = [side.members for side in (question.exporter, question.importer) if side is not None]
    is_asked = pl.col("is_current") & (pl.col("currency") == currency)
    for members in sides:
        is_asked = is_asked & (pl.col("reporter_iso").is_in(list(members)) | pl.col("partner_iso").is_in(list(members)))
    flows = store.read("flows", where=is_asked)
    extracts = coverage.extracts(store.scan("flows").filter("is_current"))
    flows = flows.join(extracts, on=["source", "dataset"]).with_columns(dataset=pl.col("extract"))
    cells = series.in_currency(flows, families(store), editions.edition_number(pl.col("classification_code")), currency)
    real = countries.table().filter(pl.col("kind") == "country")["iso3"].implode()
    return cells.filter(question.where(), pl.col("exporter_iso").is_in(real), pl.col("importer_iso").is_in(real))


def _cells_of_source(store: Store, question: Question, columns: Sequence[str]) -> pl.DataFrame:
    """The same of one publisher's flows alone, as if there were no other: also of routes another one speaks for."""
    from anomaly.contract import settings
    from anomaly.stages import order

    is_own = pl.col("source") == question.source
    scope = store.read("coverage.scope", where=is_own)
    if question.goods is not None:
        of_goods = (pl.col("dimension") != "good") | question.goods
        scope = scope.with_columns(good="code").filter(of_goods).drop("good")
    if scope.filter(pl.col("dimension") == "good").is_empty():
        return store.read("bilateral", [*COLUMNS["bilateral"], *columns], pl.lit(value=False))
    tables: dict[str, Frame] = {
        "flows": store.scan("flows").filter(is_own),
        "families": families(store),
        "coverage": store.read("coverage", where=is_own),
        "coverage.scope": scope,
    }
    scenario = settings.from_record(made_by.record(store, _TRADE))
    cells = order.through(["bilateral"], tables, scenario).read("bilateral")
    in_question = cells if question.goods is not None else cells.filter(question.where())
    return in_question.select(*COLUMNS["bilateral"], *columns)


def held_or_nearest(store: Store, question: Question, code: str) -> None:
    """Refuse a good that is in no row of bilateral.

    Parameters
    ----------
    store : Store
        The store that is asked.
    question : Question
        As it was understood.
    code : str
        As typed, for the message.

    Raises
    ------
    BadRequest
        With the nearest goods that the data hold.
    """
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
    """Which rows of coverage.scope bear on some rows of trade.

    Parameters
    ----------
    cells : polars.DataFrame
        Rows of bilateral.

    Returns
    -------
    polars.Expr
        True of their goods, and of every row about partners.
    """
    is_good = pl.col("dimension") == "good"
    return ~is_good | pl.col("code").is_in(cells["good"].unique().sort().to_list())


def named(name: str, currency: str) -> str:
    """A column of amounts by its true unit.

    Parameters
    ----------
    name : str
        Of the column, such as value_usd.
    currency : str
        USD, EUR, GBP or JPY.

    Returns
    -------
    str
        Such as value_eur; the same where it is in USD or holds no amounts.
    """
    return name if currency == "USD" or not name.endswith("_usd") else f"{name.removesuffix('usd')}{currency.lower()}"


def in_currency(rows: pl.DataFrame, currency: str) -> pl.DataFrame:
    """The answer with its columns of amounts named by their true unit.

    Parameters
    ----------
    rows : polars.DataFrame
        Amounts already in that currency.
    currency : str
        USD, EUR, GBP or JPY.

    Returns
    -------
    polars.DataFrame
        The same values.
    """
    return rows.rename({name: named(name, currency) for name in rows.columns})
