"""A month of nightly runs that is spared nothing: `python -m tests.house.soak`, which is `make soak`; by hand, minutes.

Each night files come, are revised or are damaged, and a run is undisturbed, killed, out of disk, or not alone, while a
reader asks in a loop. Every answer is held against the runs that ended whole, their rows against what was planted, and
now and then against a run in a folder of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from tests import ROOT

EXPORTERS = ("KAZ", "KGZ", "TUR", "ARM", "GEO", "UZB", "ARE", "CHN", "HKG", "SRB", "IND", "AZE")
IMPORTERS = ("RUS", "DEU", "BLR")
GOODS = ("851713", "847130", "854231", "870323", "841191", "392010")
YEARS = range(2017, 2024)
MAPPING = """classification = "H6"
flow = "X"
[columns]
reporter = "from"
partner = "to"
period = "year"
code = "hs"
value = "usd"
"""
STAGES = ("flows", "families", "coverage", "bilateral", "features", "scores", "flags", "reports", "runs", "jobs")
KILLED = -signal.SIGKILL
MOST_GROWTH_BYTES = 64 << 20  # of a reader, from its first quarter to its last


@dataclass
class World:
    """Raw files and what is planted in them: file → route and year → dollars."""

    raw: Path
    dice: random.Random
    planted: dict[str, dict[tuple[str, str, int, str], int]] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    def night(self) -> str:
        """What comes, is revised, damaged or mended tonight, in a word."""
        names = sorted(self.planted)
        if self.damaged:
            name = self.damaged.pop()
            self._write(name)
            return f"mended {name}"
        waiting = [name for name in EXPORTERS if name not in names]
        change = self.dice.choice(["new", "revised", "revised", "damaged", "nothing"])
        if len(names) < 3 or (change == "new" and waiting):
            name = waiting[0]
            self.planted[name] = {
                (name, importer, year, good): self.dice.randrange(1_000_000, 9_000_000)
                for importer in IMPORTERS
                for year in YEARS
                for good in GOODS
            }
            self._write(name)
            return f"new {name}"
        if change == "nothing":
            return "nothing"
        name = self.dice.choice(names)
        for key in self.dice.sample(sorted(self.planted[name]), 5):
            self.planted[name][key] += self.dice.randrange(1, 1_000_000)
        self._write(name)
        if change == "damaged":
            self.damaged.add(name)
            path = self.raw / f"{name}.csv"
            text = path.read_bytes()
            path.write_bytes(text[: text.rindex(b",")] if self.dice.random() < 0.5 else text[:200] + b"\0" + text[201:])
        return f"{change if change in ('revised', 'damaged') else 'revised'} {name}"

    def sums(self, *, is_quarantine: bool) -> tuple[int, int]:
        """Rows and dollars that a run has to keep."""
        amounts = [
            amount
            for name, rows in self.planted.items()
            if not (is_quarantine and name in self.damaged)
            for amount in rows.values()
        ]
        return len(amounts), sum(amounts)

    def _write(self, name: str) -> None:
        self.raw.mkdir(parents=True, exist_ok=True)
        rows = [
            f"{exporter},{importer},{year},{good},{usd}"
            for (exporter, importer, year, good), usd in self.planted[name].items()
        ]
        (self.raw / f"{name}.csv").write_text("\n".join(["from,to,year,hs,usd", *rows, ""]), encoding="utf-8")
        (self.raw / f"{name}.toml").write_text(MAPPING, encoding="utf-8")


def without_history(seen: dict[str, str]) -> dict[str, str]:
    """The answers without the table that hangs on the run before."""
    sums, tables = json.loads(seen["run"])
    return {**seen, "run": json.dumps([sums, {name: read for name, read in tables.items() if name != "changes"}])}


def answers_now(data: Path) -> dict[str, str]:
    """What two questions answer: one that reads every table of the run and its documents, and `anomaly query`."""
    from anomaly.cli import answers
    from anomaly.cli.store import Asked, open_store

    store = open_store(data)
    published = store.published()
    manifest = json.loads((data / "reports" / published.run / "manifest.json").read_bytes()) if published else {}
    tables = {
        name: [store.version(name), version["version"]] for name, version in sorted(manifest.get("tables", {}).items())
    }
    sums = {
        "flows": store.read("flows").select(pl.len(), pl.sum("primary_value_usd")).row(0),
        "bilateral": store.read("bilateral").select(pl.len(), pl.sum("value_usd")).row(0),
        "features": store.read("features").select(pl.len(), pl.sum("value_usd")).row(0),
        "scores": store.read("scores").select(pl.len()).row(0),
    }
    rows = answers.routes_of(Asked("8517", None, "RUS", None, None, "USD"), None, data).rows
    return {"run": json.dumps([sums, tables]), "query": str(rows.select("exporter_iso", "value_usd", "note").rows())}


def read_on(data: Path, log: Path) -> None:
    """Ask again and again, and write down each answer with the memory of this process, until the log is gone."""
    with log.open("a", encoding="utf-8") as lines:
        while log.exists():
            try:
                answered: dict[str, Any] = answers_now(data)
            except Exception as error:  # whatever it is, it is no answer
                answered = {"exit_code": getattr(error, "exit_code", 70), "error": repr(error)}
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            lines.write(json.dumps({**answered, "rss": pages * resource.getpagesize()}) + "\n")
            lines.flush()
            time.sleep(0.1)


@dataclass
class Soak:
    """What the month has shown so far."""

    root: Path
    dice: random.Random
    history: list[dict[str, str]] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    runs: int = 0
    answers: int = 0
    overtaken: int = 0
    compared: int = 0
    memory: list[int] = field(default_factory=list)
    _place: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def data(self) -> Path:
        """Folder of the tables."""
        return self.root / "data"

    def command(self, raw: Path, data: Path, *, is_quarantine: bool = False) -> list[str]:
        """A run, as a schedule would start it."""
        aside = ["--quarantine"] if is_quarantine else []
        return [sys.executable, "-m", "pipelines", "run", "--raw", str(raw), "--data", str(data), *aside]

    def attempt(self, world: World, how: str) -> None:
        """One run, disturbed as told; what readers see then must be the run before, or this one whole."""
        self.runs += 1
        is_quarantine = how == "quarantine"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if how == "disk fault":
            place = f"{self.dice.choice(STAGES)}:{self.dice.randrange(1, 25)}:{self.dice.choice(['ENOSPC', 'EIO'])}"
            environment["ANOMALY_FAIL_AT"] = place
        if how == "killed at a point":
            environment["ANOMALY_FAIL_AT"] = f"{self.dice.choice(STAGES)}:{self.dice.randrange(1, 25)}:kill"
        most_bytes = self.dice.choice([500, 3_000, 8_000, 20_000])
        run = subprocess.Popen(
            self.command(world.raw, self.data, is_quarantine=is_quarantine),
            env=environment,
            cwd=self.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=(lambda: limited(most_bytes)) if how == "no room" else None,
        )
        if how == "killed":
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(self.dice.uniform(0.2, 8))
            run.kill()
        if how == "second run":
            time.sleep(self.dice.uniform(0, 3))
            second = subprocess.run(run.args, env=environment, cwd=self.root, check=False, capture_output=True)
            self._ended(f"second run: {second.returncode}", second.returncode in (0, 3, 65, 75), second.stderr)
        said = run.communicate()[1]
        self._ended(f"{how}: {run.returncode}", run.returncode in expected_codes(how, world), said)
        self._look(world, is_quarantine=is_quarantine, is_done=run.returncode in (0, 3))

    def _ended(self, word: str, is_expected: bool, said: object) -> None:
        self.codes[word] += 1
        if not is_expected:
            self.faults.append(f"run {self.runs}, {word}: {str(said)[-600:]}")

    def _look(self, world: World, *, is_quarantine: bool, is_done: bool) -> None:
        """What is seen now that no run is under way."""
        try:
            seen = answers_now(self.data)
        except Exception as error:
            if self.history or is_done:
                self.faults.append(f"run {self.runs}: nothing is answered: {error!r}")
            return
        is_new = not self.history or seen != self.history[-1]
        if is_new:
            self.history.append(seen)
        sums, tables = json.loads(seen["run"])
        if not tables or any(read != reported for read, reported in tables.values()):
            self.faults.append(f"run {self.runs}: tables and documents of two runs: {tables}")
        expected = list(world.sums(is_quarantine=is_quarantine))
        if (is_new or is_done) and not sums["flows"] == sums["bilateral"] == expected:
            self.faults.append(f"run {self.runs}: rows and dollars {sums} where {expected} were planted")

    def compare(self, world: World) -> None:
        """The answers of a run in a folder of its own; the same raw files give the same, but for what became of the run before."""
        self.compared += 1
        with tempfile.TemporaryDirectory(dir=self.root) as fresh:
            subprocess.run(self.command(world.raw, Path(fresh)), cwd=ROOT, check=True, capture_output=True)
            if without_history(answers_now(Path(fresh))) != without_history(self.history[-1]):
                self.faults.append(f"run {self.runs}: a run in a folder of its own answers something else")

    def check_reader(self, lines: list[str]) -> None:
        """Each answer of the reader is of a run that ended whole, and none of an older run than the answer before."""
        for line in lines:
            answered = json.loads(line)
            self.memory.append(answered["rss"])
            if "exit_code" in answered:
                self.overtaken += answered["exit_code"] == 75
                if answered["exit_code"] not in (75, 69) or (answered["exit_code"] == 69 and any(self._place)):
                    self.faults.append(f"a reader got {answered}")
                continue
            self.answers += 1
            for number, question in enumerate(("run", "query")):
                runs = [run[question] for run in self.history]
                if answered[question] not in runs[self._place[number] :]:
                    self.faults.append(f"a reader got {question} {answered[question][:300]}, which no run has left")
                    continue
                self._place[number] = runs.index(answered[question], self._place[number])


def limited(most_bytes: int) -> None:
    """Let the operating system refuse files over a size, as a quota would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def expected_codes(how: str, world: World) -> tuple[int, ...]:
    """What a run may end with; a fault at a point that it does not reach is none."""
    undisturbed = (3 if how == "quarantine" else 65) if world.damaged else 0
    return {
        "disk fault": (undisturbed, 65, 74),
        "killed at a point": (undisturbed, KILLED),
        "killed": (undisturbed, KILLED),
        "no room": (undisturbed, 74),
        "second run": (undisturbed, 75),
    }.get(how, (undisturbed,))


