"""Where countries lie, and what publishers call them: the same in every simulated world."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """What publishers call a country, and where it lies.

    Parameters
    ----------
    iso2 : str
        ISO 3166-1 alpha-2.
    m49 : int
        Number that UN Comtrade gives it.
    name : str
        Name that UN Comtrade gives it.
    lat, lon : float
        Degrees.
    """

    iso2: str
    m49: int
    name: str
    lat: float
    lon: float


PLACES = {
    "ARE": Place("AE", 784, "United Arab Emirates", 24, 54),
    "ARG": Place("AR", 32, "Argentina", -35, -58),
    "ARM": Place("AM", 51, "Armenia", 40, 44),
    "AUS": Place("AU", 36, "Australia", -35, 149),
    "BEL": Place("BE", 56, "Belgium", 51, 4),
    "BLR": Place("BY", 112, "Belarus", 54, 28),
    "BRA": Place("BR", 76, "Brazil", -16, -48),
    "CAN": Place("CA", 124, "Canada", 45, -76),
    "CHL": Place("CL", 152, "Chile", -33, -71),
    "CHN": Place("CN", 156, "China", 40, 116),
    "COL": Place("CO", 170, "Colombia", 5, -74),
    "DEU": Place("DE", 276, "Germany", 52, 13),
    "EGY": Place("EG", 818, "Egypt", 30, 31),
    "FRA": Place("FR", 251, "France", 49, 2),
    "GBR": Place("GB", 826, "United Kingdom", 51, 0),
    "GEO": Place("GE", 268, "Georgia", 42, 45),
    "HKG": Place("HK", 344, "China, Hong Kong SAR", 22, 114),
    "IDN": Place("ID", 360, "Indonesia", -6, 107),
    "IND": Place("IN", 699, "India", 29, 77),
    "ITA": Place("IT", 380, "Italy", 42, 12),
    "JPN": Place("JP", 392, "Japan", 36, 140),
    "KAZ": Place("KZ", 398, "Kazakhstan", 51, 71),
    "KEN": Place("KE", 404, "Kenya", -1, 37),
    "KGZ": Place("KG", 417, "Kyrgyzstan", 43, 75),
    "KOR": Place("KR", 410, "Rep. of Korea", 37, 127),
    "LTU": Place("LT", 440, "Lithuania", 55, 25),
    "MAR": Place("MA", 504, "Morocco", 34, -7),
    "MEX": Place("MX", 484, "Mexico", 19, -99),
    "MYS": Place("MY", 458, "Malaysia", 3, 102),
    "NLD": Place("NL", 528, "Netherlands", 52, 5),
    "PAK": Place("PK", 586, "Pakistan", 34, 73),
    "PER": Place("PE", 604, "Peru", -12, -77),
    "PHL": Place("PH", 608, "Philippines", 15, 121),
    "POL": Place("PL", 616, "Poland", 52, 21),
    "RUS": Place("RU", 643, "Russian Federation", 56, 38),
    "SAU": Place("SA", 682, "Saudi Arabia", 25, 47),
    "SGP": Place("SG", 702, "Singapore", 1, 104),
    "SRB": Place("RS", 688, "Serbia", 45, 20),
    "THA": Place("TH", 764, "Thailand", 14, 100),
    "TUR": Place("TR", 792, "Türkiye", 40, 33),
    "USA": Place("US", 842, "USA", 39, -77),
    "UZB": Place("UZ", 860, "Uzbekistan", 41, 69),
    "VNM": Place("VN", 704, "Viet Nam", 21, 106),
}
