"""A small store of made-up trade for the tests of questions: smartphones over Kazakhstan, cars, and the EU's totals."""

from datetime import date
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from anomaly.bilateral import coverage
from anomaly.contract import schema
from anomaly.contract.settings import Settings, load
from anomaly.features.features import table_schema
from tests.trade import PHONES, flow, measured, prepared

# Half-year values of KAZ → RUS smartphones in USD; the family straddles the change of edition in 2022.
PHONES_BY_HALF = {"2019H1": 33_000_000, "2020H1": 35_000_000, "2021H1": 37_000_000, "2022H1": 178_000_000}
CARS = {2019: 400_000, 2020: 500_000, 2021: 1_087_497, 2022: 127_950_897, 2023: 185_702_354}
TESTED_AMONG = "comtrade, extract, export; rise and room; room known"
FLAG_ID = "851712+-KAZ-RUS-2022-06-6M"
REASON = "Trade on the route went from 37.0 million USD to 178.0 million USD (+381 %)."

COMPARABLE = {
    "nearness": "same good", "good": "851712+", "exporter_iso": "UZB", "importer_iso": "RUS", "value_usd": 9_000_000,
    "value_prior_year_usd": 8_000_000, "q_value": 0.4, "why": "not unusual enough: q 0.4 is above the limit of 0.1",
}  # fmt: skip
SIDES = [
    {
        "span": span, "export_value_fob_usd": value, "import_value_cif_usd": None, "reexport_value_fob_usd": value // 2,
        "net_wgt_g": None,
    }
    for span, value in (("window", 178_000_000), ("year before", 37_000_000), ("baseline", 35_000_000))
]  # fmt: skip
WITHOUT: dict[str, Any] = {
    "flag_id": FLAG_ID, "source_left_out": "comtrade", "remains": "not_comparable", "value_usd": None, "q_value": None,
    "reasons_left": [], "reasons_lost": [], "unknown": [], "says": "Nothing is left: no other publisher has trade data of the good.",
}  # fmt: skip


def phones() -> list[dict[str, Any]]:
    """Monthly rows, code 851712 to 2021 and 851713 from 2022, and a small route that the run does not measure."""
    rows = []
    for half, value in PHONES_BY_HALF.items():
        year = int(half[:4])
        code = "851713" if year >= 2022 else "851712"
        for month in range(1, 7):
            period, part = f"{year}-{month:02d}", value // 6 + (value % 6 if month == 6 else 0)
            rows.append(flow(period, "KAZ", "RUS", part, code=code))
            rows.append(flow(period, "KAZ", "ARM", 1_000, code=code))
            rows.append(flow(period, "DEU", "RUS", 20_000_000 if year < 2022 else 1_000_000, code=code))
    return rows


def cars() -> list[dict[str, Any]]:
    """Annual rows, with a mirror for 2022 and a route that reported a nothing in 2021."""
    rows = [flow(year, "ARM", "RUS", value, code="870323", dataset="cars") for year, value in CARS.items()]
    rows += [flow(2022, "ARM", "RUS", 120_000_000, code="870323", flow="RX", dataset="cars")]
    rows += [flow(2022, "RUS", "ARM", 131_000_000, code="870323", flow="M", dataset="mirror")]
    rows += [flow(year, "DEU", "RUS", 390_000_000 + year, code="870323", dataset="cars") for year in CARS]
    rows += [flow(year, "DEU", "RUS", 9_000_000, code="870324", dataset="cars") for year in CARS]
    rows += [flow(year, "KAZ", "RUS", 5_000_000, code="870324", dataset="cars") for year in CARS]
    rows += [flow(2022, "KAZ", "RUS", 7_000_000, code="870323", dataset="cars")]
    return rows


