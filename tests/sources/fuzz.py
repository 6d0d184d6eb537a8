"""`make fuzz`: files of every form, changed at random, over all readers: an AnomalyError or whole flows, in bounded time.

A change lies in one line, so what the other lines say must stay as it was: that is what no silent change means here.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from anomaly.contract.errors import AnomalyError
from anomaly.sources import find
from anomaly.sources.base import Batch, RawFile
from tests.sources.test_every_source import CONTEXT, SAMPLES
from tests.sources.test_forms import FORMS, TOML

NASTY = (
    *(
        "NA",
        "",
        "-",
        "1e400",
        "1e-400",
        "-1",
        "0",
        "999999999999999999999",
        '"',
        "'",
        "0x1F",
        "\uff11\uff12\uff13",
        "\u202e",
    ),
    *(
        "1,234",
        "1.234",
        "1.234,5",
        "NaN",
        "inf",
        "TRUE",
        "2022-13",
        "\ud7ff",
        "851712.0",
        "85171",
        "8517",
        "WLD",
        ";",
        "\t",
    ),
)
MOST_SECONDS = 10.0  # for one small file
Change = Callable[[random.Random, bytes], bytes]


@dataclass(slots=True)
class Tally:
    """What became of the files: read, refused, and every fault with the seed that makes it again."""

    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many were tried."""
        return self.read + sum(self.refused.values()) + len(self.faults)


def _flip(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]


def _drop(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + content[at + rng.randrange(1, 12) :]


def _insert(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.randbytes(rng.randrange(1, 6)) + content[at:]


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content))]


def _cell(rng: random.Random, content: bytes) -> bytes:
    """A cell of a line of text replaced."""
    separator = b"\t" if b"\t" in content else b","
    lines = content.split(b"\n")
    line = rng.randrange(len(lines))
    cells = lines[line].split(separator)
    cells[rng.randrange(len(cells))] = rng.choice(NASTY).encode(errors="surrogatepass")
    lines[line] = separator.join(cells)
    return b"\n".join(lines)


def _repeat(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    return b"\n".join([*lines[:at], lines[at], *lines[at:]])


CHANGES: tuple[Change, ...] = (_flip, _drop, _insert, _cut, _cell, _cell, _cell, _repeat)


def _originals(folder: Path) -> list[tuple[str, bytes, str | None]]:
    """Name, bytes and mapping of every form, whole."""
    originals: list[tuple[str, bytes, str | None]] = []
    for name, make in SAMPLES.items():
        if name != "table":
            made = folder / name
            made.mkdir()
            raw = make(made)
            originals.append((raw.name, raw.path.read_bytes(), None))
    return [*originals, *((f"own/{name}", content, TOML) for name, content in FORMS.items())]


def read(folder: Path, name: str, content: bytes, mapping: str | None) -> list[Batch]:
    """The batches of a file of these bytes, or an AnomalyError."""
    path = folder / Path(name).name
    path.write_bytes(content)
    if mapping is not None:
        (folder / "mine.toml").write_text(mapping, encoding="utf-8")
    raw = RawFile(path, name, url="https://comtradeapi.un.org/data/v1/get/C/A/HS")
    source = find(raw)
    if source.rates is not None:
        source.rates(raw)
    return list(source.read(raw, CONTEXT))


def _fault_of(batches: list[Batch]) -> str:
    """What is wrong with accepted batches, or nothing."""
    for batch in batches:
        if batch.rows_in != batch.flows.height + batch.rejected.height + batch.rows_deduplicated:
            return "rows in are not those out"
        if batch.rows_deduplicated < 0:
            return "fewer than no rows folded"
        amounts = batch.flows.select("primary_value_usd", "reported_value")
        if amounts.null_count().sum_horizontal().item() or (amounts.min_horizontal() < 0).any():
            return "an amount that is none"
        if not batch.flows["cmd_code"].str.contains(r"^(TOTAL|[0-9]{2}[0-9A-Z]{0,6})$").all():
            return "a code that is none"
    return ""


def run(count: int, seconds: float, seed: int) -> Tally:
    """Try up to `count` changed files, or as many as there is time for."""
    tally, until = Tally(), time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        originals = _originals(folder)
        for number in range(count):
            if time.monotonic() > until:
                break
            rng = random.Random(f"{seed}:{number}")
            name, content, mapping = originals[number % len(originals)]
            is_packed = name.endswith(".gz") and rng.random() < 0.8
            inner = gzip.decompress(content) if is_packed else content
            changed = rng.choice(CHANGES)(rng, inner)
            subfolder = folder / f"{number % 50}"
            subfolder.mkdir(exist_ok=True)
            began = time.monotonic()
            try:
                batches = read(subfolder, name, gzip.compress(changed, mtime=0) if is_packed else changed, mapping)
            except AnomalyError as error:
                tally.refused[type(error).__name__] += 1
            except Exception as error:
                tally.faults.append(f"{seed}:{number} {name}: {type(error).__name__}: {str(error)[:200]}")
            else:
                tally.read += 1
                if fault := _fault_of(batches):
                    tally.faults.append(f"{seed}:{number} {name}: {fault}")
            if time.monotonic() - began > MOST_SECONDS:
                tally.faults.append(f"{seed}:{number} {name}: {time.monotonic() - began:.0f} s")
            for path in subfolder.iterdir():
                path.unlink()
    return tally


def silent_changes(count: int, seed: int) -> list[str]:
    """Changes of one cell of a table that alter what other lines say without an error or a doubt."""
    lines = ["rep,par,when,hs,usd"]
    lines += [
        f"KAZ,RUS,2022-{month:02},{code},{month * 1000 + at}"
        for month in range(1, 13)
        for at, code in enumerate(("851713", "010121", "854231"))
    ]
    faults = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        whole = pl.concat(batch.flows for batch in read(folder, "mine.csv", "\n".join(lines).encode(), TOML))
        for number in range(count):
            rng = random.Random(f"{seed}:{number}")
            at = rng.randrange(1, len(lines))
            cells = lines[at].split(",")
            cells[rng.randrange(5)] = rng.choice(NASTY)
            changed = [*lines[:at], ",".join(cells), *lines[at + 1 :]]
            try:
                batches = read(folder, "mine.csv", "\n".join(changed).encode(errors="surrogatepass"), TOML)
            except AnomalyError:
                continue
            _, _, when, code, _ = lines[at].split(",")
            month = pl.lit(when + "-01").str.to_date()
            unchanged = whole.filter(~((pl.col("ref_date") == month) & (pl.col("cmd_code") == code)))
            left = unchanged.join(
                pl.concat(batch.flows for batch in batches), on=whole.columns, how="anti", nulls_equal=True
            )
            is_told = any(
                batch.rejected.height or (batch.doubts is not None and batch.doubts.height) for batch in batches
            )
            if left.height and not is_told:
                faults.append(f"{seed}:{number} {changed[at]!r}: {left.height} other rows differ")
    return faults


def main() -> None:
    """Run for a while, print what became of the files, end with 1 where there is a fault."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=3000)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--seed", type=int, default=1)
    arguments = options.parse_args()
    tally = run(arguments.files, arguments.seconds, arguments.seed)
    faults = [*tally.faults, *silent_changes(min(arguments.files, 500), arguments.seed)]
    print(
        f"{tally.files:,} files: {tally.read:,} read, {sum(tally.refused.values()):,} refused {dict(tally.refused)}, {len(faults)} faults"
    )
    for fault in faults[:40]:
        print(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
