"""`python -m benchmarks.comext_month`: one month of Comext, from the 7z as published to flows, beside DuckDB SQL and pandas.

Ours reads the 7z and checks every row; the others trust the table, and get it unpacked.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from anomaly.reference import countries, nomenclature
from anomaly.reference.countries import EU27
from anomaly.sources import comext
from anomaly.sources.base import Context, RawFile
from anomaly.sources.reading.archives import ahead, unpack_7z
from anomaly.sources.reading.limits import Limits
from benchmarks.measure import Variant, run, table
from benchmarks.tables import ZSTD_LEVEL
from pipelines.parts import BATCH_ROWS

MONTH, USD_PER_EUR = "202402", 1.07953217  # so long that no product ends in a half
ROWS = {"small": 500_000, "month": 4_902_194}  # of December 2025, as its file has them
IMPORTS = 0.44
CODES = 13_245
LEAST_PARTNERS_POWER = 3.0  # how unevenly trade is spread over partners
PROCESSED = 0.06  # rows of inward or outward processing beside one of the normal procedure
WEIGHTLESS, WITHHELD = 0.02, 0.01
KEY = ["reporter_iso", "partner_iso", "flow_code", "cmd_code"]
COLUMNS = [*KEY, "reported_value", "primary_value_usd", "net_wgt_g"]


def month(rows: int, seed: int = 0) -> pl.DataFrame:
    """A month's table in today's layout of 18 columns; a key stands once for each procedure."""
    draw = np.random.default_rng(seed)
    members = _iso2(list(EU27))
    partners = [*members, *_iso2([iso for iso in countries.table().filter(kind="country")["iso3"] if iso not in EU27])]
    codes = _codes()
    wanted = round(rows / (1 + PROCESSED))
    shape = (len(members), len(partners), len(codes), 2)
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < wanted:
        uneven = [(count * draw.random(rows) ** power).astype(np.int64) for count, power in zip(shape[:3], (1.2, LEAST_PARTNERS_POWER, 1.2), strict=True)]  # fmt: skip
        flow = (draw.random(rows) > IMPORTS).astype(np.int64)
        keys = np.unique(np.concatenate([keys, np.ravel_multi_index((*uneven, flow), shape)]))
    keys = np.sort(draw.choice(keys, wanted, replace=False))
    processed = draw.choice(wanted, rows - wanted, replace=False)
    reporter, partner, code, flow = np.unravel_index(np.concatenate([keys, keys[processed]]), shape)
    procedure = np.concatenate([np.ones(wanted, dtype=np.int64), draw.integers(2, 4, rows - wanted)])
    euros = np.maximum(1, np.exp(draw.normal(8.5, 2.6, rows))).astype(np.int64)
    kilos = np.where(draw.random(rows) < WEIGHTLESS, 0, euros / np.exp(draw.normal(2.2, 1.2, rows))).astype(np.int64)
    digits = np.array(codes)[code]
    partner_codes = np.array(partners)[partner]
    text = pl.lit
    return (
        pl.DataFrame({"REPORTER": np.array(members)[reporter], "PARTNER": partner_codes, "PRODUCT_NC": digits, "FLOW": flow + 1, "STAT_PROCEDURE": procedure, "VALUE_EUR": euros, "QUANTITY_KG": kilos})
        .sort("REPORTER", "PARTNER", "PRODUCT_NC", "FLOW", "STAT_PROCEDURE")
        .select(
            "REPORTER", "PARTNER",
            pl.when(pl.col("PARTNER").is_in(members)).then(text("I")).otherwise(text("E")).alias("TRADE_TYPE"),
            "PRODUCT_NC", text("77641").alias("PRODUCT_SITC"), text("2611").alias("PRODUCT_CPA21"), text("2611").alias("PRODUCT_CPA22"),
            text("422").alias("PRODUCT_BEC"), text("311210").alias("PRODUCT_BEC5"), pl.col("PRODUCT_NC").str.slice(0, 2).alias("PRODUCT_SECTION"),
            "FLOW", "STAT_PROCEDURE", text("NO_SU").alias("SUPPL_UNIT"), text(MONTH).alias("PERIOD"),
            "VALUE_EUR", pl.col("VALUE_EUR").alias("VALUE_NAC"), "QUANTITY_KG", text("0").alias("QUANTITY_SUPPL_UNIT"),
        )
    )  # fmt: skip


def _iso2(iso3: list[str]) -> list[str]:
    """The two letters that Comext's bulk files have."""
    names = dict(countries.table().drop_nulls("iso2").select("iso3", "iso2").iter_rows())
    return [names[iso] for iso in iso3 if iso in names]


