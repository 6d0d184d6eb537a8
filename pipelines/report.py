"""Tables → reports/<run>/: every registered format, and a manifest that names all they come from."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.job import Job, Run

if TYPE_CHECKING:
    from anomaly.reports import Findings

TABLES = ("flows", "coverage", "bilateral", "features", "scores", "flags", "rollups")
SIMULATED = "SIMULATED"
MOST_PERIODS = {"A": 12, "M": 60}  # of a chart


def build(run: Run) -> None:
    """Render every format into a folder of its own, then point `latest` at it."""
    from anomaly.reports import REPORTS

    found = findings(run)
    documents = {f"{report.name}{report.suffix}": report.render(found) for report in REPORTS}
    manifest = _manifest(run, found, documents)
    documents["manifest.json"] = (json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
    run.publish(documents)
    run.say(f"{found.flags.height:,} flags in {len(REPORTS)} formats")


def findings(run: Run) -> Findings:
    """Everything the reports may show, read from the store."""
    from anomaly import codes, sources
    from anomaly.reports import Findings

    store, flags = run.store, run.store.read("flags")
    files = store.read("flows.files")
    goods = sorted({*flags["good"].unique(), *store.read("features.refused", ["good"])["good"].unique()})
    return Findings(
        run={
            "run_id": run.stamp.run,
            "code_version": run.stamp.code_version,
            "scenario": run.settings.name,
            "title": run.settings.title,
            "is_simulated": bool(files["dataset"].str.contains(SIMULATED).any()),
            "publishers": {source.name: f"{source.publisher}: {source.title}" for source in sources.SOURCES},
            "settings": run.settings.model_dump(mode="json"),
        },
        flags=flags,
        rollups=store.read("rollups"),
        calibration=store.read("scores.calibration"),
        refused=store.read("features.refused"),
        files=files.sort("path"),
        rejected=store.read("flows.rejected"),
        series=series(flags, store.scan("bilateral"), store.read("coverage")),
        goods={good: codes.good_name(good).removesuffix(f", {good}") for good in goods},
        countries=dict(codes.countries().select("iso3", "name").rows()),
    )


def series(flags: pl.DataFrame, bilateral: pl.LazyFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """flag_id, ref_date, value_usd of every flag's route: null where its exporter did not report, 0 where it did."""
    from anomaly.schema import ROUTE_KEY

    routes = flags.select("flag_id", *[name for name in ROUTE_KEY if not name.startswith("window")])
    key = ["freq_code", "good", "exporter_iso", "importer_iso"]
    cells = (
        bilateral.filter(pl.col("good").is_in(routes["good"].unique().implode()))
        .join(routes.lazy().unique(key), on=key, how="semi")
        .select(*key, "ref_date", "value_usd")
        .collect(engine="streaming")
    )
    periods = coverage.select("freq_code", "ref_date").unique().sort("freq_code", "ref_date")
    periods = (
        periods.group_by("freq_code", maintain_order=True)
        .agg("ref_date")
        .with_columns(
            pl.when(pl.col("freq_code") == "A")
            .then(pl.col("ref_date").list.tail(MOST_PERIODS["A"]))
            .otherwise(pl.col("ref_date").list.tail(MOST_PERIODS["M"]))
        )
        .explode("ref_date")
    )
    spoke = (
        coverage.filter(pl.col("flow_code") == "X", pl.col("is_complete"))
        .select("freq_code", "ref_date", exporter_iso="reporter_iso", spoke=pl.lit(value=True))
        .unique()
    )
    return (
        routes.join(periods, on="freq_code")
        .join(cells, on=[*key, "ref_date"], how="left")
        .join(spoke, on=["freq_code", "ref_date", "exporter_iso"], how="left")
        .with_columns(value_usd=pl.coalesce("value_usd", pl.when(pl.col("spoke")).then(0)))
        .select("flag_id", "ref_date", "value_usd")
        .sort("flag_id", "ref_date")
    )


def _manifest(run: Run, found: Findings, documents: dict[str, bytes]) -> dict[str, Any]:
    """What a flag can be traced to: raw files, publishers, vintages, tables, scenario, code, seeds, and the documents."""
    from anomaly import sources

    source_url = {source.name: source.url for source in sources.SOURCES}
    columns = ["source", "dataset", "vintage", "path", "sha256", "url", "fetched_at"]
    return {
        "run_id": found.run["run_id"],
        "code_version": run.stamp.code_version,
        "scenario": {"name": run.settings.name, "sha256": run.settings.fingerprint()},
        "seeds": list(run.settings.forest.seeds),
        "raw_files": [
            {**row, "url": row["url"] or source_url.get(row["source"])}
            for row in found.files.select(columns).to_dicts()
        ],
        "tables": {
            table: {"version": run.store.version(table), "made_of": run.store.meta(table)["inputs"]} for table in TABLES
        },
        "documents": {name: hashlib.sha256(document).hexdigest() for name, document in sorted(documents.items())},
    }


JOB = Job("report", "the documents people read", build, reads=TABLES, publishes=True)
