"""What a report counts before it shows: flags, windows, calibration, files. Frames in, plain rows out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.errors import ContractBroken
from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import Window, window_of
from anomaly.flags.caveats import SHOCK_SAID
from anomaly.reports.base import Findings
from anomaly.reports.words import SEVERITIES, setting, type_words, windows_words

RUN_KEYS = ("run_id", "code_version", "scenario", "title", "settings", "is_simulated")


def run_of(findings: Findings) -> dict[str, Any]:
    """The run's own description, complete.

    Parameters
    ----------
    findings : Findings
        Its run.

    Returns
    -------
    dict
        `findings.run`: RUN_KEYS and what else it has.

    Raises
    ------
    ContractBroken
        Where a key is missing; it names all that are.
    """
    missing = [key for key in RUN_KEYS if key not in findings.run]
    if missing:
        raise ContractBroken(f"findings.run with {', '.join(RUN_KEYS)}", f"no {', '.join(missing)}")
    return findings.run


def flat_settings(settings: Mapping[str, Any] | str) -> list[tuple[str, str]]:
    """Nested settings as rows, in the order they were given.

    Parameters
    ----------
    settings : mapping or str
        As in the run's description; a text is one row.

    Returns
    -------
    list of tuple of str
        (dotted name, value as text); what is empty is `none`.

    Examples
    --------
    >>> flat_settings({"forest": {"trees": 100}, "baseline_years": [2018, 2019]})
    [('forest.trees', '100'), ('baseline_years', '2018, 2019')]
    """
    if isinstance(settings, str):
        return [("settings", settings)]
    rows: list[tuple[str, str]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            rows += [(f"{key}.{inner}", text) for inner, text in flat_settings(value)] or [(key, "none")]
        elif isinstance(value, list | tuple):
            if value and all(isinstance(item, Mapping) for item in value):
                inner_rows = [(f"{key}.{place + 1}", item) for place, item in enumerate(value)]
                rows += flat_settings(dict(inner_rows))
            else:
                rows.append((key, ", ".join(str(item) for item in value) or "none"))
        else:
            rows.append((key, "none" if value is None else str(value)))
    return rows


def asks_about_listed_goods(findings: Findings) -> bool:
    """Whether only goods on the scenario's lists are asked about.

    Parameters
    ----------
    findings : Findings
        Of its run's settings: goods_asked.

    Returns
    -------
    bool
        False where the settings do not say it.
    """
    return bool(setting(findings, "goods_asked") == "listed")


def measures_day(findings: Findings) -> date | None:
    """The day the measures began, where the settings say it.

    Parameters
    ----------
    findings : Findings
        Of its run's settings: sanctions_since.

    Returns
    -------
    datetime.date or None
        None where the settings do not say it.
    """
    day = setting(findings, "sanctions_since")
    return date.fromisoformat(str(day)[:10]) if day else None


def sanctions_since(findings: Findings) -> date | None:
    """The first day of the month the measures began in, where the settings say it.

    Parameters
    ----------
    findings : Findings
        Of its run's settings: sanctions_since.

    Returns
    -------
    datetime.date or None
        None where the settings do not say it.
    """
    day = measures_day(findings)
    return day and day.replace(day=1)


def since_sanctions(findings: Findings, table: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table whose window does not lie before the sanctions.

    Parameters
    ----------
    findings : Findings
        Of its run's settings: sanctions_since.
    table : polars.DataFrame
        window_end and any other columns.

    Returns
    -------
    polars.DataFrame
        All of the rows where the settings say no date.
    """
    since = sanctions_since(findings)
    return table if since is None else table.filter(pl.col("window_end") >= since)


