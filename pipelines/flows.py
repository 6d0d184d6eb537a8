"""Raw files → flows: every file read, every row accounted for, older releases marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from anomaly import sources
from anomaly.contract.errors import DataRejected
from anomaly.contract.schema import Flows, RawFiles
from anomaly.reference import editions
from anomaly.sources import vintages
from anomaly.sources.base import Batch, Context, RawFile, Source
from anomaly.sources.reading.archives import ahead
from anomaly.store.writer import Writer
from pipelines import raw as raw_folder
from pipelines.job import Job, Run

BATCH_ROWS = 1_000_000  # most rows of a file in memory; BACI's years peak under 1 GB
PART_ROWS = 500_000  # small files are put together, so that a folder of thousands is not thousands of parts
ORDER = (
    "cmd_code",
    "reporter_iso",
    "partner_iso",
    "flow_code",
    "freq_code",
    "ref_date",
    "source",
    "dataset",
    "classification_code",
    "vintage",
)


@dataclass(slots=True)
class Parts:
    """Kept rows on their way into the table: parts of PART_ROWS and more, each sorted by ORDER.

    seen   content, dataset and vintage → the file that brought them first
    """

    writer: Writer
    seen: dict[tuple[str, str, str], str] = field(default_factory=dict)
    groups: list[pl.DataFrame] = field(default_factory=list)
    waiting: list[pl.DataFrame] = field(default_factory=list)

    def add(self, flows: pl.DataFrame, name: str) -> int:
        """Take a batch of a file; returns the rows taken: none of a copy of a file that was read already."""
        if flows.is_empty() or self.seen.setdefault(_release_of(flows), name) != name:
            return 0
        self.groups.append(vintages.groups(flows))
        self.waiting.append(flows)
        if sum(frame.height for frame in self.waiting) >= PART_ROWS:
            self.flush()
        return flows.height

    def flush(self) -> None:
        """Write what waits as one part; as several where files say one key twice, which is settled at the end."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return
        joined = pl.concat(waiting)
        is_once = len(waiting) == 1 or joined.select(Flows.primary_key()).hash_rows().n_unique() == joined.height
        for part in [joined] if is_once else waiting:
            self.writer.add(_in_order(part))


def _in_order(part: pl.DataFrame) -> pl.DataFrame:
    """The rows by ORDER; to see that they came so takes a third of the time of sorting them."""
    falls = pl.lit(value=False)
    for name in reversed([name for name in ORDER if not (part[name] == part[name][0]).all()]):
        row, before = pl.col(name), pl.col(name).shift(1)
        falls = (row < before) | ((row == before) & falls)
    return part.sort(ORDER) if part.select(falls.any()).item() else part


def _release_of(flows: pl.DataFrame) -> tuple[str, str, str]:
    return flows["raw_file"][0], flows["dataset"][0], flows["vintage"][0]


def build(run: Run) -> None:
    """Read every raw file into flows, flows.rejected and flows.files."""
    found = raw_folder.find(run.raw)
    files = [(one, sources.find(one.raw)) for one in found]
    for one, _ in files:
        _refuse_other_content(one, run)
    context = Context(_rates(files), BATCH_ROWS)
    with run.writer() as writer, run.progress("files", len(files)) as advance:
        parts, told = Parts(writer), []
        for one, source in files:
            told.append(_ingest(one.raw, source, context, parts, run))
            advance(1)
        parts.flush()
        if not parts.groups:
            hint = "the lines above say what was set aside"
            raise DataRejected("rows of trade in the raw files", "none", hint=hint)
        groups = pl.concat(parts.groups).unique()
        repeats = _fold_repeats(writer, groups)
        _mark_replaced(writer, groups)
        writer.add(_with_repeats(told, repeats), "flows.files")


def _rates(files: list[tuple[raw_folder.Found, Source]]) -> dict[str, pl.DataFrame]:
    """Rates of every file that has some; where two tell a month, the later by name."""
    found: dict[str, list[pl.DataFrame]] = {}
    for one, source in files:
        for currency, months in (source.rates(one.raw) if source.rates else {}).items():
            found.setdefault(currency, []).append(months)
    return {
        currency: pl.concat(months).unique("month", keep="last", maintain_order=True).sort("month")
        for currency, months in found.items()
    }


def _sha256(raw: RawFile, run: Run) -> str:
    return run.stamp.inputs[f"raw/{raw.name}"]


def _refuse_other_content(one: raw_folder.Found, run: Run) -> None:
    came = _sha256(one.raw, run)
    if one.told_sha256 not in (None, came):
        hint = "fetch the file again, or mend the origin.toml beside it"
        raise DataRejected(f"{one.raw.name} with sha256 {one.told_sha256}", came, hint=hint)


