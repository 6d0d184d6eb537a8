"""One route or flag in full: what was compared, what was measured, who reported it, and the files it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from anomaly.contract.errors import BadRequest
from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_HUB, HUB_TO_TARGET, ROUTE_KEY, SERIES_KEY, WINDOW_KEY
from anomaly.contract.periods import Window, is_window, parse_tag, period_name, window_of, within
from anomaly.contract.scenario import Scenario
from anomaly.flags.types.base import Limits
from anomaly.indicators import INDICATORS
from anomaly.query.explain_counterfactual import JUDGED, counterfactual, effects, judged
from anomaly.query.explain_evidence import evidence_parts, flag_part, next_steps, why_not
from anomaly.reference import goods

Row = dict[str, Any]
Tables = Mapping[str, pl.DataFrame]

_FLAG_ID = re.compile(r"(TOTAL|[0-9]{2}[0-9A-Z]{0,6}\+?)-([A-Z][A-Z0-9]{2})-([A-Z][A-Z0-9]{2})-([0-9MQ-]+)")
_LEGS = {
    "coalition_to_hub": "coalition's exports of the good to the exporter",
    "coalition_to_target": "coalition's exports of the good to the importer",
    "elsewhere": "the exporter's exports of the good to everyone else",
    "all_to_importer": "everyone's exports of the good to the importer",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The route that is to be explained, and in which window.

    Parameters
    ----------
    code : str
        The good, as in a flag's name or as asked for.
    exporter, importer : str
        ISO-3 codes; for a leg of the coalition's trade the names of the sides.
    windows : tuple of Window
        The first of them that was measured is explained; empty where the newest is meant.
    """

    code: str
    exporter: str
    importer: str
    windows: tuple[Window, ...] = ()


def parse_flag(text: str) -> Subject | None:
    """Route and window that a flag's name says.

    Parameters
    ----------
    text : str
        Such as 851712+-DEU-FRA-2022-06-6M for six months that end in June; of annual data the name ends with the year.

    Returns
    -------
    Subject or None
        With one window; None where the text is no flag's name.
    """
    match = _FLAG_ID.fullmatch(text.strip())
    window = parse_tag(match[4]) if match else None
    return Subject(match[1], match[2], match[3], (window,)) if match and window else None


def parse_route(text: str) -> tuple[str, str, str, str | None]:
    """A route as a person types it, in its parts.

    Parameters
    ----------
    text : str
        CODE:EXPORTER:IMPORTER or CODE:EXPORTER:IMPORTER:PERIOD.

    Returns
    -------
    tuple of str, str, str and (str or None)
        Code, exporter, importer and period as typed, not yet checked; the period is None where it is left out.

    Raises
    ------
    BadRequest
        Where one of the first three parts is missing or empty.
    """
    parts = text.strip().split(":", 3)
    if len(parts) < 3 or not all(parts[:3]):
        raise BadRequest(
            "a flag's name or CODE:EXPORTER:IMPORTER[:PERIOD]",
            repr(text[:60]),
            hint="a flag's name as `anomaly query` gives it, or such as 8517.12:DEU:FRA:2022H1",
        )
    return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else None


def measured(features: pl.DataFrame, subject: Subject, goods: pl.Expr) -> Row | None:
    """The measured row of a route to explain: of the windows asked for, else of the newest and longest.

    Parameters
    ----------
    features : polars.DataFrame
        Rows of features.
    subject : Subject
        Of it the two countries and the windows.
    goods : polars.Expr
        The condition on `good` that its code stands for (question.parse_goods).

    Returns
    -------
    dict or None
        A row of features by column, of the baseline with the smallest gap; None where the run measured no such route.
    """
    own = features.filter(
        goods, pl.col("exporter_iso") == subject.exporter, pl.col("importer_iso") == subject.importer
    ).sort("window_end", "window_months", "freq_code", "baseline_gap_years", descending=[True, True, False, False])
    for window in subject.windows:
        in_window = own.filter(is_window(window))
        if in_window.height:
            return in_window.row(0, named=True)
    return None if subject.windows or own.is_empty() else own.row(0, named=True)


