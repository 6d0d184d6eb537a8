"""What a report counts before it shows: flags, windows, calibration, refusals, files. Frames in, plain rows out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from anomaly.contract.errors import ContractBroken
from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import Window, window_of
from anomaly.contract.schema import ROUTE_KEY
from anomaly.reports.base import Findings
from anomaly.reports.words import SEVERITIES, setting, type_words, usd, windows_words

RUN_KEYS = ("run_id", "code_version", "scenario", "title", "settings", "is_simulated")
MOST_EXAMPLES = 3


def run_of(findings: Findings) -> dict[str, Any]:
    """The run's own description. Raises ContractBroken that names every key that is not there."""
    missing = [key for key in RUN_KEYS if key not in findings.run]
    if missing:
        raise ContractBroken(f"findings.run with {', '.join(RUN_KEYS)}", f"no {', '.join(missing)}")
    return findings.run


def flat_settings(settings: Mapping[str, Any] | str) -> list[tuple[str, str]]:
    """Nested settings as rows (forest.trees, 100), in the order they were given."""
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
    """Whether only goods on the scenario's lists are asked about."""
    return bool(setting(findings, "goods_asked") == "listed")


def measures_day(findings: Findings) -> date | None:
    """The day the measures began, where the settings say it."""
    day = setting(findings, "sanctions_since")
    return date.fromisoformat(str(day)[:10]) if day else None


def sanctions_since(findings: Findings) -> date | None:
    """The first day of the month the measures began in, where the settings say it."""
    day = measures_day(findings)
    return day and day.replace(day=1)


