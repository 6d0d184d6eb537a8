"""`python -m benchmarks.ingest`: one year of BACI → flows beside DuckDB SQL and pandas.

Ours reads the zip and checks every row; the others trust it, and get the table unpacked or unpack it first.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import zipfile
from pathlib import Path
from string import ascii_uppercase

import polars as pl

from anomaly.reference import countries
from anomaly.sources import baci
from anomaly.sources.base import Context, RawFile
from anomaly.sources.reading.archives import ahead
from benchmarks.measure import Variant, run, table
from benchmarks.tables import ZSTD_LEVEL
from benchmarks.trade_years import EDITION, RELEASE, World, write_zip
from pipelines.parts import BATCH_ROWS

YEAR = 2022
COLUMNS = ["cmd_code", "reporter_iso", "partner_iso", "ref_date", "primary_value_usd", "net_wgt_g"]
ROWS = {"small": 1_000_000, "year": 11_000_000}


def ours(path: str, out: str) -> None:
    """Zip or table → Parquet parts, each sorted."""
    Path(out).mkdir(parents=True, exist_ok=True)
    raw = RawFile(Path(path), Path(path).name)
    for number, batch in enumerate(ahead(baci.read(raw, Context(batch_rows=BATCH_ROWS)))):
        file = Path(out) / f"part-{number:05}.parquet"
        batch.flows.write_parquet(file, compression="zstd", compression_level=ZSTD_LEVEL)


def job(path: str, out: str) -> None:
    """The job `flows` as the main job runs it: every part held to its contract, hashed, synced and committed."""
    from pipelines import run as pipelines

    shutil.rmtree(out, ignore_errors=True)  # else there is nothing new to do
    pipelines.main(Path(path), Path(out), "russia-2022", "flows")


def duckdb(path: str, out: str) -> None:
    """Table → one Parquet file, not sorted."""
    import duckdb as engine

    Path(out).mkdir(parents=True, exist_ok=True)
    con = engine.connect()
    con.execute("SET threads = 2")
    con.execute("SET preserve_insertion_order = false")
    con.register("m49", countries.m49_table().select("m49", "iso3").to_arrow())
    con.execute(f"""
        COPY (
            SELECT 'baci' AS source, 'BACI_{EDITION}' AS dataset, 'A' AS freq_code,
                make_date(t, 1, 1) AS ref_date, x.iso3 AS reporter_iso, m.iso3 AS partner_iso, 'X' AS flow_code,
                'H5' AS classification_code, k AS cmd_code, '{RELEASE}' AS vintage,
                round(v * 1000)::BIGINT AS primary_value_usd, round(v * 1000)::BIGINT AS reported_value,
                'USD' AS currency, round(TRY_CAST(trim(q) AS DOUBLE) * 1000000)::BIGINT AS net_wgt_g,
                NULL::BOOLEAN AS is_net_wgt_estimated, false AS is_confidential
            FROM read_csv('{path}', header = true, columns =
                {{t: 'INTEGER', i: 'INTEGER', j: 'INTEGER', k: 'VARCHAR', v: 'DOUBLE', q: 'VARCHAR'}}) c
            JOIN m49 x ON x.m49 = c.i JOIN m49 m ON m.m49 = c.j
        ) TO '{out}/part-0.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD_LEVEL})
    """)


def duckdb_zip(path: str, out: str) -> None:
    """Zip → one Parquet file, not sorted. DuckDB reads no member of a zip: the table is unpacked first."""
    with tempfile.TemporaryDirectory(dir=Path(out).parent) as unpacked, zipfile.ZipFile(path) as archive:
        duckdb(archive.extract(_member(), unpacked), out)


def pandas(path: str, out: str) -> None:
    """Table → one Parquet file, not sorted."""
    import pandas as pd

    Path(out).mkdir(parents=True, exist_ok=True)
    kinds = {"t": "int16", "i": "int16", "j": "int16", "k": "str", "v": "float64", "q": "float64"}
    rows = pd.read_csv(path, dtype=kinds, na_values=["NA"], skipinitialspace=True)
    names = countries.m49_table().select("m49", "iso3")
    iso3 = pd.Series(names["iso3"].to_list(), index=names["m49"].to_list(), dtype="category")
    frame = pd.DataFrame(
        {
            "reporter_iso": rows["i"].map(iso3),
            "partner_iso": rows["j"].map(iso3),
            "cmd_code": rows["k"],
            "primary_value_usd": (rows["v"] * 1000).round().astype("int64"),
            "net_wgt_g": (rows["q"] * 1_000_000).round().astype("Int64"),
        }
    )
    year = pd.Timestamp(YEAR, 1, 1)
    frame = frame.assign(
        source="baci", dataset=f"BACI_{EDITION}", freq_code="A", ref_date=year, flow_code="X", classification_code="H5"
    )
    frame = frame.assign(
        vintage=RELEASE, reported_value=frame["primary_value_usd"], currency="USD", is_confidential=False
    )
    frame.to_parquet(Path(out) / "part-0.parquet", compression="zstd", compression_level=ZSTD_LEVEL)


def is_equal(engine_folder: Path, rival_folder: Path) -> bool:
    """Whether two engines wrote the same rows; exporters by their first letter, so that memory stays small."""
    tables = [
        pl.scan_parquet(out / "*.parquet").select(
            *[pl.col(column).cast(pl.String) for column in COLUMNS[:3]],
            pl.col("ref_date").cast(pl.Date),
            *[pl.col(column).cast(pl.Int64) for column in COLUMNS[4:]],
        )
        for out in (engine_folder, rival_folder)
    ]
    if len({rows.select(pl.len()).collect().item() for rows in tables}) > 1:
        return False
    for letter in ascii_uppercase:
        left, right = (
            rows.filter(pl.col("reporter_iso").str.starts_with(letter)).sort(COLUMNS[:3]).collect() for rows in tables
        )
        if not left.equals(right):
            return False
    return True


def _member() -> str:
    return f"BACI_{EDITION}_Y{YEAR}_{RELEASE}.csv"


def main() -> None:
    """Make the zip where it is not there yet, run every engine in turn, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=ROWS, default="small")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    args = parser.parse_args()
    folder = args.folder / f"zip-{ROWS[args.size]}-1"
    path, member = folder / f"BACI_{EDITION}_{RELEASE}.zip", _member()
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_zip(World(rows_per_year=ROWS[args.size]), path, range(YEAR, YEAR + 1))
    if not (folder / member).exists():
        with zipfile.ZipFile(path) as archive:
            archive.extract(member, folder)
    with tempfile.TemporaryDirectory(dir=args.folder) as out:
        variants = [
            Variant("ours, from the zip", "ingest.ours", [str(path), f"{out}/zip"]),
            Variant("ours, the whole job, from the zip", "ingest.job", [str(path), f"{out}/job"]),
            Variant("duckdb, from the zip", "ingest.duckdb_zip", [str(path), f"{out}/duckdb-zip"]),
            Variant("ours, unpacked", "ingest.ours", [str(folder / member), f"{out}/csv"]),
            Variant("duckdb, unpacked", "ingest.duckdb", [str(folder / member), f"{out}/duckdb"]),
            Variant("pandas, unpacked", "ingest.pandas", [str(folder / member), f"{out}/pandas"]),
        ]
        run(variants, args.repeat)
        rows = pl.scan_parquet(Path(out) / "zip" / "*.parquet").select(pl.len()).collect().item()
        print(table(f"BACI → flows, {rows:,} rows, {args.repeat} runs each", variants))
        for name in ("csv", "duckdb-zip", "duckdb", "pandas"):
            print(f"{name}: {'equal' if is_equal(Path(out) / 'zip', Path(out) / name) else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
