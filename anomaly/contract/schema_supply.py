"""The contracts of the coalition's sales to hubs, and of the leakage drawn from them; `schema` holds them together."""

from __future__ import annotations

import dataframely as dy

from anomaly.contract.keys import COALITION, LEGS
from anomaly.contract.schema_reported import GOOD, ISO3, count, real, text, usd


class _Windows(dy.Schema):
    freq_code = text("M monthly", primary_key=True, regex="^[AMQ]$")
    window_months = dy.Int16(
        description="length of the window", primary_key=True, min=1, max=12, metadata={"unit": "months"}
    )
    window_end = dy.Date(description="first day of the last month of the window", primary_key=True)


class _Legs(_Windows):
    good = text("HS family", primary_key=True, regex=GOOD)
    exporter_iso = text(f"{COALITION}: the coalition as one exporter", primary_key=True, regex=ISO3)
    importer_iso = text("importer, the hub of the leg", primary_key=True, regex=ISO3)


class Supply(_Legs):
    """What the coalition sells a hub of a good in a window, how far that rose, and how unusual it is."""

    is_before_sanctions = dy.Bool(description="the window lies before the sanctions: a check, not a finding")
    value_usd = usd("the coalition's sales in the window", min=0)
    value_prior_year_usd = usd("the same months of the last year before the measure", min=0)
    value_best_usd = usd("the same months of the best of the years before the measure that are known", min=0)
    compared_with = text("the windows before in words")
    prior_end = dy.Date(description="first day of the last month of value_prior_year_usd's window")
    active_months = count("months of the window with trade", "months")
    largest_month_share = real("share of the window's value in its largest month", "share", min=0, max=1)
    direct_target_iso = text("the target that bought most of the good before", regex=ISO3)
    direct_usd = usd("the coalition's direct sales of the good to it in the window", nullable=True, min=0)
    direct_prior_usd = usd("the same in the last year before the measure", nullable=True, min=0)
    direct_fall_log = real("how deep they fell; the floor of the leg is added to both sides", "log")
    direct_trade = text(
        "fell by a fifth at least, stood, small before, or unknown", regex="^(fell|stood|small|unknown)$"
    )
    sum_rise_log = real("ln growth of the window's sum on the best one before", "log")
    rise_log = real(
        "the least of the growth of the sum, of the sum without its largest months, and of the middle month", "log"
    )
    scaled_rise = real(
        "rise_log over the noise of the leg's own past; null where the data lack three years of it", "ratio"
    )
    own_growth = real(
        "the hub's own growth, from goods whose direct trade stood; null where too few can tell", "log or ratio"
    )
    p_value = real("of the window test: (1 + placebos that rose as much) / (1 + placebos)", "share", min=0, max=1)
    window_q_value = real("Benjamini-Hochberg over the legs whose direct trade fell", "share", min=0, max=1)
    step_log = real("size of the leg's one significant shift of level; 0: none, null: no series to read it from", "log")
    break_month = dy.Date(description="first month at the new level", nullable=True)
    date_q_value = real(
        "of the date test: share of steps since the measure that any date would show", "share", min=0, max=1
    )
    called_by = text(
        "window or date: the test within half the limit; both: the other is within the limit too; rule: no test could be made",
        nullable=True,
        regex="^(window|date|both|rule)$",
    )
    place = dy.Int64(
        description="among the called of the window, by rise and amount together; 1 is the first to read",
        nullable=True,
        min=1,
    )
    recorded_usd = usd(
        "arrivals as the hub records them, CIF, where it reports every month of it", nullable=True, min=0
    )
    recorded_prior_usd = usd("the same in the last year before the measure", nullable=True, min=0)
    onward_usd = usd("what the hub sold of the good to the targets in onward_of, as it reports", nullable=True, min=0)
    onward_prior_usd = usd("the same months or year before the measure", nullable=True, min=0)
    onward_of = text(
        "the months or years that the onward sales are of; null where they are not in the data", nullable=True
    )
    stock_of = text("the last months before the measure in words; null where they are not in the data", nullable=True)
    stock_usd = usd("what the leg carried in them: stock may have been laid in", nullable=True, min=0)
    stock_prior_usd = usd("the same a year earlier", nullable=True, min=0)
    direct_stock_usd = usd("what direct_target_iso bought of the good in them", nullable=True, min=0)
    direct_stock_prior_usd = usd("the same a year earlier", nullable=True, min=0)
    members = dy.List(
        dy.Struct({"exporter_iso": dy.String(), "value_usd": dy.Int64(), "value_prior_year_usd": dy.Int64()}),
        description="who carries how much, of the called; the largest first",
    )


