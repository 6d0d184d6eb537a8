"""Commands that answer a question about trade: which tables to read, and how people see the answer."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from anomaly.cli import withheld
from anomaly.cli.layout import width_of_screen
from anomaly.cli.one_source import source_answer
from anomaly.cli.output import arrow, heading, line, percent, say, show
from anomaly.cli.sparks import lines_of
from anomaly.cli.store import (
    OF_SIMULATION,
    Asked,
    cells_of,
    families,
    goods_of,
    groups_for,
    held_or_nearest,
    in_code,
    in_currency,
    named,
    open_store,
    say_if_simulated,
    scenario_and_limits,
    scenario_of,
    understood,
)
from anomaly.cli.tables import StoreTables
from anomaly.contract.errors import SourceUnavailable
from anomaly.contract.keys import ROUTE, SIMULATED, WINDOW_KEY
from anomaly.contract.periods import FREQUENCY_WORDS, Window, first_month, is_window, period_name, window_of
from anomaly.query import answer as questions
from anomaly.query import question as asking
from anomaly.query.flagged import newest_flagged
from anomaly.query.held import BOTH_SIDES, BROKEN, COLUMNS, Tables, table
from anomaly.query.question import Question
from anomaly.reference import countries, goods
from anomaly.store.store import Store

FIRST = "flagged ones first, then the largest"  # how the rows of a query are ordered
_SENTENCES_FOR = 3  # with more rows than this the table speaks for itself
_IN_USD = ("features", "features.refused", "flags", "scores", "scores.calibration")
_QUERY_COLUMNS = (
    *ROUTE, "period", "value_prior_year_usd", "value_usd", "change_percent",
    "value_baseline_usd", "is_flagged", "q_value", "flag_type", "note",
)  # fmt: skip
_KNOWN = ("value_usd", "value_prior_year_usd")
_OF_ROUTES = ("is_flagged", "q_value", "flag_type")  # of the columns of a query: a sum has none of them
_SERIES_COLUMNS = (
    "period", "export_value_fob_usd", "import_value_cif_usd", "reexport_value_fob_usd", "net_wgt_g", "value_usd", "value_basis",
)  # fmt: skip
_SIDES = ("export_value_fob_usd", "import_value_cif_usd")
_ROLLUP_COLUMNS = (
    "key", "name", "period", "flags", "flagged_usd", "flagged_excess_usd", "total_usd", "flagged_share", "best_q_value",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and what has to be said beside them.

    Parameters
    ----------
    rows : polars.DataFrame
        In the currency asked for.
    count : int
        How many rows there are without a limit.
    remarks : tuple of str
        Sentences about the rows or about why there is none.
    is_sum : bool
        Whether the rows are sums over routes, which are never scored.
    of_source : str
        Where one publisher was asked: a word of one_source.source_answer; else empty.
    """

    rows: pl.DataFrame
    count: int
    remarks: tuple[str, ...]
    is_sum: bool = False
    of_source: str = ""


def routes_of(asked: Asked, limit: int | None, data: Path) -> Answer:
    """Routes of a good in a window, as `anomaly query` answers.

    Parameters
    ----------
    asked : Asked
        The question as typed.
    limit : int or None
        Most rows; all of them where it is None.
    data : pathlib.Path
        Folder that holds the tables.

    Returns
    -------
    Answer
        Columns of query.answer.ANSWER, flagged ones first, then the largest. Where no period is said, of the newest
        window with a flag of what is asked; where there is none, of the newest window.

    Raises
    ------
    AnomalyError
        Where the question or the store cannot be read.
    """
    asked, remarks = in_code(asked)
    windows = asking.windows_of(asking.parse_span(asked.period)) if asked.period else ()
    question, store = understood(asked, data)
    currency = asked.currency.upper()
    cells = cells_of(store, question, currency)
    if cells.is_empty():
        held_or_nearest(store, question, asked.code)
    names = _tables_for(question)
    scenario, limits = scenario_and_limits(store, [*names, "bilateral"])
    routes = question.where()
    where = dict.fromkeys(("features", "features.refused", "flags", "scores"), routes)
    held = StoreTables(store, names, where | {"coverage.scope": goods_of(cells)}, question.between)
    flags = table(held, "flags") if question.source is None and not question.is_sum else None
    if not windows:
        newest = questions.latest(_beside({"bilateral": cells.filter(routes)}, held))
        windows = (newest_flagged(flags) if flags is not None else ()) or newest
        if windows != newest and newest:
            remarks.append(_of_newest(windows, newest))
    if flags is not None:
        remarks += _of_flags_elsewhere(flags, windows)
    if currency != "USD":
        held = StoreTables(store, tuple(name for name in names if name not in _IN_USD), held.where, question.between)
    tables = _beside({"bilateral": cells}, held)
    rows, count = questions.answer(question, windows, tables, scenario.baseline_years, limits, limit)
    remarks = [*_of_simulation(cells), *_of_older_tables(held), *remarks]
    if question.is_sum or rows.select(pl.any_horizontal(pl.col(_KNOWN).is_null()).any()).item():
        remarks += withheld.remark(withheld.in_windows(withheld.periods(store, question), windows))
    period = asking.parse_span(asked.period) if asked.period else None
    word, sentence = source_answer(store, question, period, rows)
    if rows.is_empty():
        remarks.append(sentence or _nothing(asked, cells.filter(routes)))
    return Answer(rows, count, tuple(remarks), question.is_sum, word)


