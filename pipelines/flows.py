"""Raw files → flows: every file read, every row accounted for, older vintages marked."""

from __future__ import annotations

import glob
import tomllib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from anomaly import sources
from anomaly.errors import DataRejected, SourceUnavailable
from anomaly.schema import RawFiles
from anomaly.sources import vintages
from anomaly.sources.base import Batch, Context, RawFile, Source
from anomaly.store import Writer
from pipelines.job import Job, Run

ORDER = (
    "cmd_code",
    "reporter_iso",
    "partner_iso",
    "flow_code",
    "freq_code",
    "ref_date",
    "classification_code",
    "dataset",
)
_NOT_DATA = {".toml", ".md", ".txt"}


def raw_files(raw: str) -> list[RawFile]:
    """The data files under a folder, one file, or what a glob names, in order of their names.

    `origin.toml` beside a file gives its url and when it was fetched; `<source>/<dataset>/<period>/<vintage>/file`
    gives dataset and vintage.
    """
    root = Path(raw)
    if root.is_dir():
        found = [path for path in root.rglob("*") if path.is_file()]
    else:
        found = [Path(name) for name in glob.glob(raw, recursive=True) if Path(name).is_file()]  # noqa: PTH207  # absolute patterns too
        root = Path(glob.escape(raw)).parent if not found else Path(_common(found))
    data = sorted(path for path in found if _is_data(path.relative_to(root)))
    if not data:
        raise SourceUnavailable(
            "data files of a publisher",
            f"none at {raw}",
            hint="put files under data/raw/<source>/, or say RAW=<folder>",
        )
    return [_described(path, root) for path in data]


def _common(paths: list[Path]) -> Path:
    parents = {path.parent for path in paths}
    return (
        parents.pop()
        if len(parents) == 1
        else Path(*[parts[0] for parts in zip(*[p.parts for p in parents], strict=False) if len(set(parts)) == 1])
    )


def _is_data(path: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in path.parts)
    return not is_hidden and path.suffix not in _NOT_DATA and path.parts[0] != "reference"


def _described(path: Path, root: Path) -> RawFile:
    name = path.relative_to(root)
    told = path.parent / "origin.toml"
    origin = tomllib.loads(told.read_text(encoding="utf-8")) if told.is_file() else {}
    is_deep = len(name.parts) >= 5
    raw = RawFile(
        path,
        name.as_posix(),
        dataset=name.parts[1] if is_deep else None,
        vintage=name.parts[3] if is_deep else None,
        url=origin.get("url"),
        fetched_at=str(origin["fetched_at"]) if "fetched_at" in origin else None,
    )
    wanted = origin.get("sha256")
    if isinstance(wanted, dict):
        wanted = wanted.get(path.name)
    if wanted and wanted != raw.sha256():
        raise DataRejected(
            f"{raw.name} with the sha256 that its origin.toml says", "other contents", hint="fetch the file again"
        )
    return raw


def build(run: Run) -> None:
    """Read every raw file into flows, flows.rejected and flows.files."""
    files = [(raw, sources.find(raw)) for raw in raw_files(str(run.raw))]
    context = Context()
    for raw, source in files:
        if source.rates is not None:
            context.usd_per.update(source.rates(raw))
    with run.writer() as writer:
        seen: list[pl.DataFrame] = []
        for raw, source in files:
            seen += _ingest(raw, source, context, writer, run)
        if not seen:
            raise DataRejected(
                "rows of trade in the raw files", "none", hint="see the lines above for what was set aside"
            )
        _mark_vintages(writer, pl.concat(seen).unique())


def _ingest(raw: RawFile, source: Source, context: Context, writer: Writer, run: Run) -> list[pl.DataFrame]:
    sha256 = raw.sha256()
    count = {"rows_in": 0, "rows_kept": 0, "rows_rejected": 0, "rows_errors": 0, "rows_deduplicated": 0}
    dataset, vintage = raw.dataset or "", raw.vintage or ""
    seen: list[pl.DataFrame] = []
    for batch in _batches(source, raw, context):
        flows = batch.flows.with_columns(is_current=pl.lit(value=True), raw_file=pl.lit(sha256[:12]))
        if flows.height:
            writer.add(flows.sort(ORDER))
            seen.append(vintages.groups(flows))
            dataset, vintage = flows["dataset"][0], flows["vintage"][0]
        if batch.rejected.height:
            writer.add(batch.rejected, "flows.rejected")
        count["rows_in"] += batch.rows_in
        count["rows_kept"] += batch.flows.height
        count["rows_rejected"] += batch.rejected.height
        count["rows_errors"] += int(batch.rejected["is_error"].sum())
        count["rows_deduplicated"] += batch.rows_deduplicated
    _refuse(raw, count, run)
    said = {"source": source.name, "dataset": dataset, "vintage": vintage, "path": raw.name, "sha256": sha256}
    told = {**said, "size_bytes": raw.path.stat().st_size, "url": raw.url, "fetched_at": raw.fetched_at, **count}
    types = {name: column.dtype for name, column in RawFiles.columns().items()}
    writer.add(pl.DataFrame([told], schema=types), "flows.files")
    run.say(
        f"{raw.name}: {count['rows_in']:,} rows in = {count['rows_kept']:,} kept + {count['rows_rejected']:,} rejected "
        f"+ {count['rows_deduplicated']:,} deduplicated"
    )
    return seen


def _batches(source: Source, raw: RawFile, context: Context) -> Iterator[Batch]:
    for batch in source.read(raw, context):
        kept = batch.flows.height + batch.rejected.height + batch.rows_deduplicated
        if batch.rows_in != kept:
            raise DataRejected(
                f"{raw.name}: rows in = kept + rejected + deduplicated", f"{batch.rows_in:,} against {kept:,}",
                hint=f"the reader of {source.name} loses rows: report this as a fault",
            )  # fmt: skip
        yield batch


def _refuse(raw: RawFile, count: dict[str, int], run: Run) -> None:
    limit = run.settings.rejected_share_limit
    if count["rows_errors"] > limit * max(count["rows_in"], 1):
        raise DataRejected(
            f"{raw.name} with at most {100 * limit:g} % bad rows",
            f"{count['rows_errors']:,} bad rows of {count['rows_in']:,}",
            hint="fetch the file again, or raise rejected_share_limit in the scenario if you know these rows; nothing was committed",
        )


def _mark_vintages(writer: Writer, groups: pl.DataFrame) -> None:
    """Mark rows that a newer release replaces; costs nothing where no two releases meet."""
    replaced = vintages.superseded(groups)
    contested = vintages.contested(groups, replaced)
    if replaced.is_empty() and contested.is_empty():
        return
    release = [*vintages.GROUP, "dataset", "vintage"]
    lost = vintages.losers(writer.scan().join(contested.lazy(), on=release, how="semi").collect())
    for part in writer.parts():
        before = writer.scan(part).collect()
        after = vintages.mark(before, replaced, lost)
        if not after.equals(before):
            writer.replace(part, after)


def _raw_inputs(raw: Path) -> dict[str, str]:
    return {f"raw/{one.name}": one.sha256() for one in raw_files(str(raw))}


JOB = Job("flows", "every raw file read, every row accounted for", build, inputs=_raw_inputs)
