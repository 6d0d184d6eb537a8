"""Cells and mappings that look like something they are not: none is read as another figure, each says why."""

from datetime import date
from pathlib import Path

import pytest

from anomaly.contract.errors import DataRejected, SettingsWrong
from anomaly.sources import comext
from anomaly.sources.base import RawFile
from tests.sources.test_forms import RATES
from tests.sources.test_table_kinds import HEADER, doubts, errors, read, read_file, toml, usd

ROUTE = "KAZ,RUS,2022-01,851713,"


@pytest.mark.parametrize("code", ["851713-851714", "8517-8518", "851713 - 851714", "85171300-85171400"])
def test_a_range_of_codes_is_no_code(tmp_path: Path, code: str) -> None:
    ((rule, reason),) = errors(read(tmp_path, toml(), f"KAZ,RUS,2022-01,{code},5"))
    assert (rule, "a range of codes" in reason) == ("bad_code", True)


@pytest.mark.parametrize("code", ["8517-13", "8517-1300", "85-17-13", "851713-00"])
def test_dashes_within_a_code_are_none_of_a_range(tmp_path: Path, code: str) -> None:
    assert read(tmp_path, toml(), f"KAZ,RUS,2022-01,{code},5").flows["cmd_code"][0][:6] == "851713"


@pytest.mark.parametrize("code", ["8.51713E+05", "8.51713E+09", "8E5"])
def test_a_code_with_an_exponent_has_lost_digits(tmp_path: Path, code: str) -> None:
    ((_, reason),) = errors(read(tmp_path, toml(), f"KAZ,RUS,2022-01,{code},5"))
    assert "codes as text" in reason


@pytest.mark.parametrize(
    "cell", ["$1000", '"(1,000)"', "1234 (p)", "1.2 million", "1234*", "\u22125", "12%", "5 / 6", "1234^2"]
)
def test_what_stands_beside_the_digits_is_named(tmp_path: Path, cell: str) -> None:
    ((rule, reason),) = errors(read(tmp_path, toml(), ROUTE + cell))
    assert (rule, "beside the digits" in reason) == ("not_a_number", True)


@pytest.mark.parametrize(("mapping", "says"), [
    (toml(sections='[marks]\nzero = ["-"]\nwithheld = ["-"]'), "'-' has two meanings"),
    (toml(sections='weight = "usd"'), "'usd' is given two roles"),
    (toml(top='sum_over = ["usd"]'), "'usd' is mapped under"),
])  # fmt: skip
def test_a_mapping_that_says_two_things_of_one_is_refused(tmp_path: Path, mapping: str, says: str) -> None:
    with pytest.raises(SettingsWrong, match=says):
        read(tmp_path, mapping, ROUTE + "5")


def test_rows_to_pass_over_that_are_not_there_are_doubted(tmp_path: Path) -> None:
    lines = ("KAZ,RUS,2022-01,851713,5,west", "KAZ,RUS,2022-02,851713,6,total")
    header = f"{HEADER},region"
    assert "passed_over_nothing" in doubts(
        read(tmp_path, toml(sections='[pass_over]\nregion = ["Total"]'), *lines, header=header)
    )
    batch = read(tmp_path, toml(sections='[pass_over]\nregion = ["total"]'), *lines, header=header)
    assert (usd(batch), doubts(batch)) == ([5], [])


@pytest.mark.parametrize(("rate", "says"), [(440.0, ["rates_may_be_turned"]), (0.0023, [])])
def test_rates_that_may_be_turned_round_are_doubted(tmp_path: Path, rate: float, says: list[str]) -> None:
    mapping = toml(sections=f'[value]\ncurrency = "KZT"\n[value.rates]\n2022 = {rate}')
    assert doubts(read(tmp_path, mapping, ROUTE + "5000")) == says


def page(*rows: str) -> str:
    head = "".join(f"<td>{name}</td>" for name in HEADER.split(","))
    return f"<html><table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table></html>"


