"""`anomaly explain`: the tables one route or flag comes from, put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from anomaly.cli import legs
from anomaly.cli.output import document, say
from anomaly.cli.store import families, groups_for, members, open_store, say_if_simulated
from anomaly.contract import settings as scenarios
from anomaly.contract.errors import BadRequest, SettingsWrong, SourceUnavailable
from anomaly.contract.keys import COALITION, WINDOW_KEY
from anomaly.contract.periods import Window, is_window
from anomaly.contract.scenario import of_record
from anomaly.flags.rule import limits_of
from anomaly.query import explain as explaining
from anomaly.query import question as asking
from anomaly.query.explain import Row, Subject
from anomaly.store import made_by
from anomaly.store.store import Store

_WHOLE = ("scores.calibration", "flags.without")  # tables without a good
_TABLES = (
    "flags",
    "flags.without",
    "scores",
    "scores.calibration",
    "scores.contributions",
    "features.refused",
    "bilateral",
)
_REPRODUCED = ("anomaly_score", "evidence_score", "p_value", "q_value")
_RUN_TABLES = ("flows", "bilateral", "features", "scores", "flags")


def explain(subject: str, *, reproduce: bool, scenario: str | None, data: Path, form: str) -> None:
    """Answer `anomaly explain`: a document of named parts to stdout.

    Parameters
    ----------
    subject : str
        A flag's id, or CODE:EXPORTER:IMPORTER[:PERIOD].
    reproduce : bool
        Fit the forest again and say whether it gives the same score.
    scenario : str, optional
        Refused where it is not the one that made the tables.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    AnomalyError
        Where the subject is not understood, not measured, or the store cannot be read.
    """
    opened = cache(lambda: open_store(data))
    parts = _parts(subject, opened, reproduce=reproduce, scenario=scenario)
    if len(parts.get("raw_files", [None])) == 0:
        say("no raw file found: the store has no flows of this route")
    say_if_simulated(opened())
    document(parts, form)


def parts_of(subject: str, data: Path, *, reproduce: bool = False, scenario: str | None = None) -> dict[str, Any]:
    """Everything about one flag, route or leg, as `anomaly explain` shows it.

    Parameters
    ----------
    subject : str
        A flag's id, or CODE:EXPORTER:IMPORTER[:PERIOD].
    data : pathlib.Path
        Folder that holds the tables.
    reproduce : bool, optional
        Fit the forest again and say whether it gives the same score.
    scenario : str, optional
        Refused where it is not the one that made the tables.

    Returns
    -------
    dict of str to Any
        Named parts: windows, indicators, score, mirror, reasons, raw files and what else query.explain gives.

    Raises
    ------
    AnomalyError
        Where the subject is not understood, not measured, or the store cannot be read.
    """
    return _parts(subject, cache(lambda: open_store(data)), reproduce=reproduce, scenario=scenario)


def _parts(subject: str, opened: Callable[[], Store], *, reproduce: bool, scenario: str | None) -> dict[str, Any]:
    asked, period = _parse(subject, opened)
    store = opened()
    if asked.exporter == COALITION:
        return legs.parts_of(store, asked, _settings_of(store, scenario).measures)
    if not store.exists("features"):
        raise SourceUnavailable(
            "a table of features", "none in the store", hint="run `make`, or name another folder with --data"
        )
    family_map = families(store)
    goods, between = asking.parse_goods(asked.code, family_map), asking.goods_between(asked.code, family_map)
    if goods is None:  # a table of country totals has a good of that name; a sum over goods is not explained
        goods, between = pl.col("good") == asking.TOTAL, (asking.TOTAL, asking.TOTAL)
    settings = _settings_of(store, scenario)
    row = explaining.measured(store.read("features", where=goods, between=between), asked, goods)
    if row is None:
        raise _not_measured(store, asked, goods, period)
    is_good = pl.col("good") == row["good"]
    tables = {
        name: store.read(name)
        if name in _WHOLE
        else store.read(name, where=is_good, between=(row["good"], row["good"]))
        for name in _TABLES
        if store.exists(name)
    }
    if store.exists("flows") and store.exists("flows.files"):
        behind = explaining.flows_behind(row, of_record(settings.recorded()), members(store, row["good"]))
        columns = ["raw_file", "flow_code", "ref_date"]
        tables |= {
            "flows": store.read("flows", columns=columns, where=behind),
            "flows.files": store.read("flows.files"),
        }
    parts = explaining.explain(row, tables, limits_of(settings), _run(store, settings))
    if reproduce:
        parts["score"]["reproduced"] = _reproduced(store, row, parts["score"], settings)
    return parts


def _settings_of(store: Store, scenario: str | None) -> scenarios.Settings:
    """The settings of the run that made the tables. Raises SettingsWrong where another scenario is asked for."""
    settings = scenarios.from_record(made_by.record(store, ("features", *_TABLES)))
    if scenario is not None and scenarios.load(scenario) != settings:
        raise SettingsWrong(
            f"the scenario that made the tables, {settings.name}",
            f"--scenario {scenario}: other settings",
            hint=f"leave --scenario out, or make the tables by it: make run SCENARIO={scenario}",
        )
    return settings


def _parse(text: str, opened: Callable[[], Store]) -> tuple[Subject, str | None]:
    flagged = explaining.parse_flag(text)
    if flagged is not None:
        return flagged, None
    code, exporter, importer, period = explaining.parse_route(text)
    if exporter.strip().casefold() in ("coalition", COALITION.casefold()):
        hub = asking.parse_side(importer, groups_for(opened))
        asked_windows = asking.windows_of(asking.parse_span(period)) if period else ()
        return Subject(code, COALITION, hub.name if hub else importer, asked_windows), period
    sides = [asking.parse_side(side, groups_for(opened)) for side in (exporter, importer)]
    windows = asking.windows_of(asking.parse_span(period)) if period else ()
    names = []
    for side in sides:
        if side is None or side.is_group:
            raise BadRequest("one country on each side", text[:60], hint="`anomaly query` adds up groups")
        names.append(side.name)
    return Subject(code, names[0], names[1], windows), period


def _not_measured(store: Store, asked: Subject, goods: pl.Expr, period: str | None) -> BadRequest:
    """Why there is no row of features: refused, another window, or no such route."""
    route = goods & (pl.col("exporter_iso") == asked.exporter) & (pl.col("importer_iso") == asked.importer)
    name = f"{asked.code} {asked.exporter} to {asked.importer}"
    refused = store.read("features.refused", where=route) if store.exists("features.refused") else pl.DataFrame()
    for window in asked.windows:
        own = refused.filter(is_window(window)) if refused.height else refused
        if own.height:
            return BadRequest("a comparison the data can carry", f"{name}, {window.name}: refused, {own['says'][0]}")
    held = store.read("features", columns=WINDOW_KEY, where=route).unique()
    if held.height:
        newest = held.sort("window_end", "window_months", descending=True).rows()
        names = [Window(freq, months, end).name for freq, months, end in newest]
        return BadRequest(
            f"a window of {name} that the run measured",
            period or "another",
            examples=list(dict.fromkeys(names)),
            hint="ask for one of these",
        )
    hint = "`anomaly query` shows what is reported of it; the run measures routes above its materiality limit"
    return BadRequest("a route that the run measured", f"{name}: not among them", hint=hint)


def _run(store: Store, settings: scenarios.Settings) -> Row:
    """What the numbers hang on: code, scenario, seeds, and the version of each table."""
    metas: dict[str, dict[str, Any]] = {name: store.meta(name) for name in _RUN_TABLES if store.exists(name)}
    newest = metas.get("flags") or metas.get("features") or {}
    return {
        "scenario": settings.name,
        "scenario_title": settings.title,
        "scenario_hash": settings.fingerprint(),
        "code_version": newest.get("code_version"),
        "seeds": ", ".join(map(str, settings.forest.seeds)),
        **{f"version_of_{name}": store.version(name) for name in metas},
    }


def _reproduced(store: Store, row: Row, score: Row, settings: scenarios.Settings) -> str:
    """Score the row's group again, from features, and compare what the forest, the evidence, p and q are, to the last digit."""
    if not score or score["anomaly_score"] is None:
        return "this route has no score"
    from anomaly.stages.order import through

    group = pl.all_horizontal(
        [pl.col(name) == row[name] for name in ("freq_code", "window_months", "baseline_gap_years")]
    )
    tables = {
        "features": store.read("features", where=group),
        "features.roughness": store.read("features.roughness"),
        "families": families(store),
    }
    refitted = through(["scores"], tables, settings).read("scores").filter(explaining.is_about(row))
    if refitted.is_empty():
        return "the route is not scored with these settings"
    refitted_row = refitted.row(0, named=True)
    changed = [f"{name} {refitted_row[name]}" for name in _REPRODUCED if refitted_row[name] != score[name]]
    if not changed:
        return f"yes: the forest was fitted again and gives {refitted_row['anomaly_score']:.12f}, the same; so are evidence, p and q"
    return (
        f"no: again it gives {', '.join(changed)}; other settings, other versions of the libraries, or changed features"
    )