def _ingest(raw: RawFile, source: Source, context: Context, parts: Parts, run: Run) -> dict[str, object]:
    """Read one file; returns its row of flows.files. Raises DataRejected where too much of it is bad."""
    sha256 = _sha256(raw, run)
    count = {"rows_in": 0, "rows_kept": 0, "rows_rejected": 0, "rows_errors": 0, "rows_deduplicated": 0}
    dataset, vintage = raw.dataset or "", raw.vintage or ""
    bad: list[pl.DataFrame] = []
    for batch in _balanced(source, raw, context):
        flows = batch.flows.with_columns(is_current=pl.lit(value=True), raw_file=pl.lit(sha256[:12]))
        if flows.height:
            _, dataset, vintage = _release_of(flows)
        kept = parts.add(flows, raw.name)
        parts.writer.add(batch.rejected, "flows.rejected")
        errors = batch.rejected.filter("is_error")
        bad.append(errors.head(3))
        count["rows_in"] += batch.rows_in
        count["rows_kept"] += kept
        count["rows_rejected"] += batch.rejected.height
        count["rows_errors"] += errors.height
        count["rows_deduplicated"] += batch.rows_deduplicated + flows.height - kept
    run.say(
        f"{raw.name}: {count['rows_in']:,} rows in = {count['rows_kept']:,} kept + {count['rows_rejected']:,} rejected "
        f"+ {count['rows_deduplicated']:,} deduplicated"
    )
    _refuse_too_bad(raw, count, pl.concat(bad) if bad else None, run)
    said = {"source": source.name, "dataset": dataset, "vintage": vintage, "path": raw.name, "sha256": sha256}
    return {**said, "size_bytes": raw.path.stat().st_size, "url": raw.url, "fetched_at": raw.fetched_at, **count}


def _balanced(source: Source, raw: RawFile, context: Context) -> Iterator[Batch]:
    """The file's batches; a reader that loses rows is a fault of this program, and is not believed."""
    for batch in ahead(source.read(raw, context)):  # the next is read while this one is written
        told = batch.flows.height + batch.rejected.height + batch.rows_deduplicated
        if batch.rows_in != told:
            raise DataRejected(
                f"{raw.name}: rows in = kept + rejected + deduplicated",
                f"{batch.rows_in:,} against {told:,}",
                hint=f"the reader of {source.name} loses rows: report this as a fault",
            )
        yield batch


def _refuse_too_bad(raw: RawFile, count: dict[str, int], bad: pl.DataFrame | None, run: Run) -> None:
    limit = run.settings.rejected_share_limit
    if count["rows_errors"] <= limit * max(count["rows_in"], 1):
        return
    shown = [] if bad is None else bad.head(3).select("row", "column", "value", "reason").rows()
    raise DataRejected(
        f"{raw.name} with at most {100 * limit:g} % bad rows",
        f"{count['rows_errors']:,} bad rows of {count['rows_in']:,}",
        count=count["rows_errors"],
        examples=[f"row {row}, {column or 'whole row'} {value!r}: {reason}" for row, column, value, reason in shown],
        hint="fetch the file again; or, if you know these rows, raise rejected_share_limit in a scenario of your own",
    )


def _fold_repeats(writer: Writer, groups: pl.DataFrame) -> pl.DataFrame | None:
    """Take out rows that another file of the same release says too; raw_file and release → rows `folded`.

    Raises DataRejected where the two say different values: neither a sum nor a choice would be right.
    """
    shared = vintages.shared(groups)
    if shared.is_empty():
        return None
    rows = writer.scan().join(shared.lazy(), on=shared.columns, how="semi").collect()
    extra, clash = vintages.repeats(rows)
    if clash.height:
        one = clash.row(0, named=True)
        key = ", ".join(str(one[column]) for column in vintages.KEY)
        raise DataRejected(
            "one value for a key in one release",
            f"files {one['raw_file']} and {one['other_file']} (sha256) differ for {key}",
            count=clash.height,
            hint="take one of the files out, or lay the newer in a folder of its own vintage (data/raw/README.md)",
        )
    if extra.height:
        for part in writer.parts():
            before = writer.scan(part).collect()
            writer.replace(part, before.join(extra, on=extra.columns, how="anti", maintain_order="left"))
    return extra.group_by("raw_file", *vintages.RELEASE).agg(folded=pl.len().cast(pl.Int64))


def _with_repeats(told: list[dict[str, object]], repeats: pl.DataFrame | None) -> pl.DataFrame:
    """flows.files, with the rows that were folded into another file's moved from kept to deduplicated."""
    types = {name: column.dtype for name, column in RawFiles.columns().items()}
    files = pl.DataFrame(told, schema=types)
    if repeats is None:
        return files
    counted = files.with_columns(raw_file=pl.col("sha256").str.slice(0, 12)).join(
        repeats, on=["raw_file", *vintages.RELEASE], how="left", maintain_order="left"
    )
    folded = pl.when(pl.col("rows_kept") > 0).then(pl.col("folded")).fill_null(0)  # a copy of a file kept nothing
    return counted.with_columns(
        rows_kept=pl.col("rows_kept") - folded, rows_deduplicated=pl.col("rows_deduplicated") + folded
    ).select(files.columns)


def _mark_replaced(writer: Writer, groups: pl.DataFrame) -> None:
    """Mark rows that a newer release replaces; costs nothing where no two releases meet."""
    met, contested = vintages.meetings(groups), vintages.contested(groups)
    if met.is_empty() and contested.is_empty():
        return
    links = editions.edition_links()
    asked = vintages.asked_for(writer.scan(), met, links)
    disputed = writer.scan().join(contested.lazy(), on=contested.columns, how="semi").collect()
    lost = vintages.losers(disputed.filter(~vintages.replaced(disputed, met, asked)), links)
    for part in writer.parts():
        before = writer.scan(part).collect()
        after = vintages.mark(before, vintages.replaced(before, met, asked), lost)
        if not after.equals(before):
            writer.replace(part, after)


JOB = Job(
    "flows",
    "every raw file read, every row accounted for",
    build,
    settings=("rejected_share_limit",),
    inputs=raw_folder.inputs,
)