WAYS = ("undisturbed", "killed", "killed", "killed at a point", "disk fault", "no room", "second run")
WAYS_OF_DAMAGED = ("undisturbed", "quarantine", "quarantine", "killed")


def dealt(ways: Sequence[str], dice: random.Random) -> Iterator[str]:
    """Each of the ways as often as any other, in random order."""
    while True:
        yield from dice.sample(ways, len(ways))


def month(root: Path, nights: int, seed: int, every: int = 5, ways_of_night: Sequence[str] = WAYS) -> Soak:
    """So many nights under a folder; after every so many of them a run in a folder of its own is compared."""
    dice = random.Random(seed)
    usual, of_damaged = dealt(ways_of_night, dice), dealt(WAYS_OF_DAMAGED, dice)
    world, soak, log = World(root / "raw", dice), Soak(root, dice), root / "reader.jsonl"
    (root / "data").mkdir(parents=True)
    log.touch()
    reader = subprocess.Popen([sys.executable, "-m", "tests.house.soak", "--reader", str(root)], cwd=ROOT)
    place = 0
    try:
        for night in range(1, nights + 1):
            change = world.night()
            ways = [next(of_damaged if world.damaged else usual)]
            if not world.damaged and dice.random() < 0.8:
                ways.append("undisturbed")  # who keeps the schedule starts it again
            for how in ways:
                soak.attempt(world, how)
            if ways[-1] == "undisturbed" and not world.damaged and night >= every * (soak.compared + 1):
                soak.compare(world)
            with log.open(encoding="utf-8") as lines:
                lines.seek(place)
                whole = [line for line in iter(lines.readline, "") if line.endswith("\n")]
                place += sum(len(line.encode()) for line in whole)
            soak.check_reader(whole)
            print(f"night {night}: {change}, {', '.join(ways)}; {len(soak.history)} runs seen", file=sys.stderr)
    finally:
        log.unlink()
        reader.wait(60)
    return soak


