"""Commands that list what there is: sources, indicators, tables, reports, and whether the files are whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomaly.cli.output import say, show
from anomaly.contract.errors import BadRequest, SourceUnavailable, StoreFailure

if TYPE_CHECKING:
    import dataframely as dy


def sources(form: str) -> None:
    """Answer `anomaly sources`."""
    from anomaly.sources import SOURCES

    rows = [
        {"name": one.name, "title": one.title, "publisher": one.publisher, "licence": one.licence, "url": one.url}
        for one in SOURCES
    ]
    show(rows, form)


def indicators(form: str) -> None:
    """Answer `anomaly indicators`."""
    from anomaly.indicators import INDICATORS

    rows = [
        {
            "name": one.name,
            "unit": one.unit,
            "threshold": float(one.threshold),
            "in_forest": one.in_forest,
            "says": one.says,
            "source": one.source,
        }
        for one in INDICATORS
    ]
    show(rows, form)


def tables(name: str | None, data: Path, form: str) -> None:
    """Answer `anomaly tables`."""
    from anomaly.contract import schema

    if name is not None:
        if name not in schema.TABLES:
            raise BadRequest("the name of a table", repr(name[:40]), hint=f"tables are {', '.join(schema.TABLES)}")
        columns = _columns_of_features() if name == "features" else []
        show([*schema.describe(name, _contract_of(name)), *columns], form)
        return
    store = None
    if data.is_dir():
        from anomaly.store.store import Store

        store = Store(data)
    else:
        say(f"{data}: not there yet; `make` fills it")
    rows = []
    for known, contract in schema.TABLES.items():
        is_held = store is not None and store.exists(known)
        meaning = (contract.__doc__ or "").partition("\n")[0]
        rows.append(
            {
                "table": known,
                "rows": store.meta(known)["rows"] if store and is_held else None,
                "version": store.version(known) if store and is_held else None,
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
        {"column": one.name, "type": "Float64", "unit": one.unit, "nullable": "yes", "meaning": one.says}
        for one in INDICATORS
    ]


def report(data: Path, form: str) -> None:
    """Answer `anomaly report`."""
    latest = data / "reports" / "latest"
    if not latest.is_dir():
        raise SourceUnavailable(
            "a report", f"none under {data / 'reports'}", hint="run `make`, or name another folder with --data"
        )
    rows = [
        {"file": file.name, "bytes": file.stat().st_size, "path": str(file)}
        for file in sorted(latest.iterdir(), key=lambda file: (file.suffix != ".html", file.name))
        if file.is_file()
    ]
    show(rows, form)


def run(raw: Path, scenario: str, data: Path, log_format: str | None) -> int:
    """Answer `anomaly run`, the same as `python -m pipelines run`, with what to end with."""
    from pipelines import run as jobs
    from pipelines.job import exit_code_of

    return exit_code_of(lambda: jobs.main(raw, data, scenario), log_format)


def verify(data: Path, form: str) -> None:
    """Answer `anomaly verify`. Raises StoreFailure naming every file that is not what was written."""
    from anomaly.cli.store import open_store
    from anomaly.contract import schema

    store = open_store(data)
    rows: list[dict[str, Any]] = []
    for name in schema.TABLES:
        if "." not in name and store.exists(name):
            rows.append({"table": name, "version": store.version(name), "broken": store.verify(name)})
    if store.latest_run() is not None:
        rows.append({"table": "reports", "version": store.latest_run(), "broken": _broken_documents(data)})
    show([{**row, "broken": row["broken"] or "nothing"} for row in rows], form)
    broken = [str(file) for row in rows for file in row["broken"]]
    if broken:
        raise StoreFailure(
            "files with the content that was written",
            "others",
            count=len(broken),
            examples=broken,
            hint="move the folder of that table (or of the report) away, then run again from the raw files",
        )


def _broken_documents(data: Path) -> list[str]:
    """Documents of the newest report that are not what its manifest says."""
    import hashlib
    import json

    latest = data / "reports" / "latest"
    try:
        told = json.loads((latest / "manifest.json").read_text(encoding="utf-8"))["documents"]
    except (OSError, ValueError, KeyError):
        return ["reports/latest/manifest.json"]
    return [
        f"reports/latest/{name}"
        for name, sha256 in sorted(told.items())
        if not (latest / name).is_file() or hashlib.sha256((latest / name).read_bytes()).hexdigest() != sha256
    ]