def explain(row: Row, tables: Tables, limits: Limits, run: Row) -> Row:
    """Everything known of one route in one window, as one document.

    Parameters
    ----------
    row : dict
        A row of features by column.
    tables : mapping of str to polars.DataFrame
        The store's tables by name, narrowed to the good or whole; missing ones leave their part empty.
    limits : Limits
        Of the scenario that made the tables.
    run : dict
        Code version, scenario and its hash, seeds, versions of the tables: shown as it is.

    Returns
    -------
    dict
        Parts by name: from the route and its flag, or why it is none, over windows, counterfactual, indicators, score, legs
        and both sides' reports to raw_files and run. Values are in USD, weights in kg (of `mirror` in g); None is unknown.
    """
    flag = _row_of(tables, "flags", row)
    score = _row_of(tables, "scores", row)
    contributions = _contributions(flag, row, tables)
    scored = _score(score, row, tables)
    return {
        "route": {
            "good": row["good"],
            "good_name": goods.good_name(row["good"]),
            "exporter_iso": row["exporter_iso"],
            "importer_iso": row["importer_iso"],
            "period": window_of(row).name,
            "freq_code": row["freq_code"],
            "source": row["source"],
            "dataset": row["dataset"],
            "value_basis": row["value_basis"],
            "role_of_importer": row["role"],
        },
        "flag": flag_part(flag) if flag else {"flagged": "no", "because": why_not(row, tables, limits)},
        "windows": _windows(row),
        "counterfactual": counterfactual(row, score, limits.floor_usd),
        "everybodys_rise": effects(row),
        "reasons": [reason["text"] for reason in flag["reasons"]] if flag else [],
        **evidence_parts(flag, tables.get("flags.without", pl.DataFrame())),
        "indicators": indicators(row, limits.thresholds, contributions),
        "score": scored,
        "judged": judged(row, score, row["exporter_iso"] in limits.coalition, scored.get("says", "")),
        "contributions": contributions,
        "legs": _legs(row),
        "mirror": mirror(tables["bilateral"], row) if "bilateral" in tables else [],
        "caveats": list(flag["caveats"]) if flag else [],
        "to_rule_out": list(flag["benign"]) if flag else [],
        "next_steps": next_steps(flag, limits.measures) if flag else [],
        "raw_files": raw_files(tables["flows"], tables["flows.files"])
        if {"flows", "flows.files"} <= set(tables)
        else [],
        "run": run,
    }


def is_about(row: Row) -> pl.Expr:
    """The rows of a table that have this row's route and window.

    Parameters
    ----------
    row : dict
        With the columns of ROUTE_KEY.

    Returns
    -------
    polars.Expr
        A condition on the columns of ROUTE_KEY.
    """
    return pl.all_horizontal([pl.col(name) == pl.lit(row[name]) for name in ROUTE_KEY])


def _row_of(tables: Tables, name: str, row: Row) -> Row | None:
    rows = tables[name].filter(is_about(row)) if name in tables else pl.DataFrame()
    return rows.row(0, named=True) if rows.height else None


def _windows(row: Row) -> Row:
    before = row["value_prior_year_usd"]
    weight = row["net_wgt_g"]
    return {
        "value_usd": row["value_usd"],
        "value_prior_year_usd": before,
        "change_percent": round(100 * (row["value_usd"] - before) / before, 1) if before else None,
        "value_baseline_usd": row["value_baseline_usd"],
        "baseline_years": row["baseline_years"],
        "active_periods": row["active_periods"],
        "largest_period_share": row["largest_period_share"],
        "net_wgt_kg": None if weight is None else weight / 1000,
        "unit_value_usd_per_kg": row["unit_value_usd_per_kg"],
        "median_unit_value_usd_per_kg": row["median_unit_value_usd_per_kg"],
        "is_edition_changed": row["is_edition_changed"],
    }