def _of_newest(windows: Sequence[Window], newest: Sequence[Window]) -> str:
    shown, last = (" and ".join(dict.fromkeys(window.name for window in some)) for some in (windows, newest))
    return f"{shown} is the newest window with a flag; the newest of all is {last}: --period asks for it"


def _of_flags_elsewhere(flags: pl.DataFrame, windows: Sequence[Window]) -> list[str]:
    """How many flags there are in which years, where some are of other windows than those of the answer."""
    flagged = [Window(*row) for row in flags.select(WINDOW_KEY).rows()]
    others = [window for window in flagged if window not in windows]
    if not others:
        return []
    by_year = Counter(window.year for window in flagged)
    years = ", ".join(f"{by_year[year]:,} in {year}" for year in sorted(by_year))
    outside = [window for window in others if not any(shown.start <= window.end <= shown.end for shown in windows)]
    newest = max(outside or others, key=lambda window: (window.end, window.months))
    return [
        f"{len(flagged):,} flag{'s'[: len(flagged) > 1]} of what is asked: {years}, {len(flagged) - len(others):,} of them of "
        f"this window; --period shows others, such as --period {newest.name}"
    ]


def _tables_for(question: Question) -> tuple[str, ...]:
    if question.is_sum:
        return ("coverage", "coverage.scope", "features")
    return tuple(name for name in COLUMNS if name != "bilateral")


def _beside(at_hand: dict[str, pl.DataFrame], held: StoreTables) -> Tables:
    """Frames at hand before the store's tables, none of which is read by this."""
    return ChainMap(at_hand, held)  # type: ignore[arg-type]  # nothing is written to either


def query(asked: Asked, *, limit: int, data: Path, form: str) -> None:
    """Answer `anomaly query`: rows to stdout, with sentences and reasons of flags around a table for people.

    Parameters
    ----------
    asked : Asked
        The question as typed.
    limit : int
        Most rows; how many more there are is said on stderr.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    AnomalyError
        Where the question or the store cannot be read.
    """
    answer = routes_of(asked, limit, data)
    rows, currency = answer.rows, asked.currency.upper()
    for remark in answer.remarks:
        say(remark)
    names_seen = [name for name in _QUERY_COLUMNS if not (answer.is_sum and name in _OF_ROUTES)]
    if form == "table":
        _sentences_before(rows, currency)
    show(
        _with_word(in_currency(rows, currency), answer, asked, form),
        form,
        [named(name, currency) for name in names_seen],
    )
    if form == "table":
        _reasons_after(rows)
    if answer.count > rows.height:
        say(f"{rows.height:,} of {answer.count:,} rows, {FIRST}; --limit shows more")


def _with_word(rows: pl.DataFrame, answer: Answer, asked: Asked, form: str) -> pl.DataFrame:
    """The rows for programs with what they mean where one publisher was asked; one row that says it where there is none."""
    if not answer.of_source or form not in ("json", "ndjson"):
        return rows
    if rows.is_empty():
        return pl.DataFrame({"source": [asked.source], "source_answer": [answer.of_source]})
    return rows.with_columns(source_answer=pl.lit(answer.of_source))


def _of_simulation(cells: pl.DataFrame) -> list[str]:
    return [OF_SIMULATION] if cells["dataset"].str.contains(SIMULATED, literal=True).any() else []


def _of_older_tables(held: StoreTables) -> list[str]:
    if BROKEN not in held.missing:
        return []
    return [
        f"the tables are of an older version, without {BROKEN}: a comparison is not refused where the code changed its "
        "meaning with the HS edition; run again from the raw files"
    ]


def _nothing(asked: Asked, cells: pl.DataFrame) -> str:
    if cells.is_empty():
        return (
            f"no trade reported: neither side has a row of {asked.code} on this route; "
            "`anomaly series` shows for each period whether that is 0 or not reported"
        )
    spans = [
        f"{FREQUENCY_WORDS[freq]} data from {first} to {last}"
        for (freq,), own in cells.sort("freq_code", "ref_date").group_by("freq_code", maintain_order=True)
        for first, last in [own.select(name=period_name(freq))["name"].gather([0, -1])]
    ]
    asked_for = asked.period or "the newest window"
    if asked.period is not None:
        period = asking.parse_span(asked.period)
        if cells.filter(pl.col("ref_date").is_between(period.start, period.end)).height:
            asked_for = f"all of {asked_for}"
    return f"nothing reported for {asked_for}: the data hold {' and '.join(spans)}; ask for --period in these"


