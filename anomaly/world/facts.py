"""What the simulated world is made of: its countries, its goods and the months of its calendar. All sizes are invented.

Country codes, HS codes and places are real, so that the real readers and the real scenario apply; no figure of trade is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_YEAR = 2018
MONTHS = 66  # January 2018 to June 2023
CALENDAR = tuple(date(FIRST_YEAR + month // 12, month % 12 + 1, 1) for month in range(MONTHS))


def month_index(text: str) -> int:
    """Position of a month such as "2022-03" in CALENDAR."""
    return (int(text[:4]) - FIRST_YEAR) * 12 + int(text[5:]) - 1


LAST = MONTHS - 1
SILENT_FROM = month_index("2022-02")  # the targets publish nothing from here on


@dataclass(frozen=True, slots=True)
class Country:
    """A country of the world: where it lies, how large its trade is, and how it reports.

    role       target, coalition, hub or placebo, as the scenario russia-2022 sees it as an importer
    sells, buys   size as exporter and importer, invented, 1 is a middling country
    h6_from    first month it reports in HS 2022
    """

    iso3: str
    iso2: str
    m49: int
    name: str
    role: str
    lat: float
    lon: float
    sells: float
    buys: float
    h6_from: str = "2022-01"


COUNTRIES = (
    Country("RUS", "RU", 643, "Russian Federation", "target", 56, 38, 3.0, 9.0, "2024-01"),
    Country("BLR", "BY", 112, "Belarus", "target", 54, 28, 1.0, 1.8, "2024-01"),
    Country("DEU", "DE", 276, "Germany", "coalition", 52, 13, 12, 10),
    Country("POL", "PL", 616, "Poland", "coalition", 52, 21, 4.0, 4.0),
    Country("LTU", "LT", 440, "Lithuania", "coalition", 55, 25, 1.0, 1.0),
    Country("ITA", "IT", 380, "Italy", "coalition", 42, 12, 6.0, 5.0),
    Country("FRA", "FR", 251, "France", "coalition", 49, 2, 6.0, 7.0),
    Country("NLD", "NL", 528, "Netherlands", "coalition", 52, 5, 6.0, 5.0),
    Country("USA", "US", 842, "USA", "coalition", 39, -77, 13, 20),
    Country("JPN", "JP", 392, "Japan", "coalition", 36, 140, 9.0, 8.0, "2022-01"),
    Country("KOR", "KR", 410, "Rep. of Korea", "coalition", 37, 127, 8.0, 5.0),
    Country("GBR", "GB", 826, "United Kingdom", "coalition", 51, 0, 5.0, 7.0),
    Country("KAZ", "KZ", 398, "Kazakhstan", "hub", 51, 71, 0.6, 1.3),
    Country("KGZ", "KG", 417, "Kyrgyzstan", "hub", 43, 75, 0.2, 0.5, "2022-07"),
    Country("ARM", "AM", 51, "Armenia", "hub", 40, 44, 0.25, 0.5),
    Country("GEO", "GE", 268, "Georgia", "hub", 42, 45, 0.3, 0.6),
    Country("UZB", "UZ", 860, "Uzbekistan", "hub", 41, 69, 0.4, 0.9, "2023-01"),
    Country("TUR", "TR", 792, "Türkiye", "hub", 40, 33, 4.0, 4.0),
    Country("ARE", "AE", 784, "United Arab Emirates", "hub", 24, 54, 3.0, 4.0),
    Country("CHN", "CN", 156, "China", "hub", 40, 116, 20, 12),
    Country("SRB", "RS", 688, "Serbia", "hub", 45, 20, 0.08, 0.8),
    Country("ARG", "AR", 32, "Argentina", "placebo", -35, -58, 1.2, 2.0),
    Country("CHL", "CL", 152, "Chile", "placebo", -33, -71, 1.0, 1.8),
    Country("COL", "CO", 170, "Colombia", "placebo", 5, -74, 0.8, 1.6),
    Country("PER", "PE", 604, "Peru", "placebo", -12, -77, 0.7, 1.5),
    Country("EGY", "EG", 818, "Egypt", "placebo", 30, 31, 1.0, 2.2, "2022-07"),
    Country("MAR", "MA", 504, "Morocco", "placebo", 34, -7, 1.0, 1.6),
    Country("THA", "TH", 764, "Thailand", "placebo", 14, 100, 5.0, 4.0),
    Country("VNM", "VN", 704, "Viet Nam", "placebo", 21, 106, 6.0, 4.5),
    Country("MYS", "MY", 458, "Malaysia", "placebo", 3, 102, 5.0, 4.0),
    Country("IDN", "ID", 360, "Indonesia", "placebo", -6, 107, 3.5, 3.8),
    Country("PHL", "PH", 608, "Philippines", "placebo", 15, 121, 2.5, 2.8),
    Country("SAU", "SA", 682, "Saudi Arabia", "placebo", 25, 47, 1.2, 3.5),
    Country("PAK", "PK", 586, "Pakistan", "placebo", 34, 73, 0.8, 2.2, "2023-01"),
    Country("KEN", "KE", 404, "Kenya", "placebo", -1, 37, 0.4, 1.2, "2023-01"),
)

EU = ("DEU", "POL", "LTU", "ITA", "FRA", "NLD")  # their exports are Comext's
SMALL_HUBS = ("KAZ", "KGZ", "ARM", "GEO", "UZB")  # make next to nothing of the goods here; report a split code whole
REEXPORTERS = ("KAZ", "KGZ", "ARM", "GEO")  # publish re-exports beside exports
LATE = {"SRB": month_index("2023-03")}  # last month a late reporter has published
PARTIAL = ("TUR", "CHN", "JPN", "THA")  # have published a part of the last month only
SQUEEZED = (
    "EGY",
    "PAK",
    "ARG",
)  # short of hard currency from 2022 on: the coalition sells them less, and nobody evades


@dataclass(frozen=True, slots=True)
class Good:
    """A good: an HS family, the codes it is reported under, and how it behaves.

    h6   code and share in HS 2022; one pair with the same code where nothing changed
    cn   last two digits of its eight-digit codes in the Combined Nomenclature
    size   invented, 1 is a middling good
    """

    code: str
    name: str
    is_sanctioned: bool
    size: float
    usd_per_kg: float
    h6: tuple[tuple[str, float], ...] = ()
    cn: tuple[str, ...] = ("00",)
    family: str = ""

    @property
    def good(self) -> str:
        """Name of the HS family."""
        return self.family or (f"{self.code}+" if self.h6 else self.code)


GOODS = (
    Good("851712", "Smartphones and other mobile phones", True, 9.0, 420, (("851713", 0.97), ("851714", 0.03))),
    Good("854231", "Processors and controllers", True, 5.0, 900, cn=("11", "90")),
    Good("854232", "Memories", True, 2.5, 1100, cn=("45",)),
    Good("854239", "Other integrated circuits", True, 2.5, 700, cn=("90",)),
    Good("847150", "Processing units", True, 3.0, 120),
    Good("847180", "Other units of data processing machines", True, 1.2, 90),
    Good("847130", "Portable computers", True, 5.0, 150),
    Good("847170", "Storage units", False, 1.5, 160, cn=("70",)),
    Good("870323", "Cars, 1.5 to 3 litres", True, 8.0, 11, cn=("19", "90")),
    Good("870324", "Cars, over 3 litres", True, 4.0, 18, cn=("10",)),
    Good("870322", "Cars, 1 to 1.5 litres", False, 4.0, 9, cn=("10",)),
    Good("847989", "Other machines with functions of their own", True, 3.0, 28, cn=("97",)),
    Good("853710", "Switchboards and control panels", True, 2.5, 40, cn=("98",)),
    Good("848210", "Ball bearings", True, 1.6, 14, cn=("90",)),
    Good("848220", "Tapered roller bearings", True, 0.9, 11),
    Good("848280", "Other bearings", False, 0.6, 13),
    Good("848180", "Taps, cocks and valves", True, 2.2, 24, cn=("99",)),
    Good("845011", "Washing machines, fully automatic", True, 1.6, 6, cn=("90",)),
    Good("850440", "Static converters", True, 2.5, 30, cn=("90",)),
    Good("850490", "Parts of transformers and converters", False, 0.8, 18, cn=("99",)),
    Good("853224", "Ceramic capacitors, multilayer", True, 1.0, 220),
    Good("853400", "Printed circuits", True, 1.4, 85, cn=("11",)),
    Good("853690", "Apparatus for switching electrical circuits", True, 1.8, 38, cn=("95",)),
    Good("852580", "Television cameras and digital cameras", True, 1.3, 190,
         (("852581", 0.05), ("852582", 0.02), ("852583", 0.08), ("852589", 0.85))),
    Good("854140", "Photosensitive semiconductor devices", True, 1.3, 70,
         (("854141", 0.4), ("854142", 0.2), ("854143", 0.25), ("854149", 0.15))),
    Good("854150", "Other semiconductor devices", True, 0.8, 95, (("854151", 0.6), ("854159", 0.4)), family="854150"),
    Good("851762", "Routers and other communication apparatus", True, 3.5, 170),
    Good("851770", "Parts of telephones", True, 1.6, 210, (("851771", 0.3), ("851779", 0.7))),
    Good("854110", "Diodes", True, 0.7, 130),
    Good("880330", "Parts of aeroplanes and helicopters", True, 2.0, 380, (("880730", 1.0),)),
    Good("903089", "Measuring instruments for electrical quantities", True, 0.7, 240, cn=("30",)),
    Good("842952", "Excavators", True, 1.8, 9, cn=("10",)),
    Good("843149", "Parts of excavators and cranes", True, 1.2, 8, cn=("80",)),
    Good("870899", "Other parts of motor vehicles", False, 3.5, 9, cn=("97",)),
    Good("870421", "Lorries up to 5 tonnes", False, 1.8, 9, cn=("31",)),
    Good("852872", "Television sets", False, 2.0, 17, cn=("40",)),
    Good("851830", "Headphones", False, 1.2, 65),
    Good("850760", "Lithium-ion batteries", False, 2.4, 26),
    Good("841381", "Other pumps for liquids", False, 1.0, 19),
    Good("901839", "Catheters and cannulae", False, 1.0, 110),
    Good("300490", "Other medicaments", False, 4.0, 85),
    Good("330300", "Perfumes", False, 0.8, 48, cn=("10",)),
    Good("401110", "Tyres for cars", False, 1.4, 4.5),
    Good("640399", "Leather footwear", False, 1.0, 27, cn=("96",)),
    Good("610910", "Cotton T-shirts", False, 1.2, 17),
    Good("720839", "Hot-rolled steel", False, 1.4, 0.7),
    Good("760612", "Aluminium plates", True, 1.2, 3.4, cn=("92",)),
    Good("940360", "Wooden furniture", False, 1.2, 3.6, cn=("10",)),
)  # fmt: skip

COUNTRY_AT = {country.iso3: position for position, country in enumerate(COUNTRIES)}
GOOD_AT = {good.good: position for position, good in enumerate(GOODS)}


def of_role(*roles: str) -> tuple[str, ...]:
    """ISO codes of the countries with one of these roles, in the order of COUNTRIES."""
    return tuple(country.iso3 for country in COUNTRIES if country.role in roles)