def indicators(row: Row, thresholds: Mapping[str, float], contributions: Sequence[Row] = ()) -> list[Row]:
    """Every indicator of the registry with its value, unit and threshold.

    Parameters
    ----------
    row : dict
        A row of features by column.
    thresholds : mapping of str to float
        Of the scenario, by indicator, in the indicator's unit; one that is missing has the registry's.
    contributions : sequence of dict
        input and score_drop of each input of the score; empty where the score was not taken apart.

    Returns
    -------
    list of dict
        An indicator each: indicator, value (None is unknown), unit, threshold, is_reason (the value reaches the
        threshold), score_drop (how far the score falls without it; None where the score does not see it or was not
        taken apart), says.
    """
    drops = {contribution["input"]: contribution["score_drop"] for contribution in contributions}
    rows = []
    for indicator in INDICATORS:
        value, threshold = row.get(indicator.name), thresholds.get(indicator.name, indicator.threshold)
        rows.append(
            {
                "indicator": indicator.name,
                "value": value,
                "unit": indicator.unit,
                "threshold": float(threshold),
                "is_reason": value is not None and value >= threshold,
                "score_drop": drops.get(indicator.name),
                "says": indicator.says,
            }
        )
    return rows


def _score(score: Row | None, row: Row, tables: Tables) -> Row:
    if score is None:
        return {}
    calibration = tables.get("scores.calibration", pl.DataFrame())
    if calibration.height:
        otherwise = HUB_TO_HUB if row.get("direct_target_iso") else COALITION_TO_HUB
        leg = HUB_TO_TARGET if row["role"] == "target" else otherwise
        calibration = calibration.filter(*[pl.col(name) == pl.lit(row[name]) for name in WINDOW_KEY])
        calibration = calibration.filter(pl.col("leg") == leg) if "leg" in calibration.columns else calibration
    rates_of_leg = calibration.row(0, named=True) if calibration.height else {}
    rates = ("targets", "targets_flagged_per_1000", "placebos_flagged_per_1000", "says")
    return {
        **{name: score[name] for name in ("anomaly_score", "anomaly_rank", *JUDGED)},
        **{name: rates_of_leg[name] for name in rates if name in rates_of_leg},
        "reproduced": "not tried; --reproduce fits the forest again and compares",
    }


def _direct_of(row: Row) -> str:
    """Whose direct trade it is: the importer's, or between hubs that of the target which bought most of the good."""
    target = row.get("direct_target_iso")
    return (
        f"coalition's exports of the good to {target}, which bought most of it"
        if target
        else _LEGS["coalition_to_target"]
    )


def _contributions(flag: Row | None, row: Row, tables: Tables) -> list[Row]:
    if flag:
        return [dict(contribution) for contribution in flag["contributions"]]
    if "scores.contributions" not in tables:
        return []
    own = tables["scores.contributions"].filter(is_about(row)).select("input", "score_drop")
    return own.sort("score_drop", "input", descending=[True, False]).to_dicts()


def _legs(row: Row) -> list[Row]:
    legs = [
        {
            "leg": _direct_of(row) if name == "coalition_to_target" else says,
            "window_usd": row.get(f"{name}_usd"),
            "year_before_usd": row.get(f"{name}_prior_usd"),
            "baseline_usd": row.get(f"{name}_baseline_usd"),
            "compared_on": row.get(f"{name}_compared", ""),
        }
        for name, says in _LEGS.items()
    ]
    for side, says in (("exported", "as the coalition reports it"), ("imported", "as the receiving side reports it")):
        legs.append(
            {
                "leg": f"{COALITION_TO_HUB} {says}, where both report",
                "window_usd": row.get(f"leg_{side}_usd"),
                "year_before_usd": None,
                "baseline_usd": row.get(f"leg_{side}_baseline_usd"),
                "compared_on": "",
            }
        )
    return [
        leg for leg in legs if leg["window_usd"] is not None or leg["compared_on"]
    ]  # of the unknown those with a reason


