"""The same features in pandas: one row a route with a column a year, codes as categories, a merge per sum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from anomaly.contract import keys
from anomaly.contract.settings import Settings
from anomaly.features.size_effect import FENCE, LEAST_ROUTES, LEAST_SPREAD, SIZE_POWER
from anomaly.features.unit_values import LEAST_WEIGHED_SHARE
from anomaly.features.windows import Comparison
from anomaly.reference.goods import HEADING_DIGITS
from benchmarks.tables import ZSTD_LEVEL, files, plan_of, scenario

ROUTE = list(keys.ROUTE)


def run(root: str, out: str, materiality_usd: str) -> None:
    """Read bilateral, coverage and scope of an annual reconciled dataset; write features under `out`."""
    settings, folder = scenario(materiality_usd), Path(root)
    plan = plan_of(folder, settings)
    years = [period.year for period in plan.known["A"].periods]
    routes = _wide(folder, years)
    coverage, held = _totals(folder)
    windows = [_window(routes, comparison, settings, coverage, held) for comparison in plan.comparisons["A"]]
    Path(out).mkdir(parents=True, exist_ok=True)
    whole = pd.concat(windows, ignore_index=True)
    whole.to_parquet(Path(out) / "part-0.parquet", compression="zstd", compression_level=ZSTD_LEVEL)


def _wide(folder: Path, years: list[int]) -> pd.DataFrame:
    """Routes with v_<year> (missing: unknown) and w_<year>; absence is 0 only where coverage says so."""
    columns = [*ROUTE, "ref_date", "value_usd", "net_wgt_g"]
    long = pd.concat([pd.read_parquet(file, columns=columns) for file in files(folder, "bilateral")])
    long["year"] = pd.to_datetime(long["ref_date"]).dt.year.astype("int16")
    long = long.drop(columns="ref_date")
    for column in ROUTE:
        long[column] = long[column].astype("category")
    cells = long.set_index([*ROUTE, "year"])[["value_usd", "net_wgt_g"]].unstack("year")
    coverage = pd.concat([pd.read_parquet(file) for file in files(folder, "coverage")])
    coverage = coverage[(coverage["flow_code"] == "X") & coverage["is_complete"]]
    scope = pd.concat([pd.read_parquet(file) for file in files(folder, "coverage.scope")])
    scope = scope[(scope["flow_code"] == "X") & (scope["dimension"] == "good")]
    routes = cells.index.to_frame(index=False)
    for year in years:
        complete = coverage.loc[pd.to_datetime(coverage["ref_date"]).dt.year == year, "reporter_iso"]
        held = scope.loc[pd.to_datetime(scope["ref_date"]).dt.year == year, "code"]
        is_known = routes["exporter_iso"].isin(complete) & routes["good"].isin(held)
        routes[f"v_{year}"] = cells["value_usd", year].fillna(0).to_numpy()
        routes[f"v_{year}"] = routes[f"v_{year}"].where(is_known)
        routes[f"w_{year}"] = cells["net_wgt_g", year].to_numpy()
    return routes


def _totals(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What each reporter exported of all goods, and which goods the dataset has, a column a year."""
    coverage = pd.concat([pd.read_parquet(file) for file in files(folder, "coverage")])
    coverage = coverage[(coverage["flow_code"] == "X") & coverage["is_complete"]]
    usd = coverage.assign(year=pd.to_datetime(coverage["ref_date"]).dt.year).pivot(
        index="reporter_iso", columns="year", values="value_usd"
    )
    scope = pd.concat([pd.read_parquet(file) for file in files(folder, "coverage.scope")])
    scope = scope[(scope["flow_code"] == "X") & (scope["dimension"] == "good")]
    held = scope.assign(year=pd.to_datetime(scope["ref_date"]).dt.year, held=1)
    return usd, held.pivot(index="code", columns="year", values="held").notna()