def test_a_name_over_several_rows_stands_for_each(tmp_path: Path) -> None:
    first = '<td rowspan="2">KAZ</td><td>RUS</td><td>2022-01</td><td>851713</td><td>5</td>'
    batch = read_file(
        tmp_path, "mine.xls", toml(), page(first, "<td>CHN</td><td>2022-01</td><td>851713</td><td>6</td>")
    )
    assert batch.flows.select("reporter_iso", "partner_iso", "primary_value_usd").rows() == [
        ("KAZ", "RUS", 5),
        ("KAZ", "CHN", 6),
    ]


def test_a_number_over_several_rows_is_refused(tmp_path: Path) -> None:
    first = '<td>KAZ</td><td>RUS</td><td>2022-01</td><td>851713</td><td rowspan="2">5</td>'
    with pytest.raises(DataRejected, match="over several rows"):
        read_file(tmp_path, "mine.xls", toml(), page(first, "<td>KAZ</td><td>CHN</td><td>2022-01</td><td>851713</td>"))


@pytest.mark.parametrize("cell", ["1234<sup>2</sup>", "<s>5</s>6", "<del>5</del>6"])
def test_what_is_raised_or_struck_out_is_no_digit(tmp_path: Path, cell: str) -> None:
    row = f"<td>KAZ</td><td>RUS</td><td>2022-01</td><td>851713</td><td>{cell}</td>"
    ((rule, _),) = errors(read_file(tmp_path, "mine.xls", toml(), page(row)))
    assert rule == "not_a_number"


SDMX = "DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE,OBS_FLAG\n"
AT = "ESTAT:DS-045409(1.0),13/01/23,M,DE,KG,85423190,2,VALUE_IN_EUROS,2022-0"
TSV = "freq,reporter,partner,product,flow,indicators\\TIME_PERIOD\t2022-01 \t2022-02 \nM,DE,KG,85423190,2,VALUE_IN_EUROS\t25 \t"
VIEW = "REPORTER,PARTNER,PRODUCT,FLOW,PERIOD,VALUE_IN_EUR,QUANTITY_IN_100KG\n"
GERMANY = '"Germany","Kyrgyz, Republic","85423190","EXPORT"'


@pytest.mark.parametrize(("name", "text"), [
    ("a.csv", f"{SDMX}{AT}1,25,\n{AT}2,,c\n"),
    ("a.csv", f"{SDMX}{AT}1,25,\n{AT}2,:,\n"),
    ("a.csv", f"{SDMX}{AT}1,25,\n{AT}2,: C,\n"),
    ("a.tsv", f"{TSV}: C \n"),
    ("a.tsv", f"{TSV}:c\n"),
    ("a.csv", f'{VIEW}{GERMANY},"Jan. 2022",25,1\n{GERMANY},"Feb. 2022",:c,:c\n'),
])  # fmt: skip
def test_every_way_to_write_that_eurostat_withholds_says_so(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (batch,) = comext.read(RawFile(tmp_path / name, f"comext/{name}"), RATES)
    assert batch.flows.select("ref_date", "reported_value").rows() == [(date(2022, 1, 1), 25)]
    assert errors(batch) == []
    assert batch.withheld is not None
    assert batch.withheld.select("partner_iso", "ref_date").rows() == [("KGZ", date(2022, 2, 1))]


def test_a_re_export_that_is_withheld_leaves_the_export_that_holds_it_unknown(tmp_path: Path) -> None:
    sections = 'flow = "way"\n[marks]\nwithheld = ["c"]\n[flows]\nE = "X"\nR = "RX"'
    mapping = toml(top='reexports = "added"', flow="", sections=sections)
    batch = read(tmp_path, mapping, f"{ROUTE}5,E", f"{ROUTE}c,R", header=f"{HEADER},way")
    assert batch.withheld is not None
    assert sorted(batch.withheld["flow_code"]) == ["RX", "X"]