def _sentences_before(rows: pl.DataFrame, currency: str) -> None:
    if rows.height > _SENTENCES_FOR:
        return
    for row in rows.to_dicts():
        line(_sentence(row, currency))
    line("")


def _sentence(row: dict[str, Any], currency: str) -> str:
    route = f"{row['exporter_iso']} to {row['importer_iso']}"
    good = "all goods" if row["good"] == asking.TOTAL else f"{row['good']} {goods.good_name(row['good'])}".strip()
    change = row["change_percent"]
    grown = f" ({percent(change)})" if change is not None else ""
    if row["value_prior_year_usd"] == 0 and row["value_usd"]:
        grown = " (from nothing)"
    text = f"{route}, {good}, {row['period']}: {arrow(row['value_prior_year_usd'], row['value_usd'], currency)}{grown}"
    if row["is_flagged"]:
        q_value = "" if row["flagged_q_value"] is None else f", q {row['flagged_q_value']:.3f}"
        period = "" if row["flagged_period"] == row["period"] else f" in {row['flagged_period']}"
        return f"{text}, flagged{period}: {row['flag_type']}, {row['severity']}{q_value}"
    return f"{text}, not flagged: {row['note']}" if row["is_flagged"] is False else text


def _reasons_after(rows: pl.DataFrame) -> None:
    flagged = rows.filter("is_flagged").head(_SENTENCES_FOR)
    for row in flagged.to_dicts():
        line(f"\n{row['flag_id']}")
        for reason in row["reasons"]:
            line(f"  - {reason}")
    if flagged.height:
        say(f"\nanomaly explain {flagged['flag_id'][0]} shows all of it")


def periods_of(asked: Asked, freq: str | None, data: Path) -> Answer:
    """One route period by period, as `anomaly series` answers.

    Parameters
    ----------
    asked : Asked
        The question as typed.
    freq : str, optional
        A, M or Q; all where it is not said.
    data : pathlib.Path
        Folder that holds the tables.

    Returns
    -------
    Answer
        A row a period, columns of query.series: what each side reports, null where it is not known and 0 where it is
        known to be nothing.

    Raises
    ------
    AnomalyError
        Where the question or the store cannot be read.
    """
    from anomaly.query import series as by_period

    asked, remarks = in_code(asked)
    question, store = understood(asked, data)
    period = asking.parse_span(asked.period) if asked.period else None
    cells = cells_of(store, question, asked.currency.upper(), BOTH_SIDES)
    if cells.is_empty():
        held_or_nearest(store, question, asked.code)
    goods = goods_of(cells)
    if asked.source is not None:
        cells = cells.filter(pl.col("source") == asked.source)
    trade, cells = cells, cells.filter(question.where())
    silent = _silent_periods(store, question, trade, goods)
    hidden = withheld.periods(store, question)
    remarks = [*_of_simulation(cells), *remarks]
    if period is not None:
        cells, silent, hidden = (
            frame.filter(pl.col("ref_date").is_between(pl.lit(period.start), pl.lit(period.end)))
            for frame in (cells, silent, hidden)
        )
    freqs = [freq] if freq else sorted({*cells["freq_code"], *silent["freq_code"], *hidden["freq_code"]})
    parts = [by_period.series(cells, silent, freq_code, hidden) for freq_code in freqs]
    rows = pl.concat(parts) if parts else by_period.series(cells, silent, "A")
    remarks += withheld.remark(hidden)
    is_silence = bool(rows.height) and cells.is_empty()
    word, sentence = source_answer(store, question, period, rows.clear() if is_silence else rows)
    if rows.is_empty() or (is_silence and sentence):
        remarks.append(sentence or "no period in which either side reported: not reported is not zero")
    return Answer(rows, rows.height, tuple(remarks), of_source=word)


def flags_of(
    code: str | None, exporter: str | None, importer: str | None, period: str | None, data: Path
) -> pl.DataFrame:
    """Flags of a good, a route or a period, as the front door gives them.

    Parameters
    ----------
    code, exporter, importer : str, optional
        As for a query; all where it is not said.
    period : str, optional
        Windows that lie in it, of any length.
    data : pathlib.Path
        Folder that holds the tables.

    Returns
    -------
    polars.DataFrame
        Rows of flags, the highest priority first.

    Raises
    ------
    AnomalyError
        Where the question or the store cannot be read.
    """
    span = asking.parse_span(period) if period else None
    opened = cache(lambda: open_store(data))
    groups = groups_for(opened, exporter, importer)
    of_goods = None if code is None else asking.parse_goods(goods.code_of_words(code) or code, families(opened()))
    question = Question(of_goods, asking.parse_side(exporter, groups), asking.parse_side(importer, groups))
    flags = opened().read("flags", where=question.where())
    if span is not None:
        flags = flags.filter(pl.col("window_end") <= span.end, first_month() >= span.start)
    return flags.sort("priority", "flag_id", descending=[True, False], nulls_last=True)