def _codes() -> list[str]:
    """As many codes of eight digits as a month has, and withheld ones of each chapter."""
    hs6 = nomenclature.codes().filter(pl.col("edition") == 6, pl.col("code") < "98")["code"]
    eight = [f"{code}{tail}" for tail in ("00", "10", "90") for code in hs6]
    withheld = [f"{chapter}XXXXXX" for chapter in hs6.str.slice(0, 2).unique().sort()]
    return sorted({*eight[:CODES], *withheld})


def write(folder: Path, rows: int) -> tuple[Path, Path]:
    """The table and its 7z, made where they are not there yet."""
    import py7zr

    plain, packed = folder / f"full_{MONTH}.dat", folder / f"full_v2_{MONTH}.7z"
    if not packed.exists():
        folder.mkdir(parents=True, exist_ok=True)
        month(rows).write_csv(plain, quote_style="never")
        with py7zr.SevenZipFile(packed, "w", filters=[{"id": py7zr.FILTER_LZMA2, "preset": 1}]) as archive:
            archive.write(plain, plain.name)
    return plain, packed


def ours(path: str, out: str) -> None:
    """7z or table → Parquet parts, each sorted, every row held to its rules."""
    Path(out).mkdir(parents=True, exist_ok=True)
    rate = pl.DataFrame({"month": [date(int(MONTH[:4]), int(MONTH[4:]), 1)], "usd_per_unit": [USD_PER_EUR]})
    context = Context({"EUR": rate}, BATCH_ROWS)
    for number, batch in enumerate(ahead(comext.read(RawFile(Path(path), Path(path).name), context))):
        flows = batch.flows.sort("cmd_code", "reporter_iso", "partner_iso", "flow_code")
        file = Path(out) / f"part-{number:05}.parquet"
        flows.write_parquet(file, compression="zstd", compression_level=ZSTD_LEVEL)


def job(raw: str, out: str) -> None:
    """The job `flows` as the main job runs it: every part held to its contract, hashed, synced and committed."""
    from pipelines import run as pipelines

    shutil.rmtree(out, ignore_errors=True)  # else there is nothing new to do
    pipelines.main(Path(raw), Path(out), "russia-2022", "flows")


def unpack(path: str, out: str) -> None:
    """7z → table, and nothing else: what the others are spared."""
    Path(out).mkdir(parents=True, exist_ok=True)
    with (Path(out) / "table.dat").open("w+b") as file:
        unpack_7z(Path(path), Path(path).name, file, Limits())


def duckdb(path: str, out: str) -> None:
    """Table → one Parquet file, not sorted."""
    import duckdb as engine

    Path(out).mkdir(parents=True, exist_ok=True)
    con = engine.connect()
    con.execute("SET threads = 2")
    con.execute("SET preserve_insertion_order = false")
    con.register("iso", countries.table().drop_nulls("iso2").select("iso2", "iso3").to_arrow())
    con.execute(f"""
        COPY (
            SELECT 'comext' AS source, 'full' AS dataset, 'M' AS freq_code, DATE '{MONTH[:4]}-{MONTH[4:]}-01' AS ref_date,
                r.iso3 AS reporter_iso, p.iso3 AS partner_iso, CASE FLOW WHEN '1' THEN 'M' ELSE 'X' END AS flow_code,
                'CN{MONTH[:4]}' AS classification_code, PRODUCT_NC AS cmd_code, 'undated' AS vintage,
                round(sum(VALUE_EUR) * {USD_PER_EUR})::BIGINT AS primary_value_usd, sum(VALUE_EUR)::BIGINT AS reported_value,
                'EUR' AS currency, CASE WHEN sum(QUANTITY_KG) = 0 AND sum(VALUE_EUR) > 0 THEN NULL
                ELSE sum(QUANTITY_KG)::BIGINT * 1000 END AS net_wgt_g, NULL::BOOLEAN AS is_net_wgt_estimated,
                regexp_matches(PRODUCT_NC, '[A-Z]') AS is_confidential
            FROM read_csv('{path}', header = true, all_varchar = false, types =
                {{'PRODUCT_NC': 'VARCHAR', 'FLOW': 'VARCHAR', 'PERIOD': 'VARCHAR', 'REPORTER': 'VARCHAR', 'PARTNER': 'VARCHAR',
                  'VALUE_EUR': 'BIGINT', 'QUANTITY_KG': 'BIGINT'}}) c
            JOIN iso r ON r.iso2 = c.REPORTER JOIN iso p ON p.iso2 = c.PARTNER
            GROUP BY ALL
        ) TO '{out}/part-0.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD_LEVEL})
    """)


