"""The contracts of features and of the comparisons that were refused."""

from __future__ import annotations

import dataframely as dy

from anomaly.contract.schema_reported import GOOD, ISO3, count, grams, real, text, usd


class Routes(dy.Schema):
    """The key that features, scores and flags share: a route in a window."""

    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    window_months = dy.Int16(
        description="length of the window", primary_key=True, min=1, max=12, metadata={"unit": "months"}
    )
    window_end = dy.Date(
        description="first day of the last month of the window; 1 December for annual data", primary_key=True
    )
    good = text("HS family", primary_key=True, regex=GOOD)
    exporter_iso = text("exporter, the hub of the route", primary_key=True, regex=ISO3)
    importer_iso = text("importer, the target of the route", primary_key=True, regex=ISO3)


class Features(Routes):
    """A route's windows and what stands beside them; one more nullable Float64 column per indicator."""

    baseline_gap_years = dy.Int8(
        description="years from the last baseline year to the window; placebos of a window share its gap",
        primary_key=True,
        min=1,
    )
    source = text("publisher of the route's values")
    dataset = text("dataset of the route's values")
    value_basis = text("export, import or reconciled")
    baseline_years = text("years of the baseline, such as 2019-2021")
    role = text(
        "target, placebo, coalition or other: what the importer is in the scenario",
        regex="^(target|placebo|coalition|other)$",
    )
    is_before_sanctions = dy.Bool(description="the whole window lies before the scenario's sanctions")
    value_usd = usd("trade in the window", min=0)
    value_prior_year_usd = usd("trade in the same months a year before", nullable=True, min=0)
    value_baseline_usd = usd("mean trade in the same months of the baseline years", nullable=True, min=0)
    value_baseline_max_usd = usd("highest of the baseline years", nullable=True, min=0)
    active_periods = count("periods of the window with trade", "periods")
    largest_period_share = real("share of the window's value in its largest period", "share", min=0, max=1)
    net_wgt_g = grams("net weight in the window, where all of it is known")
    net_wgt_prior_g = grams("net weight in the same months a year before, where all of it is known")
    price_surge_log = real("surge_log less volume_surge_log: the part of the growth that is price", "log")
    median_price_surge_log = real("its median over all material routes of the good in the window", "log")
    is_edition_changed = dy.Bool(description="the windows straddle two HS editions; the good is stable across them")
    direct_target_iso = text(
        "on a route between possible hubs the target that bought most of the good of the coalition: whose direct trade coalition_to_target is; null on other routes",
        nullable=True,
        regex=ISO3,
    )
    coalition_to_target_usd = usd(
        "coalition's exports of the good to the importer in the window; between possible hubs to direct_target_iso",
        nullable=True,
        min=0,
    )
    coalition_to_target_prior_usd = usd("the same a year before", nullable=True, min=0)
    coalition_to_target_baseline_usd = usd("the same in the baseline", nullable=True, min=0)
    coalition_to_hub_usd = usd("coalition's exports of the good to the exporter in the window", nullable=True, min=0)
    coalition_to_hub_prior_usd = usd("the same a year before", nullable=True, min=0)
    coalition_to_hub_baseline_usd = usd("the same in the baseline", nullable=True, min=0)
    coalition_to_hub_usd_per_kg = real(
        "what a kilogram of those exports cost in the window; null on routes of the coalition itself", "USD/kg", min=0
    )
    elsewhere_usd = usd(
        "the exporter's exports of the good to everyone else; null where the extract has no one else",
        nullable=True,
        min=0,
    )
    elsewhere_prior_usd = usd("the same a year before", nullable=True, min=0)
    elsewhere_baseline_usd = usd("the same in the baseline", nullable=True, min=0)
    exporter_growth_prior_log = dy.Float64(
        description="ln growth of all the exporter sells to others than targets, against the year before; null where not in the data",
        nullable=True,
        metadata={"unit": "log"},
    )
    exporter_growth_baseline_log = dy.Float64(
        description="the same against the baseline", nullable=True, metadata={"unit": "log"}
    )
    good_importer_rise_log = real(
        "median rise over the baseline of the good's other established sellers to the importer, as far as they make it known; null with fewer than three",
        "log",
    )
    good_importer_peers = count("those sellers", "routes")
    exporter_importer_rise_log = real(
        "the same of the exporter's other goods to the importer; null with fewer than eight", "log"
    )
    exporter_importer_peers = count("those goods", "routes")
    counterfactual_rise_log = real(
        "rise over the baseline that is everybody's: the exporter's elsewhere, and the larger of the two medians; 0 or more",
        "log",
    )
    counterfactual_usd = usd("what the route would have come to with that rise", nullable=True, min=0)
    all_to_importer_usd = usd("everyone's exports of the good to the importer", nullable=True, min=0)
    all_to_importer_prior_usd = usd("the same a year before", nullable=True, min=0)
    unit_value_usd_per_kg = real("price of the route where four fifths of it have a weight", "USD/kg", min=0)
    unit_value_prior_usd_per_kg = real("the same a year before", "USD/kg", min=0)
    median_unit_value_usd_per_kg = real(
        "median price of the good over all material routes of the window", "USD/kg", min=0
    )
    leg_exported_usd = usd(
        "coalition to exporter as the coalition reports it, where both sides report; on a route of the coalition itself: the route",
        nullable=True,
        min=0,
    )
    leg_imported_usd = usd("the same as the receiving side reports it", nullable=True, min=0)
    leg_exported_baseline_usd = usd("leg_exported_usd in the baseline", nullable=True, min=0)
    leg_imported_baseline_usd = usd("leg_imported_usd in the baseline", nullable=True, min=0)
    revealed_advantage = real(
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
    neighbour_fell_good = text(
        "the good of the same heading that fell most on the route while this one rose; null where none did",
        nullable=True,
    )
    neighbour_fell_usd = usd("by how much that good fell against the year before", nullable=True, min=0)
    coalition_to_target_compared = text(
        "what that leg was compared on, months and publisher; where it is unknown, why: whose reports lack what"
    )
    coalition_to_hub_compared = text(
        "what that leg was compared on, months and publisher; where it is unknown, why: whose reports lack what"
    )
    smallest_published_usd = usd(
        "smallest value in the dataset where that is no small one: a missing row may be a smaller one",
        nullable=True,
        min=0,
    )


class Refused(Routes):
    """Comparisons the data cannot carry, with the reason by name; routes to targets only."""

    refusal = text("name of the reason")
    says = text("the reason in words")
    value_usd = usd("largest trade known of the route in the windows compared", nullable=True, min=0)


class Pairs(dy.Schema):
    """How all that an exporter sells an importer rose: the middle of its established routes, by comparison."""

    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    window_months = dy.Int16(
        description="length of the window", primary_key=True, min=1, max=12, metadata={"unit": "months"}
    )
    window_end = dy.Date(description="last month of the window", primary_key=True)
    baseline_gap_years = dy.Int8(description="years from the last baseline year to the window", primary_key=True, min=1)
    exporter_iso = text("exporter", primary_key=True, regex=ISO3)
    importer_iso = text("importer", primary_key=True, regex=ISO3)
    routes = count("established routes of the pair", "routes")
    lower_log = real("rise right below the middle", "log")
    middle_log = real("median rise over the baseline", "log")
    upper_log = real("rise right above the middle", "log")


class Roughness(dy.Schema):
    """How much rougher honest trade with the targets became than that with placebo importers, by comparison."""

    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    window_months = dy.Int16(
        description="length of the window", primary_key=True, min=1, max=12, metadata={"unit": "months"}
    )
    window_end = dy.Date(description="last month of the window", primary_key=True)
    baseline_gap_years = dy.Int8(description="years from the last baseline year to the window", primary_key=True, min=1)
    has_direct_fallen = dy.Bool(description="goods whose direct trade fell by a fifth, or the others", primary_key=True)
    roughness = real("lower side of the targets' rises over that of placebo importers, running median", "ratio", min=1)
    routes = count("established routes to targets it was read from", "routes")
    placebos = count("established routes to placebo importers", "routes")
