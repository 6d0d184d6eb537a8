"""The simulated world of the scenario china-minerals-2023: what it is made of and what is planted in it. Every size is invented."""

from __future__ import annotations

from datetime import date

from anomaly.world.description import Description
from anomaly.world.elements import Episode, Good, Publishing, country

COUNTRIES = (
    country("USA", "target", 6.0, 20),
    country("CHN", "coalition", 20, 9.0),
    country("JPN", "hub", 6.0, 7.0),
    country("KOR", "hub", 5.0, 6.0),
    country("DEU", "hub", 6.0, 7.0),
    country("BEL", "hub", 3.0, 3.0),
    country("GBR", "hub", 3.0, 4.0),
    country("CAN", "hub", 4.0, 3.0),
    country("MEX", "hub", 2.0, 3.0),
    country("BRA", "hub", 2.5, 2.5),
    country("IND", "hub", 3.0, 4.0),
    country("THA", "hub", 1.5, 2.5),
    country("VNM", "hub", 1.5, 2.5),
    country("MYS", "hub", 2.0, 2.5, "2022-07"),
    country("HKG", "hub", 1.5, 2.5),
    country("SGP", "hub", 1.5, 2.0),
)

_GALLIUM, _GRAPHITE, _ANTIMONY = "2023-08", "2023-12", "2024-09"

GOODS = (
    Good("811292", "Gallium and germanium, unwrought", True, 3.0, 700, (("811231", 0.05), ("811241", 0.1), ("811292", 0.85)),
         since=_GALLIUM),
    Good("282560", "Germanium oxides", True, 1.5, 250, since=_GALLIUM),
    Good("250410", "Natural graphite", True, 2.0, 1.6, since=_GRAPHITE),
    Good("380110", "Artificial graphite", True, 3.0, 4, since=_GRAPHITE),
    Good("811010", "Antimony, unwrought", True, 1.5, 9, since=_ANTIMONY),
    Good("282580", "Antimony oxides", True, 2.0, 8, since=_ANTIMONY),
    Good("285390", "Phosphides and other compounds", False, 2.0, 60),  # under control, and hardly touched by it
    Good("810520", "Cobalt mattes", False, 2.0, 40),
    Good("811100", "Manganese", False, 1.5, 3),
    Good("280461", "Silicon of high purity", False, 3.0, 25),
    Good("280469", "Other silicon", False, 2.0, 3),
    Good("282520", "Lithium hydroxide", False, 2.5, 20),
    Good("250510", "Quartz sands", False, 1.0, 0.2),
    Good("252910", "Feldspar", False, 0.8, 0.2),
    Good("381512", "Catalysts with precious metals", False, 3.0, 90),
    Good("380210", "Activated carbon", False, 2.0, 2.5),
    Good("854511", "Carbon electrodes", False, 2.5, 4),
    Good("790111", "Zinc of high purity", False, 2.5, 2.8),
    Good("800110", "Tin", False, 2.0, 24),
)  # fmt: skip

EPISODES = (
    Episode("hub-01", "hub_reexport", "BEL", "USA", "811292+", "2023-10", 1.6e6, 1.2e5, ("CHN",),
            note="germanium by way of Belgium"),
    Episode("hub-02", "hub_reexport", "HKG", "USA", "811292+", "2023-11", 9e5, 3e4, ("CHN",)),
    Episode("hub-03", "hub_reexport", "THA", "USA", "282580", "2024-10", 2.2e6, 6e4, ("CHN",),
            note="antimony oxides by way of Thailand"),
    Episode("hub-04", "hub_reexport", "VNM", "USA", "380110", "2024-02", 1.4e6, 8e4, ("CHN",)),
    Episode("hub-05", "hub_reexport", "MEX", "USA", "282560", "2023-11", 7e5, 2e4, ("CHN",)),
    Episode("new-01", "new_route", "MYS", "USA", "250410", "2024-03", 6e5, 0, ("CHN",)),
    Episode("ghost-01", "ghost_transit", "CHN", "SGP", "811292+", "2023-10", 1.5e6, 1e5),
    Episode("price-01", "price_only", "CAN", "USA", "811292+", "2024-01", 2.2, 4e5,
            note="benign: the price doubles wherever Canada sells, the weight does not"),
    Episode("boom-01", "product_boom", "", "", "285390", "2023-10", 2.0),
    Episode("fall-01", "collapse", "JPN", "USA", "380110", "2024-01", 0.2, 9e5),
)  # fmt: skip

ROUTES = {
    ("coalition", "target"): 18, ("coalition", "hub"): 190, ("hub", "target"): 240, ("hub", "coalition"): 20,
    ("hub", "hub"): 60, ("target", "coalition"): 10, ("target", "hub"): 20,
}  # fmt: skip

WORLD = Description(
    name="china-minerals-2023",
    seed=1,
    first_year=2015,
    months=120,  # January 2015 to December 2024
    countries=COUNTRIES,
    goods=GOODS,
    episodes=EPISODES,
    routes=ROUTES,
    measures_from="2023-08",
    median_usd=130_000,
    least_usd=60_000,
    slumps=((("2020-03", "2020-06"), -0.22),),
    calm_year=2022,
    eu=("DEU", "BEL"),
    small_makers=("HKG", "SGP"),
    reexporters=("HKG", "SGP"),
    partial=("IND",),
    planted_says="minerals under China's export controls that\nreach the United States by way of a third country, and harmless booms that only look so.",
    publishing=Publishing(
        vintage=date(2025, 1, 20),
        as_answer=("VNM",),
        as_web_export="BRA",
        with_totals="MEX",
        with_breakdown="THA",
        with_bad_rows=("JPN",),
        usd_per_eur=(1.11, 1.13, 1.18, 1.12, 1.14, 1.18, 1.05, 1.08, 1.08),
        other_per_eur={"GBP": (0.73, 0.84), "JPY": (134.0, 164.0)},
    ),
)