def pandas(path: str, out: str) -> None:
    """Table → one Parquet file, not sorted."""
    import pandas as pd

    Path(out).mkdir(parents=True, exist_ok=True)
    kinds = {"REPORTER": "category", "PARTNER": "category", "PRODUCT_NC": "category", "FLOW": "int8", "VALUE_EUR": "int64", "QUANTITY_KG": "int64"}  # fmt: skip
    rows = pd.read_csv(path, dtype=kinds, usecols=list(kinds), keep_default_na=False)
    key = ["REPORTER", "PARTNER", "PRODUCT_NC", "FLOW"]
    sums = rows.groupby(key, observed=True, sort=False)[["VALUE_EUR", "QUANTITY_KG"]].sum().reset_index()
    names = countries.table().drop_nulls("iso2")
    iso3 = pd.Series(names["iso3"].to_list(), index=names["iso2"].to_list())
    value, kilos = sums["VALUE_EUR"], sums["QUANTITY_KG"]
    frame = pd.DataFrame(
        {
            "reporter_iso": sums["REPORTER"].map(iso3),
            "partner_iso": sums["PARTNER"].map(iso3),
            "flow_code": sums["FLOW"].map({1: "M", 2: "X"}),
            "cmd_code": sums["PRODUCT_NC"],
            "reported_value": value,
            "primary_value_usd": (value * USD_PER_EUR).round().astype("int64"),
            "net_wgt_g": (kilos * 1000).where((kilos > 0) | (value == 0)).astype("Int64"),
            "is_confidential": sums["PRODUCT_NC"].astype("str").str.contains("[A-Z]"),
        }
    )
    day = pd.Timestamp(int(MONTH[:4]), int(MONTH[4:]), 1)
    told = {
        "source": "comext",
        "dataset": "full",
        "freq_code": "M",
        "ref_date": day,
        "vintage": "undated",
        "currency": "EUR",
    }
    frame = frame.assign(**told, classification_code=f"CN{MONTH[:4]}")
    frame.to_parquet(Path(out) / "part-0.parquet", compression="zstd", compression_level=ZSTD_LEVEL)


def is_equal(engine_folder: Path, rival_folder: Path) -> bool:
    """Whether two engines wrote the same rows."""
    tables = [
        pl.scan_parquet(folder / "*.parquet")
        .select(*[pl.col(column).cast(pl.String) for column in KEY], *[pl.col(column).cast(pl.Int64) for column in COLUMNS[4:]])
        .sort(KEY)
        .collect()
        for folder in (engine_folder, rival_folder)
    ]  # fmt: skip
    return tables[0].equals(tables[1])


def rates_file(folder: Path) -> None:
    """The ECB's file for the job, a month of it."""
    folder.mkdir(parents=True, exist_ok=True)
    header = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE"
    row = f"EXR.M.USD.EUR.SP00.A,M,USD,EUR,SP00,A,{MONTH[:4]}-{MONTH[4:]},{USD_PER_EUR}"
    (folder / "EXR_M_EUR_SP00_A.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")


def main() -> None:
    """Make the month where it is not there yet, run every engine in turn, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=ROWS, default="small")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    args = parser.parse_args()
    folder = args.folder / f"comext-{ROWS[args.size]}"
    plain, packed = write(folder, ROWS[args.size])
    raw = folder / "raw"
    rates_file(raw / "ecb")
    (raw / "comext").mkdir(exist_ok=True)
    if not (raw / "comext" / packed.name).exists():
        (raw / "comext" / packed.name).hardlink_to(packed)
    with tempfile.TemporaryDirectory(dir=args.folder) as out:
        variants = [
            Variant("ours, from the 7z", "comext_month.ours", [str(packed), f"{out}/ours"]),
            Variant("ours, the whole job, from the 7z", "comext_month.job", [str(raw), f"{out}/job"]),
            Variant("unpacking the 7z alone", "comext_month.unpack", [str(packed), f"{out}/plain"]),
            Variant("ours, unpacked", "comext_month.ours", [str(plain), f"{out}/dat"]),
            Variant("duckdb, unpacked", "comext_month.duckdb", [str(plain), f"{out}/duckdb"]),
            Variant("pandas, unpacked", "comext_month.pandas", [str(plain), f"{out}/pandas"]),
        ]
        run(variants, args.repeat)
        sizes = f"{plain.stat().st_size:,} bytes, {packed.stat().st_size:,} as 7z"
        print(table(f"Comext → flows, {ROWS[args.size]:,} rows, {sizes}, {args.repeat} runs each", variants))
        for variant in variants:
            print(
                f"{variant.name:34}{ROWS[args.size] / sorted(variant.seconds)[len(variant.seconds) // 2]:>12,.0f} rows a second"
            )
        for name in ("dat", "duckdb", "pandas"):
            print(f"{name}: {'equal' if is_equal(Path(out) / 'ours', Path(out) / name) else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
