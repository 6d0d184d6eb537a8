"""The same features in DuckDB SQL: one row a route with a column a year, then each window's joins and indicators."""

from __future__ import annotations

from pathlib import Path

import duckdb

from anomaly.contract.settings import Settings
from anomaly.features.size_effect import FENCE, LEAST_ROUTES, LEAST_SPREAD, SIZE_POWER
from anomaly.features.unit_values import LEAST_WEIGHED_SHARE
from anomaly.features.windows import Comparison
from anomaly.reference.goods import HEADING_DIGITS
from benchmarks.tables import ZSTD_LEVEL, files, plan_of, scenario

THREADS = 2
UNIT_USD = 1e6


def run(root: str, out: str, materiality_usd: str) -> None:
    """Read bilateral, coverage and scope of an annual reconciled dataset; write features under `out`."""
    settings, folder = scenario(materiality_usd), Path(root)
    plan = plan_of(folder, settings)
    years = [period.year for period in plan.known["A"].periods]
    Path(out).mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(f"SET threads = {THREADS}")
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"CREATE TABLE coalition AS SELECT unnest({list(settings.coalition.countries)}) AS iso3")
    con.execute(f"CREATE TABLE targets AS SELECT unnest({list(settings.targets.countries)}) AS iso3")
    con.execute(_held(folder, years))
    con.execute(_wide(folder, years))
    windows = " UNION ALL ".join(
        f"SELECT * FROM ({_window(comparison, settings, number)})"
        for number, comparison in enumerate(plan.comparisons["A"])
    )
    ctes = ", ".join(
        f"{_sums(comparison, number)}, {_effects(number, settings.floor_usd)}, {_pairs(comparison, number)}, "
        f"{_totals(folder, comparison, number)}"
        for number, comparison in enumerate(plan.comparisons["A"])
    )
    options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD_LEVEL}"
    con.execute(f"COPY (WITH {ctes} {windows}) TO '{out}/part-0.parquet' ({options})")


def _held(folder: Path, years: list[int]) -> str:
    """In which years the dataset has the good at all."""
    held = ", ".join(f"bool_or(year(ref_date) = {year}) AS h_{year}" for year in years)
    return f"""
        CREATE TABLE held AS
        SELECT code AS good, {held} FROM read_parquet({files(folder, "coverage.scope")})
        WHERE flow_code = 'X' AND dimension = 'good' GROUP BY ALL
    """


def _wide(folder: Path, years: list[int]) -> str:
    """Routes with v_<year> (null: unknown) and w_<year>; absence is 0 only where coverage says so."""
    cells = ", ".join(
        f"any_value(value_usd) FILTER (year(ref_date) = {year}) AS v_{year}, "
        f"any_value(net_wgt_g) FILTER (year(ref_date) = {year}) AS w_{year}"
        for year in years
    )
    complete = ", ".join(f"bool_or(is_complete) FILTER (year(ref_date) = {year}) AS c_{year}" for year in years)
    held = ", ".join(
        f"CASE WHEN c_{year} AND h_{year} THEN greatest(coalesce(v_{year}, 0), 0) END AS v_{year}, w_{year}"
        for year in years
    )
    return f"""
        CREATE TABLE wide AS
        WITH cells AS (
            SELECT good, exporter_iso, importer_iso, {cells}
            FROM read_parquet({files(folder, "bilateral")}) GROUP BY ALL),
        reporters AS (
            SELECT reporter_iso AS exporter_iso, {complete}
            FROM read_parquet({files(folder, "coverage")}) WHERE flow_code = 'X' GROUP BY ALL)
        SELECT good, exporter_iso, importer_iso, {held}
        FROM cells LEFT JOIN reporters USING (exporter_iso) LEFT JOIN held USING (good)
    """


