"""Raw files → flows: every file read, every row accounted for, older releases marked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from anomaly import sources
from anomaly.contract.errors import AnomalyError, DataRejected, SettingsWrong
from anomaly.contract.schema import RawFiles
from anomaly.reference import editions
from anomaly.sources import doubts as doubts_of_flows
from anomaly.sources import table, vintages
from anomaly.sources.base import DOUBT_COLUMNS, REJECTED_COLUMNS, WITHHELD_COLUMNS, Batch, Context, RawFile, Source
from anomaly.sources.reading.archives import ahead
from anomaly.sources.reading.limits import Limits
from anomaly.store.disk import named_failures
from anomaly.store.writer import Writer
from pipelines import bad_files
from pipelines import raw as raw_folder
from pipelines.job import Job, Run
from pipelines.parts import BATCH_ROWS, Parts, release_of

MOST_SAID = 12  # doubts a person is told of while it runs; all are in flows.doubts


def build(run: Run) -> None:
    """Read every raw file into flows and its companions.

    A file that cannot be read does not hide the faults of the others: all are read, and then either the run ends with
    every fault named or, in quarantine, the bad files are set aside whole and the others are the table.

    Parameters
    ----------
    run : Run
        Reads the raw files; writes flows and its companions, and names the files set aside in `run.set_aside`.
    """
    with run.writer() as writer:
        parts = Parts(writer)
        with raw_folder.unchanged(run.raw, run.stamp.inputs) as later:
            outcomes, failures = _read_all(parts, run)
            _settle(failures, outcomes, run)
        for name in later:
            run.say(f"{name} came while the others were read: the next run reads it")
        read = [outcome.row for outcome in outcomes]
        parts.flush()
        if not parts.groups:
            raise bad_files.nothing([outcome.rejected for outcome in outcomes], failures)
        groups = pl.concat(parts.groups).unique()
        names = {str(row["sha256"])[:12]: str(row["path"]) for row in read}
        repeats = _fold_repeats(writer, groups, names)
        _refuse_parts_of_a_table(writer, groups, names)
        _mark_replaced(writer, groups)
        doubts = pl.concat([*(outcome.doubts for outcome in outcomes), *_doubts_between(writer, groups, names)])
        _say_doubts(doubts, run)
        writer.add(doubts, "flows.doubts")
        writer.add(pl.concat([outcome.withheld for outcome in outcomes]).unique(maintain_order=True), "flows.withheld")
        writer.add(bad_files.set_aside(failures, run.stamp.inputs), "flows.set_aside")
        writer.add(_with_repeats(read, repeats), "flows.files")


def _read_all(parts: Parts, run: Run) -> tuple[list[FileRead], dict[str, AnomalyError]]:
    """Every raw file into parts, and the files that cannot be read, each with its error."""
    files, failures = _claimed(run)
    context = Context(_rates(files, failures), BATCH_ROWS)
    outcomes: list[FileRead] = []
    with run.progress("files", len(files)) as advance:
        for item, source in files:
            if item.raw.name not in failures:
                try:
                    outcome = _ingest(item.raw, source, context, parts, run)
                except (DataRejected, SettingsWrong) as error:
                    failures[item.raw.name] = error
                    parts.forget(_sha256(item.raw, run)[:12], item.raw.name)
                else:
                    outcomes.append(outcome)
                    parts.writer.add(outcome.rejected, "flows.rejected")
            advance(1)
    return outcomes, failures


@dataclass(slots=True)
class FileRead:
    """What became of a file: its row of flows.files, the rows that were set aside, its doubts, and what it withholds.

    Parameters
    ----------
    row : mapping of str to object
        Its row of flows.files.
    rejected : polars.DataFrame
        Rows of flows.rejected.
    doubts : polars.DataFrame
        Rows of flows.doubts.
    withheld : polars.DataFrame
        Rows of flows.withheld.
    """

    row: dict[str, object]
    rejected: pl.DataFrame
    doubts: pl.DataFrame
    withheld: pl.DataFrame


def _claimed(run: Run) -> tuple[list[tuple[raw_folder.DescribedFile, Source]], dict[str, AnomalyError]]:
    """Every raw file with its source, and the files that no source knows or that are not what was published."""
    files: list[tuple[raw_folder.DescribedFile, Source]] = []
    failures: dict[str, AnomalyError] = {}
    limits = Limits(run.settings.unpacked_bytes_limit, run.settings.unpacked_ratio_limit)
    for item in raw_folder.find(run.raw, run.stamp.inputs):
        try:
            if item.fault is not None:
                raise item.fault
            _refuse_other_content(item, run)
            files.append((replace(item, raw=replace(item.raw, limits=limits)), sources.find(item.raw)))
        except (DataRejected, SettingsWrong) as error:
            failures[item.raw.name] = error
    return files, failures


def _settle(failures: dict[str, AnomalyError], outcomes: list[FileRead], run: Run) -> None:
    """End the run where files are bad, all of them named; in quarantine only where none is left."""
    if not failures:
        return
    if not run.is_quarantine or not outcomes:
        raise bad_files.all_of(failures)
    for name, error in failures.items():
        run.say(f"{name}: set aside\n{error}")
        run.set_aside.append(name)


def _doubts_between(writer: Writer, groups: pl.DataFrame, names: dict[str, str]) -> Iterator[pl.DataFrame]:
    """Doubts that only several files, or several flows, can raise; costs nothing where there are none."""
    yield pl.DataFrame(schema=DOUBT_COLUMNS)
    peers = doubts_of_flows.contested_peers(groups)
    if peers.height:
        rows = writer.scan().join(peers.lazy(), on=peers.columns, how="semi").collect()
        yield doubts_of_flows.between_sources(rows, names)
    route = ["source", "freq_code", "ref_date", "reporter_iso", "partner_iso"]
    with_reexports = groups.filter(pl.col("flow_code").is_in(["RX", "RM"])).select(route).unique()
    if with_reexports.height:
        rows = writer.scan().join(with_reexports.lazy(), on=route, how="semi").collect()
        yield doubts_of_flows.beyond_exports(rows, names)


def _say_doubts(doubts: pl.DataFrame, run: Run) -> None:
    first = doubts.unique(["raw_file", "rule"], keep="first", maintain_order=True)
    for item in first.head(MOST_SAID).iter_rows(named=True):
        run.say(f"doubt: {item['raw_file']}: {item['says']} ({item['figures']}); {item['todo']}")
    if first.height > MOST_SAID:
        run.say(f"doubt: {first.height - MOST_SAID:,} more in flows.doubts")


def _rates(
    files: list[tuple[raw_folder.DescribedFile, Source]], failures: dict[str, AnomalyError]
) -> dict[str, pl.DataFrame]:
    """Rates of every file that has some; where two say a month, the later by name. A file that fails is noted."""
    rates: dict[str, list[pl.DataFrame]] = {}
    for item, source in files:
        try:
            with _named(item.raw):
                for currency, months in (source.rates(item.raw) if source.rates else {}).items():
                    rates.setdefault(currency, []).append(months)
        except DataRejected as error:
            failures[item.raw.name] = error
    return {
        currency: pl.concat(months).unique("month", keep="last", maintain_order=True).sort("month")
        for currency, months in rates.items()
    }


def _named(raw: RawFile) -> contextlib.AbstractContextManager[None]:
    """A disk that fails while a raw file is read names it, and how much of it there is to read."""
    size = raw.path.stat().st_size if raw.path.is_file() else None
    return named_failures(raw.path, size, verb="read", hint="look at the disk and run again; nothing was committed")


def _sha256(raw: RawFile, run: Run) -> str:
    return run.stamp.inputs[f"raw/{raw.name}"]


def _refuse_other_content(item: raw_folder.DescribedFile, run: Run) -> None:
    came = _sha256(item.raw, run)
    if item.published_sha256 not in (None, came):
        hint = "fetch the file again, or mend the origin.toml beside it"
        raise DataRejected(f"{item.raw.name} with sha256 {item.published_sha256}", came, hint=hint)


def _ingest(raw: RawFile, source: Source, context: Context, parts: Parts, run: Run) -> FileRead:
    """Read one file. Raises DataRejected where too much of it is bad."""
    sha256 = _sha256(raw, run)
    count = {"rows_in": 0, "rows_kept": 0, "rows_rejected": 0, "rows_errors": 0, "rows_deduplicated": 0}
    dataset, vintage = raw.dataset or "", raw.vintage or ""
    rejected: list[pl.DataFrame] = [pl.DataFrame(schema=REJECTED_COLUMNS)]
    doubts: list[pl.DataFrame] = [pl.DataFrame(schema=DOUBT_COLUMNS)]
    withheld: list[pl.DataFrame] = [pl.DataFrame(schema=WITHHELD_COLUMNS)]
    for batch in _balanced(source, raw, context):
        flows = batch.flows.with_columns(is_current=pl.lit(value=True), raw_file=pl.lit(sha256[:12]))
        if flows.height:
            _, dataset, vintage = release_of(flows)
        rows_kept = parts.add(flows, raw.name)
        rejected.append(batch.rejected)
        if batch.doubts is not None:
            doubts.append(batch.doubts)
        if batch.withheld is not None:
            withheld.append(batch.withheld.select(*WITHHELD_COLUMNS))
        count["rows_in"] += batch.rows_in
        count["rows_kept"] += rows_kept
        count["rows_rejected"] += batch.rejected.height
        count["rows_errors"] += int(batch.rejected["is_error"].sum())
        count["rows_deduplicated"] += batch.rows_deduplicated + flows.height - rows_kept
    run.say(
        f"{raw.name}: {count['rows_in']:,} rows in = {count['rows_kept']:,} kept + {count['rows_rejected']:,} rejected "
        f"+ {count['rows_deduplicated']:,} deduplicated"
    )
    aside = pl.concat(rejected)
    bad_files.refuse_too_bad(raw.name, count, aside, run.settings.rejected_share_limit)
    row: dict[str, object] = {
        "source": source.name,
        "dataset": dataset,
        "vintage": vintage,
        "path": raw.name,
        "sha256": sha256,
    }
    row |= {"size_bytes": raw.path.stat().st_size, "url": raw.url, "fetched_at": raw.fetched_at, **count}
    hidden = pl.concat(withheld).with_columns(raw_file=pl.lit(sha256[:12]))
    return FileRead(row, aside, pl.concat(doubts), hidden)


def _balanced(source: Source, raw: RawFile, context: Context) -> Iterator[Batch]:
    """The file's batches; a reader that loses rows is a fault of this program, and is not believed."""
    batches = ahead(source.read(raw, context))  # the next is read while this one is written
    while True:
        with _named(raw):
            batch = next(batches, None)
        if batch is None:
            return
        accounted = batch.flows.height + batch.rejected.height + batch.rows_deduplicated
        if batch.rows_in != accounted:
            raise DataRejected(
                f"{raw.name}: rows in = kept + rejected + deduplicated",
                f"{batch.rows_in:,} against {accounted:,}",
                hint=f"the reader of {source.name} loses rows: report this as a fault",
            )
        yield batch