def by_severity_and_type(flags: pl.DataFrame) -> tuple[list[str], list[dict[str, Any]]]:
    """How many flags there are of each severity and type.

    Parameters
    ----------
    flags : polars.DataFrame
        severity, flag_type.

    Returns
    -------
    types : list of str
        The types that occur, in words, in the order of their names.
    rows : list of dict
        One per severity, the highest first: severity, counts (one per type), total.
    """
    counts = {
        (severity, flag_type): number
        for severity, flag_type, number in flags.group_by("severity", "flag_type")
        .len()
        .sort("severity", "flag_type")
        .rows()
    }
    types = sorted({flag_type for _, flag_type in counts})
    rows = []
    for severity in SEVERITIES:
        by_type = [counts.get((severity, flag_type), 0) for flag_type in types]
        rows.append({"severity": severity, "counts": by_type, "total": sum(by_type)})
    return [type_words(flag_type) for flag_type in types], rows


def routes_and_amount(flags: pl.DataFrame) -> tuple[int, int]:
    """How many routes are flagged, and their trade: each route once, in its largest flagged window.

    Windows overlap, so a sum over flags would count the same trade several times.

    Parameters
    ----------
    flags : polars.DataFrame
        good, exporter_iso, importer_iso, value_usd.

    Returns
    -------
    routes : int
        How many.
    amount_usd : int
        Whole USD.
    """
    largest = flags.group_by(ROUTE).agg(pl.col("value_usd").max())
    return largest.height, int(largest["value_usd"].sum() or 0)


def windows_examined(calibration: pl.DataFrame) -> list[str]:
    """One sentence per frequency and length: Annual data: 9 windows, from 2015 to 2023.

    Parameters
    ----------
    calibration : polars.DataFrame
        The table scores.calibration.

    Returns
    -------
    list of str
        Without a full stop; annual data first, then the longer windows.
    """
    sentences = []
    for freq_code, months, part in _by_kind(calibration):
        ends = part["window_end"].unique().sort().to_list()
        first, last = (Window(freq_code, months, end).words for end in (ends[0], ends[-1]))
        count = "1 window," if len(ends) == 1 else f"{len(ends)} windows, from {first} to"
        sentences.append(f"{windows_words(freq_code, months)}: {count} {last}")
    return sentences


def calibration_in_words(findings: Findings) -> list[str]:
    """Of 1,000 placebo routes how many look as unusual as a flagged one, and of 1,000 routes that were judged.

    Parameters
    ----------
    findings : Findings
        Its calibration; of its run's settings: sanctions_since, windows before which are left out.

    Returns
    -------
    list of str
        A sentence per frequency, window length and leg, and one more where windows have no placebos.
    """
    sentences = []
    for freq_code, months, kind in _by_kind(since_sanctions(findings, findings.calibration)):
        for (leg,), part in kind.group_by("leg", maintain_order=True):
            sentences += _calibration_of(f"{windows_words(freq_code, months)}, {leg}", part)
    return sentences


def _calibration_of(head: str, part: pl.DataFrame) -> list[str]:
    has_both_rates = (
        pl.col("placebos_flagged_per_1000").is_not_null() & pl.col("targets_flagged_per_1000").is_not_null()
    )
    compared = part.filter(has_both_rates)
    sentences = []
    if compared.height:
        of_placebos = _mean_rate(compared["placebos_flagged_per_1000"], compared["placebos"])
        of_targets = _mean_rate(compared["targets_flagged_per_1000"], compared["targets"])
        sentences.append(
            f"{head}: of 1,000 placebo routes {of_placebos} look as unusual as a flagged one; of 1,000 routes judged "
            f"{of_targets} do ({compared['placebos'].sum():,} placebo routes, {compared['targets'].sum():,} routes judged)."
            + _shock_of(compared)
        )
    if compared.height < part.height:
        count = f"{part.height - compared.height} of {part.height} windows"
        sentences.append(f"{head}: {count} have no placebos to compare with; a flag there rests on rules alone.")
    return sentences


