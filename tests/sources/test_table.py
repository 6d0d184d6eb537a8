"""A table of one's own: what its TOML says is what is read, and a TOML with faults lists all of them."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected, SettingsWrong
from anomaly.sources import table
from anomaly.sources.base import Batch, Context, RawFile

TOML = """
dataset = "customs"
vintage = "2024-05"
countries = "iso3"
period = "%Y-%m"
flow = "X"
classification = "H6"

[columns]
reporter = "from"
partner = "to"
period = "month"
code = "hs"
value = "kusd"
weight = "t"

[value]
multiplier = 1000

[weight]
unit = "t"
"""
HEADER = "from,to,month,hs,kusd,t"
ROW = "ARM,RUS,2022-07,8703.23,1.2345,0.5"


def read(folder: Path, toml: str = TOML, lines: tuple[str, ...] = (ROW,), **about: Any) -> Batch:
    """The one batch of mine.csv with these lines under HEADER."""
    (folder / "mine.toml").write_text(toml, encoding="utf-8")
    path = folder / "mine.csv"
    path.write_text("\n".join((about.pop("header", HEADER), *lines)) + "\n", encoding="utf-8")
    context = about.pop("context", Context())
    (batch,) = table.read(RawFile(path, "own/mine.csv", **about), context)
    return batch


def test_a_row_is_read_as_its_mapping_says(tmp_path: Path) -> None:
    assert read(tmp_path).flows.to_dicts() == [
        {
            "source": "table",
            "dataset": "customs",
            "freq_code": "M",
            "ref_date": date(2022, 7, 1),
            "reporter_iso": "ARM",
            "partner_iso": "RUS",
            "flow_code": "X",
            "classification_code": "H6",
            "cmd_code": "870323",
            "vintage": "2024-05",
            "primary_value_usd": 1235,
            "reported_value": 1235,
            "currency": "USD",
            "net_wgt_g": 500_000,
            "is_net_wgt_estimated": None,
            "is_confidential": False,
        }
    ]


def test_dataset_and_vintage_have_defaults_and_can_be_told_from_outside(tmp_path: Path) -> None:
    bare = TOML.replace('dataset = "customs"\n', "").replace('vintage = "2024-05"\n', "")
    flows = read(tmp_path, bare).flows
    assert (flows["dataset"][0], flows["vintage"][0]) == ("mine", "undated")
    flows = read(tmp_path, bare, dataset="told", vintage="2020").flows
    assert (flows["dataset"][0], flows["vintage"][0]) == ("told", "2020")


@pytest.mark.parametrize(
    ("period", "text", "day", "freq"),
    [
        ("%Y", "2022", date(2022, 1, 1), "A"),
        ("%Y%m", "202207", date(2022, 7, 1), "M"),
        ("%m/%Y", "07/2022", date(2022, 7, 1), "M"),
        ("%Y-%m-%d", "2022-07-31", date(2022, 7, 1), "M"),
        ("%d.%m.%Y", "31.07.2022", date(2022, 7, 1), "M"),
    ],
)
def test_periods_are_read_in_the_format_told(tmp_path: Path, period: str, text: str, day: date, freq: str) -> None:
    batch = read(tmp_path, TOML.replace("%Y-%m", period), (f"ARM,RUS,{text},870323,1,1",))
    assert batch.flows.select("ref_date", "freq_code").rows() == [(day, freq)]


def test_flow_and_edition_may_be_columns_with_words_of_their_own(tmp_path: Path) -> None:
    toml = TOML.replace('flow = "X"\nclassification = "H6"\n', "").replace(
        "[value]", 'flow = "dir"\nclassification = "hsv"\n\n[flows]\nAusfuhr = "X"\nEinfuhr = "M"\n\n[value]'
    )
    lines: tuple[str, ...] = ("ARM,RUS,2022-07,870323,1,1,Ausfuhr,H5", "ARM,RUS,2022-07,87032319,1,1,Einfuhr,CN2022")
    lines += ("ARM,RUS,2022-07,870323,1,1,X,H5", "ARM,RUS,2022-07,870323,1,1,Ausfuhr,HS")
    batch = read(tmp_path, toml, lines, header=f"{HEADER},dir,hsv")
    assert batch.flows.select("flow_code", "classification_code", "cmd_code").rows() == [
        ("X", "H5", "870323"),
        ("M", "CN2022", "87032319"),
    ]
    assert batch.rejected.select("rule", "column").rows() == [("unknown_flow", "dir"), ("unknown_edition", "hsv")]


@pytest.mark.parametrize(
    ("system", "reporter", "partner"),
    [("iso3", "ARM", "NAM"), ("iso2", "AM", "NA"), ("m49", "51", "516"), ("name", "Armenia", "Namibia")],
)
def test_countries_are_read_in_the_system_told(tmp_path: Path, system: str, reporter: str, partner: str) -> None:
    toml = TOML.replace('"iso3"', f'"{system}"')
    batch = read(tmp_path, toml, (f"{reporter},{partner},2022-07,870323,1,1", "Qqq,RUS,2022-07,870323,1,1"))
    assert batch.flows.select("reporter_iso", "partner_iso").rows() == [("ARM", "NAM")]
    assert batch.rejected.select("row", "column", "value", "rule", "is_error").rows() == [
        (2, "from", "Qqq", "unknown_country", True)
    ]


@pytest.mark.parametrize(
    ("line", "rule", "is_error"),
    [
        ("ARM,W00,2022-07,870323,1,1", "aggregate", False),
        ("ARM,RUS,2022-07,8703,1,1", "not_six_digits", False),
        ("ARM,RUS,2022-07,TOTAL,1,1", "not_six_digits", False),
        ("ARM,RUS,2022-07,8703231,1,1", "bad_code", True),
        ("ARM,RUS,2022-07,cars,1,1", "bad_code", True),
        ("ARM,RUS,2022-07,,1,1", "missing_code", True),
        ("ARM,RUS,2022-13,870323,1,1", "bad_period", True),
        ("ARM,RUS,22-07,870323,1,1", "bad_period", True),
        ("ARM,RUS,,870323,1,1", "bad_period", True),
        ("ARM,RUS,2022-07,870323,,1", "missing", True),
        ("ARM,RUS,2022-07,870323,many,1", "not_a_number", True),
        ("ARM,RUS,2022-07,870323,-1,1", "negative", True),
        ("ARM,RUS,2022-07,870323,2e12,1", "absurd", True),
        ("ARM,RUS,2022-07,870323,1,heavy", "not_a_number", True),
        (",RUS,2022-07,870323,1,1", "unknown_country", True),
    ],
)
def test_a_row_that_cannot_be_used_is_taken_out_by_name(tmp_path: Path, line: str, rule: str, is_error: bool) -> None:
    batch = read(tmp_path, lines=(ROW, line))
    assert batch.flows.height == 1
    assert batch.rejected.select("row", "rule", "is_error").rows() == [(2, rule, is_error)]


@pytest.mark.parametrize(("unit", "grams"), [("g", 2), ("kg", 1500), ("100kg", 150_000), ("t", 1_500_000)])
def test_weights_are_read_in_the_unit_told(tmp_path: Path, unit: str, grams: int) -> None:
    batch = read(tmp_path, TOML.replace('unit = "t"', f'unit = "{unit}"'), ("ARM,RUS,2022-07,870323,1,1.5",))
    assert batch.flows["net_wgt_g"].to_list() == [grams]


def rates(year: int, months: int) -> Context:
    """Rates of 1.01, 1.02, … USD per EUR in the first months of a year."""
    frame = pl.DataFrame(
        {
            "month": [date(year, month, 1) for month in range(1, months + 1)],
            "usd_per_unit": [1 + month / 100 for month in range(1, months + 1)],
        }
    )
    return Context(usd_per={"EUR": frame})


def test_euros_become_dollars_at_the_rate_of_the_month_and_both_are_kept(tmp_path: Path) -> None:
    toml = TOML.replace("multiplier = 1000", 'currency = "EUR"')
    lines = ("ARM,RUS,2022-07,870323,100,1", "ARM,RUS,2022-12,870323,100,1")
    batch = read(tmp_path, toml, lines, context=rates(2022, 11))
    columns = ("primary_value_usd", "reported_value", "currency")
    assert batch.flows.select(columns).rows() == [(107, 100, "EUR")]
    assert batch.rejected.select("row", "rule", "is_error").rows() == [(2, "no_rate", True)]


def test_a_year_is_converted_at_the_mean_of_its_twelve_months_or_not_at_all(tmp_path: Path) -> None:
    toml = TOML.replace("multiplier = 1000", 'currency = "EUR"').replace("%Y-%m", "%Y")
    line = ("ARM,RUS,2022,870323,1000,1",)
    assert read(tmp_path, toml, line, context=rates(2022, 12)).flows["primary_value_usd"].to_list() == [1065]
    for context in (rates(2022, 11), rates(2021, 12), Context()):
        assert read(tmp_path, toml, line, context=context).rejected["rule"].to_list() == ["no_rate"]


def test_a_parquet_and_a_packed_csv_give_what_the_csv_gives(tmp_path: Path) -> None:
    flows = read(tmp_path).flows
    text = f"{HEADER}\n{ROW}\n"
    frame = pl.read_csv(text.encode(), schema_overrides={"hs": pl.String})
    frame.write_parquet(tmp_path / "mine.parquet")
    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("mine.parquet", "mine.csv.gz"):
        raw = RawFile(tmp_path / name, f"own/{name}")
        assert table.claims(raw)
        (batch,) = table.read(raw, Context())
        assert batch.flows.equals(flows)


def test_codes_that_a_parquet_holds_as_numbers_are_refused(tmp_path: Path) -> None:
    read(tmp_path)
    pl.DataFrame(
        {"from": ["ARM"], "to": ["RUS"], "month": ["2022-07"], "hs": [10121], "kusd": [1.0], "t": [1]}
    ).write_parquet(tmp_path / "mine.parquet")
    with pytest.raises(DataRejected, match="leading zeros"):
        list(table.read(RawFile(tmp_path / "mine.parquet", "own/mine.parquet"), Context()))


def test_a_broken_parquet_is_refused_by_name(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / "mine.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(DataRejected, match=r"own/mine\.parquet"):
        list(table.read(RawFile(tmp_path / "mine.parquet", "own/mine.parquet"), Context()))


def test_a_column_that_the_file_has_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="column kusd"):
        read(tmp_path, header=HEADER.replace("kusd", "usd"))


def test_a_key_with_two_values_is_refused_and_an_exact_repeat_folded(tmp_path: Path) -> None:
    batch = read(tmp_path, lines=(ROW, ROW))
    assert (batch.rows_in, batch.flows.height, batch.rows_deduplicated) == (2, 1, 1)
    with pytest.raises(DataRejected, match="rows 1, 2"):
        read(tmp_path, lines=(ROW, ROW.replace("1.2345", "2")))


def test_an_encoding_that_is_not_the_declared_one_is_refused_and_can_be_declared(tmp_path: Path) -> None:
    toml = TOML.replace('"iso3"', '"name"')
    (tmp_path / "mine.toml").write_text(toml, encoding="utf-8")
    path = tmp_path / "mine.csv"
    path.write_bytes(f"{HEADER};note\nTürkiye;Armenia;2022-07;870323;1;1;x\n".replace(",", ";").encode("cp1252"))
    raw = RawFile(path, "own/mine.csv")
    with pytest.raises(DataRejected, match="byte fc"):
        list(table.read(raw, Context()))
    (tmp_path / "mine.toml").write_text(f'encoding = "cp1252"\nseparator = ";"\n{toml}', encoding="utf-8")
    (batch,) = table.read(raw, Context())
    assert batch.flows["reporter_iso"].to_list() == ["TUR"]


def test_one_table_toml_may_speak_for_several_files_of_its_folder(tmp_path: Path) -> None:
    own = TOML.replace("[columns]", '["a.csv".columns]').replace("[value]", '["a.csv".value]')
    own = own.replace("[weight]", '["a.csv".weight]')
    (tmp_path / "table.toml").write_text(f'["a.csv"]\n{own}', encoding="utf-8")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    assert table.claims(RawFile(tmp_path / "a.csv", "own/a.csv"))
    assert not table.claims(RawFile(tmp_path / "b.csv", "own/b.csv"))
    (batch,) = table.read(RawFile(tmp_path / "a.csv", "own/a.csv"), Context())
    assert batch.flows.height == 1


def test_every_fault_of_a_mapping_is_told_at_once(tmp_path: Path) -> None:
    toml = """
    countries = "iso4"
    period = "%H"
    separator = "||"
    encoding = "rot13"
    flow = "export"
    [columns]
    reporter = "from"
    flow = "dir"
    worth = "kusd"
    [flows]
    out = "E"
    [value]
    currency = "euro"
    multiplier = -1
    rate = 2
    [weight]
    unit = "lb"
    """
    with pytest.raises(SettingsWrong) as caught:
        read(tmp_path, toml)
    words = ["iso4", "%H", "||", "rot13", "'export'", "columns.partner", "columns.value", "columns.worth", "'E'"]
    words += ["euro", "-1", "value.rate", "lb", "either flow or columns.flow", "either classification", "mine.toml"]
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("toml", ["unknown = 1", "dataset = 3", "columns = 1", "= broken", ""])
def test_a_mapping_that_is_none_is_refused_by_its_name(tmp_path: Path, toml: str) -> None:
    with pytest.raises(SettingsWrong, match=r"mine\.toml"):
        read(tmp_path, toml)


def test_a_file_without_a_toml_and_a_toml_without_a_table_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n", encoding="utf-8")
    (tmp_path / "b.toml").write_text("", encoding="utf-8")
    for name in ("a.csv", "b.toml"):
        assert not table.claims(RawFile(tmp_path / name, name))


def test_a_broken_table_toml_is_claimed_so_that_reading_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "table.toml").write_text("= broken", encoding="utf-8")
    (tmp_path / "a.csv").write_text("a\n", encoding="utf-8")
    raw = RawFile(tmp_path / "a.csv", "a.csv")
    assert table.claims(raw)
    with pytest.raises(SettingsWrong, match=r"table\.toml"):
        list(table.read(raw, Context()))
