"""The contract between tables: every table's columns, types, units and meaning, in one place.

A table of the store is one of `TABLES`. A name with a dot is a companion: it lies in the folder of the
table before the dot and is committed together with it. null is unknown, 0 is known to be nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import dataframely as dy
import polars as pl

from anomaly.contract.keys import ROUTE_KEY as ROUTE_KEY
from anomaly.contract.schema_bilateral import Bilateral as Bilateral
from anomaly.contract.schema_bilateral import Broken as Broken
from anomaly.contract.schema_bilateral import Families as Families
from anomaly.contract.schema_reported import FLOWS as FLOWS
from anomaly.contract.schema_reported import FREQUENCIES as FREQUENCIES
from anomaly.contract.schema_reported import GOOD as _GOOD
from anomaly.contract.schema_reported import ISO3 as _ISO3
from anomaly.contract.schema_reported import MOST_PLAUSIBLE_USD as MOST_PLAUSIBLE_USD
from anomaly.contract.schema_reported import VALUE_BASES as VALUE_BASES
from anomaly.contract.schema_reported import Coverage as Coverage
from anomaly.contract.schema_reported import Flows as Flows
from anomaly.contract.schema_reported import RawFiles as RawFiles
from anomaly.contract.schema_reported import Rejected as Rejected
from anomaly.contract.schema_reported import Scope as Scope
from anomaly.contract.schema_reported import count as _count
from anomaly.contract.schema_reported import grams as _grams
from anomaly.contract.schema_reported import real as _real
from anomaly.contract.schema_reported import text as _text
from anomaly.contract.schema_reported import usd as _usd
from anomaly.contract.schema_results import Backtest as Backtest
from anomaly.contract.schema_results import Rollups as Rollups


class Routes(dy.Schema):
    """The key that features, scores and flags share: a route in a window."""

    freq_code = _text("A annual, M monthly", primary_key=True, regex="^[AM]$")
    window_months = dy.Int16(
        description="length of the window", primary_key=True, min=1, max=12, metadata={"unit": "months"}
    )
    window_end = dy.Date(
        description="first day of the last month of the window; 1 December for annual data", primary_key=True
    )
    good = _text("HS family", primary_key=True, regex=_GOOD)
    exporter_iso = _text("exporter, the hub of the route", primary_key=True, regex=_ISO3)
    importer_iso = _text("importer, the target of the route", primary_key=True, regex=_ISO3)


class Features(Routes):
    """A route's windows and what stands beside them; one more nullable Float64 column per indicator."""

    baseline_gap_years = dy.Int8(
        description="years from the last baseline year to the window; placebos of a window share its gap",
        primary_key=True,
        min=1,
    )
    source = _text("publisher of the route's values")
    dataset = _text("dataset of the route's values")
    value_basis = _text("export, import or reconciled")
    baseline_years = _text("years of the baseline, such as 2019-2021")
    role = _text(
        "target, placebo, coalition or other: what the importer is in the scenario",
        regex="^(target|placebo|coalition|other)$",
    )
    is_before_sanctions = dy.Bool(description="the whole window lies before the scenario's sanctions")
    value_usd = _usd("trade in the window", min=0)
    value_prior_year_usd = _usd("trade in the same months a year before", nullable=True, min=0)
    value_baseline_usd = _usd("mean trade in the same months of the baseline years", nullable=True, min=0)
    value_baseline_max_usd = _usd("highest of the baseline years", nullable=True, min=0)
    active_periods = _count("periods of the window with trade", "periods")
    largest_period_share = _real("share of the window's value in its largest period", "share", min=0, max=1)
    net_wgt_g = _grams("net weight in the window, where all of it is known")
    net_wgt_prior_g = _grams("net weight in the same months a year before, where all of it is known")
    price_surge_log = _real("surge_log less volume_surge_log: the part of the growth that is price", "log")
    median_price_surge_log = _real("its median over all material routes of the good in the window", "log")
    is_edition_changed = dy.Bool(description="the windows straddle two HS editions; the good is stable across them")
    coalition_to_target_usd = _usd(
        "coalition's exports of the good to the importer in the window", nullable=True, min=0
    )
    coalition_to_target_prior_usd = _usd("the same a year before", nullable=True, min=0)
    coalition_to_target_baseline_usd = _usd("the same in the baseline", nullable=True, min=0)
    coalition_to_hub_usd = _usd("coalition's exports of the good to the exporter in the window", nullable=True, min=0)
    coalition_to_hub_prior_usd = _usd("the same a year before", nullable=True, min=0)
    coalition_to_hub_baseline_usd = _usd("the same in the baseline", nullable=True, min=0)
    coalition_to_hub_usd_per_kg = _real(
        "what a kilogram of those exports cost in the window; null on routes of the coalition itself", "USD/kg", min=0
    )
    elsewhere_usd = _usd(
        "the exporter's exports of the good to everyone else; null where the extract has no one else",
        nullable=True,
        min=0,
    )
    elsewhere_prior_usd = _usd("the same a year before", nullable=True, min=0)
    elsewhere_baseline_usd = _usd("the same in the baseline", nullable=True, min=0)
    exporter_growth_prior_log = dy.Float64(
        description="ln growth of all the exporter sells to others than targets, against the year before; null where not in the data",
        nullable=True,
        metadata={"unit": "log"},
    )
    exporter_growth_baseline_log = dy.Float64(
        description="the same against the baseline", nullable=True, metadata={"unit": "log"}
    )
    all_to_importer_usd = _usd("everyone's exports of the good to the importer", nullable=True, min=0)
    all_to_importer_prior_usd = _usd("the same a year before", nullable=True, min=0)
    unit_value_usd_per_kg = _real("price of the route where four fifths of it have a weight", "USD/kg", min=0)
    unit_value_prior_usd_per_kg = _real("the same a year before", "USD/kg", min=0)
    median_unit_value_usd_per_kg = _real(
        "median price of the good over all material routes of the window", "USD/kg", min=0
    )
    leg_exported_usd = _usd(
        "coalition to exporter as the coalition reports it, where both sides report; on a route of the coalition itself: the route",
        nullable=True,
        min=0,
    )
    leg_imported_usd = _usd("the same as the receiving side reports it", nullable=True, min=0)
    leg_exported_baseline_usd = _usd("leg_exported_usd in the baseline", nullable=True, min=0)
    leg_imported_baseline_usd = _usd("leg_imported_usd in the baseline", nullable=True, min=0)
    revealed_advantage = _real(
        "the good's part in the exporter's exports in the baseline over its part in everyone's", "ratio", min=0
    )
    break_month = dy.Date(
        description="first month at the new level of level_shift_log; null where there is no shift", nullable=True
    )
    lead_lag_months = dy.Int8(
        description="months by which the route follows the coalition's exports in lead_lag_corr",
        nullable=True,
        min=0,
        metadata={"unit": "months"},
    )
    neighbour_fell_good = _text(
        "the good of the same heading that fell most on the route while this one rose; null where none did",
        nullable=True,
    )
    neighbour_fell_usd = _usd("by how much that good fell against the year before", nullable=True, min=0)
    coalition_to_target_compared = _text("what that leg was compared on, months and publisher; empty where unknown")
    coalition_to_hub_compared = _text("what that leg was compared on, months and publisher; empty where unknown")
    smallest_published_usd = _usd(
        "smallest value in the dataset where that is no small one: a missing row may be a smaller one",
        nullable=True,
        min=0,
    )