def growth_bytes(memory: list[int]) -> int:
    """How much more memory a reader has in the last quarter of its answers than in the second."""
    quarter = len(memory) // 4
    return int(median(memory[-quarter:]) - median(memory[quarter : 2 * quarter])) if quarter else 0


def main() -> int:
    """The month, and its figures; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.house.soak", description=__doc__)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--reader", type=Path)
    arguments = parser.parse_args()
    if arguments.reader is not None:
        read_on(arguments.reader / "data", arguments.reader / "reader.jsonl")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        soak = month(Path(folder), arguments.nights, arguments.seed)
    for fault in soak.faults:
        print(fault)
    print(
        f"{arguments.nights} nights, {soak.runs} runs ({', '.join(f'{how} {count}' for how, count in sorted(soak.codes.items()))}), "
        f"{len(soak.history)} of them seen; {soak.answers:,} answers of the reader, {soak.overtaken} asked again, "
        f"{soak.compared} runs compared with one in a folder of its own; wrong: {len(soak.faults)}"
    )
    grown = growth_bytes(soak.memory)
    print(f"memory of the reader: {median(soak.memory) / 1e6:.0f} MB, grown by {grown / 1e6:.1f} MB")
    return int(bool(soak.faults) or not soak.answers or grown > MOST_GROWTH_BYTES)


if __name__ == "__main__":
    sys.exit(main())
