"""What the coalition sells to hubs, on the command line: one of its legs in full, and the leakage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from anomaly.cli.output import say, show
from anomaly.cli.store import families, open_store, say_if_simulated
from anomaly.contract.errors import BadRequest, SourceUnavailable
from anomaly.contract.keys import COALITION, COALITION_TO_HUB, HUB_TO_TARGET, WINDOW_KEY
from anomaly.contract.periods import is_window
from anomaly.query import question as asking
from anomaly.query.explain import Subject
from anomaly.query.explain_evidence import next_steps
from anomaly.store.store import Store

LEVELS = ("hub", "good", "hub_good", "all", "maker")
NOT_ADDED_UP = "The two legs are the same goods on one way: never add them up."
_NEEDS = {
    COALITION_TO_HUB: "the leg needs the coalition's monthly exports",
    HUB_TO_TARGET: "the leg needs what hubs sell the targets, and enough placebos",
}
_SHOWN = (
    "leg", "hub_iso", "good", "window_months", "window_end", "value_before_usd", "value_usd",
    "counterfactual_middle_usd", "excess_low_usd", "excess_middle_usd", "excess_high_usd", "direct_lost_usd",
)  # fmt: skip


def leakage(leg: str, level: str, hub: str | None, period: str | None, *, limit: int, data: Path, form: str) -> None:
    """Answer `anomaly leakage`: rows to stdout, what they cover to stderr.

    Parameters
    ----------
    leg : str
        One of keys.LEGS.
    level : str
        One of LEVELS: what the figures are added up by.
    hub : str, optional
        A country as typed; every hub where it is not said.
    period : str, optional
        As typed; the newest window where it is not said.
    limit : int
        Most rows, of the newest window and the largest excess first.
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    BadRequest
        Where hub or period is not understood, or nothing is there for them.
    SourceUnavailable
        Where there is no such folder, or no leakage in it.
    """
    side = asking.parse_side(hub, {})
    windows = asking.windows_of(asking.parse_span(period)) if period else ()
    store = open_store(data)
    if not store.exists("leakage"):
        raise SourceUnavailable(
            "a table of leakage", "none in the store", hint="run `make leakage`, or name another folder with --data"
        )
    table = store.read("leakage", where=(pl.col("leg") == leg) & (pl.col("level") == level))
    if side is not None:
        table = table.filter(pl.col("hub_iso").is_in(list(side.members)))
    if windows:
        table = table.filter(pl.any_horizontal([is_window(window) for window in windows]))
    elif table.height:
        newest = table.sort("window_end", "window_months").tail(1)
        table = table.join(newest, on=WINDOW_KEY, how="semi")
    if table.is_empty():
        raise BadRequest(
            "a window and a hub with a figure of leakage",
            f"none of {level}, {leg}" + (f", {hub}" if hub else "") + (f" in {period}" if period else ""),
            hint=f"leave --period out for the newest window; {_NEEDS[leg]}",
        )
    order = ["window_end", "window_months", "excess_middle_usd", "hub_iso", "good"]
    show(table.sort(order, descending=[True, True, True, False, False]).head(limit), form, _SHOWN)
    say_if_simulated(store)
    coverage = (
        store.read("leakage.coverage")
        .filter(leg=leg)
        .join(table.select(WINDOW_KEY).unique(), on=WINDOW_KEY, how="semi")
    )
    for says in coverage.sort(*WINDOW_KEY, "of")["says"]:
        say(says)
    say(NOT_ADDED_UP)


def parts_of(store: Store, asked: Subject, measures: str) -> dict[str, Any]:
    """Everything about one leg of the coalition to a hub: the newest window, or the one that is asked for.

    Parameters
    ----------
    store : Store
        The store that is asked.
    asked : Subject
        Code, hub as the importer, and windows; none for the newest.
    measures : str
        Settings.measures, which the next steps of a flag name.

    Returns
    -------
    dict of str to Any
        Named parts: leg, flag (or why there is none), reasons, other explanations, members, months, what the window
        and the hub say, caveats, and what to ask next.

    Raises
    ------
    SourceUnavailable
        Where there is no supply in the store.
    BadRequest
        Where the leg was refused, with the reason, or is not among those of the run.
    """
    if not store.exists("supply"):
        raise SourceUnavailable("a table of supply", "none in the store", hint="run `make supply`")
    goods = asking.parse_goods(asked.code, families(store))
    of_leg = pl.col("importer_iso") == asked.importer
    rows = store.read("supply", where=of_leg if goods is None else of_leg & goods).sort("window_end")
    if asked.windows:
        rows = rows.filter(pl.any_horizontal([is_window(window) for window in asked.windows]))
    if rows.is_empty():
        raise _not_there(store, asked)
    row = rows.row(-1, named=True)
    key = {name: row[name] for name in WINDOW_KEY}
    flags = store.read("flags").filter(
        **key, good=row["good"], exporter_iso=COALITION, importer_iso=row["importer_iso"]
    )
    flag = flags.row(0, named=True) if flags.height else None
    members = row.pop("members")
    months = store.read("supply.series").filter(good=row["good"], importer_iso=row["importer_iso"])
    return {
        "leg": row,
        "flag": {name: flag[name] for name in ("flag_id", "flag_type", "severity", "priority", "q_value", "compares", "evidence")}
        if flag
        else {"flagged": "no", "because": _why_not(row)},
        "reasons": [reason["text"] for reason in flag["reasons"]] if flag else [],
        "other_explanations": flag["benign_if"] if flag else [],
        "members": members,
        "months": months.select("ref_date", "value_usd").to_dicts(),
        "window": store.read("supply.calibration").filter(**key)["says"].to_list(),
        "hub": store.read("supply.hubs").filter(**key, importer_iso=row["importer_iso"])["says"].to_list(),
        "caveats": list(flag["caveats"]) if flag else [],
        "ask_next": next_steps(flag, measures) if flag else [],
    }  # fmt: skip


def _why_not(row: dict[str, object]) -> str:
    """Why a leg that was compared is not called."""
    if row["direct_trade"] != "fell":
        words = {"stood": "stood", "small": "was small before", "unknown": "is not known"}
        return f"the coalition's direct trade of the good {words[str(row['direct_trade'])]}: nothing had to be diverted"
    if row["is_before_sanctions"]:
        return "the window lies before the measure"
    return (
        f"not unusual enough: q {row['window_q_value']} by the window test, {row['date_q_value']} by the date test; each has "
        "half of the limit"
    )


def _not_there(store: Store, asked: Subject) -> BadRequest:
    refused = store.read("supply.refused").filter(good=asked.code, importer_iso=asked.importer).sort("window_end")
    name = f"{asked.code} from the coalition to {asked.importer}"
    if refused.height:
        return BadRequest("a comparison the data can carry", f"{name}: refused, {refused['says'][-1]}")
    hint = "`anomaly leakage` and `anomaly tables supply` show what there is"
    return BadRequest("a leg that is material in a window of the run", f"{name}: not among them", hint=hint)
