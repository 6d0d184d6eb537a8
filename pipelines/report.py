"""Tables → reports/<run>/: every registered format, and a manifest that names all they come from."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly.contract.keys import COALITION, SIMULATED
from pipelines.job import Job, Run

if TYPE_CHECKING:
    from anomaly.reports import Findings

TABLES = (
    "flows",
    "families",
    "coverage",
    "bilateral",
    "supply",
    "features",
    "leakage",
    "scores",
    "flags",
    "cases",
    "changes",
    "rollups",
)
MOST_PERIODS = {"A": 12, "M": 60, "Q": 24}  # of a chart


def build(run: Run) -> None:
    """Render every format into a folder of its own, which `latest` leads to when the run ends.

    Parameters
    ----------
    run : Run
        Reads the tables of TABLES; publishes the documents and their manifest.
    """
    from anomaly.reports import REPORTS

    shown = findings(run)
    documents = {f"{report.name}{report.suffix}": report.render(shown) for report in REPORTS}
    manifest = _manifest(run, shown, documents)
    documents["manifest.json"] = (json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
    run.publish(documents)
    checks = int(shown.flags["is_before_sanctions"].sum())
    run.say(f"{shown.cases.height:,} cases, {shown.flags.height - checks:,} windows in {len(REPORTS)} formats")


def findings(run: Run) -> Findings:
    """Everything the reports may show, read from the store.

    Parameters
    ----------
    run : Run
        Its store holds the tables of TABLES.

    Returns
    -------
    Findings
        Tables, and names of the goods and countries in them.
    """
    from anomaly import sources
    from anomaly.indicators import INDICATORS
    from anomaly.reference import countries, goods
    from anomaly.reports import Findings

    store, flags = run.store, run.store.read("flags")
    files = store.read("flows.files")
    compared = flags["comparables"].explode().struct.field("good").drop_nulls() if flags.height else flags["good"]
    refused = pl.concat([store.read("features.refused"), store.read("supply.refused")], how="vertical_relaxed")
    leaked = store.read("leakage", ["good"], pl.col("level").is_in(["good", "maker"]))["good"]
    gone = store.read("changes", ["good"])["good"]
    shown = sorted({*gone, *flags["good"].unique(), *refused["good"].unique(), *compared.unique(), *leaked.unique()})
    return Findings(
        run={
            "run_id": run.stamp.run,
            "code_version": run.stamp.code_version,
            "scenario": run.settings.name,
            "title": run.settings.title,
            "is_simulated": bool(files["dataset"].str.contains(SIMULATED, literal=True).any()),
            "publishers": {source.name: f"{source.publisher}: {source.title}" for source in sources.SOURCES},
            "indicators": {indicator.name: indicator.says for indicator in INDICATORS},
            "settings": run.settings.model_dump(mode="json"),
        },
        flags=flags,
        without=store.read("flags.without"),
        rollups=store.read("rollups"),
        cases=store.read("cases"),
        changes=store.read("changes"),
        calibration=store.read("scores.calibration"),
        refused=refused,
        files=files.sort("path"),
        rejected=store.read("flows.rejected"),
        series=pl.concat(
            [
                series(flags, store.scan("bilateral"), store.read("coverage"), store.read("coverage.scope")),
                series_of_legs(flags, store.read("supply.series")),
            ]
        ),
        supply=store.read("supply.calibration"),
        supply_hubs=store.read("supply.hubs"),
        leakage=store.read("leakage"),
        leakage_coverage=store.read("leakage.coverage"),
        goods={good: goods.good_name(good).removesuffix(f", {good}") for good in shown},
        countries=dict(countries.table().select("iso3", "name").rows()),
        doubts=store.read("flows.doubts"),
        set_aside=store.read("flows.set_aside"),
    )


def series(flags: pl.DataFrame, bilateral: pl.LazyFrame, coverage: pl.DataFrame, scope: pl.DataFrame) -> pl.DataFrame:
    """What every flag's route carried, period by period.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags; those on the coalition as one exporter are left out.
    bilateral : polars.LazyFrame
        Both sides of every route.
    coverage, scope : polars.DataFrame
        The tables coverage and coverage.scope.

    Returns
    -------
    polars.DataFrame
        flag_id, ref_date, value_usd, the newest MOST_PERIODS: 0 where its own side said nothing was traded, else null.
    """
    from anomaly.bilateral.known import silences
    from anomaly.bilateral.sums import fill
    from anomaly.contract.keys import ROUTE

    routes = flags.filter(pl.col("exporter_iso") != COALITION).select("flag_id", "freq_code", *ROUTE)
    # Whole families: a reporter's other routes tell whether it has moved to other codes.
    needed = pl.col("good").str.ends_with("+") | (
        pl.col("exporter_iso").is_in(routes["exporter_iso"].unique().implode())
        & pl.col("importer_iso").is_in(routes["importer_iso"].unique().implode())
    )
    cells = (
        bilateral.filter(pl.col("good").is_in(routes["good"].unique().implode()), needed)
        .select("freq_code", *ROUTE, "ref_date", "source", "dataset", "value_basis", "value_usd")
        .collect(engine="streaming")
    )
    points = []
    for freq, most in MOST_PERIODS.items():
        own, nearby = routes.filter(freq_code=freq), cells.filter(freq_code=freq)
        periods = coverage.filter(freq_code=freq).select(pl.col("ref_date").unique().sort().tail(most))
        values = fill(nearby, silences(nearby, coverage, scope))
        points.append(own.join(periods, how="cross").join(values, on=[*ROUTE, "ref_date"], how="left"))
    return pl.concat(points).select("flag_id", "ref_date", "value_usd").sort("flag_id", "ref_date")


def series_of_legs(flags: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """What every flagged leg from the coalition as one exporter carried, month by month.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags; only those on the coalition as one exporter are taken.
    months : polars.DataFrame
        supply.series.

    Returns
    -------
    polars.DataFrame
        flag_id, ref_date, value_usd, null where unknown.
    """
    legs = flags.filter(pl.col("exporter_iso") == COALITION).select("flag_id", "good", "importer_iso")
    of_leg = legs.join(months, on=["good", "importer_iso"], maintain_order="left_right")
    return of_leg.select("flag_id", "ref_date", "value_usd").sort("flag_id", "ref_date")


def _manifest(run: Run, shown: Findings, documents: dict[str, bytes]) -> dict[str, Any]:
    """What a flag can be traced to: raw files, publishers, vintages, tables, scenario, code, seeds, and the documents."""
    from anomaly import sources

    source_url = {source.name: source.url for source in sources.SOURCES}
    columns = ["source", "dataset", "vintage", "path", "sha256", "url", "fetched_at"]
    return {
        "run_id": shown.run["run_id"],
        "code_version": run.stamp.code_version,
        "scenario": {"name": run.settings.name, "sha256": run.settings.fingerprint()},
        "seeds": list(run.settings.forest.seeds),
        "raw_files": [
            {**row, "url": row["url"] or source_url.get(row["source"])}
            for row in shown.files.select(columns).to_dicts()
        ],
        "tables": {
            table: {"version": run.store.version(table), "made_of": run.store.meta(table)["inputs"]} for table in TABLES
        },
        "documents": {name: hashlib.sha256(document).hexdigest() for name, document in sorted(documents.items())},
    }


JOB = Job("report", "the documents people read", build, reads=TABLES, publishes=True)