class Refused(Routes):
    """Comparisons the data cannot carry, with the reason by name; routes to targets only."""

    refusal = _text("name of the reason")
    says = _text("the reason in words")
    value_usd = _usd("largest trade known of the route in the windows compared", nullable=True, min=0)


class Scores(Routes):
    """How unusual a route is, and how often routes that cannot be evasion look as unusual."""

    anomaly_score = dy.Float64(
        description="isolation forest, averaged over seeds; higher is more anomalous", min=0, max=1, nullable=True
    )
    evidence_score = dy.Float64(
        description="mean of the route's rank by the forest and by its leading input, among placebos and routes asked about",
        min=0,
        max=1,
        nullable=True,
    )
    evidence_weight = dy.Float64(
        description="how likely a part of evasion before its own rise is looked at; mean 1 over the routes of the window",
        min=0,
        nullable=True,
    )
    anomaly_rank = dy.Int64(
        description="1 is the first to look at: by weighted p, then by evidence", min=1, nullable=True
    )
    p_value = dy.Float64(
        description="(1 + placebos with as much evidence) / (1 + placebos), from the route's own rise",
        min=0,
        max=1,
        nullable=True,
    )
    q_value = dy.Float64(
        description="share of false flags to expect down to this route: weighted Benjamini-Hochberg over the window",
        min=0,
        max=1,
        nullable=True,
    )
    stability_share = dy.Float64(
        description="share of seeds and resampled placebos with which q stays within the limit",
        min=0,
        max=1,
        nullable=True,
    )
    placebos = _count("placebo routes the p-value was read from", "routes")