def since_sanctions(findings: Findings, table: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table whose window does not lie before the sanctions."""
    since = sanctions_since(findings)
    return table if since is None else table.filter(pl.col("window_end") >= since)


def by_severity_and_type(flags: pl.DataFrame) -> tuple[list[str], list[dict[str, Any]]]:
    """(types, one row per severity with a count per type and a total)."""
    counts = {
        (s, t): n for s, t, n in flags.group_by("severity", "flag_type").len().sort("severity", "flag_type").rows()
    }
    types = sorted({flag_type for _, flag_type in counts})
    rows = []
    for severity in SEVERITIES:
        row = [counts.get((severity, flag_type), 0) for flag_type in types]
        rows.append({"severity": severity, "counts": row, "total": sum(row)})
    return [type_words(flag_type) for flag_type in types], rows


def routes_and_amount(flags: pl.DataFrame) -> tuple[int, int]:
    """How many routes, and their trade in USD: each route once, in its largest flagged window.

    Windows overlap, so a sum over flags would count the same trade several times.
    """
    largest = flags.group_by(ROUTE).agg(pl.col("value_usd").max())
    return largest.height, int(largest["value_usd"].sum() or 0)


def windows_examined(calibration: pl.DataFrame) -> list[str]:
    """One sentence per frequency and length: Annual data: 9 windows, the last one 2023."""
    said = []
    for freq_code, months, part in _by_kind(calibration):
        ends = part["window_end"].unique().sort().to_list()
        first, last = (Window(freq_code, months, end).words for end in (ends[0], ends[-1]))
        count = "1 window," if len(ends) == 1 else f"{len(ends)} windows, from {first} to"
        said.append(f"{windows_words(freq_code, months)}: {count} {last}")
    return said


def calibration_in_words(findings: Findings) -> list[str]:
    """Of 1,000 placebo routes N look as unusual, of 1,000 routes to targets M: per frequency, window length and leg."""
    said = []
    for freq_code, months, kind in _by_kind(since_sanctions(findings, findings.calibration)):
        for (leg,), part in kind.group_by("leg", maintain_order=True):
            said += _calibration_of(f"{windows_words(freq_code, months)}, {leg}", part)
    return said


def _calibration_of(head: str, part: pl.DataFrame) -> list[str]:
    both_known = pl.col("placebos_flagged_per_1000").is_not_null() & pl.col("targets_flagged_per_1000").is_not_null()
    known = part.filter(both_known)
    said = []
    if known.height:
        of_placebos = _mean_rate(known["placebos_flagged_per_1000"], known["placebos"])
        of_targets = _mean_rate(known["targets_flagged_per_1000"], known["targets"])
        said.append(
            f"{head}: of 1,000 placebo routes {of_placebos} look as unusual as a flagged one; of 1,000 routes judged "
            f"{of_targets} do ({known['placebos'].sum():,} placebo routes, {known['targets'].sum():,} routes judged)."
        )
    if known.height < part.height:
        count = f"{part.height - known.height} of {part.height} windows"
        said.append(f"{head}: {count} have no placebos to compare with; a flag there rests on rules alone.")
    return said


def refusals(refused: pl.DataFrame) -> list[dict[str, Any]]:
    """Per reason: how many comparisons, the largest trade known, and the largest examples. Most frequent first."""
    ordered = refused.sort(["value_usd", *ROUTE_KEY], descending=[True] + [False] * len(ROUTE_KEY), nulls_last=True)
    rows = []
    for (name,), part in ordered.group_by("refusal", maintain_order=True):
        examples = part.unique(ROUTE, keep="first", maintain_order=True).head(MOST_EXAMPLES)
        rows.append(
            {
                "refusal": str(name),
                "comparisons": part.height,
                "routes": part.select(ROUTE).n_unique(),
                "largest_usd": part["value_usd"].max(),
                "examples": examples.to_dicts(),
            }
        )
    return sorted(rows, key=lambda row: (-row["comparisons"], row["refusal"]))


def rejections(rejected: pl.DataFrame) -> list[dict[str, Any]]:
    """Per source and rule: how many rows, whether bad or only not to be counted again, and the first example."""
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
    """Goods or hubs with a flag, in the newest window that has flags, for each frequency and window length."""
    table = findings.rollups.filter((pl.col("rollup") == rollup) & (pl.col("flags") > 0))
    table = since_sanctions(findings, table)
    newest = table.filter(pl.col("window_end") == pl.col("window_end").max().over("freq_code", "window_months"))
    keys = ["freq_code", "window_months", "flagged_usd", "key"]
    return newest.sort(keys, descending=[False, True, True, False]).to_dicts()


def file_totals(files: pl.DataFrame) -> dict[str, int]:
    """Rows of all files: in, kept, rejected, deduplicated; and the files whose sum does not come out."""
    columns = ("rows_in", "rows_kept", "rows_rejected", "rows_errors", "rows_deduplicated")
    totals = {name: int(files[name].sum() or 0) for name in columns}
    adds_up = pl.col("rows_in") == pl.col("rows_kept") + pl.col("rows_rejected") + pl.col("rows_deduplicated")
    return {**totals, "files": files.height, "files_that_do_not_add_up": files.filter(~adds_up).height}


def refused_example(row: Mapping[str, Any], good: str, exporter: str, importer: str) -> str:
    """One refused comparison in a line."""
    window = window_of(row).words
    known = "" if row["value_usd"] is None else f" Largest trade known: {usd(row['value_usd'])}."
    return (
        f"{exporter} → {importer}, {row['good']} {good if good != row['good'] else ''}".rstrip()
        + f", {window}: {row['says'].rstrip('.')}.{known}"
    )


def _by_kind(table: pl.DataFrame) -> Iterable[tuple[str, int, pl.DataFrame]]:
    """Per frequency and window length, annual first, long windows first: (freq_code, window_months, rows)."""
    keys = ["freq_code", "window_months", "leg", "window_end"]
    ordered = table.sort(keys, descending=[False, True, True, False])
    for (freq_code, months), part in ordered.group_by("freq_code", "window_months", maintain_order=True):
        yield str(freq_code), int(str(months)), part


def _mean_rate(rates: pl.Series, weights: pl.Series) -> str:
    """Mean of rates by the routes they were counted over; summed exactly, so that the order does not matter."""
    routes = int(weights.sum())
    rate = math.fsum(r * w for r, w in zip(rates, weights, strict=True)) / routes if routes else 0.0
    return f"{rate:,.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}"