def _shock_of(windows: pl.DataFrame) -> str:
    """What control routes say of the year, where it is worth telling: as an added sentence."""
    shocked = windows.filter(pl.col("shock_ratio") >= SHOCK_SAID).sort("shock_ratio", descending=True)
    if shocked.is_empty():
        return ""
    worst = shocked.row(0, named=True)
    times, words = f"{worst['shock_ratio']:.1f}", window_of(worst).words
    return (
        f" Control routes, on which no re-export is possible, rose oftener than chance allows in {shocked.height} of "
        f"{windows.height} windows, at most {times} times ({words}): p is raised there."
    )


def rejections(rejected: pl.DataFrame) -> list[dict[str, Any]]:
    """Which rows of raw files were rejected: per source and rule how many, and the first example.

    Parameters
    ----------
    rejected : polars.DataFrame
        The table flows.rejected.

    Returns
    -------
    list of dict
        source, rule, is_error (bad, or only not to be counted again), rows, first_reason, first_raw_file, first_row,
        first_column, first_value; bad ones first, then the most frequent.
    """
    return (
        rejected.sort("raw_file", "row", "column", "rule", "value")
        .group_by("source", "rule", "is_error", maintain_order=True)
        .agg(
            pl.len().alias("rows"), pl.col("reason", "raw_file", "row", "column", "value").first().name.prefix("first_")
        )
        .sort(["is_error", "rows", "source", "rule"], descending=[True, True, False, False])
        .to_dicts()
    )


def latest_rollups(findings: Findings, rollup: str) -> list[dict[str, Any]]:
    """Goods or hubs with a flag, in the newest window that has flags, for each frequency and window length.

    Parameters
    ----------
    findings : Findings
        Its rollups; of its run's settings: sanctions_since, windows before which are left out.
    rollup : str
        good or hub.

    Returns
    -------
    list of dict
        Rows of the table rollups; annual first, long windows first, then the most flagged trade first.
    """
    table = findings.rollups.filter((pl.col("rollup") == rollup) & (pl.col("flags") > 0))
    table = since_sanctions(findings, table)
    newest = table.filter(pl.col("window_end") == pl.col("window_end").max().over("freq_code", "window_months"))
    keys = ["freq_code", "window_months", "flagged_usd", "key"]
    return newest.sort(keys, descending=[False, True, True, False]).to_dicts()


def file_totals(files: pl.DataFrame) -> dict[str, int]:
    """Rows of all files: what came in, and what became of it.

    Parameters
    ----------
    files : polars.DataFrame
        The table flows.files.

    Returns
    -------
    dict of str to int
        rows_in, rows_kept, rows_rejected, rows_errors, rows_deduplicated, files, files_that_do_not_add_up (in is not kept +
        rejected + deduplicated).
    """
    columns = ("rows_in", "rows_kept", "rows_rejected", "rows_errors", "rows_deduplicated")
    totals = {name: int(files[name].sum() or 0) for name in columns}
    adds_up = pl.col("rows_in") == pl.col("rows_kept") + pl.col("rows_rejected") + pl.col("rows_deduplicated")
    return {**totals, "files": files.height, "files_that_do_not_add_up": files.filter(~adds_up).height}


def _by_kind(table: pl.DataFrame) -> Iterable[tuple[str, int, pl.DataFrame]]:
    """Per frequency and window length, annual first, long windows first: (freq_code, window_months, rows)."""
    keys = ["freq_code", "window_months", "leg", "window_end"]
    ordered = table.sort(keys, descending=[False, True, True, False])
    for (freq_code, months), part in ordered.group_by("freq_code", "window_months", maintain_order=True):
        yield str(freq_code), int(str(months)), part


def _mean_rate(rates: pl.Series, counts: pl.Series) -> str:
    """Mean of rates by the routes they were counted over; summed exactly, so that the order does not matter."""
    routes = int(counts.sum())
    rate = math.fsum(rate * count for rate, count in zip(rates, counts, strict=True)) / routes if routes else 0.0
    return f"{rate:,.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}"