class SupplyCalibration(_Windows):
    """What stands beside a window's calls: placebos, controls, dates before the measure, the year before."""

    months_read_since = dy.Date(description="first month of the series that steps are read from")
    legs = count("hubs' legs that could be compared and are material", "legs")
    tested = count("of these, legs of goods whose direct trade fell", "legs")
    placebo_importers = count("placebo legs of the same window; 0: too few, and periods stand alone", "legs")
    placebo_periods = count("hubs' legs in windows before the measure", "legs")
    called_by_window = count("of the called, legs that the window test calls or confirms", "legs")
    called_by_date = count("the same by the date test", "legs")
    called = count("the same by either", "legs")
    steps_since = count("tested legs with a step up since the measure", "legs")
    steps_before = count("the same before it", "legs")
    dates_since = count("dates since the measure at which a step could be found", "dates")
    dates_before = count("the same before it", "dates")
    pseudo_dates = count("dates before the measure that were taken for one", "dates")
    pseudo_calls = count("the most legs that one of them calls", "legs")
    year_before_tested = count("legs of the window a year before that were tested in the same way", "legs")
    year_before_called = count("of these called", "legs")
    controls = count("legs of goods whose direct trade stood", "legs")
    controls_called = count("of these, as many as would be called by either test", "legs")
    members_with_gaps = dy.List(
        dy.String(), description="members that have not reported every month; what is missing counts as nothing"
    )
    members_left_out = dy.List(
        dy.String(), description="members whose gaps are too much of the coalition's trade: in no sum"
    )
    says = text("all of it in words")


class SupplyHubs(_Windows):
    """The same hub by hub, and whether what rises there is what fell directly."""

    importer_iso = text("the hub", primary_key=True, regex=ISO3)
    tested = count("legs of goods whose direct trade fell", "legs")
    called = count("of these called", "legs")
    controls = count("legs of goods whose direct trade stood", "legs")
    controls_called = count("of these, as many as would be called", "legs")
    own_growth = real("median rise of the controls, drawn towards none; null where they are too few", "log or ratio")
    median_rise_log = real("median rise of the tested legs", "log")
    dose_response = real(
        "rank correlation of the legs' rises with the depth of the direct falls", "correlation", min=-1, max=1
    )
    dose_response_p = real("chance of as large a one where there is none", "share", min=0, max=1)
    is_boom_possible = dy.Bool(description="controls are called half as often as tested legs or more")
    says = text("all of it in words")


class SupplySeries(dy.Schema):
    """The months of the called legs, for the charts."""

    good = text("HS family", primary_key=True, regex=GOOD)
    importer_iso = text("the hub", primary_key=True, regex=ISO3)
    ref_date = dy.Date(description="first day of the month", primary_key=True)
    value_usd = usd("the coalition's sales", nullable=True, min=0)


class SupplyRefused(_Legs):
    """Legs that the data cannot carry, with the reason by name."""

    refusal = text("name of the reason")
    says = text("the reason in words")
    value_usd = usd("largest trade known of the leg in the windows compared", nullable=True, min=0)


class Leakage(_Windows):
    """What was sold beyond what can be explained, on either leg, beside what direct trade lost. Never both legs added up."""

    leg = text(
        "coalition to hub, or hub to target: the same goods on one way, so never to be added up",
        primary_key=True,
        regex=f"^({'|'.join(LEGS)})$",
    )
    level = text(
        "hub_good, hub, good or all; maker: what a maker of the good sold a target, in no sum",
        primary_key=True,
        regex="^(hub_good|hub|good|all|maker)$",
    )
    hub_iso = text(
        "the hub, importer on the first leg and exporter on the second; empty over all hubs", primary_key=True
    )
    good = text("HS family; empty over all goods", primary_key=True)
    is_before_sanctions = dy.Bool(description="the window lies before the sanctions: a check, not a finding")
    legs = count("legs in the sum; from the coalition also those with no trade", "legs")
    value_usd = usd("sales of the leg in the window", min=0)
    value_before_usd = usd(
        "the same months of the last year before the measure; from hub to target the mean of the baseline years", min=0
    )
    counterfactual_low_usd = usd("what is explained without a detour, lower end of the interval", min=0)
    counterfactual_middle_usd = usd("the same, middle", min=0)
    counterfactual_high_usd = usd("the same, upper end", min=0)
    excess_low_usd = usd("value less the upper end; negative where it holds none")
    excess_middle_usd = usd("value less the middle")
    excess_high_usd = usd("value less the lower end")
    direct_usd = usd(
        "the coalition's direct sales of these goods in the window to the targets to which they fell", min=0
    )
    direct_before_usd = usd("the same before the measure, as value_before_usd", min=0)
    direct_lost_usd = usd("the fall of it", min=0)
    excess_of_lost_share = real("excess_middle_usd over direct_lost_usd", "share")


class LeakageCoverage(_Windows):
    """How often the interval held what came where nothing can have gone round, each group by the others' spread."""

    leg = text("as in leakage", primary_key=True, regex=f"^({'|'.join(LEGS)})$")
    of = text(
        "what sums are over: hub_chapter, a hub's goods of a chapter; hub, all of them; good, its sellers; all",
        primary_key=True,
    )
    interval_share = dy.Float64(description="share that the interval asks for", min=0, max=1)
    sums = count("sums tried", "sums")
    held = count("of these, sums within their interval", "sums")
    checked_end = dy.Date(description="last month of the window they are of; of several the newest", nullable=True)
    says = text("the coverage in words")