def _window(
    routes: pd.DataFrame, comparison: Comparison, settings: Settings, coverage: pd.DataFrame, held: pd.DataFrame
) -> pd.DataFrame:
    year, base = comparison.window.year, [f"v_{year}" for year in comparison.baseline_years]
    compared = routes[ROUTE].assign(
        value_usd=routes[f"v_{year}"], value_prior_year_usd=routes[f"v_{year - 1}"],
        weight=routes[f"w_{year}"], weight_prior=routes[f"w_{year - 1}"],
    )  # fmt: skip
    compared["value_baseline_usd"] = (
        (routes[base].sum(axis=1, skipna=False) + len(base) // 2) // len(base) if base else np.nan
    )
    compared["record_usd"] = routes[base].max(axis=1, skipna=False) if base else compared["value_prior_year_usd"]
    compared = _with_pairs(compared, float(settings.floor_usd))
    compared = compared[compared["value_usd"].notna() & compared["value_prior_year_usd"].notna()].copy()
    compared["size_effect"] = _effects(compared, float(settings.floor_usd))
    is_in_totals = compared["value_baseline_usd"].notna() if base else pd.Series(data=True, index=compared.index)
    totals = compared[is_in_totals]
    is_target = compared["importer_iso"].isin(settings.targets.countries)
    was_material = is_target & (compared["value_prior_year_usd"] >= settings.materiality_usd)
    frame = compared[(compared["value_usd"] >= settings.materiality_usd) | was_material].copy()
    frame["is_in_totals"] = is_in_totals.loc[frame.index]
    sums = ["value_usd", "value_prior_year_usd", "value_baseline_usd"]
    by_importer = totals.groupby(["good", "importer_iso"], observed=True)[sums[:2]].sum().reset_index()
    by_exporter = totals.groupby(["good", "exporter_iso"], observed=True)[sums].sum(min_count=1).reset_index()
    sent = totals[totals["exporter_iso"].isin(settings.coalition.countries)]
    is_held = held[[*comparison.baseline_years, year - 1, year]].all(axis=1)
    held_goods = held.index[is_held]  # of them a leg of the coalition without a row is nothing
    frame["no_capacity"] = _lack(frame, by_exporter, comparison, coverage, held)
    legs = sent.groupby(["good", "importer_iso"], observed=True)[sums].sum(min_count=1)
    weighed = sent[sent["weight"] > 0].groupby(["good", "importer_iso"], observed=True)[["value_usd", "weight"]].sum()
    legs = legs.join(weighed.rename(columns={"value_usd": "weighed"})).reset_index()
    by_importer.columns = pd.Index(["good", "importer_iso", "all_to_importer_usd", "all_to_importer_prior_usd"])
    by_exporter.columns = pd.Index(["good", "exporter_iso", "_now", "_prior", "_baseline"])
    for leg, side in (("target", "importer_iso"), ("hub", "exporter_iso")):
        names = [f"coalition_to_{leg}{suffix}_usd" for suffix in ("", "_prior", "_baseline")]
        named = legs.set_axis(["good", side, *names, f"_weighed_{leg}", f"_weight_{leg}"], axis=1)
        named[side] = named[side].astype(frame[side].dtype)
        frame = frame.merge(named, on=["good", side], how="left")
        is_nothing = frame["good"].isin(held_goods) & ~frame[side].isin(settings.coalition.countries)
        is_nothing &= frame[names[0]].isna()
        known_sums = names if base else names[:2]
        frame[known_sums] = frame[known_sums].mask(is_nothing, 0)
    frame = frame.merge(by_importer, on=["good", "importer_iso"], how="left")
    frame = frame.merge(by_exporter, on=["good", "exporter_iso"], how="left")
    for sum_, own, name in zip(("_now", "_prior", "_baseline"), sums, ("", "_prior", "_baseline"), strict=True):
        frame[f"elsewhere{name}_usd"] = (frame[sum_] - frame[own]).clip(lower=0).where(frame["is_in_totals"])
    has_weight = (frame["weight"] > 0) | (frame["value_usd"] <= 0)
    frame["net_wgt_g"] = frame["weight"].fillna(0).where(has_weight)
    has_weight = (frame["weight_prior"] > 0) | (frame["value_prior_year_usd"] <= 0)
    frame["net_wgt_prior_g"] = frame["weight_prior"].fillna(0).where(has_weight)
    is_told = (frame["_weighed_hub"] > 0) & (
        frame["_weighed_hub"] >= LEAST_WEIGHED_SHARE * frame["coalition_to_hub_usd"]
    )
    is_told &= ~frame["exporter_iso"].isin(settings.coalition.countries)
    frame["coalition_to_hub_usd_per_kg"] = (frame["_weighed_hub"] / (frame["_weight_hub"] / 1000)).where(is_told)
    is_priced = (frame["net_wgt_g"] > 0) & (frame["value_usd"] > 0)
    frame["unit_value_usd_per_kg"] = (1000 * frame["value_usd"] / frame["net_wgt_g"]).where(is_priced)
    value, prior, floor = frame["value_usd"], frame["value_prior_year_usd"], float(settings.floor_usd)
    had_price = (frame["net_wgt_prior_g"] > 0) & (prior > 0)
    frame["unit_value_prior_usd_per_kg"] = (1000 * prior / frame["net_wgt_prior_g"]).where(had_price)
    at_old_prices = value * frame["unit_value_prior_usd_per_kg"] / frame["unit_value_usd_per_kg"]
    price_surge = np.log((value + floor) / (at_old_prices + floor)).where(prior >= floor)
    frame["price_surge_log"] = price_surge.where((prior > 0) & (value > 0), 0.0)
    is_material = value >= settings.materiality_usd
    for name in ("unit_value_usd_per_kg", "price_surge_log"):
        among = frame.assign(_one=frame[name].where(is_material)).groupby("good", observed=True)["_one"]
        frame[f"median_{name}"] = among.transform("median")
    frame["active_periods"] = (frame["value_usd"] > 0).astype("int64")
    frame["largest_period_share"] = (frame["value_usd"] / frame["value_usd"]).where(frame["value_usd"] > 0)
    sides = [f"_{measure}_{leg}" for measure in ("weighed", "weight") for leg in ("target", "hub")]
    frame = frame.drop(columns=["weight", "weight_prior", "_now", "_prior", "_baseline", "is_in_totals", *sides])
    frame = _indicators(frame, float(settings.floor_usd))
    for column in ROUTE:
        frame[column] = frame[column].astype("str")
    return frame.assign(window_year=year, baseline_gap_years=comparison.gap_years)


def _lack(
    frame: pd.DataFrame, by_exporter: pd.DataFrame, comparison: Comparison, coverage: pd.DataFrame, held: pd.DataFrame
) -> pd.Series:
    """1 less the revealed comparative advantage of the exporter in the baseline, at least 0."""
    base = list(comparison.baseline_years)
    if not base:
        return pd.Series(np.nan, index=frame.index)
    has_all = coverage[[*base, comparison.window.year - 1, comparison.window.year]].notna().all(axis=1)
    usd = ((coverage.loc[has_all, base].sum(axis=1) + len(base) // 2) // len(base)).astype("float64")
    is_counted = by_exporter["exporter_iso"].isin(usd.index)
    of_good = by_exporter[is_counted].groupby("good", observed=True)["value_baseline_usd"].sum()
    of_good = of_good.where(held[base].all(axis=1).reindex(of_good.index.astype("str")).to_numpy())
    sold = by_exporter.set_index(["good", "exporter_iso"])["value_baseline_usd"]
    own = sold.reindex(pd.MultiIndex.from_frame(frame[["good", "exporter_iso"]])).fillna(0).to_numpy()
    of_all = frame["exporter_iso"].astype("str").map(usd.where(usd > 0)).to_numpy()
    everyones = frame["good"].map(of_good.where(of_good > 0)).astype("float64").to_numpy()
    advantage = (own / of_all) / (everyones / usd.sum())
    return pd.Series(1 - np.minimum(advantage, 1), index=frame.index)


def _with_pairs(compared: pd.DataFrame, floor: float) -> pd.DataFrame:
    """Rises and falls of a heading between two countries beside each route of a heading with several goods."""
    heading = compared["good"].map({good: good[:HEADING_DIGITS] for good in compared["good"].cat.categories})
    change = compared["value_usd"] - compared["value_prior_year_usd"]
    is_known = change.notna()
    held = compared.groupby(heading, observed=True)["good"].transform("nunique") > 1
    pair = [heading[held], compared.loc[held, "exporter_iso"], compared.loc[held, "importer_iso"]]
    moved = pd.DataFrame({"fell": (-change).clip(lower=0), "unknown": ~is_known})[held]
    sums = moved.groupby(pair, observed=True).transform("sum")
    deepest = moved["fell"].groupby(pair, observed=True).transform("max")
    matched = (sums["fell"] / change[held].where(change[held] >= floor)).clip(upper=1)
    matched = matched.where(~((sums["unknown"] > 0) & (sums["fell"] == 0)))
    share = matched.where(change[held] >= floor, 0.0).reindex(compared.index)
    return compared.assign(neighbour_code_shift=share, neighbour_fell_usd=deepest.reindex(share.index).where(share > 0))


def _effects(compared: pd.DataFrame, floor: float) -> pd.Series:
    """Hidiroglou and Berthelot's effect in fences, among the routes of a good that carry the floor in a window."""
    larger = compared[["value_usd", "value_prior_year_usd"]].max(axis=1)
    large = compared[larger >= floor]
    good = large["good"]
    ratio = (large["value_usd"] + floor) / (large["value_prior_year_usd"] + floor)
    median = ratio.groupby(good, observed=True).transform("median")
    effect = (ratio / median - 1).where(ratio >= median, 1 - median / ratio) * (larger[large.index] / 1e6) ** SIZE_POWER
    low, middle, high = (good.map(effect.groupby(good, observed=True).quantile(share)) for share in (0.25, 0.5, 0.75))
    low, middle, high = (quartile.astype("float64") for quartile in (low, middle, high))
    side = (high - middle).where(effect > middle, middle - low)
    fence = FENCE * np.maximum(side, LEAST_SPREAD * middle.abs())
    has_enough = effect.groupby(good, observed=True).transform("size") >= LEAST_ROUTES
    return ((effect - middle) / fence.where(fence > 0)).where(has_enough).reindex(compared.index)


def _indicators(frame: pd.DataFrame, floor: float) -> pd.DataFrame:
    def log_ratio(now: str, before: str) -> pd.Series:
        return np.log((frame[now] + floor) / (frame[before] + floor))

    value, prior, base = frame["value_usd"], frame["value_prior_year_usd"], frame["value_baseline_usd"]
    frame["surge_log"] = log_ratio("value_usd", "value_prior_year_usd")
    frame["volume_surge_log"] = frame["surge_log"] - frame["price_surge_log"]
    frame["record_excess_log"] = log_ratio("value_usd", "record_usd")
    frame["baseline_excess_log"] = log_ratio("value_usd", "value_baseline_usd")
    is_nothing = (prior == 0) & (base == 0)
    is_unknown = base.isna() & (prior == 0)
    frame["new_route"] = (is_nothing & (value >= floor)).astype("float64").where(~is_unknown)
    frame["upstream_surge_log"] = log_ratio("coalition_to_hub_usd", "coalition_to_hub_prior_usd")
    frame["direct_drop_log"] = -log_ratio("coalition_to_target_usd", "coalition_to_target_prior_usd")
    lost = frame["coalition_to_target_baseline_usd"] - frame["coalition_to_target_usd"]
    share = ((value - base) / lost.where(lost > floor)).clip(0, 1)
    frame["replacement_share"] = share.where(lost > floor, ((value - base) * 0.0).where(lost.notna()))
    into = frame["coalition_to_hub_usd"] - frame["coalition_to_hub_baseline_usd"]
    frame["route_through_usd"] = np.minimum(into, value - base).clip(lower=0)
    everywhere = (value + frame["elsewhere_usd"], prior + frame["elsewhere_prior_usd"])
    frame["destination_shift_pp"] = _shift(value, prior, *everywhere)
    frame["share_shift_pp"] = _shift(value, prior, frame["all_to_importer_usd"], frame["all_to_importer_prior_usd"])
    price, median = frame["unit_value_usd_per_kg"], frame["median_unit_value_usd_per_kg"]
    frame["unit_value_gap_log"] = np.log((price / median).where((price > 0) & (median > 0)))
    into = frame["coalition_to_hub_usd_per_kg"]
    frame["hub_markup_log"] = np.log((price / into).where((price > 0) & (into > 0)))
    for name in ("level_shift_log", "lead_lag_corr", "mirror_gap_shift_log"):
        frame[name] = np.nan  # an annual reconciled dataset cannot say
    return frame


def _shift(value: pd.Series, prior: pd.Series, all_now: pd.Series, all_then: pd.Series) -> pd.Series:
    """Change of a share in percentage points; the share of nothing was 0."""
    share_before = (prior / all_then.where(all_then > 0)).where(all_then > 0, (prior * 0.0).where(all_then == 0))
    return 100 * (value / all_now.where(all_now > 0) - share_before)