def _sums(comparison: Comparison, number: int) -> str:
    year, columns = comparison.window.year, [f"v_{year}" for year in comparison.baseline_years]
    unknown = " OR ".join(f"{column} IS NULL" for column in columns)
    best = f"CASE WHEN NOT ({unknown}) THEN greatest({', '.join(columns)}) END" if columns else "NULL::BIGINT"
    base = f"(({' + '.join(columns)}) + {len(columns) // 2}) // {len(columns)}" if columns else "NULL::BIGINT"
    return f"""
        compared_{number} AS MATERIALIZED (
            SELECT good, exporter_iso, importer_iso, v_{year} AS value_usd, v_{year - 1} AS value_prior_year_usd,
                {base} AS value_baseline_usd, {best} AS value_baseline_max_usd, w_{year} AS weight, w_{year - 1} AS weight_prior
            FROM wide WHERE v_{year} IS NOT NULL AND v_{year - 1} IS NOT NULL),
        totals_{number} AS (
            SELECT * FROM compared_{number} WHERE {"value_baseline_usd IS NOT NULL" if columns else "true"}),
        by_importer_{number} AS (
            SELECT good, importer_iso, sum(value_usd)::BIGINT AS all_to_importer_usd,
                sum(value_prior_year_usd)::BIGINT AS all_to_importer_prior_usd
            FROM totals_{number} GROUP BY ALL),
        by_exporter_{number} AS (
            SELECT good, exporter_iso, sum(value_usd)::BIGINT AS now, sum(value_prior_year_usd)::BIGINT AS prior,
                sum(value_baseline_usd)::BIGINT AS baseline
            FROM totals_{number} GROUP BY ALL),
        legs_{number} AS (
            SELECT good, importer_iso AS country, sum(value_usd)::BIGINT AS now,
                sum(value_prior_year_usd)::BIGINT AS prior, sum(value_baseline_usd)::BIGINT AS baseline,
                sum(value_usd) FILTER (weight > 0) AS weighed, sum(weight) FILTER (weight > 0) AS weight
            FROM totals_{number} WHERE exporter_iso IN (SELECT iso3 FROM coalition) GROUP BY ALL)
    """


def _effects(number: int, floor: int) -> str:
    return f"""
        ratios_{number} AS (
            SELECT good, exporter_iso, importer_iso, greatest(value_usd, value_prior_year_usd) AS larger,
                (value_usd + {floor}.0::DOUBLE) / (value_prior_year_usd + {floor}.0::DOUBLE) AS r
            FROM compared_{number} WHERE larger >= {floor}),
        sized_{number} AS (
            SELECT good, exporter_iso, importer_iso, (larger / {UNIT_USD}) ** {SIZE_POWER} * CASE
                WHEN r < m.med THEN 1 - m.med / r ELSE r / m.med - 1 END AS e
            FROM ratios_{number} JOIN (SELECT good, median(r) AS med FROM ratios_{number} GROUP BY ALL) m USING (good)),
        fences_{number} AS (
            SELECT good, count(*) AS n, quantile_cont(e, [0.25, 0.5, 0.75]) AS q FROM sized_{number} GROUP BY ALL),
        effects_{number} AS (
            SELECT good, exporter_iso, importer_iso, e - q[2] AS away, {FENCE} * greatest(
                CASE WHEN e > q[2] THEN q[3] - q[2] ELSE q[2] - q[1] END, {LEAST_SPREAD} * abs(q[2])) AS fence
            FROM sized_{number} JOIN fences_{number} USING (good) WHERE n >= {LEAST_ROUTES})
    """


def _pairs(comparison: Comparison, number: int) -> str:
    now, prior = f"v_{comparison.window.year}", f"v_{comparison.window.year - 1}"
    return f"""
        headings_{number} AS (
            SELECT substr(good, 1, {HEADING_DIGITS}) AS heading FROM (SELECT DISTINCT good FROM wide)
            GROUP BY ALL HAVING count(*) > 1),
        pairs_{number} AS (
            SELECT substr(good, 1, {HEADING_DIGITS}) AS heading, exporter_iso, importer_iso,
                sum(greatest({prior} - {now}, 0))::BIGINT AS fell,
                max({prior} - {now}) AS deepest, bool_or({now} IS NULL OR {prior} IS NULL) AS is_unknown
            FROM wide JOIN headings_{number} ON heading = substr(good, 1, {HEADING_DIGITS}) GROUP BY ALL)
    """


def _totals(folder: Path, comparison: Comparison, number: int) -> str:
    """All exports of the reporters that have every year of the window, and what they sold of each good."""
    base = list(comparison.baseline_years)
    years = [*base, comparison.window.year - 1, comparison.window.year]
    held = " AND ".join(f"h_{year}" for year in base) or "false"
    return f"""
        reporters_{number} AS (
            SELECT reporter_iso AS exporter_iso,
                (sum(value_usd) FILTER (year(ref_date) IN {base}) + {len(base) // 2}) // {max(len(base), 1)} AS usd
            FROM read_parquet({files(folder, "coverage")}) WHERE flow_code = 'X' GROUP BY ALL
            HAVING count(*) FILTER (is_complete AND year(ref_date) IN {years}) = {len(set(years))}),
        worlds_{number} AS (
            SELECT good, sum(e.baseline) AS of_good, (SELECT sum(usd) FROM reporters_{number}) AS world
            FROM by_exporter_{number} e JOIN reporters_{number} USING (exporter_iso) JOIN held USING (good)
            WHERE {held} GROUP BY ALL),
        advantages_{number} AS (
            SELECT good, exporter_iso, (coalesce(e.baseline, 0) / usd) / (of_good / world) AS revealed_advantage
            FROM worlds_{number} CROSS JOIN reporters_{number}
            LEFT JOIN by_exporter_{number} e USING (good, exporter_iso) WHERE usd > 0 AND of_good > 0)
    """


