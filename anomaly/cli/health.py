"""`anomaly health`: whether the nights go well, by what they left: age of the figures, rows, rejected rows, the last run."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from anomaly.cli.output import say, show
from anomaly.cli.store import open_store
from anomaly.contract.errors import AnomalyError
from anomaly.contract.keys import SIMULATED
from anomaly.store import made_by, runs
from anomaly.store.store import Store

NEEDS_A_LOOK = 3  # as of a run that is done and should be looked at
MONTHS_IN = {"A": 12, "Q": 3, "M": 1}
LATE_MONTHS = 3  # beyond the publisher's lag, before a country is called late (ours): one month in twelve comes later
GONE_MONTHS = 12  # later than that it has stopped, which another night does not change
SHRUNK_SHARE = 0.05  # of a table's rows, from one run to the next (ours): revisions take away fewer
NEAR_LIMIT_SHARE = 0.5  # of the share of bad rows at which a run is refused
LOOK, WELL = "look", "well"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    check : str
        Its kind.
    of : str
        A source, a table or a file.
    is_well : bool
        False where somebody should look.
    says : str
        What was seen, and where it is not well what to do.
    """

    check: str
    of: str
    is_well: bool
    says: str


def health(data: Path, form: str, hours: int) -> int:
    """Answer `anomaly health`: a row for each thing that was looked at.

    Parameters
    ----------
    data : pathlib.Path
        Folder of the tables.
    form : str
        One of output.FORMATS.
    hours : int
        A last run that ended longer ago is too old.

    Returns
    -------
    int
        0 where all is well, NEEDS_A_LOOK otherwise.

    Raises
    ------
    SourceUnavailable
        No run has ended yet.
    StoreFailure
        The record of the run, or a table, is damaged.
    """
    checks = list(checked(data, datetime.now(UTC), hours))
    rows = [
        {"check": each.check, "of": each.of, "state": WELL if each.is_well else LOOK, "says": each.says}
        for each in checks
    ]
    show(rows, form)
    looks = sum(not each.is_well for each in checks)
    say(f"{looks:,} of {len(checks):,} need a look" if looks else f"all {len(checks):,} are well")
    return NEEDS_A_LOOK if looks else 0


def checked(data: Path, now: datetime, hours: int) -> Iterator[Check]:
    """All that is looked at.

    Parameters
    ----------
    data : pathlib.Path
        Folder of the tables.
    now : datetime.datetime
        In UTC.
    hours : int
        As `health`.

    Yields
    ------
    Check
        The run, then the record, the figures' age, the rows, the rejected and the files set aside.
    """
    yield from of_status(_status(data), now, hours)
    store = open_store(data)
    yield from _of_record(store)
    if store.exists("coverage"):
        files = store.read("flows.files", columns=["source", "dataset", "rows_in", "rows_errors"])
        settings = made_by.record(store, ["coverage", "bilateral"])
        newest = store.read("coverage", columns=["source", "freq_code", "reporter_iso", "ref_date"])
        simulated = files.filter(pl.col("dataset").str.contains(SIMULATED, literal=True))["source"].unique()
        yield from of_ages(newest, settings["publication_lag_months"], now.date(), simulated.to_list())
        yield from of_rejected(files, float(settings["rejected_share_limit"]))
        yield from _of_set_aside(store)
    yield from _of_rows(store)


