"""A scenario held against what there is: countries, goods lists, indicators, sources. All its faults come at once."""

from __future__ import annotations

from anomaly.contract.errors import AnomalyError
from anomaly.contract.scenario_faults import LAG_FOR_OTHERS, countries_by_role
from anomaly.contract.settings import Settings, load


def of_run(name_or_path: str) -> Settings:
    """The scenario of a run, checked before any work.

    Parameters
    ----------
    name_or_path : str
        Its name, or the path of its TOML file.

    Returns
    -------
    Settings
        Without a fault.

    Raises
    ------
    SettingsWrong
        With every fault.
    """
    return load(name_or_path, also=unknown_names)


def unknown_names(settings: Settings) -> list[str]:
    """Names in a scenario that nothing knows.

    Parameters
    ----------
    settings : Settings
        Each setting is of its own kind and range.

    Returns
    -------
    list of str
        Key, what was expected and what came; empty where all are known.
    """
    return [*_countries(settings), *_goods_lists(settings), *_thresholds(settings), *_lags(settings)]


def _countries(settings: Settings) -> list[str]:
    from anomaly.reference import countries

    table = countries.table()
    codes = set(table.filter(table["kind"] == "country")["iso3"])
    groups = set(table.filter(table["kind"] == "group")["iso3"])  # such as the EU as one reporter
    unknown = {
        name: [
            country
            for country in countries_of_role
            if country not in codes and not (name == "coalition" and country in groups)
        ]
        for name, countries_of_role in countries_by_role(settings).items()
    }
    return [
        f"{name}.countries: expected countries by ISO 3166-1 alpha-3, came {', '.join(names[:12])}"
        for name, names in unknown.items()
        if names
    ]


def _goods_lists(settings: Settings) -> list[str]:
    from anomaly.reference import goods

    faults = []
    for at, goods_list in enumerate(settings.goods_lists):
        try:
            tiers = set(goods.goods_list(goods_list.file)["tier"])
        except AnomalyError as error:
            faults.append(f"goods_lists.{at}.file: expected {error.expected}, {error.hint}; came {error.came}")
        except Exception:  # whatever a table of another kind ends in
            faults.append(f"goods_lists.{at}.file: expected a goods list, came {goods_list.file}, which is none")
        else:
            if unknown := sorted(set(goods_list.tier_weights) - tiers):
                faults.append(f"goods_lists.{at}.tier_weights: expected tiers of the list, came {', '.join(unknown)}")
    return faults


def _thresholds(settings: Settings) -> list[str]:
    from anomaly.indicators import INDICATORS

    unknown = sorted(set(settings.thresholds) - {indicator.name for indicator in INDICATORS})
    if not unknown:
        return []
    return [f"thresholds: expected names of indicators (`anomaly indicators` lists them), came {', '.join(unknown)}"]


def _lags(settings: Settings) -> list[str]:
    from anomaly.sources import SOURCES

    sources = {LAG_FOR_OTHERS, *(source.name for source in SOURCES)}
    lags = settings.publication_lag_months
    return [
        f"publication_lag_months.{name}: expected sources (`anomaly sources` lists them) and other, came {', '.join(odd)}"
        for name, months in (("monthly", lags.monthly), ("annual", lags.annual))
        if (odd := sorted(set(months) - sources))
    ]