class Calibration(dy.Schema):
    """Per window: which placebos there were, and how often targets and placebos are flagged."""

    freq_code = _text("A annual, M monthly", primary_key=True)
    window_months = dy.Int16(description="length of the window", primary_key=True, metadata={"unit": "months"})
    window_end = dy.Date(description="last month of the window", primary_key=True)
    leg = _text("hub to target, or coalition to hub (for ghost transit)", primary_key=True)
    placebo_kind = _text(
        "importers, periods, both (of these), goods, goods_and_periods or none: what the placebos of this window are"
    )
    placebos = _count("placebo routes", "routes")
    q_limit = dy.Float64(description="flags have a q up to here in this window", min=0, max=1)
    targets = _count("routes to targets", "routes")
    targets_flagged_per_1000 = dy.Float64(
        description="routes to targets with q within the limit, per 1,000", nullable=True, min=0
    )
    placebos_flagged_per_1000 = dy.Float64(
        description="placebo routes with a p as small as the largest p/weight of a flag, per 1,000",
        nullable=True,
        min=0,
    )
    says = _text("the calibration in words")


class Contributions(Routes):
    """How far a route's score falls when one input of the forest is set to nothing."""

    input = _text("indicator whose input was set to 0", primary_key=True)
    score_drop = dy.Float64(description="fall of anomaly_score", metadata={"unit": "score"})


class Flags(Routes):
    """Routes that deserve a question, with the evidence. No flag without a reason."""

    flag_id = _text("stable across runs: good-exporter-importer-window", unique=True)
    flag_type = _text("what the figures look like: a type of anomaly/flags/types")
    severity = _text("high, medium or low", regex="^(high|medium|low)$")
    priority = dy.Float64(description="order in which to look: severity x list tier x log of the excess", min=0)
    list_tier = _text("tier of the good on the scenario's list at the end of the window", nullable=True)
    value_usd = _usd("trade in the window", min=0)
    value_prior_year_usd = _usd("the same months a year before", nullable=True, min=0)
    value_baseline_usd = _usd("mean of the same months in the baseline years", nullable=True, min=0)
    excess_usd = _usd("value above what the exporter's other trade of the good explains", nullable=True)
    anomaly_score = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    anomaly_rank = dy.Int64(description="see scores", min=1, nullable=True)
    p_value = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    q_value = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    stability_share = dy.Float64(description="see scores", min=0, max=1, nullable=True)
    compares = _text("the two windows and the baseline in words")
    reasons = dy.List(
        dy.Struct(
            {
                "indicator": dy.String(),
                "value": dy.Float64(),
                "unit": dy.String(),
                "threshold": dy.Float64(),
                "text": dy.String(),
            }
        ),
        min_length=1,
        description="what speaks for it, each with its number and its threshold",
    )
    caveats = dy.List(dy.String(), description="what else could explain it, and what the data cannot say")
    contributions = dy.List(
        dy.Struct({"input": dy.String(), "score_drop": dy.Float64()}),
        description="how far the score falls when one input of the forest is set to nothing",
    )
    benign = dy.List(dy.String(), description="explanations to rule out before asking anyone")
    evidence = _text("what fits together, in one sentence of the flag's type", nullable=True)
    benign_if = dy.List(
        dy.Struct({"explanation": dy.String(), "verdict": dy.String(), "text": dy.String()}),
        nullable=True,
        description="what would have to be true for it to be benign, and whether the data allow it: fits, partly, against or unknown",
    )
    comparables = dy.List(
        dy.Struct(
            {
                "nearness": dy.String(),
                "good": dy.String(),
                "exporter_iso": dy.String(),
                "importer_iso": dy.String(),
                "value_usd": dy.Int64(nullable=True),
                "value_prior_year_usd": dy.Int64(nullable=True),
                "q_value": dy.Float64(nullable=True),
                "why": dy.String(),
            }
        ),
        nullable=True,
        description="the nearest routes of the same window that were not flagged, and why not",
    )
    sides = dy.List(
        dy.Struct(
            {
                "span": dy.String(),
                "export_value_fob_usd": dy.Int64(nullable=True),
                "import_value_cif_usd": dy.Int64(nullable=True),
                "reexport_value_fob_usd": dy.Int64(nullable=True),
                "net_wgt_g": dy.Int64(nullable=True),
            }
        ),
        nullable=True,
        description="window, year before and baseline as each side reports the route; re-exports are within exports",
    )
    is_before_sanctions = dy.Bool(description="a check, not a finding: the window lies before the sanctions")


