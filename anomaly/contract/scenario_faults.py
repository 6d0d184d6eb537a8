"""What can be wrong between the settings of a scenario, each of which is right by itself: all of it at once, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Settings = Any  # settings.Settings, which asks here

LAG_FOR_OTHERS = "other"
LEAST_BASELINE_YEARS = 2  # what is usual of a route shows in more than one


def between(settings: Settings) -> list[str]:
    """Every fault between the settings of a scenario.

    Parameters
    ----------
    settings : Settings
        Each setting is of its own kind and range.

    Returns
    -------
    list of str
        Key, what was expected and what came; empty where there is none.
    """
    return [*_of_years(settings), *_of_roles(settings), *_of_lists(settings), *_of_numbers(settings)]


def _of_years(settings: Settings) -> Iterator[str]:
    since = settings.sanctions_since.year
    if len(settings.baseline_years) < LEAST_BASELINE_YEARS:
        yield f"baseline_years: expected {LEAST_BASELINE_YEARS} years or more, came {len(settings.baseline_years)}"
    if not settings.window_months:
        yield "window_months: expected at least one length, came none"
    if late := [year for year in settings.baseline_years if year >= since]:
        yield f"baseline_years: expected years before {since}, that of sanctions_since, came {_shown(late)}"


def countries_by_role(settings: Settings) -> dict[str, Sequence[str]]:
    """The countries of each role that a scenario gives to some.

    Parameters
    ----------
    settings : Settings
        The scenario.

    Returns
    -------
    dict of str to sequence of str
        Key of the role → its countries as written; empty where nobody has it.
    """
    roles = ("targets", "coalition", "hub_candidates", "neighbours")
    return {name: role.countries if (role := getattr(settings, name)) is not None else () for name in roles}


def _of_roles(settings: Settings) -> Iterator[str]:
    roles = countries_by_role(settings)
    for name in ("targets", "coalition"):
        if not roles[name]:
            yield f"{name}.countries: expected at least one country, came none"
    if on_both_sides := sorted(set(roles["targets"]) & set(roles["coalition"])):
        yield f"coalition.countries: {_shown(on_both_sides)} is in targets, too; nobody restricts exports to itself"
    for name, countries in roles.items():
        if twice := sorted({country for country in countries if countries.count(country) > 1}):
            yield f"{name}.countries: {_shown(twice)} twice"


def _of_lists(settings: Settings) -> Iterator[str]:
    if settings.goods_asked == "listed" and not settings.goods_lists:
        yield 'goods_asked: is "listed", and there is no [[goods_lists]] to say which'
    rising: dict[str, Sequence[int]] = {
        "baseline_years": settings.baseline_years,
        "window_months": settings.window_months,
        "supply.sizes_usd": settings.supply.sizes_usd,
    }
    for name, numbers in rising.items():
        if list(numbers) != sorted(set(numbers)):
            yield f"{name}: expected each number once, the smallest first, came {_shown(numbers)}"
    if len(set(settings.forest.seeds)) < len(settings.forest.seeds):
        yield f"forest.seeds: expected each seed once, came {_shown(settings.forest.seeds)}"


def _of_numbers(settings: Settings) -> Iterator[str]:
    calibration, lags = settings.calibration, settings.publication_lag_months
    if calibration.most_placebos < calibration.least_placebos:
        yield (
            f"calibration.most_placebos: expected least_placebos ({calibration.least_placebos:,}) or more, "
            f"came {calibration.most_placebos:,}"
        )
    for name, months in (("monthly", lags.monthly), ("annual", lags.annual)):
        if LAG_FOR_OTHERS not in months:
            yield f"publication_lag_months.{name}: expected a lag for other, for sources that are not named"


def _shown(items: Sequence[object]) -> str:
    return ", ".join(map(str, items[:12]))
