"""Faults on demand: which request goes wrong and how, by a script or by a seed; the same requests, the same faults."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

STATUSES = ("429", "quota", "403", "500", "502", "503", "504")  # answered in place of what was asked for
CONTENTS = ("html", "broken_json", "wrong_count", "cut_gzip")  # a 200 whose body is not what it should be
WIRES = ("reset", "hang", "slow", "short_body", "half", "cut_chunk")  # a connection that does not hold
ENDS = ("quota", "403", "hang", "slow")  # end a run, or take hours: never by chance
KINDS = (*STATUSES, *CONTENTS, *WIRES)
_RULE = re.compile(rf"(?P<kind>{'|'.join(KINDS)})(\*(?P<times>\d+|all))?(\+(?P<after>\d+))?(@(?P<part>.+))?", re.ASCII)
_RANDOM = re.compile(r"random:(?P<share>0?\.\d+|0|1)(:(?P<seed>\d+))?", re.ASCII)
MOST_RANDOM = 2  # times that one address goes wrong by chance, so that whoever asks on gets it


@dataclass
class Rule:
    """A fault for some requests.

    Parameters
    ----------
    kind : str
        One of KINDS.
    times : int or None
        How many requests it hits; None: all.
    after : int
        Requests of this part that it lets through first.
    part : str
        What the address must contain; empty: anything.
    seen : int
        Requests of this part so far.
    """

    kind: str
    times: int | None = 1
    after: int = 0
    part: str = ""
    seen: int = 0

    def hits(self, address: str) -> bool:
        """Whether this request goes wrong; it is counted.

        Parameters
        ----------
        address : str
            Path and query.

        Returns
        -------
        bool
            True within `times` requests after the first `after`.
        """
        if self.part not in address:
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen <= self.after + self.times)


def parsed(texts: Iterable[str]) -> tuple[list[Rule], tuple[float, int]]:
    """Rules of a script, and the share and seed of chance.

    Parameters
    ----------
    texts : iterable of str
        KIND, KIND*2, KIND*all, KIND+3 (after three good ones), each with @PART of the address; random:0.1:7 (share and
        seed); or @FILE, with one of these a line.

    Returns
    -------
    rules : list of Rule
        In order; the first that hits counts.
    chance : tuple of (float, int)
        Share of requests, seed.

    Raises
    ------
    ValueError
        A text is none of these.
    """
    rules: list[Rule] = []
    chance = (0.0, 0)
    for text in texts:
        if text.startswith("@"):
            lines = Path(text[1:]).read_text(encoding="utf-8").splitlines()
            more, chance_of_file = parsed(line.strip() for line in lines if line.strip() and not line.startswith("#"))
            rules += more
            chance = chance_of_file if chance_of_file[0] else chance
        elif by_chance := _RANDOM.fullmatch(text):
            chance = (float(by_chance["share"]), int(by_chance["seed"] or 0))
        elif rule := _RULE.fullmatch(text):
            times = None if rule["times"] == "all" else int(rule["times"] or 1)
            rules.append(Rule(rule["kind"], times, int(rule["after"] or 0), rule["part"] or ""))
        else:
            expected = "a fault such as 429, reset*2@/bulk, quota+3 or random:0.1:7"
            raise ValueError(f"expected {expected}; came {text!r}; kinds are {', '.join(KINDS)}")
    return rules, chance


class Faults:
    """Says of each request what goes wrong.

    Parameters
    ----------
    texts : iterable of str
        As `parsed` reads them.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._rules, self._chance = parsed(texts)
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, address: str) -> str | None:
        """The fault of a request.

        Parameters
        ----------
        address : str
            Path and query, without a key.

        Returns
        -------
        str or None
            One of KINDS, None where all goes well.
        """
        with self._lock:
            hit = next((rule.kind for rule in self._rules if rule.hits(address)), None)  # later rules wait their turn
            times = self._asked[address] = self._asked.get(address, -1) + 1
        if hit:
            return hit
        share, seed = self._chance
        if not share or times >= MOST_RANDOM:
            return None
        drawn = hashlib.sha256(f"{seed} {times} {address}".encode()).digest()
        kinds = [kind for kind in KINDS if kind not in ENDS]
        return kinds[drawn[8] % len(kinds)] if int.from_bytes(drawn[:8], "big") < share * 2**64 else None