def mirror(bilateral: pl.DataFrame, row: Row) -> list[Row]:
    """Both sides' reports of the route, for the periods of the window and of the same window a year before.

    Parameters
    ----------
    bilateral : polars.DataFrame
        Rows of bilateral.
    row : dict
        A row of features by column.

    Returns
    -------
    list of dict
        A period each, in order of time: period, exports and re-exports FOB and imports CIF in USD, net_wgt_g in grams,
        value_usd and value_basis. None is not reported; a period without a row of bilateral is left out.
    """
    window = window_of(row)
    sides = (
        "export_value_fob_usd",
        "import_value_cif_usd",
        "reexport_value_fob_usd",
        "net_wgt_g",
        "value_usd",
        "value_basis",
    )
    return (
        bilateral.filter(
            *[pl.col(name) == row[name] for name in SERIES_KEY],
            within(window) | within(window.in_year(window.year - 1)),
        )
        .sort("ref_date")
        .select(period_name(window.freq_code).alias("period"), *sides)
        .to_dicts()
    )  # fmt: skip


def flows_behind(row: Row, scenario: Scenario, members: Sequence[str]) -> pl.Expr:
    """The reports that a measured route comes from: both sides' of the route, and the coalition's trade with each.

    Parameters
    ----------
    row : dict
        A row of features by column.
    scenario : Scenario
        Of it the coalition and the baseline years.
    members : sequence of str
        The six-digit HS codes of the good, of all editions.

    Returns
    -------
    polars.Expr
        A condition on the columns of flows, from the first month of the earliest baseline year's window to the
        window's end.
    """
    coalition = list(scenario.coalition)
    hub, target = row["exporter_iso"], row["importer_iso"]
    reporter, partner = pl.col("reporter_iso"), pl.col("partner_iso")
    window = window_of(row)
    first, _, _ = window.in_year(min(window.baseline_years(scenario.baseline_years))).span()
    last = window.end
    route = reporter.is_in([hub, target]) & partner.is_in([hub, target]) & (pl.col("freq_code") == row["freq_code"])
    legs = reporter.is_in(coalition) & partner.is_in([hub, target])
    mirrored = reporter.is_in([hub, target]) & partner.is_in(coalition) & (pl.col("flow_code") == "M")
    code = pl.col("cmd_code").str.slice(0, 6).is_in([*members, row["good"].removesuffix("+")])
    behind: pl.Expr = code & (route | legs | mirrored) & pl.col("ref_date").is_between(pl.lit(first), pl.lit(last))
    return behind


def raw_files(flows: pl.DataFrame, files: pl.DataFrame) -> list[Row]:
    """The files that reports were read from: what a person needs to check a number at its publisher.

    Parameters
    ----------
    flows : polars.DataFrame
        The rows of flows in question.
    files : polars.DataFrame
        Rows of flows.files.

    Returns
    -------
    list of dict
        A file each, by source and path: source, dataset, vintage, path, sha256, url, fetched_at, rows_used (of
        `flows`), flows (their flow codes), first and last (their months).
    """
    counted = flows.group_by("raw_file").agg(
        rows_used=pl.len(),
        flows=pl.col("flow_code").unique().sort().str.join(", "),
        first=pl.col("ref_date").min().dt.strftime("%Y-%m"),
        last=pl.col("ref_date").max().dt.strftime("%Y-%m"),
    )
    columns = (
        "source",
        "dataset",
        "vintage",
        "path",
        "sha256",
        "url",
        "fetched_at",
        "rows_used",
        "flows",
        "first",
        "last",
    )
    return (
        files.with_columns(raw_file=pl.col("sha256").str.slice(0, 12))
        .join(counted, on="raw_file")
        .sort("source", "path")
        .select(columns)
        .to_dicts()
    )