def _window(comparison: Comparison, settings: Settings, number: int) -> str:
    in_totals = "value_baseline_usd IS NOT NULL" if comparison.baseline_years else "true"
    return f"""
        WITH joined AS (
            SELECT c.good, c.exporter_iso, c.importer_iso, c.value_usd, c.value_prior_year_usd, c.value_baseline_usd,
                {"c.value_baseline_max_usd" if comparison.baseline_years else "c.value_prior_year_usd"} AS record_usd,
                all_to_importer_usd, all_to_importer_prior_usd,
                1 - least(a.revealed_advantage, 1) AS no_capacity,
                CASE WHEN value_usd - value_prior_year_usd < {settings.floor_usd} THEN p.fell * 0.0
                    WHEN NOT (p.is_unknown AND p.fell = 0) THEN least(p.fell / (value_usd - value_prior_year_usd), 1.0)
                    END AS neighbour_code_shift,
                CASE WHEN neighbour_code_shift > 0 THEN p.deepest END AS neighbour_fell_usd,
                CASE WHEN fence > 0 THEN away / fence END AS size_effect,
                CASE WHEN {in_totals} THEN greatest(e.now - value_usd, 0) END AS elsewhere_usd,
                CASE WHEN {in_totals} THEN greatest(e.prior - value_prior_year_usd, 0) END AS elsewhere_prior_usd,
                CASE WHEN {in_totals} THEN greatest(e.baseline - value_baseline_usd, 0) END AS elsewhere_baseline_usd,
                {_legs(comparison)},
                CASE WHEN h.weighed > 0 AND h.weighed >= {LEAST_WEIGHED_SHARE} * h.now
                    AND c.exporter_iso NOT IN (SELECT iso3 FROM coalition)
                    THEN h.weighed / (h.weight / 1000) END AS coalition_to_hub_usd_per_kg,
                CASE WHEN c.weight > 0 OR value_usd <= 0 THEN greatest(coalesce(c.weight, 0), 0) END AS net_wgt_g,
                CASE WHEN weight_prior > 0 OR value_prior_year_usd <= 0
                    THEN greatest(coalesce(weight_prior, 0), 0) END AS net_wgt_prior_g
            FROM compared_{number} c
            LEFT JOIN effects_{number} USING (good, exporter_iso, importer_iso)
            LEFT JOIN pairs_{number} p ON p.heading = substr(c.good, 1, {HEADING_DIGITS})
                AND p.exporter_iso = c.exporter_iso AND p.importer_iso = c.importer_iso
            LEFT JOIN advantages_{number} a ON a.good = c.good AND a.exporter_iso = c.exporter_iso
            LEFT JOIN by_importer_{number} i ON i.good = c.good AND i.importer_iso = c.importer_iso
            LEFT JOIN by_exporter_{number} e ON e.good = c.good AND e.exporter_iso = c.exporter_iso
            LEFT JOIN held d ON d.good = c.good
            LEFT JOIN legs_{number} t ON t.good = c.good AND t.country = c.importer_iso
            LEFT JOIN legs_{number} h ON h.good = c.good AND h.country = c.exporter_iso
            WHERE c.value_usd >= {settings.materiality_usd} OR (c.value_prior_year_usd >= {settings.materiality_usd}
                AND c.importer_iso IN (SELECT iso3 FROM targets))),
        priced AS (
            SELECT *, CASE WHEN net_wgt_g > 0 AND value_usd > 0 THEN 1000 * value_usd / net_wgt_g END
                AS unit_value_usd_per_kg,
                CASE WHEN net_wgt_prior_g > 0 AND value_prior_year_usd > 0
                    THEN 1000 * value_prior_year_usd / net_wgt_prior_g END AS unit_value_prior_usd_per_kg,
                CASE WHEN value_prior_year_usd = 0 OR value_usd = 0 THEN 0.0
                    WHEN value_prior_year_usd >= {settings.floor_usd} THEN ln((value_usd + {settings.floor_usd}) / (
                        value_usd * unit_value_prior_usd_per_kg / unit_value_usd_per_kg + {settings.floor_usd}))
                    END AS price_surge_log
            FROM joined),
        compared_with_median AS (
            SELECT *, median(unit_value_usd_per_kg) FILTER (value_usd >= {settings.materiality_usd})
                OVER (PARTITION BY good) AS median_unit_value_usd_per_kg,
                median(price_surge_log) FILTER (value_usd >= {settings.materiality_usd})
                OVER (PARTITION BY good) AS median_price_surge_log
            FROM priced)
        SELECT {comparison.window.year} AS window_year, {comparison.gap_years} AS baseline_gap_years, *,
            (value_usd > 0)::BIGINT AS active_periods,
            CASE WHEN value_usd > 0 THEN value_usd / value_usd END AS largest_period_share,
            {_indicators(settings.floor_usd)}
        FROM compared_with_median
    """


