"""UN Comtrade's reference tables: JSON with a byte order mark, served as stored files with an ETag."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from loopback.facts import Published
from loopback.wire import Answer, Request, as_json

PATH = "/files/v1/app/reference/"
_EVER = "1900-01-01T00:00:00"
# What is no country of the world, or no longer one: each has led somebody astray.
_REPORTERS_BESIDE: tuple[tuple[int, str, str, str, str, bool], ...] = (
    (97, "European Union", "", "EUR", "", True),
    (490, "Other Asia, nes", "", "S19", "", True),
    (356, "India (...1974)", "IN", "IND", "1974-12-31T00:00:00", False),
    (841, "USA (...1980)", "US", "USA", "1980-12-31T00:00:00", False),
)
_PARTNERS_BESIDE: tuple[tuple[int, str, str, str, str, bool], ...] = (
    (0, "World", "", "World", "", True),
    (97, "European Union", "", "EUR", "", True),
    (250, "Metropolitan France", "FR", "FRA", "", False),
    (490, "Other Asia, nes", "", "S19", "", True),
    (756, "Switzerland ", "CH", "CHE", "", False),
    (840, "United States of America", "US", "USA", "", False),
    (899, "Areas, nes", "", "_X ", "", True),
    (356, "India (...1974)", "IN", "IND", "1974-12-31T00:00:00", False),
)
_FLOWS = {
    "M": "Import",
    "X": "Export",
    "RX": "Re-export",
    "RM": "Re-import",
    "DX": "Domestic Export",
    "FM": "Foreign Import",
}
_CODES: dict[str, tuple[tuple[str, str], ...]] = {
    "Frequency": (("A", "Annual"), ("Q", "Quarterly"), ("M", "Monthly")),
    "CustomsCodes": (("C00", "TOTAL CPC"), ("C01", "Clearance for home use"), ("C04", "Processing of goods")),
    "ModeOfTransportCodes": (
        ("0", "TOTAL MOT"),
        ("1000", "Air"),
        ("2000", "Water"),
        ("3100", "Rail"),
        ("3200", "Road"),
    ),
    "ModeOfSupply": (("0", "TOTAL MOS"),),
    "QuantityUnits": (("-1", "N/A"), ("5", "u"), ("8", "kg")),
    "tradeRegimes": tuple(_FLOWS.items()),
}


def table(request: Request, published: Published) -> Answer:
    """One reference table.

    Parameters
    ----------
    request : Request
        Its path ends with the table's name.
    published : Published
        With the world's countries and goods.

    Returns
    -------
    Answer
        A stored file, or 404.
    """
    name = request.path.rpartition("/")[2].removesuffix(".json")
    tables = _tables(request)
    found = next((make for known, make in tables.items() if known.lower() == name.lower()), None)
    if found is None:
        return as_json({"statusCode": 404, "message": "Resource not found"}, 404)
    text = json.dumps(found(published), ensure_ascii=False, indent="\t").replace("\n", "\r\n")
    headers = {"Cache-Control": "public, max-age=604800", "Last-Modified": "Mon, 02 Jan 2023 10:00:00 GMT"}
    return Answer(b"\xef\xbb\xbf" + text.encode(), "application/json", 200, headers, is_file=True, takes_ranges=True)


def _tables(request: Request) -> dict[str, Callable[[Published], dict[str, Any]]]:
    return {
        "ListofReferences": lambda published: _list(request),
        "Reporters": _reporters,
        "partnerAreas": _partners,
        "HS": lambda published: _codes(published, "HS"),
        "H5": lambda published: _codes(published, "H5"),
        "H6": lambda published: _codes(published, "H6"),
        **{name: lambda published, name=name: _plain(name) for name in _CODES},  # type: ignore[misc]
    }


def _list(request: Request) -> dict[str, Any]:
    of_table = {
        "reporter": "Reporters", "partner": "partnerAreas", "cmd:HS": "HS", "cmd:H5": "H5", "cmd:H6": "H6",
        "freq": "Frequency", "customs": "CustomsCodes", "mot": "ModeOfTransportCodes", "mos": "ModeOfSupply",
        "qtyunit": "QuantityUnits", "flow": "tradeRegimes",
    }  # fmt: skip
    return {
        "results": [
            {
                "category": category,
                "variable": category,
                "description": name,
                "fileuri": f"{request.origin}{PATH}{name}.json",
            }
            for category, name in of_table.items()
        ]
    }


def _plain(name: str) -> dict[str, Any]:
    return {"results": [{"id": code, "text": text} for code, text in _CODES[name]]}


def _areas(published: Published, beside: tuple[tuple[int, str, str, str, str, bool], ...], side: str) -> dict[str, Any]:
    """Countries of the world and what is listed beside them; keys that would be empty are absent."""
    of_world = [
        (country.m49, country.name, country.iso2, country.iso3, "", False) for country in published.world.countries
    ]
    results = []
    for code, name, iso2, iso3, expired, is_group in sorted((*of_world, *beside)):
        small = side[0].lower() + side[1:]
        row: dict[str, Any] = {"id": code, "text": name, f"{side}Code": code, f"{side}Desc": name, f"{small}Note": name}
        if iso2:
            row[f"{side}CodeIsoAlpha2"] = iso2
        row |= {f"{side}CodeIsoAlpha3": iso3, "entryEffectiveDate": _EVER}
        if expired:
            row["entryExpiredDate"] = expired
        results.append({**row, "isGroup": is_group})
    return {"results": results}


def _reporters(published: Published) -> dict[str, Any]:
    return _areas(published, _REPORTERS_BESIDE, "reporter")


def _partners(published: Published) -> dict[str, Any]:
    return _areas(published, _PARTNERS_BESIDE, "Partner")


def _codes(published: Published, class_code: str) -> dict[str, Any]:
    """The commodity codes of the world's goods with their headings and chapters."""
    names: dict[str, str] = {}
    for good in published.world.goods:
        newer = [code for code, _ in good.h6] or [good.code]
        for code in {"H5": [good.code], "H6": newer}.get(class_code, sorted({good.code, *newer})):
            names |= {code: good.name, code[:4]: f"Heading {code[:4]}", code[:2]: f"Chapter {code[:2]}"}
    total = {
        "id": "TOTAL", "text": f"Total - All {class_code} commodities", "parent": "#", "isLeaf": "0", "aggrLevel": 0,
        "standardUnitAbbr": "n/a",
    }  # fmt: skip
    rows = [
        {
            "id": code,
            "text": f"{code} - {name}",
            "parent": code[:-2] or "TOTAL",
            "isLeaf": "1" if len(code) == 6 else "0",
            "aggrLevel": len(code),
            "standardUnitAbbr": "kg",
        }
        for code, name in sorted(names.items())
    ]
    head = {"more": False, "minimumInputLength": 2, "classCode": class_code, "className": class_code}
    return {**head, "results": [total, *rows]}
