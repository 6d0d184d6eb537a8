"""Commands that list what there is: sources, indicators, tables, reports, and whether the files are whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from anomaly.cli.output import line, say, show
from anomaly.contract.errors import BadRequest, SettingsWrong, SourceUnavailable

if TYPE_CHECKING:
    import dataframely as dy

    from anomaly.contract.settings import Settings


def sources(data: Path, form: str) -> None:
    """Answer `anomaly sources`, and say on stderr how many doubts there are of the files that were read.

    Parameters
    ----------
    data : pathlib.Path
        Folder that holds the tables; without it the doubts are left out.
    form : str
        One of output.FORMATS.
    """
    from anomaly.sources import SOURCES

    count = _count_of_doubts(data)
    if count:
        say(f"{count:,} doubts of the files that were read: `anomaly sources --doubts` shows them")

    rows = [
        {
            "name": source.name,
            "title": source.title,
            "publisher": source.publisher,
            "licence": source.licence,
            "url": source.url,
        }
        for source in SOURCES
    ]
    show(rows, form)


def _count_of_doubts(data: Path) -> int:
    if not data.is_dir():
        return 0
    from anomaly.store.store import of_last_run

    store = of_last_run(data)
    if not store.exists("flows"):
        return 0
    try:
        return sum(int(store.meta(name)["rows"]) for name in ("flows.doubts", "flows.set_aside"))
    except KeyError:  # tables of before there were doubts
        return 0


def scenarios(data: Path, form: str) -> None:
    """Answer `anomaly scenarios`: those of the program, and that of the tables where it is another.

    Parameters
    ----------
    data : pathlib.Path
        Folder that holds the tables; where they are of several scenarios, stderr says so.
    form : str
        One of output.FORMATS.
    """
    from anomaly.contract import settings

    scenarios = [settings.load(file.stem) for file in sorted(settings.SCENARIOS.glob("*.toml"))]
    scenario_of_tables = _made_by(data)
    if scenario_of_tables is not None and scenario_of_tables not in scenarios:
        scenarios.append(scenario_of_tables)
    rows = [
        {
            "name": scenario.name,
            "title": scenario.title,
            "since": str(scenario.sanctions_since),
            "targets": " ".join(scenario.targets.countries),
            "coalition": " ".join(scenario.coalition.countries),
            "hubs": "everyone else"
            if scenario.hub_candidates.everyone_else
            else " ".join(scenario.hub_candidates.countries),
            "baseline_years": " ".join(map(str, scenario.baseline_years)),
            "goods_lists": " ".join(goods_list.file for goods_list in scenario.goods_lists),
            "made_these_tables": scenario == scenario_of_tables,
        }
        for scenario in scenarios
    ]
    show(rows, form, ["name", "since", "title", "made_these_tables"])


def _made_by(data: Path) -> Settings | None:
    """The scenario of the tables under a folder; None where there are none, or of several, which is then said."""
    from anomaly.contract import settings
    from anomaly.store import made_by
    from anomaly.store.store import of_last_run

    tables = ("coverage", "bilateral", "features", "scores", "flags", "rollups")
    store = of_last_run(data) if data.is_dir() else None
    if store is None or not any(store.exists(table) for table in tables):
        return None
    try:
        return settings.from_record(made_by.record(store, tables))
    except SettingsWrong as error:
        say(str(error))
        return None


def indicators(form: str) -> None:
    """Answer `anomaly indicators`: unit, threshold and meaning of each that is registered.

    Parameters
    ----------
    form : str
        One of output.FORMATS.
    """
    from anomaly.indicators import INDICATORS

    rows = [
        {
            "name": indicator.name,
            "unit": indicator.unit,
            "threshold": float(indicator.threshold),
            "in_forest": indicator.in_forest,
            "says": indicator.says,
            "source": indicator.source,
        }
        for indicator in INDICATORS
    ]
    show(rows, form)


def tables(name: str | None, data: Path, form: str) -> None:
    """Answer `anomaly tables`: which there are, or the columns of one.

    Parameters
    ----------
    name : str, optional
        Table whose columns are shown; every table with its rows and version where it is not said.
    data : pathlib.Path
        Folder that holds the tables; stderr says where it is not there yet.
    form : str
        One of output.FORMATS.

    Raises
    ------
    BadRequest
        Where no table has that name.
    """
    from anomaly.contract import schema

    if name is not None:
        if name not in schema.TABLES:
            raise BadRequest("the name of a table", repr(name[:40]), hint=f"tables are {', '.join(schema.TABLES)}")
        columns = _columns_of_features() if name == "features" else []
        show([*schema.describe(name, _contract_of(name)), *columns], form)
        return
    store = None
    if data.is_dir():
        from anomaly.store.store import of_last_run

        store = of_last_run(data)
        if store.is_unfinished:
            say(f"{data}: a run has begun here, and none has ended yet")
    else:
        say(f"{data}: not there yet; `make` fills it")
    rows = []
    for table_name, contract in schema.TABLES.items():
        is_held = store is not None and store.exists(table_name)
        scenario = store.meta(table_name).get("scenario") if store and is_held else None
        meaning = (contract.__doc__ or "").partition("\n")[0]
        rows.append(
            {
                "table": table_name,
                "rows": store.meta(table_name)["rows"] if store and is_held else None,
                "version": store.version(table_name) if store and is_held else None,
                "scenario": scenario["name"] if scenario else None,
                "holds": meaning,
            }
        )
    show(rows, form)


def _contract_of(name: str) -> type[dy.Schema] | None:
    """The contract of a table in which a registry has a part beyond its columns."""
    if name != "flags":
        return None
    from anomaly.flags import flags

    return flags.table_schema()


def _columns_of_features() -> list[dict[str, str]]:
    from anomaly.indicators import INDICATORS

    return [
        {
            "column": indicator.name,
            "type": "Float64",
            "unit": indicator.unit,
            "nullable": "yes",
            "meaning": indicator.says,
        }
        for indicator in INDICATORS
    ]


def report(data: Path, form: str) -> None:
    """Answer `anomaly report`: files of the report of the run that ended last, and on stderr the scenario they are of.

    Parameters
    ----------
    data : pathlib.Path
        Folder that holds the reports.
    form : str
        One of output.FORMATS.

    Raises
    ------
    SourceUnavailable
        Where there is no report.
    """
    import json

    from anomaly.cli.store import open_store
    from anomaly.store.documents import REPORTS

    documents = open_store(data).published()
    folder = data / REPORTS / documents.run if documents is not None else data / REPORTS
    if documents is None or not folder.is_dir():
        raise SourceUnavailable(
            "a report", f"none under {data / REPORTS}", hint="run `make`, or name another folder with --data"
        )
    rows = [
        {"file": file.name, "bytes": file.stat().st_size, "path": str(file)}
        for file in sorted(folder.iterdir(), key=lambda file: (file.suffix != ".html", file.name))
        if file.is_file()
    ]
    if (folder / "manifest.json").is_file():
        reported = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["scenario"]
        say(f"of the scenario {reported['name']}")
    show(rows, form)


def run(
    raw: Path,
    scenario: str,
    data: Path,
    log_format: str | None,
    *,
    is_quarantine: bool,
    as_of: date | None = None,
    fetched: Sequence[str] | None = None,
) -> int:
    """Answer `anomaly run`, the same as `python -m pipelines run`, with what to end with.

    Parameters
    ----------
    raw : pathlib.Path
        Folder of the raw files.
    scenario : str
        Its name or TOML file.
    data : pathlib.Path
        Folder that the tables are written to.
    log_format : str, optional
        One of pipelines.log.FORMATS.
    is_quarantine : bool
        Set a file aside that is not as it should be, rather than end.
    as_of : datetime.date or None, optional
        Only raw files that came by then are seen.
    fetched : sequence of str or None, optional
        Publishers that are asked first; None: nobody.

    Returns
    -------
    int
        Exit code of the process.
    """
    from pipelines import run as jobs
    from pipelines.running import exit_code_of

    def work() -> object:
        return jobs.main(raw, data, scenario, is_quarantine=is_quarantine, as_of=as_of, fetched=fetched)

    return exit_code_of(work, log_format)


def draft(file: Path, *, is_written: bool) -> None:
    """Answer `anomaly map`: draft the mapping of a table of one's own.

    Parameters
    ----------
    file : pathlib.Path
        The table to look at.
    is_written : bool
        Write the draft beside the file, as TOML; else to stdout.

    Raises
    ------
    DataRejected
        Where the file cannot be looked at.
    BadRequest
        Where a mapping is there that would be written over.
    """
    from anomaly.sources.base import RawFile
    from anomaly.sources.own_table.draft import drafted
    from anomaly.sources.own_table.mapping import stem

    text = drafted(RawFile(file, file.name))
    beside = file.parent / f"{stem(file)}.toml"
    if not is_written:
        line(text.removesuffix("\n"))
        return
    if beside.exists():
        raise BadRequest("a table without a mapping", f"{beside} is there", hint="look at it without --write")
    beside.write_text(text, encoding="utf-8")
    say(f"{beside}: look through its comments")


def doubts(data: Path, form: str) -> None:
    """Answer `anomaly sources --doubts`: what of the files that were read is in doubt, and what was set aside.

    Parameters
    ----------
    data : pathlib.Path
        Folder that holds the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    SourceUnavailable
        Where there is no such folder, or no flows in it.
    """
    from anomaly.cli.store import open_store

    store = open_store(data)
    aside = [
        {
            "file": row["path"],
            "rule": "set_aside",
            "says": row["reason"],
            "figures": "",
            "todo": "mend it and run again",
        }
        for row in store.read("flows.set_aside").iter_rows(named=True)
    ]
    rows = [
        {
            "file": row["raw_file"],
            "rule": row["rule"],
            "reporter": row["reporter_iso"],
            "partner": row["partner_iso"],
            "good": row["cmd_code"],
            "says": row["says"],
            "figures": row["figures"],
            "todo": row["todo"],
        }
        for row in store.read("flows.doubts").iter_rows(named=True)
    ]
    if not (aside or rows):
        say("no doubts, and no file set aside")
    show([*({**dict.fromkeys(("reporter", "partner", "good")), **row} for row in aside), *rows], form)
