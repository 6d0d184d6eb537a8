"""Files that are damaged, absurd or of tomorrow: an error with file, place and reason, or a row that says why; in time."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected, SettingsWrong
from anomaly.reference import editions
from anomaly.sources import find
from anomaly.sources.base import Batch, Context, RawFile
from anomaly.sources.own_table.parquet import parquet_frames
from anomaly.sources.reading.tables import LONGEST_HEADER_BYTES
from tests import ROOT
from tests.sources import comext_files
from tests.sources.comtrade_files import answer, row
from tests.sources.test_every_source import CONTEXT, SAMPLES
from tests.sources.test_forms import HEADER, ROWS, TOML, plain


def read(folder: Path, name: str, content: bytes, toml: str = TOML, context: Context = CONTEXT) -> list[Batch]:
    (folder / "mine.toml").write_text(toml, encoding="utf-8")
    path = folder / Path(name).name
    path.write_bytes(content)
    raw = RawFile(path, name)
    source = find(raw)
    if source.rates is not None:
        source.rates(raw)
    return list(source.read(raw, context))


def rejected(batches: list[Batch]) -> list[tuple[str, str]]:
    return list(pl.concat(batch.rejected for batch in batches).select("rule", "column").rows())


def values(batches: list[Batch]) -> list[int]:
    return pl.concat(batch.flows for batch in batches)["reported_value"].to_list()


API_CSV = comext_files.api(comext_files.api_row(), comext_files.api_row(product="87032410", value=123456))
TEXTS = {
    "comtrade/a.csv": b"Period,Reporter\n1,2\n",
    "comtrade/a.txt": b"typeCode\tfreqCode\n1\t2\n",
    "comext/a.csv": API_CSV,
    "comext/full_v2_202402.dat": comext_files.bulk(comext_files.bulk_row()),
    "baci/BACI_HS17_Y2022_V202501.csv": b"t,i,j,k,v,q\n2022,51,643,870323,1.500,0.3\n",
    "ecb/EXR_M.csv": b"KEY,FREQ,CURRENCY\n1,2,3\n",
    "own/mine.csv": plain(),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("mark", [b"", b'"'])
def test_a_name_of_a_column_of_two_hundred_thousand_letters_is_refused(tmp_path: Path, name: str, mark: bytes) -> None:
    with pytest.raises(DataRejected, match=f"at most {LONGEST_HEADER_BYTES:,} bytes|header in ASCII") as caught:
        read(tmp_path, name, mark + b"x" * 200_000 + mark + b"," + TEXTS[name])
    assert Path(name).name in str(caught.value)


@pytest.mark.parametrize("name", TEXTS)
def test_a_hundred_thousand_columns_are_refused_in_a_second(tmp_path: Path, name: str) -> None:
    separator = b"\t" if b"\t" in TEXTS[name] else b","
    header, _, body = TEXTS[name].partition(b"\n")
    wide = header.rstrip() + separator + separator.join(b"c%d" % number for number in range(100_000))
    began = time.process_time()
    with pytest.raises(DataRejected, match=f"at most {LONGEST_HEADER_BYTES:,} bytes"):
        read(tmp_path, name, wide + b"\n" + body.rstrip() + separator * 100_000 + b"\n")
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("name", ["comext/full_v2_202402.dat", "baci/BACI_HS17_Y2022_V202501.csv"])
def test_as_many_columns_as_a_header_may_have_are_read_in_time_that_grows_as_they_do(tmp_path: Path, name: str) -> None:
    header, _, body = TEXTS[name].partition(b"\n")
    took = []
    for columns in (5_000, 20_000):
        wide = header + b"," + b",".join(b"c%d" % number for number in range(columns))
        began = time.process_time()
        read(tmp_path, name, wide + b"\n" + body.rstrip() + b"," * columns + b"\n", context=comext_files.CONTEXT)
        took.append(time.process_time() - began)
    assert took[1] < 8 * max(took[0], 0.05)  # four times the columns; sixteen times the time where it is quadratic


def test_a_number_too_small_to_be_told_from_nothing_is_no_known_zero(tmp_path: Path) -> None:
    small = answer([row()]).replace(b'"primaryValue": ', b'"primaryValue": 1e-400, "q": ')
    assert rejected(read(tmp_path, "comtrade/a.json", small)) == [("not_a_number", "primaryvalue")]
    api = comext_files.api(comext_files.api_row(value="1e-400"))
    assert rejected(read(tmp_path, "comext/a.csv", api, context=comext_files.CONTEXT)) == [
        ("not_a_number", "OBS_VALUE")
    ]
    for text in (b"1e-400", b"0." + b"0" * 400 + b"7"):
        batches = read(tmp_path, "own/mine.csv", plain().replace(b"1033.25", text))
        assert rejected(batches) == [("not_a_number", "usd")]


@pytest.mark.parametrize("zero", [b"0", b"0.000", b"0e-400", b"-0.0", b"0." + b"0" * 400])
def test_nothing_is_a_known_zero_however_it_is_written(tmp_path: Path, zero: bytes) -> None:
    assert values(read(tmp_path, "own/mine.csv", plain().replace(b"1033.25", zero)))[0] == 0


@pytest.mark.parametrize("key", ["reporterCode", "partnerCode", "partner2Code", "cmdCode", "period"])
def test_full_width_digits_are_no_codes_whatever_the_text_beside_them_says(tmp_path: Path, key: str) -> None:
    wide = str(row()[key]).translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    batches = read(tmp_path, "comtrade/a.json", answer([row(**{key: wide})]))
    assert batches[0].rejected.select("column", "is_error").rows() == [(key.lower(), True)]


@pytest.mark.parametrize("cut", range(1, 8))
def test_an_answer_of_comext_cut_in_its_last_cell_is_refused_with_the_row(tmp_path: Path, cut: int) -> None:
    with pytest.raises(DataRejected, match=r"row 2.* may be cut"):
        read(tmp_path, "comext/a.csv", API_CSV[:-cut], context=comext_files.CONTEXT)


@pytest.mark.parametrize("name", ["comext/full_v2_202402.dat", "baci/BACI_HS17_Y2022_V202501.csv"])
def test_an_unpacked_bulk_file_cut_in_its_last_cell_is_refused(tmp_path: Path, name: str) -> None:
    read(tmp_path, name, TEXTS[name], context=comext_files.CONTEXT)
    with pytest.raises(DataRejected, match="may be cut"):
        read(tmp_path, name, TEXTS[name][:-2], context=comext_files.CONTEXT)


def test_a_table_of_ones_own_cut_in_its_last_cell_is_doubted(tmp_path: Path) -> None:
    def doubts(content: bytes, toml: str = TOML) -> list[str]:
        (batch,) = read(tmp_path, "own/mine.csv", content, toml)
        return [] if batch.doubts is None else batch.doubts["rule"].to_list()

    assert doubts(plain()) == doubts(plain().replace(b"\n", b"\r\n")) == []
    assert doubts(plain().decode().encode("utf-16"), 'encoding = "utf-16"\n' + TOML) == []
    assert doubts(plain()[:-1]) == doubts(plain()[:-3]) == ["end_may_be_cut"]


def test_an_edition_of_tomorrow_is_rejected_with_its_row(tmp_path: Path) -> None:
    assert rejected(read(tmp_path, "comtrade/a.json", answer([row(classificationCode="H7")]))) == [
        ("unknown_edition", "classificationcode")
    ]
    rate = pl.select(month=pl.date(2028, 1, 1), usd_per_unit=pl.lit(1.0))
    rows = comext_files.api(comext_files.api_row(period="2028-01"))
    assert rejected(read(tmp_path, "comext/a.csv", rows, context=Context({"EUR": rate}))) == [
        ("unknown_edition", "TIME_PERIOD")
    ]
    for edition in ("by year", "CN2028", "CN9999"):
        toml = TOML.replace('"by year"', f'"{edition}"')
        late = plain().replace(b"2022-", b"2028-")
        assert rejected(read(tmp_path, "own/mine.csv", late, toml)) == [("unknown_edition", "classification")] * 2


def test_codes_of_an_edition_known_today_are_read_in_years_after_the_next(tmp_path: Path) -> None:
    late = plain().replace(b"2022-", b"2029-")
    assert values(read(tmp_path, "own/mine.csv", late, TOML.replace('"by year"', '"H6"'))) == [1033, 2000]
    api = answer([row(period="2029", refYear=2029, classificationCode="H6")])
    assert len(values(read(tmp_path, "comtrade/a.json", api))) == 1


def test_the_next_edition_is_one_line_of_data(tmp_path: Path) -> None:
    code = (
        "from anomaly.reference import editions\n"
        "editions.EDITION_STARTS = (*editions.EDITION_STARTS, 2028)\n"
        "editions.LAST_YEAR = 2033\n"
        "import polars as pl\n"
        "from anomaly.sources import baci, comtrade_rules\n"
        "from anomaly.sources.own_table import faults\n"
        "rule = next(rule for rule in comtrade_rules.RULES if rule.name == 'unknown_edition')\n"
        "codes = pl.DataFrame({'classificationcode': ['H7', 'H8']})\n"
        "print(codes.select(rule.broken).to_series().to_list(), baci.EDITIONS['HS28'], faults.CLASSIFICATION)\n"
        "print(codes.select(editions.edition_number(pl.col('classificationcode'))).to_series().to_list())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split("\n")[:2] == ["[False, True] H7 ^(H[0-7]|CN[0-9]{4})$", "[7, None]"]
    assert editions.EDITION_STARTS[-1] == 2022


@pytest.mark.parametrize("names", ['["January"]', "{ a = 1 }", "5"])
def test_names_of_months_of_another_kind_are_a_fault_of_the_mapping(tmp_path: Path, names: str) -> None:
    with pytest.raises(SettingsWrong, match="month_names"):
        read(tmp_path, "own/mine.csv", plain(), f"month_names = {names}\n" + TOML)


def parquet(change: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame) -> bytes:
    cells = [[line[at] if at != 4 else float(line[at]) for line in ROWS] for at in range(len(HEADER))]
    written = io.BytesIO()
    change(pl.DataFrame(dict(zip(HEADER, cells, strict=True)))).write_parquet(written)
    return written.getvalue()


@pytest.mark.parametrize(
    "kind", [pl.Duration("us"), pl.Binary(), pl.List(pl.String()), pl.Datetime("us", "Europe/Berlin"), pl.Time()]
)
def test_a_column_of_parquet_that_is_no_text_and_no_number_is_refused_by_name(
    tmp_path: Path, kind: pl.DataType
) -> None:
    odd = parquet(lambda frame: frame.with_columns(rep=pl.lit(None, dtype=kind)))
    with pytest.raises(DataRejected, match="column rep"):
        read(tmp_path, "own/mine.parquet", odd)
    beside = parquet(lambda frame: frame.with_columns(more=pl.lit(None, dtype=kind)))
    assert values(read(tmp_path, "own/mine.parquet", beside)) == [1033, 2000]


def test_all_plain_columns_of_a_parquet_are_given_where_all_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    path.write_bytes(parquet(lambda frame: frame.with_columns(more=pl.duration(days=1), note=pl.lit("x"))))
    (frame,) = parquet_frames(path, "mine.parquet", ("rep",), "hs", 10, every_column=True)
    assert frame.columns == ["row", *HEADER, "note"]


def test_a_parquet_of_categories_or_without_rows_is_read(tmp_path: Path) -> None:
    kept = parquet(lambda frame: frame.with_columns(pl.col("rep", "hs").cast(pl.Categorical)))
    assert values(read(tmp_path, "own/mine.parquet", kept)) == [1033, 2000]
    assert values(read(tmp_path, "own/mine.parquet", parquet(lambda frame: frame.clear()))) == []


@pytest.mark.slow  # seconds
def test_a_flipped_bit_of_a_parquet_never_ends_the_program(tmp_path: Path) -> None:
    code = (
        "import random, sys\n"
        "from pathlib import Path\n"
        "from anomaly.contract.errors import AnomalyError\n"
        "from tests.sources.test_hostile import parquet, read\n"
        "rng, whole = random.Random(5), parquet(lambda frame: frame.select(pl.all().repeat_by(40).explode()))\n"
        "for number in range(400):\n"
        "    flipped = bytearray(whole)\n"
        "    flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)\n"
        "    try:\n"
        "        read(Path(sys.argv[1]), 'own/mine.parquet', bytes(flipped))\n"
        "    except AnomalyError:\n"
        "        pass\n"
    ).replace("import random, sys\n", "import random, sys\nimport polars as pl\n")
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]


def test_a_line_of_two_hundred_thousand_letters_is_an_error_or_a_row_that_says_why(tmp_path: Path) -> None:
    long = b"x" * 200_000
    rates = SAMPLES["ecb"](tmp_path).path.read_bytes()
    with pytest.raises(DataRejected, match="row 4, column OBS_VALUE"):
        read(tmp_path, "ecb/EXR_M.csv", rates.removesuffix(b"\n") + long + b"\n")
    assert rejected(read(tmp_path, "own/mine.csv", plain().replace(b"1033.25", long))) == [("not_a_number", "usd")]