def series(asked: Asked, *, freq: str | None, data: Path, form: str) -> None:
    """Answer `anomaly series`: what each side reports, a row a period.

    Parameters
    ----------
    asked : Asked
        The question as typed.
    freq : str, optional
        A or M; both where it is not said.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    AnomalyError
        Where the question or the store cannot be read.
    """
    answer, currency = periods_of(asked, freq, data), asked.currency.upper()
    for remark in answer.remarks:
        say(remark)
    rows = _with_word(in_currency(answer.rows, currency), answer, asked, form)
    if form == "table":
        sides = {named(name, currency): heading(named(name, currency)) for name in _SIDES}
        for text in lines_of(answer.rows.pipe(in_currency, currency).to_dicts(), sides, width_of_screen()):
            line(text)
        line("")
    shown = [named(name, currency) for name in _SERIES_COLUMNS]
    show(withheld.in_words(rows, currency, form), form, shown)


def _silent_periods(store: Store, question: Question, trade: pl.DataFrame, goods: pl.Expr) -> pl.DataFrame:
    """What coverage says of one route of one good; nothing is known of the absent parts of a sum."""
    from anomaly.query.series import known_nothing

    coverage, scope = (table({}, name) for name in ("coverage", "coverage.scope"))
    floor_usd = scenario_of(store, ("coverage", "bilateral")).extract_floor_usd
    own = trade.filter(question.where())
    held = (trade if own.is_empty() else own)["good"].unique().to_list()
    exporter, importer = question.exporter, question.importer
    if question.is_sum or len(held) != 1 or exporter is None or importer is None or not store.exists("coverage.scope"):
        return known_nothing(coverage, scope, "", "", "", floor_usd)
    sides = [exporter.name, importer.name]
    # another publisher's silence says nothing where its rows are left out
    is_asked = pl.lit(value=True) if question.source is None else pl.col("source") == question.source
    where = {"coverage": pl.col("reporter_iso").is_in(sides) & is_asked, "coverage.scope": goods & is_asked}
    tables = StoreTables(store, ("coverage", "coverage.scope"), where)
    reported = (tables["coverage"], tables["coverage.scope"])
    return known_nothing(*reported, held[0], exporter.name, importer.name, floor_usd, trade)


def rollup(name: str, period: str | None, *, limit: int, data: Path, form: str) -> None:
    """Answer `anomaly goods` and `anomaly hubs`: flags added up, the largest flagged excess first.

    Parameters
    ----------
    name : str
        Which rollup of the table: hub or good.
    period : str, optional
        As typed; where it is not said, the newest window of each frequency.
    limit : int
        Most rows; how many more there are is said on stderr.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    BadRequest
        Where the period is not understood.
    SourceUnavailable
        Where there is no such folder, or no rollups in it.
    SettingsWrong
        Where rollups, flags and features are not of one scenario.
    """
    windows = asking.windows_of(asking.parse_span(period)) if period else ()
    store = open_store(data)
    if not store.exists("rollups"):
        raise SourceUnavailable(
            "a table of rollups", "none in the store", hint="run `make`, or name another folder with --data"
        )
    scenario_of(
        store, ("rollups", "flags", "features")
    )  # what they are made of: refused where another scenario made it
    own = store.read("rollups", where=pl.col("rollup") == name)
    if not windows and own.height:
        newest = own.select(WINDOW_KEY).unique().sort("window_end", "window_months").group_by("freq_code").last()
        windows = tuple(window_of(row) for row in newest.to_dicts())
    names = dict(countries.table().select("iso3", "name").iter_rows()) if name == "hub" else {}
    rows = []
    for window in windows:
        part = own.filter(is_window(window)).with_columns(period=pl.lit(window.name))
        rows += part.to_dicts()
    for row in rows:
        row["name"] = names.get(row["key"], "") if name == "hub" else goods.good_name(row["key"])
    rows.sort(key=lambda row: (-row["flagged_excess_usd"], -row["flagged_usd"], row["key"]))
    say_if_simulated(store)
    if not rows:
        say("no flag in this window: nothing to add up")
    show(rows[:limit], form, _ROLLUP_COLUMNS)
    if len(rows) > limit:
        say(f"{limit:,} of {len(rows):,} rows; --limit shows more")