def _fold_repeats(writer: Writer, groups: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame | None:
    """Take out rows that another file of the same release says too; raw_file and release → rows `folded`.

    Raises DataRejected where the two say different values: neither a sum nor a choice would be right.
    """
    shared = vintages.shared(groups)
    if shared.is_empty():
        return None
    rows = writer.scan().join(shared.lazy(), on=shared.columns, how="semi").collect()
    extra, clash = vintages.repeats(rows)
    if clash.height:
        first = clash.row(0, named=True)
        key = ", ".join(str(first[column]) for column in vintages.KEY)
        raise DataRejected(
            "one value for a key in one release",
            f"{_with_name(first['raw_file'], names)} and {_with_name(first['other_file'], names)} differ for {key}",
            count=clash.height,
            hint="take one of the files out, or lay the newer in a folder of its own vintage (data/raw/README.md)",
        )
    if extra.height:
        for part in writer.parts():
            before = writer.scan(part).collect()
            writer.replace(part, before.join(extra, on=extra.columns, how="anti", maintain_order="left"))
    return extra.group_by("raw_file", *vintages.RELEASE).agg(folded=pl.len().cast(pl.Int64))


def _with_name(raw_file: str, names: dict[str, str]) -> str:
    return f"{names.get(raw_file, 'a file')} (sha256 {raw_file})"


def _refuse_parts_of_a_table(writer: Writer, groups: pl.DataFrame, names: dict[str, str]) -> None:
    """Refuse tables of one's own that say one key of one release differently: parts, of which one would be lost.

    Newer vintages win over older ones; of two that are of one age neither is newer, and a sum would be a guess.
    """
    own_tables = groups.filter(pl.col("source") == table.SOURCE.name)
    in_parts = own_tables.filter(pl.col("dataset").n_unique().over(*vintages.GROUP, "vintage") > 1)
    if in_parts.is_empty():
        return
    keys = [*vintages.GROUP, *vintages.RELEASE]
    rows = writer.scan().join(in_parts.select(keys).unique().lazy(), on=keys, how="semi").collect()
    values = pl.col("primary_value_usd").n_unique().over(*vintages.KEY, "vintage")
    clash = rows.filter(values > 1).sort(*vintages.KEY, "dataset")
    if clash.is_empty():
        return
    first = clash.row(0, named=True)
    clashing = clash.filter(pl.all_horizontal(pl.col(name) == first[name] for name in (*vintages.KEY, "vintage")))
    sentences = [
        f"{_with_name(name, names)} says {usd:,} USD"
        for name, usd in clashing.select("raw_file", "primary_value_usd").rows()
    ]
    key = ", ".join(str(first[column]) for column in vintages.KEY)
    raise DataRejected(
        "one value for a key in tables of one age",
        f"{'; '.join(sentences)}, for {key}",
        count=clash.height,
        hint="put parts of one table (regions, offices) into one file and say sum_over; give releases a vintage each",
    )


def _with_repeats(rows: list[dict[str, object]], repeats: pl.DataFrame | None) -> pl.DataFrame:
    """flows.files, with the rows that were folded into another file's moved from kept to deduplicated."""
    types = {name: column.dtype for name, column in RawFiles.columns().items()}
    files = pl.DataFrame(rows, schema=types)
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
    asked_codes = vintages.asked_for(writer.scan(), met, links)
    disputed = writer.scan().join(contested.lazy(), on=contested.columns, how="semi").collect()
    lost = vintages.losers(disputed.filter(~vintages.replaced(disputed, met, asked_codes)), links)
    for part in writer.parts():
        before = writer.scan(part).collect()
        after = vintages.mark(before, vintages.replaced(before, met, asked_codes), lost)
        if not after.equals(before):
            writer.replace(part, after)


JOB = Job(
    "flows",
    "every raw file read, every row accounted for",
    build,
    settings=("rejected_share_limit", "unpacked_bytes_limit", "unpacked_ratio_limit"),
    inputs=raw_folder.inputs,
)
