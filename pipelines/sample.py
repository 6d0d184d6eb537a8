"""Comext files a person has → a small real sample of them, and the main job on it."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from anomaly.contract.errors import DataRejected, SettingsWrong, SourceUnavailable
from anomaly.contract.scenario import DEFAULT
from anomaly.contract.settings import SCENARIOS
from anomaly.reference import sample_goods
from anomaly.sources import comext, comext_sample, ecb
from anomaly.sources.base import Context, RawFile
from anomaly.store.disk import Faults, write_over
from pipelines import log, run
from pipelines.raw import find, inputs
from pipelines.running import Outcome

HINT = (
    "`make fetch` brings Eurostat's Comext and the ECB's rates; or download them as docs/sources/comext.md says, from "
    "https://ec.europa.eu/eurostat/web/international-trade-in-goods/database, and say make sample RAW=<folder>"
)
_COALITION = re.compile(r"(?m)^(\[coalition\]\s*\ncountries = \[)")


def main(raw: Path, folder: Path, scenario: str) -> Outcome:
    """Make the sample of the Comext files in a raw folder and run everything on it.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob with files of Comext and of the ECB.
    folder : Path
        Gets raw/ (the sample), scenario.toml and processed/.
    scenario : str
        Its name, or the path of its TOML file.

    Returns
    -------
    Outcome
        Of the main job.

    Raises
    ------
    SourceUnavailable
        There are no files of Comext, or of the ECB; or they hold nothing of the sample.
    DataRejected
        A file cannot be read, or two say one code of one release differently.
    SettingsWrong
        The scenario has no coalition that the EU could join as one reporter.
    """
    for name, content in made(raw).items():
        _write(folder / "raw" / name, content)
    _write(folder / "scenario.toml", _with_the_eu(scenario).encode())
    return run.main(folder / "raw", folder / "processed", str(folder / "scenario.toml"))


def made(raw: Path) -> dict[str, bytes]:
    """The sample as raw files.

    Parameters
    ----------
    raw : Path
        A folder, a file or a glob with files of Comext and of the ECB.

    Returns
    -------
    dict of str to bytes
        Name below the sample's raw folder → content; the same for the same files.

    Raises
    ------
    SourceUnavailable
        There are no files of Comext, or of the ECB; or they hold nothing of the sample.
    """
    try:
        raw_files = [item.raw for item in find(raw)]
    except SourceUnavailable as error:
        raise SourceUnavailable("files of Eurostat's Comext", f"none at {raw}", hint=HINT) from error
    of_comext = [file for file in raw_files if comext.SOURCE.claims(file)]
    of_ecb = [file for file in raw_files if ecb.SOURCE.claims(file)]
    if not of_comext or not of_ecb:
        expected = "files of Eurostat's Comext" if not of_comext else "the ECB's rates beside the files of Comext"
        raise SourceUnavailable(expected, f"none among {len(raw_files):,} files at {raw}", hint=HINT)
    rates = _rates(of_ecb)
    goods = sample_goods.read_all()["hs6"]
    flows = pl.concat([_flows(file, Context({"EUR": rates}), goods) for file in of_comext])
    if flows.is_empty():
        came = f"none of the {goods.len()} goods of anomaly/reference/sample_goods.csv to its importers in its months"
        raise SourceUnavailable("monthly exports of EU members in the files of Comext", came, hint=HINT)
    sample = comext_sample.build(flows)
    _say(sample, goods)
    hashed = inputs(raw)
    used = {file.name: hashed[f"raw/{file.name}"] for file in (*of_comext, *of_ecb)}
    return comext_sample.files(sample, rates, used)


def _rates(of_ecb: list[RawFile]) -> pl.DataFrame:
    """month, usd_per_unit of a euro; where two files say a month, the later by name."""
    read = ecb.SOURCE.rates
    months = [rates["EUR"] for file in of_ecb if read is not None and "EUR" in (rates := read(file))]
    if not months:
        raise SourceUnavailable("rates of the US dollar in the ECB's files", "none", hint=HINT)
    return pl.concat(months).unique("month", keep="last", maintain_order=True).sort("month")


def _flows(file: RawFile, context: Context, goods: pl.Series) -> pl.DataFrame:
    """A file's flows that the sample is summed of; the rest is let go as it is read."""
    columns = ["reporter_iso", "partner_iso", "ref_date", "cmd_code", "dataset", "vintage", "reported_value"]
    parts = [
        batch.flows.filter(comext_sample.wanted(goods)).select(columns) for batch in comext.SOURCE.read(file, context)
    ]
    if not parts:
        raise DataRejected(f"flows in {file.name}", "none", hint="fetch the file again")
    return pl.concat(parts)


def _say(sample: comext_sample.Sample, goods: pl.Series) -> None:
    """What of the list is in the files, and what is not: nothing is left out in silence."""
    held = set(sample.table["code"])
    lacks = sorted(set(goods) - held)
    log.say(
        f"sample: {sample.table.height:,} sums of {len(sample.members)} members' exports, {len(held)} goods, "
        f"{sample.table['partner'].n_unique()} importers, {sample.months}"
    )
    if lacks:
        log.say(f"sample: not in the files: {', '.join(lacks)}", "warning")


def _with_the_eu(scenario: str) -> str:
    """The scenario's TOML with the EU as one reporter in the coalition; its members stay, and have nothing in the sample."""
    path = Path(scenario) if scenario.endswith(".toml") else SCENARIOS / f"{scenario}.toml"
    if not path.is_file():
        raise SettingsWrong("a scenario's name or a TOML file", scenario, hint=f"make sample SCENARIO={DEFAULT}")
    text = path.read_text(encoding="utf-8")
    if len(_COALITION.findall(text)) != 1:
        raise SettingsWrong(
            "[coalition] with countries = [ below it", path.name, hint=f"make sample SCENARIO={DEFAULT}"
        )
    return _COALITION.sub(
        rf'\g<1>\n  "{comext_sample.EU}",  # the EU as one reporter: the sample is the sum of its members', text
    )


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_over(path, content, Faults(path.name))