def _status(data: Path) -> Mapping[str, Any]:
    try:
        status = json.loads((data / "run-status.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return status if isinstance(status, dict) else {}


def of_status(status: Mapping[str, Any], now: datetime, hours: int) -> Iterator[Check]:
    """How the last run ended, and when.

    Parameters
    ----------
    status : mapping of str to Any
        As `run-status.json` has it; empty where there is none.
    now : datetime.datetime
        In UTC.
    hours : int
        As `health`.

    Yields
    ------
    Check
        How it ended, and its age.
    """
    code, message = status.get("exit_code"), " ".join(str(status.get("message", "")).split())
    how = f"{status.get('status', 'no status')}, exit code {code}" + (f": {message[:200]}" if message else "")
    yield Check("last run", "how it ended", code == 0, how)
    try:
        ended = datetime.fromisoformat(status["started_at"]) + timedelta(seconds=float(status["seconds"]))
        age = now - ended
    except (KeyError, TypeError, ValueError):
        yield Check("last run", "when it ended", False, "run-status.json does not say: run again")
        return
    old = f"{age / timedelta(hours=1):,.1f} hours ago, expected at most {hours}"
    yield Check("last run", "when it ended", age <= timedelta(hours=hours), old)


def _of_record(store: Store) -> Iterator[Check]:
    """The record, its links, and that each file it names is there; `verify` reads them, too, which takes longer."""
    faults = runs.faults(store.root)
    tables = store.ended.tables if store.ended is not None else {}
    missing = [
        f"{name}/{table.version}/{file}"
        for name, table in sorted(tables.items())
        for file in table.files
        if not (store.root / name / table.version / file).is_file()
    ]
    broken = [*faults, *missing]
    says = f"{', '.join(broken[:3])}: damaged or gone; `anomaly verify`, then run again" if broken else "whole"
    yield Check("record", "run", not broken, says)


def of_ages(
    coverage: pl.DataFrame, lags: Mapping[str, Mapping[str, int]], today: date, simulated: list[str]
) -> Iterator[Check]:
    """How old each publisher's newest figures are, against its lag, and which countries are later than that.

    Parameters
    ----------
    coverage : polars.DataFrame
        source, freq_code, reporter_iso and ref_date.
    lags : mapping
        publication_lag_months of the scenario: monthly and annual → source → months.
    today : datetime.date
        The day.
    simulated : list of str
        Sources whose figures are made up: their age says nothing.

    Yields
    ------
    Check
        A row for each source and frequency; one more where countries are late.
    """
    months = pl.col("ref_date").dt.year().cast(pl.Int32) * 12 + pl.col("ref_date").dt.month() - 1
    newest = coverage.group_by("source", "freq_code", "reporter_iso").agg(month=months.max())
    for (source, freq), reporters in sorted(newest.partition_by("source", "freq_code", as_dict=True).items()):
        if source in simulated:
            yield Check("age", f"{source} {freq}", True, "simulated: its age says nothing")
            continue
        lag = _lag(lags["annual" if freq == "A" else "monthly"], str(source))
        expected = _newest_expected(today, str(freq), lag)
        behind = reporters.with_columns(behind=expected - pl.col("month"))
        least = int(behind["behind"].min())  # type: ignore[arg-type]
        says = f"newest {_word(expected - least, str(freq))}, expected {_word(expected, str(freq))} (lag {lag} months)"
        yield Check("age", f"{source} {freq}", least <= 0, says + ("" if least <= 0 else ": fetch it"))
        step = MONTHS_IN[str(freq)]
        slack = LATE_MONTHS if freq != "A" else step
        late = behind.filter(pl.col("behind").is_between(slack, GONE_MONTHS + step, closed="right")).sort(
            "reporter_iso"
        )
        if late.height and least <= 0:
            names = ", ".join(
                f"{iso} {_word(month, str(freq))}" for iso, month in late.select("reporter_iso", "month").rows()[:8]
            )
            most = f" and {late.height - 8} more" if late.height > 8 else ""
            yield Check(
                "late reporters", f"{source} {freq}", False, f"{late.height} of {reporters.height}: {names}{most}"
            )


def _lag(lags: Mapping[str, int], source: str) -> int:
    return int(lags.get(source, lags.get("other", 0)))


def _newest_expected(today: date, freq: str, lag: int) -> int:
    """First month (year x 12 + number from 0) of the newest period that should be out: its end and the lag are past."""
    last_ended = today.year * 12 + today.month - 2 - lag  # the newest month whose lag is over
    step = MONTHS_IN[freq]
    return (last_ended + 1) // step * step - step


def _word(month: int, freq: str) -> str:
    year, number = divmod(month, 12)
    return f"{year}" if freq == "A" else f"{year}Q{number // 3 + 1}" if freq == "Q" else f"{year}-{number + 1:02}"


def of_rejected(files: pl.DataFrame, limit: float) -> Iterator[Check]:
    """What share of each publisher's rows was bad.

    Parameters
    ----------
    files : polars.DataFrame
        flows.files: source, rows_in, rows_errors.
    limit : float
        Share of a file at which a run is refused.

    Yields
    ------
    Check
        A row a source.
    """
    by_source = files.group_by("source").agg(pl.sum("rows_in"), pl.sum("rows_errors")).filter(pl.col("rows_in") > 0)
    for source, rows_in, errors in by_source.sort("source").rows():
        share = errors / rows_in
        says = f"{errors:,} of {rows_in:,} rows ({share:.2%}); a file with over {limit:.2%} is refused"
        yield Check("rejected", source, share <= NEAR_LIMIT_SHARE * limit, says)


def _of_set_aside(store: Store) -> Iterator[Check]:
    aside = store.read("flows.set_aside", columns=["path"])["path"].to_list()
    names = ", ".join(aside[:3]) + (" …" if len(aside) > 3 else "")
    yield Check("set aside", "files", not aside, f"{len(aside)}: {names}" if aside else "none")


def _of_rows(store: Store) -> Iterator[Check]:
    """Rows of each table against the run before; nothing where that is gone."""
    now, before = store.ended, _before(store)
    if now is None or before is None:
        return
    store_before = Store(store.root, ended=before)
    for name, table in sorted(now.tables.items()):
        if name not in before.tables:
            continue
        with contextlib.suppress(AnomalyError):  # its version is gone: nothing to compare with
            rows_before = store_before.meta(name)["rows"]
            is_same = table.version == before.tables[name].version
            yield of_rows(name, store.meta(name)["rows"], rows_before, is_same=is_same)


def of_rows(table: str, rows: int, rows_before: int, *, is_same: bool = False) -> Check:
    """Rows of a table against the run before.

    Parameters
    ----------
    table : str
        Its name.
    rows, rows_before : int
        Now and before.
    is_same : bool, optional
        It is the same version.

    Returns
    -------
    Check
        A look where it shrank by more than SHRUNK_SHARE.
    """
    says = f"{rows:,}, the run before {rows_before:,}" + (" (the same version)" if is_same else "")
    return Check("rows", table, rows >= rows_before * (1 - SHRUNK_SHARE), says)


def _before(store: Store) -> runs.EndedRun | None:
    """What the run before has left; None where there is none."""
    if store.ended is None or store.ended.before is None:
        return None
    try:
        return runs.of_id(store.root, store.ended.before)
    except AnomalyError:
        return None