class Without(dy.Schema):
    """What remains of a flag when one publisher's data are left out."""

    flag_id = _text("see flags", primary_key=True)
    source_left_out = _text("publisher's file format whose rows are left out", primary_key=True)
    remains = _text(
        "flagged; weaker: flagged with fewer reasons; not_flagged: compared and no flag; not_comparable",
        regex="^(flagged|weaker|not_flagged|not_comparable)$",
    )
    value_usd = _usd("trade in the window without it", nullable=True, min=0)
    q_value = dy.Float64(description="against the run's placebos; null where not computed", nullable=True, min=0, max=1)
    reasons_left = dy.List(dy.String(), description="reasons of the flag that are still over their thresholds")
    reasons_lost = dy.List(dy.String(), description="reasons that are known and no longer over their thresholds")
    unknown = dy.List(dy.String(), description="indicators that were known and are not without it")
    says = _text("the change in words")


TABLES: dict[str, type[dy.Schema]] = {
    "flows": Flows,
    "flows.rejected": Rejected,
    "flows.files": RawFiles,
    "families": Families,
    "families.broken": Broken,
    "coverage": Coverage,
    "coverage.scope": Scope,
    "bilateral": Bilateral,
    "features": Features,
    "features.refused": Refused,
    "scores": Scores,
    "scores.calibration": Calibration,
    "scores.contributions": Contributions,
    "flags": Flags,
    "flags.without": Without,
    "rollups": Rollups,
    "backtest": Backtest,
}


def is_own_gap(baseline_years: Sequence[int]) -> pl.Expr:
    """Rows of features that are compared with their window's own baseline; the others are placebos of later windows.

    Parameters
    ----------
    baseline_years : sequence of int
        The scenario's.

    Returns
    -------
    polars.Expr
        Boolean over window_end and baseline_gap_years.
    """
    year = pl.col("window_end").dt.year().cast(pl.Int64)
    return pl.col("baseline_gap_years") == pl.max_horizontal(pl.lit(1, dtype=pl.Int64), year - max(baseline_years))


def describe(table: str, contract: type[dy.Schema] | None = None) -> list[dict[str, str]]:
    """Name, type, unit and meaning of every column of a table, for `anomaly tables` and the docs.

    Parameters
    ----------
    table : str
        A name of TABLES.
    contract : type of dataframely.Schema, optional
        The table's own, where a registry has a part in it.

    Returns
    -------
    list of dict
        column, type, unit (empty where it has none), nullable (yes or no) and meaning, in the table's order.
    """
    return [
        {
            "column": name,
            "type": str(column.dtype),
            "unit": str((column.metadata or {}).get("unit", "")),
            "nullable": "yes" if column.nullable else "no",
            "meaning": column.description or "",
        }
        for name, column in (contract or TABLES[table]).columns().items()
    ]