def measured_tables(rows: list[dict[str, Any]], families: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables up to features, by name."""
    rows = (
        coverage.as_extracts(pl.DataFrame(rows, schema_overrides={"net_wgt_g": pl.Int64}).lazy()).collect().to_dicts()
    )
    sides, covered, scope = prepared(rows, families)
    features, refused = measured(rows, families)
    return {
        "bilateral": sides, "families": families, "coverage": covered, "coverage.scope": scope,
        "features": features, "features.refused": refused,
    }  # fmt: skip


def frames() -> dict[str, pl.DataFrame]:
    """Every table that questions read, by name; one flag, on the smartphones of the first half of 2022."""
    key = {"freq_code": "M", "window_months": 6, "window_end": date(2022, 6, 1)}
    route = {"good": "851712+", "exporter_iso": "KAZ", "importer_iso": "RUS"}
    whole = pl.DataFrame([key | route], schema_overrides={"window_months": pl.Int16})
    scores = whole.with_columns(
        anomaly_score=0.71,
        evidence_score=0.99,
        evidence_weight=1.2,
        anomaly_rank=pl.lit(1, pl.Int64),
        p_value=0.004,
        q_value=0.012,
        stability_share=0.97,
        placebos=pl.lit(250, pl.Int64),
        placebo_kind=pl.lit("importers"),
        tested_among=pl.lit(TESTED_AMONG),
        room_log=1.7,
        step_log=1.5,
        roughness=1.25,
        shock_ratio=1.1,
        rest_low_log=-0.5,
        rest_high_log=0.5,
        profile_q_value=0.05,
    )
    reason = {"indicator": "surge_log", "value": 1.57, "unit": "log", "threshold": 0.405, "text": REASON}
    flags = whole.with_columns(
        flag_id=pl.lit(FLAG_ID),
        flag_type=pl.lit("hub_reexport"),
        severity=pl.lit("high"),
        priority=7.5,
        list_tier=pl.lit("1"),
        value_usd=pl.lit(178_000_000, pl.Int64),
        value_prior_year_usd=pl.lit(37_000_000, pl.Int64),
        value_baseline_usd=pl.lit(35_000_000, pl.Int64),
        counterfactual_usd=pl.lit(35_000_000, pl.Int64),
        excess_usd=pl.lit(143_000_000, pl.Int64),
        excess_low_usd=pl.lit(120_000_000, pl.Int64),
        excess_high_usd=pl.lit(157_000_000, pl.Int64),
        anomaly_score=0.71,
        anomaly_rank=pl.lit(1, pl.Int64),
        p_value=0.004,
        q_value=0.012,
        stability_share=0.97,
        compares=pl.lit("Jan–Jun 2022 with Jan–Jun 2021, and with the mean of 2019-2021"),
        reasons=pl.Series([[reason]]),
        caveats=pl.Series([["The goods may have stayed in the customs union by right."]]),
        contributions=pl.Series([[{"input": "surge_log", "score_drop": 0.2}]]),
        benign=pl.Series([["Own production of the exporter."]]),
        evidence=pl.lit("All three fit goods that go by way of Kazakhstan."),
        benign_if=pl.Series(
            [[{"explanation": "The exporter makes it itself", "verdict": "against", "text": "It sold none."}]]
        ),
        comparables=pl.Series([[COMPARABLE]]),
        sides=pl.Series([SIDES]),
        is_before_sanctions=pl.lit(value=False),
    )
    calibration = pl.DataFrame(
        [key | {"leg": "hub to target", "placebo_kind": "importers", "placebos": 250, "q_limit": 0.1, "targets": 9}],
        schema_overrides={"window_months": pl.Int16},
    ).with_columns(
        targets_flagged_per_1000=111.1,
        placebos_flagged_per_1000=4.0,
        says=pl.lit("routes to other importers"),
        shock_ratio=1.1,
    )
    without = pl.DataFrame([WITHOUT], schema=schema.Without.create_empty().schema)
    judged = {"flags": flags, "flags.without": without, "scores": scores, "scores.calibration": calibration}
    return measured_tables(phones() + cars(), PHONES) | judged


def reported(rows: list[dict[str, Any]] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(flows, flows.files): the same rows as reported, monthly ones in EUR at two USD, from two raw files."""
    flows = pl.DataFrame(rows or phones() + cars(), schema_overrides={"net_wgt_g": pl.Int64}).with_columns(
        vintage=pl.lit("2023-06-01"),
        reported_value=pl.when(pl.col("freq_code") == "M")
        .then(pl.col("primary_value_usd") // 2)
        .otherwise("primary_value_usd"),
        currency=pl.when(pl.col("freq_code") == "M").then(pl.lit("EUR")).otherwise(pl.lit("USD")),
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
        is_confidential=pl.lit(value=False),
        is_current=pl.lit(value=True),
        raw_file=pl.when(pl.col("freq_code") == "M").then(pl.lit("a" * 12)).otherwise(pl.lit("b" * 12)),
    )
    files = pl.DataFrame(
        [
            {
                "source": "comtrade", "dataset": "extract", "vintage": "2023-06-01", "path": f"comtrade/{name}.csv",
                "sha256": letter * 64, "size_bytes": 10, "url": f"https://publisher.example/{name}",
                "fetched_at": "2023-06-02T10:00:00Z", "rows_in": 5, "rows_kept": 5, "rows_rejected": 0,
                "rows_errors": 0, "rows_deduplicated": 0,
            }
            for name, letter in (("phones", "a"), ("cars", "b"), ("unused", "c"))
        ]
    )  # fmt: skip
    return flows, files


def rollups() -> pl.DataFrame:
    """One good and one hub of the flag's window."""
    window = {"freq_code": "M", "window_months": 6, "window_end": date(2022, 6, 1)}
    amounts = {"flags": 1, "flagged_usd": 178_000_000, "flagged_excess_usd": 143_000_000, "total_usd": 184_000_000}
    keys = [{"rollup": "good", "key": "851712+"}, {"rollup": "hub", "key": "KAZ"}]
    return pl.DataFrame(
        [key | window | amounts | {"flagged_share": 178 / 184, "best_q_value": 0.012} for key in keys],
        schema_overrides={"window_months": pl.Int16},
    )


def write_store(
    root: Path,
    rows: list[dict[str, Any]] | None = None,
    families: pl.DataFrame = PHONES,
    settings: Settings | None = None,
) -> None:
    """Lay all of it under a folder, as the jobs do; of other rows the tables up to features."""
    from anomaly.store.store import Store

    store, scenario = Store(root), settings or load()
    tables = frames() | {"rollups": rollups()} if rows is None else measured_tables(rows, families)
    tables |= dict(zip(("flows", "flows.files"), reported(rows), strict=True))
    for name in ("flows", "families", "coverage", "bilateral", "features", "scores", "flags", "rollups"):
        if name not in tables:
            continue
        contract = table_schema() if name == "features" else schema.TABLES[name]
        kept = None if name == "flows" else scenario.recorded()
        with store.writer(name, inputs={}, settings=scenario.fingerprint(), schema=contract, scenario=kept) as writer:
            writer.add(_in_order(tables[name], contract))
            for companion in sorted(tables):
                if companion.startswith(f"{name}."):
                    writer.add(_in_order(tables[companion], schema.TABLES[companion]), table=companion)


def _in_order(frame: pl.DataFrame, contract: type[dy.Schema]) -> pl.DataFrame:
    columns = contract.columns()
    cast = frame.select(pl.col(name).cast(column.dtype) for name, column in columns.items())
    by_good = [name for name in ("good", "cmd_code") if name in columns]
    return cast.sort([*by_good, *[name for name in contract.primary_key() if name not in by_good]])