def _legs(comparison: Comparison) -> str:
    """What the coalition sells both ends: nothing, where the dataset holds the good in all the years and no such row."""
    base = comparison.baseline_years
    is_held = " AND ".join(f"d.h_{year}" for year in (comparison.window.year, comparison.window.year - 1, *base))
    return ", ".join(
        f"CASE WHEN {leg}.now IS NULL AND {is_held} AND c.{end} NOT IN (SELECT iso3 FROM coalition) "
        f"THEN {0 if base or period != 'baseline' else 'NULL'} ELSE {leg}.{period} END AS coalition_to_{name}{suffix}_usd"
        for leg, name, end in (("t", "target", "importer_iso"), ("h", "hub", "exporter_iso"))
        for period, suffix in (("now", ""), ("prior", "_prior"), ("baseline", "_baseline"))
    )


def _indicators(floor: int) -> str:
    def log_ratio(now: str, before: str) -> str:
        return f"ln(({now} + {floor}.0::DOUBLE) / ({before} + {floor}.0::DOUBLE))"

    lost = "(coalition_to_target_baseline_usd - coalition_to_target_usd)"
    gained = "(value_usd - value_baseline_usd)"
    now, before = "(value_usd + elsewhere_usd)", "(value_prior_year_usd + elsewhere_prior_usd)"
    all_now, all_then = "all_to_importer_usd", "all_to_importer_prior_usd"
    return f"""
        {log_ratio("value_usd", "value_prior_year_usd")} AS surge_log,
        {log_ratio("value_usd", "value_prior_year_usd")} - price_surge_log AS volume_surge_log,
        {log_ratio("value_usd", "record_usd")} AS record_excess_log,
        {log_ratio("value_usd", "value_baseline_usd")} AS baseline_excess_log,
        CASE WHEN (value_prior_year_usd = 0 AND value_baseline_usd = 0) IS NOT NULL
            THEN (value_prior_year_usd = 0 AND value_baseline_usd = 0 AND value_usd >= {floor})::INT::DOUBLE
            END AS new_route,
        {log_ratio("coalition_to_hub_usd", "coalition_to_hub_prior_usd")} AS upstream_surge_log,
        -{log_ratio("coalition_to_target_usd", "coalition_to_target_prior_usd")} AS direct_drop_log,
        CASE WHEN {lost} > {floor} AND {gained} IS NOT NULL THEN least(greatest({gained}::DOUBLE / {lost}, 0), 1)
            WHEN {lost} IS NOT NULL THEN {gained} * 0.0 END AS replacement_share,
        CASE WHEN coalition_to_hub_usd - coalition_to_hub_baseline_usd IS NOT NULL AND {gained} IS NOT NULL
            THEN greatest(least(coalition_to_hub_usd - coalition_to_hub_baseline_usd, {gained}), 0)::DOUBLE
            END AS route_through_usd,
        100 * (CASE WHEN {now} > 0 THEN value_usd / {now} END
            - CASE WHEN {before} > 0 THEN value_prior_year_usd / {before} WHEN {before} = 0 THEN 0.0 END)
            AS destination_shift_pp,
        100 * (CASE WHEN {all_now} > 0 THEN value_usd / {all_now} END
            - CASE WHEN {all_then} > 0 THEN value_prior_year_usd / {all_then} WHEN {all_then} = 0 THEN 0.0 END)
            AS share_shift_pp,
        CASE WHEN unit_value_usd_per_kg > 0 AND median_unit_value_usd_per_kg > 0
            THEN ln(unit_value_usd_per_kg / median_unit_value_usd_per_kg) END AS unit_value_gap_log,
        CASE WHEN unit_value_usd_per_kg > 0 AND coalition_to_hub_usd_per_kg > 0
            THEN ln(unit_value_usd_per_kg / coalition_to_hub_usd_per_kg) END AS hub_markup_log,
        NULL::DOUBLE AS level_shift_log, NULL::DOUBLE AS lead_lag_corr, NULL::DOUBLE AS mirror_gap_shift_log
    """
