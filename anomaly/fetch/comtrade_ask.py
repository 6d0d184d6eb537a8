"""What one request to UN Comtrade's API asks for: a block of reporters, periods, goods and partners, and how it is cut in two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from anomaly.contract.errors import DataRejected
from anomaly.reference import countries

DATA, PREVIEW = "/data/v1/get", "/public/v1/preview"
MOST_ROWS = {DATA: 100_000, PREVIEW: 500}  # 250,000 is documented too; the lower one is safe with either
MOST_PERIODS = {DATA: 12, PREVIEW: 1}
MOST_LETTERS = 4000  # of an address; 4,096 are refused
FLOWS = ("M", "X", "RM", "RX")
ALL_GOODS = "AG6"
T = TypeVar("T")
Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A block of UN Comtrade's data.

    Parameters
    ----------
    path : str
        DATA or PREVIEW.
    freq : str
        A or M.
    reporters : tuple of int
        UN Comtrade's numbers.
    periods : tuple of str
        2024, or 202409.
    goods : tuple of str
        Six digits; empty: all.
    partners : tuple of int
        Empty: all, and the world as one.
    flows : tuple of str
        As UN Comtrade names them.
    """

    path: str
    freq: str
    reporters: tuple[int, ...]
    periods: tuple[str, ...]
    goods: tuple[str, ...] = ()
    partners: tuple[int, ...] = ()
    flows: tuple[str, ...] = FLOWS

    @property
    def scope(self) -> str:
        """Short hash of goods, partners and flows: cells of another scope are other cells."""
        text = json.dumps([sorted(self.goods), sorted(self.partners), sorted(self.flows)])
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """Of its file, without an ending."""
        text = json.dumps([self.path, self.freq, self.reporters, self.periods, self.goods, self.partners, self.flows])
        return f"C_{self.freq}_{self.periods[0]}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def address(self) -> str:
        """Its path with type, frequency and classification: goods as reported in the Harmonized System."""
        return f"{self.path}/C/{self.freq}/HS"

    @property
    def most_rows(self) -> int:
        """At which the API cuts an answer and does not say so."""
        return MOST_ROWS[self.path]

    def params(self) -> Params:
        """Of the address; the totals of every breakdown, and no descriptions.

        Returns
        -------
        tuple of (str, str)
            In one order, so that the same question has the same address.
        """
        every = (
            ("reporterCode", ",".join(map(str, self.reporters))),
            ("period", ",".join(self.periods)),
            ("cmdCode", ",".join(self.goods) or ALL_GOODS),
            ("flowCode", ",".join(self.flows)),
            ("partnerCode", ",".join(map(str, self.partners))),
            ("partner2Code", "0"),
            ("customsCode", "C00"),
            ("motCode", "0"),
            ("maxRecords", str(self.most_rows)),
            ("breakdownMode", "classic"),
            ("includeDesc", "false"),
        )
        return tuple((name, text) for name, text in every if text)

    @property
    def letters(self) -> int:
        """Of its address, commas as they are sent (%2C)."""
        return (
            60
            + len(self.address)
            + sum(len(name) + 2 + len(text) + 2 * text.count(",") for name, text in self.params())
        )


def halves(ask: Ask) -> tuple[Ask, ...]:
    """A block in two: by reporters, else periods, else chapters, else codes, else partners.

    Parameters
    ----------
    ask : Ask
        Whose answer was cut, or whose address is too long.

    Returns
    -------
    tuple of Ask
        Disjoint, together the same.

    Raises
    ------
    DataRejected
        It is one reporter, period, good (or all goods) and partner: nothing is left to cut.
    """
    if len(ask.reporters) > 1:
        return tuple(replace(ask, reporters=part) for part in _two(ask.reporters))
    if len(ask.periods) > 1:
        return tuple(replace(ask, periods=part) for part in _two(ask.periods))
    chapters = tuple(sorted({code[:2] for code in ask.goods}))
    if len(chapters) > 1:
        return tuple(
            replace(ask, goods=tuple(code for code in ask.goods if code[:2] in part)) for part in _two(chapters)
        )
    if len(ask.goods) > 1:
        return tuple(replace(ask, goods=part) for part in _two(ask.goods))
    partners = ask.partners or all_partners()
    if len(partners) > 1:
        return tuple(replace(ask, partners=part) for part in _two(partners))
    raise DataRejected(
        f"fewer than {ask.most_rows:,} rows of one reporter, period, good and partner",
        f"at least as many of {ask.params()}"[:300],
        hint="the service breaks down what it was asked not to; nothing of it was kept",
    )


def within_address(ask: Ask) -> tuple[Ask, ...]:
    """A block as blocks whose addresses the service takes.

    Parameters
    ----------
    ask : Ask
        With an address of any length.

    Returns
    -------
    tuple of Ask
        Of at most MOST_LETTERS each.
    """
    if ask.letters <= MOST_LETTERS:
        return (ask,)
    longest = max(("reporters", "goods", "partners"), key=lambda name: len(getattr(ask, name)))
    parts = [_with(ask, longest, part) for part in _two(getattr(ask, longest))]
    return tuple(short for part in parts for short in within_address(part))


def _with(ask: Ask, name: str, part: tuple[Any, ...]) -> Ask:
    changed: dict[str, Any] = {name: part}
    return replace(ask, **changed)


def all_partners() -> tuple[int, ...]:
    """Every number that UN Comtrade has for a partner, the world among them."""
    return tuple(sorted(set(countries.m49_table()["m49"])))


def number_of(iso3s: Sequence[str]) -> dict[str, int]:
    """UN Comtrade's numbers of reporters.

    Parameters
    ----------
    iso3s : sequence of str
        ISO 3166-1 alpha-3.

    Returns
    -------
    dict of str to int
        The number under which a country reports: 842 for the United States, not 840.
    """
    table = countries.m49_table().unique("iso3", keep="first", maintain_order=True)
    numbers = dict(zip(table["iso3"], table["m49"], strict=True))
    return {iso3: numbers[iso3] for iso3 in iso3s if iso3 in numbers}


def reporters() -> dict[str, int]:
    """ISO 3166-1 alpha-3 of every country → the number under which it reports."""
    table = countries.table()
    return number_of(table.filter(table["kind"] == "country")["iso3"].to_list())


def _two(parts: tuple[T, ...]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    middle = len(parts) // 2
    return parts[:middle], parts[middle:]


def of_params(address: str, params: Params) -> Ask:
    """The block that an address asks for.

    Parameters
    ----------
    address : str
        As `Ask.address`.
    params : tuple of (str, str)
        As `Ask.params`.

    Returns
    -------
    Ask
        The one that made them.

    Examples
    --------
    >>> ask = Ask(DATA, "M", (398, 417), ("202409",), ("851713",))
    >>> of_params(ask.address, ask.params()) == ask
    True
    """
    path, _, freq, _ = address.rsplit("/", 3)
    of_name = {name: text.split(",") for name, text in params}
    goods = tuple(of_name["cmdCode"])
    return Ask(
        path,
        freq,
        tuple(int(number) for number in of_name["reporterCode"]),
        tuple(of_name["period"]),
        () if goods == (ALL_GOODS,) else goods,
        tuple(int(number) for number in of_name.get("partnerCode", ())),
        tuple(of_name["flowCode"]),
    )
