"""What tables of one's own bring: each kind is read with the right figure in it, or refused with what to write."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anomaly.contract.errors import AnomalyError, DataRejected, SettingsWrong
from anomaly.sources import table
from anomaly.sources.base import DOUBT_COLUMNS, Batch, Context, RawFile
from anomaly.sources.own_table.periods import format_fault

COLUMNS = {"reporter": "rep", "partner": "par", "period": "when", "code": "hs", "value": "usd"}
HEADER = "rep,par,when,hs,usd"


def toml(top: str = "", sections: str = "", without: tuple[str, ...] = (), **changed: str) -> str:
    """A mapping: `top` before and `sections` after [columns], roles left out or named otherwise."""
    settings = {"countries": '"iso3"', "period": '"%Y-%m"', "flow": '"X"', "classification": '"H6"', **changed}
    lines = [f"{key} = {value}" for key, value in settings.items() if value]
    lines += [top, "[columns]", *(f'{role} = "{name}"' for role, name in COLUMNS.items() if role not in without)]
    return "\n".join([*lines, sections]) + "\n"


def read(folder: Path, mapping: str, *lines: str, header: str = HEADER, context: Context | None = None) -> Batch:
    return read_file(folder, "mine.csv", mapping, "\n".join((header, *lines)) + "\n", context)


def read_file(folder: Path, name: str, mapping: str, content: str | bytes, context: Context | None = None) -> Batch:
    (folder / "mine.toml").write_text(mapping, encoding="utf-8")
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (batch,) = table.read(RawFile(folder / name, name), context or Context())
    return batch


def usd(batch: Batch) -> list[int]:
    return batch.flows.sort("ref_date", "cmd_code")["primary_value_usd"].to_list()


def errors(batch: Batch) -> list[tuple[str, str]]:
    bad = batch.rejected.filter("is_error")
    return list(bad.select("rule", "reason").iter_rows())


def doubts(batch: Batch) -> list[str]:
    assert batch.doubts is not None
    assert batch.doubts.columns == list(DOUBT_COLUMNS)
    return batch.doubts["rule"].to_list()


# codes


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("'", "not a commodity code"),
        ("30214.0", "zeros at its begin are lost"),
        ("84713.0", "zeros at its begin are lost"),
        ("30214", "5 digits: a zero is lost"),
        ("8517.1", "5 digits: a zero is lost"),
        ("302", "3 digits: a zero is lost"),
        ("851712", "a code of HS 2007, HS 2012, HS 2017, not of HS 2022"),
        ("16854231", "no code of the HS: it has no heading 1685"),
        ("771234", "it has no chapter 77"),
        ("8500", "no chapter or heading of the HS"),
        ("phones", "not a commodity code"),
    ],
)
def test_a_code_that_is_none_is_an_error_that_says_why(tmp_path: Path, code: str, says: str) -> None:
    ((rule, reason),) = errors(read(tmp_path, toml(), f"KAZ,RUS,2022-03,{code},5"))
    assert rule == "bad_code"
    assert says in reason


@pytest.mark.parametrize(
    ("code", "means"),
    [("'851713", "851713"), ("8517.13", "851713"), ("8517 13 00", "85171300"), ("8517130000", "851713"), ("HS851713", "851713")],
)  # fmt: skip
def test_a_code_is_read_however_it_is_written(tmp_path: Path, code: str, means: str) -> None:
    assert read(tmp_path, toml(), f"KAZ,RUS,2022-03,{code},5").flows["cmd_code"].to_list() == [means]


def test_zeros_are_put_back_where_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = toml(sections='[code]\nzeros = "restore"')
    batch = read(
        tmp_path, mapping, "NOR,KAZ,2022-03,30214.0,5", "NOR,KAZ,2022-03,30617,7", "NOR,KAZ,2022-03,851713.0,9"
    )
    assert batch.flows["cmd_code"].to_list() == ["030214", "030617", "851713"]


def test_seven_digits_have_lost_a_zero_and_it_is_told(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(classification='"CN2022"'), "DEU,KAZ,2022-03,3021400,5", "DEU,KAZ,2022-03,85423190,7")
    assert batch.flows["cmd_code"].to_list() == ["03021400", "85423190"]
    assert "zeros_restored" in doubts(batch)


def test_a_code_below_zero_is_a_sum_of_the_publisher_and_no_error(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(), "GBR,KAZ,2022-03,-990,5000", "GBR,KAZ,2022-03,854231,7")
    assert usd(batch) == [7]
    assert batch.rejected.select("rule", "is_error").rows() == [("code_of_a_sum", False)]


def test_years_before_the_edition_are_in_the_one_in_force_then(tmp_path: Path) -> None:
    lines = ("KAZ,RUS,2021-12,851712,5", "KAZ,RUS,2022-01,851713,5", "KAZ,RUS,2021-12,852990,1")
    batch = read(tmp_path, toml(), *lines)
    assert set(batch.flows.select("cmd_code", "classification_code").rows()) == {
        ("851712", "H5"), ("851713", "H6"), ("852990", "H5"),
    }  # fmt: skip
    assert "edition_by_year" in doubts(batch)


def test_a_table_converted_to_a_later_edition_stays_in_it_and_is_doubted(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(), "KAZ,RUS,2019-12,851713,5", "KAZ,RUS,2022-01,851713,5")
    assert batch.flows["classification_code"].unique().to_list() == ["H6"]
    assert "edition_before_its_time" in doubts(batch)


def test_the_edition_may_be_that_of_the_year(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(classification='"by year"'), "KAZ,RUS,2021-12,851712,5", "KAZ,RUS,2022-01,851713,5")
    assert batch.flows["classification_code"].to_list() == ["H5", "H6"]
    assert doubts(batch) == []


# parts and totals


def test_six_digits_hold_their_national_lines_and_headings_their_codes(tmp_path: Path) -> None:
    lines = ("KAZ,RUS,2022-01,8517,2500", "KAZ,RUS,2022-01,851713,2000", "KAZ,RUS,2022-01,85171300,2000")
    batch = read(tmp_path, toml(), *lines)
    assert batch.flows.select("cmd_code", "primary_value_usd").rows() == [("851713", 2000)]
    assert set(batch.rejected["rule"]) == {"not_six_digits", "part_of_six_digits"}
    assert not batch.rejected["is_error"].any()


def test_six_digits_less_than_their_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="its national lines add up to 9,000,000"):
        read(tmp_path, toml(), "KAZ,RUS,2022-01,851713,2000000", "KAZ,RUS,2022-01,85171300,9000000")


def test_headings_alone_are_goods_of_their_own(tmp_path: Path) -> None:
    batch = read(
        tmp_path, toml(), "KGZ,RUS,2022-01,8517,2500", "KGZ,RUS,2022-01,8542,100", "KGZ,RUS,2022-01,TOTAL,9000"
    )
    assert batch.flows["cmd_code"].to_list() == ["8517", "8542"]


def test_national_lines_are_added_up_and_so_are_parts_of_one(tmp_path: Path) -> None:
    lines = ("RUS,KAZ,2021-01,8542319010,3042,A", "RUS,KAZ,2021-01,8542319010,9042,B", "RUS,KAZ,2021-01,8542311000,1,A")
    batch = read(tmp_path, toml(), *lines, header=f"{HEADER},region")
    assert usd(batch) == [12_085]
    assert batch.rows_deduplicated == 2
    assert "lines_added_up" in doubts(batch)


def test_rows_of_one_key_are_refused_with_the_column_that_tells_them_apart(tmp_path: Path) -> None:
    lines = ("RUS,KAZ,2022-01,854231,30,Moscow", "RUS,KAZ,2022-01,854231,90,Tver")
    with pytest.raises(DataRejected, match=r'sum_over = \["region"\]'):
        read(tmp_path, toml(), *lines, header=f"{HEADER},region")
    assert usd(read(tmp_path, toml(top='sum_over = ["region"]'), *lines, header=f"{HEADER},region")) == [120]


def test_rows_are_passed_over_by_column_and_value(tmp_path: Path) -> None:
    lines = ("RUS,KAZ,2022-01,854231,30,Moscow", "RUS,KAZ,2022-01,854231,90,All")
    batch = read(tmp_path, toml(sections='[pass_over]\nregion = ["All"]'), *lines, header=f"{HEADER},region")
    assert usd(batch) == [30]
    assert batch.rejected.select("rule", "column", "is_error").rows() == [("passed_over", "region", False)]


# numbers


@pytest.mark.parametrize(
    ("cells", "means"),
    [
        (("1.033,50", "12500,00"), [1034, 12500]),
        (('"5,400,123"', '"9,400,123"'), [5_400_123, 9_400_123]),
        (('"12,34,567"', "89"), [1_234_567, 89]),
        (("1 234 567", "89"), [1_234_567, 89]),
        (("1'234'567.5", "89"), [1_234_568, 89]),
        (("1.234.567", "1.033"), [1_234_567, 1033]),
        (("12.5", "7.25"), [13, 7]),
    ],
)
def test_marks_are_read_where_the_cells_prove_them(tmp_path: Path, cells: tuple[str, str], means: list[int]) -> None:
    lines = [f"KAZ;RUS;2022-0{n};851713;{cell}" for n, cell in enumerate(cells, start=1)]
    assert usd(read(tmp_path, toml(separator='";"'), *lines, header=HEADER.replace(",", ";"))) == means


def test_three_digits_after_every_point_are_refused_until_the_mapping_says_what_they_are(tmp_path: Path) -> None:
    lines = ("TUR,RUS,2022-01,851713,1.033", "TUR,RUS,2022-02,851713,984")
    with pytest.raises(DataRejected, match=r'thousands = "\."') as caught:
        read(tmp_path, toml(), *lines)
    assert "1.033" in str(caught.value)
    assert usd(read(tmp_path, toml(sections='[number]\nthousands = "."'), *lines)) == [1033, 984]
    assert usd(read(tmp_path, toml(sections='[number]\ndecimal = "."'), *lines)) == [1, 984]


def test_a_comma_that_may_be_either_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    ((rule, reason),) = errors(read(tmp_path, toml(), 'KAZ,RUS,2022-01,851713,"1,234"'))
    assert rule == "not_a_number"
    assert "[number]" in reason


def test_marks_for_no_value_mean_what_the_mapping_says(tmp_path: Path) -> None:
    lines = (
        "KAZ,RUS,2022-01,851713,1000",
        "KAZ,RUS,2022-02,851713,-",
        "KAZ,RUS,2022-03,851713,c",
        "KAZ,RUS,2022-04,851713,:",
    )
    assert all("[marks]" in reason for _, reason in errors(read(tmp_path, toml(), *lines)))
    marks = '[marks]\nzero = ["-"]\nwithheld = ["c"]\nunknown = [":"]'
    batch = read(tmp_path, toml(sections=marks), *lines)
    assert usd(batch) == [1000, 0]
    assert batch.rejected.select("rule", "is_error").rows() == [("withheld", False), ("no_value", False)]
    assert "values_not_known" in doubts(batch)


WITHHELD = '[marks]\nwithheld = ["c"]'


@pytest.mark.parametrize("lines", [
    ("KAZ,RUS,2022-01,851713,1000,west", "KAZ,RUS,2022-01,851713,c,east"),
    ("KAZ,RUS,2022-01,8517130001,1000,", "KAZ,RUS,2022-01,8517130009,c,"),
    ("KAZ,RUS,2022-01,85171300,1000,", "KAZ,RUS,2022-01,85171301,c,"),
    ("KAZ,RUS,2022-01,8517,1000,west", "KAZ,RUS,2022-01,8517,c,east"),
])  # fmt: skip
def test_a_sum_of_which_a_part_is_withheld_is_unknown(tmp_path: Path, lines: tuple[str, str]) -> None:
    other = "KAZ,CHN,2022-01,010121,7,west"
    mapping = toml(top='sum_over = ["region"]', sections=WITHHELD)
    batch = read(tmp_path, mapping, *lines, other, header=f"{HEADER},region")
    assert usd(batch) == [7]
    assert batch.rejected.select("rule", "is_error").rows() == [("part_not_known", False), ("withheld", False)]
    assert batch.doubts is not None
    assert batch.doubts.select("rule", "partner_iso").rows() == [("values_not_known", "RUS")]


def test_six_digits_are_whole_whatever_is_withheld_of_their_lines(tmp_path: Path) -> None:
    lines = ("KAZ,RUS,2022-01,851713,1000", "KAZ,RUS,2022-01,8517130001,c")
    assert usd(read(tmp_path, toml(sections=WITHHELD), *lines)) == [1000]


def test_one_code_may_stand_for_the_whole_table(tmp_path: Path) -> None:
    mapping = toml(without=("code",), sections='[code]\nconstant = "851713"')
    assert read(tmp_path, mapping, "KAZ,RUS,2022-01,,5").flows["cmd_code"].to_list() == ["851713"]


def test_a_weight_that_is_a_mark_is_unknown_and_its_row_stays(tmp_path: Path) -> None:
    mapping = toml(weight="") + 'weight = "kg"\n'
    lines = [f"KAZ,RUS,2022-0{n},851713,1000,{kg}" for n, kg in enumerate(("12", "NA", "-"), start=1)]
    batch = read(tmp_path, mapping, *lines, header=f"{HEADER},kg")
    assert batch.flows["net_wgt_g"].to_list() == [12_000, None, None]


# countries


def test_a_partner_written_as_missing_is_not_namibia(tmp_path: Path) -> None:
    ((rule, reason),) = errors(read(tmp_path, toml(countries='"name"'), "Germany,NA,2022-01,854231,5"))
    assert rule == "unknown_country"
    assert "missing" in reason


@pytest.mark.parametrize(
    ("system", "text", "iso3"),
    [("iso3", "ROM", "ROU"), ("iso3", "ZAR", "COD"), ("m49", "381", "ITA"), ("name", "Taipei, Chinese", "TWN"), ("name", "Türkiye", "TUR")],
)  # fmt: skip
def test_what_publishers_write_beside_a_system_is_known(tmp_path: Path, system: str, text: str, iso3: str) -> None:
    rus = {"iso3": "RUS", "m49": "643", "name": "Russia"}[system]
    flows = read(tmp_path, toml(countries=f'"{system}"'), f'"{text}",{rus},2022-01,851713,5').flows
    assert flows["reporter_iso"].to_list() == [iso3]


@pytest.mark.parametrize(
    ("system", "text"),
    [("iso3", "WLD"), ("iso3", "EUN"), ("name", "TOTAL FOR ALL COUNTRIES"), ("name", "NATO"), ("name", "Rest of World"), ("name", "EU27_2020")],
)  # fmt: skip
def test_totals_and_groups_are_aggregates_and_no_error(tmp_path: Path, system: str, text: str) -> None:
    pair = {"iso3": "KAZ,RUS", "name": "Kazakhstan,Russia"}[system]
    lines = (f"{pair},2022-01,851713,5", f"{pair.split(',')[0]},{text},2022-01,851713,9")
    batch = read(tmp_path, toml(countries=f'"{system}"'), *lines)
    assert usd(batch) == [5]
    assert batch.rejected.select("rule", "is_error").rows() == [("aggregate", False)]


def test_a_dictionary_of_countries_lies_beside_the_table_or_in_the_mapping(tmp_path: Path) -> None:
    lines = ("CHN,俄罗斯联邦,2022-01,854231,5", "CHN,合计,2022-01,854231,9", "CHN,616,2022-01,854231,7")
    bad = [reason for _, reason in errors(read(tmp_path, toml(), *lines))]
    assert all("[country]" in reason for reason in bad)
    (tmp_path / "names.csv").write_text("text,iso3\n俄罗斯联邦,RUS\n616,IRN\n", encoding="utf-8")
    mapping = toml(top='country_table = "names.csv"', sections='[country]\n"合计" = "aggregate"')
    batch = read(tmp_path, mapping, *lines)
    assert sorted(batch.flows["partner_iso"]) == ["IRN", "RUS"]
    with pytest.raises(SettingsWrong, match=r"names2\.csv is named and is not beside it"):
        read(tmp_path, toml(top='country_table = "names2.csv"'), *lines)


def test_numbers_taken_for_m49_are_doubted_with_what_they_were_taken_for(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(countries='"m49"'), "826,616,2022-01,854231,5")
    assert batch.doubts is not None
    assert "616 is POL" in batch.doubts["figures"][0]


def test_reporter_and_partner_may_be_constants(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match='reporter = "USA"'):
        read(tmp_path, toml(without=("reporter",)), "USA,RUS,2022-01,854231,5")
    batch = read(tmp_path, toml(without=("reporter",), top='reporter = "USA"'), "x,RUS,2022-01,854231,5")
    assert batch.flows["reporter_iso"].to_list() == ["USA"]


# periods


@pytest.mark.parametrize(
    ("text", "cell", "day"),
    [
        ("%b-%y", "Jul-22", date(2022, 7, 1)),
        ("%B %Y", "September 2022", date(2022, 9, 1)),
        ("%m/%Y", "01/2021", date(2021, 1, 1)),
        ("%YM%m", "2022M07", date(2022, 7, 1)),
        ("%d.%m.%Y", "31.12.2021", date(2021, 12, 1)),
    ],
)
def test_a_period_is_read_as_it_is_written(tmp_path: Path, text: str, cell: str, day: date) -> None:
    batch = read(tmp_path, toml(period=f'"{text}"', classification='"by year"'), f"ARM,RUS,{cell},854231,5")
    assert batch.flows["ref_date"].to_list() == [day]


def test_months_may_have_names_of_a_language_and_a_column_of_their_own(tmp_path: Path) -> None:
    header, lines = f"{HEADER},m", ("ARM,RUS,2022,854231,5,июль", "ARM,RUS,2022,854231,7,августа")
    with pytest.raises(DataRejected, match=r"add up the rows|tells them apart"):
        read(tmp_path, toml(period='"%Y"'), *lines, header=header)
    mapping = toml(period='"%Y"', top='month_names = "ru"') + 'month = "m"\n'
    assert read(tmp_path, mapping, *lines, header=header).flows["ref_date"].to_list() == [
        date(2022, 7, 1),
        date(2022, 8, 1),
    ]


def test_a_column_of_months_that_is_not_mapped_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r'columns\.month = "month"'):
        read(
            tmp_path,
            toml(period='"%Y"'),
            "ARM,RUS,2022,854231,5,7",
            "ARM,RUS,2022,854231,6,8",
            header=f"{HEADER},month",
        )


def test_months_of_a_year_that_begins_in_april_are_those_of_the_calendar(tmp_path: Path) -> None:
    mapping = toml(period='"%Y"', top="year_begins = 4") + 'month = "m"\n'
    batch = read(tmp_path, mapping, "IND,RUS,2021,854231,5,1", "IND,RUS,2021,854231,6,12", header=f"{HEADER},m")
    assert batch.flows["ref_date"].to_list() == [date(2021, 4, 1), date(2022, 3, 1)]


@pytest.mark.parametrize(
    ("text", "cell"), [("%YQ%q", "2022Q2"), ("Q%q %Y", "Q2 2022"), ("%q квартал %Y", "II квартал 2022")]
)
def test_a_quarter_is_a_period_of_its_own_dated_at_its_first_month(tmp_path: Path, text: str, cell: str) -> None:
    batch = read(tmp_path, toml(period=f'"{text}"'), f"IND,RUS,{cell},854231,10")
    assert batch.flows.select("freq_code", "ref_date", "primary_value_usd").rows() == [("Q", date(2022, 4, 1), 10)]


def test_quarters_of_a_year_that_begins_in_april_are_those_of_the_calendar(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(period='"%YQ%q"', top="year_begins = 4"), "IND,RUS,2021Q4,854231,7")
    assert batch.flows["ref_date"].to_list() == [date(2022, 1, 1)]


def test_quarters_that_are_none_of_the_calendar_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="expected 1, 4, 7 or 10"):
        read(tmp_path, toml(period='"%YQ%q"', top="year_begins = 2"), "IND,RUS,2021Q4,854231,7")


def test_quarters_that_are_sums_of_the_year_so_far_are_taken_apart(tmp_path: Path) -> None:
    lines = [f"IND,RUS,2022Q{n},854231,{100 * n}" for n in (1, 2, 3, 4)]
    assert usd(read(tmp_path, toml(period='"%YQ%q"', top="cumulative = true"), *lines)) == [100] * 4


def test_sums_of_a_year_that_begins_in_april_are_taken_apart_from_april_on(tmp_path: Path) -> None:
    lines = [f"IND,RUS,2022,854231,{100 * n},{n}" for n in range(1, 13)]
    mapping = toml(period='"%Y"', top="year_begins = 4\ncumulative = true") + 'month = "m"\n'
    assert usd(read(tmp_path, mapping, *lines, header=f"{HEADER},m")) == [100] * 12


def test_a_quarter_is_worth_the_mean_of_its_three_months(tmp_path: Path) -> None:
    rates = '{ "2022-01" = 0.1, "2022-02" = 0.2, "2022-03" = 0.3, "2022-04" = 9.0 }'
    mapping = toml(period='"%YQ%q"', sections=f'[value]\ncurrency = "KZT"\nrates = {rates}')
    batch = read(tmp_path, mapping, "KAZ,RUS,2022Q1,851713,1000", "KAZ,RUS,2022Q2,851713,1000")
    assert usd(batch) == [200]
    assert [rule for rule, _ in errors(batch)] == ["no_rate"]


@pytest.mark.parametrize("text", ["%YH%q", "H%q %Y", "%q полугодие %Y"])
def test_half_years_are_no_quarters(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsWrong, match="no half-years"):
        read(tmp_path, toml(period=f'"{text}"'), "IND,RUS,2021H1,854231,7")


@pytest.mark.parametrize("text", ["%YQ%q", "Quarters %q %Y", "Q%q %Y"])
def test_formats_of_quarters_are_no_half_years(text: str) -> None:
    assert format_fault(text) == ""


def test_first_and_second_quarters_alone_are_doubted_to_be_halves(tmp_path: Path) -> None:
    lines = [f"IND,RUS,{year}-{n},854231,{5 - n}" for year in (2022, 2023) for n in (1, 2)]
    assert "all_first_halves" in doubts(read(tmp_path, toml(period='"%Y-%q"'), *lines))


@pytest.mark.parametrize(("text", "cell"), [("%Y-%y", "2022-23"), ("%Y/%Y", "2022/2023")])
def test_a_year_named_by_the_two_it_lies_in_is_a_fiscal_one(tmp_path: Path, text: str, cell: str) -> None:
    mapping = toml(period=f'"{text}"', top="year_begins = 4")
    batch = read(tmp_path, mapping, f"IND,RUS,{cell},854231,5", f"IND,RUS,{cell[:-1]}9,854231,6")
    assert batch.flows.select("freq_code", "ref_date").rows() == [("A", date(2022, 1, 1))]
    assert [rule for rule, _ in errors(batch)] == ["bad_period"]
    with pytest.raises(SettingsWrong, match="year_begins is missing"):
        read(tmp_path, toml(period=f'"{text}"'), f"IND,RUS,{cell},854231,5")


@pytest.mark.parametrize(
    ("text", "cell"),
    [("%Y-%m-%d", "2022-07-01 00:00:00"), ("%Y-%m-%d", "2022-07-01T00:00:00.000"), ("%Y%m", "202207.0")],
)
def test_a_period_is_read_as_data_frames_write_it(tmp_path: Path, text: str, cell: str) -> None:
    batch = read(tmp_path, toml(period=f'"{text}"'), f"IND,RUS,{cell},854231,5")
    assert batch.flows["ref_date"].to_list() == [date(2022, 7, 1)]


def test_an_hour_of_a_day_is_no_period(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(period='"%Y-%m-%d"'), "IND,RUS,2022-07-01 13:00:00,854231,5")
    assert [rule for rule, _ in errors(batch)] == ["bad_period"]


def test_by_year_may_stand_in_a_column_of_editions(tmp_path: Path) -> None:
    mapping = toml(classification="") + 'classification = "ed"\n'
    batch = read(tmp_path, mapping, "KAZ,RUS,2022-01,851713,5,by year", header=f"{HEADER},ed")
    assert batch.flows["classification_code"].to_list() == ["H6"]


@pytest.mark.parametrize(("text", "iso3"), [("Российская Федерация", "RUS"), ("китай", "CHN"), ("Кот-д'Ивуар", "CIV")])
def test_russian_names_of_countries_are_known(tmp_path: Path, text: str, iso3: str) -> None:
    batch = read(tmp_path, toml(countries='"name"'), f"Казахстан,{text},2022-01,851713,5")
    assert batch.flows.select("reporter_iso", "partner_iso").rows() == [("KAZ", iso3)]


def test_a_fiscal_year_says_which_months_it_has(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(period='"%Y"', top="year_begins = 4"), "IND,RUS,2022,854231,5")
    assert batch.doubts is not None
    assert batch.doubts.select("rule", "figures").rows() == [("fiscal_years", "2022 is Apr 2022 to Mar 2023")]


def test_sums_from_january_on_are_doubted_and_taken_apart_where_the_mapping_says_so(tmp_path: Path) -> None:
    lines = [
        f"KGZ,RUS,{year}-{n:02},848210,{100 * n * (1 + year - 2021)}" for year in (2021, 2022) for n in range(1, 13)
    ]
    assert "months_only_rise" in doubts(read(tmp_path, toml(classification='"by year"'), *lines))
    batch = read(tmp_path, toml(classification='"by year"', top="cumulative = true"), *lines)
    assert usd(batch) == [100] * 12 + [200] * 12
    assert doubts(batch) == []


def test_a_gap_in_sums_from_january_on_is_set_aside(tmp_path: Path) -> None:
    lines = ("KGZ,RUS,2022-01,848210,1", "KGZ,RUS,2022-03,848210,9", "KGZ,RUS,2022-04,848210,11")
    batch = read(tmp_path, toml(top="cumulative = true"), *lines)
    assert usd(batch) == [1, 2]
    assert batch.rejected["rule"].to_list() == ["no_month_before"]


def test_years_dated_at_their_first_day_are_doubted(tmp_path: Path) -> None:
    lines = ("KAZ,RUS,2021-01-01,854231,60", "KAZ,RUS,2022-01-01,854231,90")
    assert "all_januaries" in doubts(read(tmp_path, toml(period='"%Y-%m-%d"'), *lines))
    assert read(tmp_path, toml(period='"%Y-01-01"'), *lines).flows["freq_code"].to_list() == ["A", "A"]


def test_a_month_of_zeros_everywhere_is_not_reported(tmp_path: Path) -> None:
    goods, partners = ("854231", "848210", "901380"), ("KGZ", "KAZ")
    lines = [
        f"JPN,{partner},2022-{n:02},{good},{0 if n > 9 else 1000}" for n in range(1, 13) for good in goods for partner in partners
    ]  # fmt: skip
    batch = read(tmp_path, toml(), *lines)
    assert batch.flows["ref_date"].max() == date(2022, 9, 1)
    assert batch.rejected["rule"].unique().to_list() == ["not_reported"]


# how the table lies in the file


def test_a_wide_table_has_a_row_for_each_period_in_its_names(tmp_path: Path) -> None:
    header = "rep,par,hs,Exported value in 2021,Exported value in 2022"
    mapping = toml(
        period="",
        without=("period", "value"),
        classification='"by year"',
        sections='[wide]\nvalue = "Exported value in %Y"',
    )
    batch = read(tmp_path, mapping, "KAZ,RUS,854231,5000,178000", header=header)
    assert batch.flows.select("ref_date", "primary_value_usd").rows() == [
        (date(2021, 1, 1), 5000),
        (date(2022, 1, 1), 178000),
    ]
    with pytest.raises(DataRejected, match=r"\[wide\] value"):
        read(
            tmp_path,
            toml(period='"%Y"').replace('"when"', '"Exported value in 2022"'),
            "KAZ,RUS,854231,50,178,1",
            header=f"{header},usd",
        )


def test_titles_above_and_notes_below_are_no_rows(tmp_path: Path) -> None:
    body = f"External trade\nthousand USD\n\n{HEADER}\nKAZ,RUS,2022-07,851713,1000\n\nSource: the office\n"
    with pytest.raises(DataRejected, match="header_row = 4"):
        read_file(tmp_path, "mine.csv", toml(), body)
    batch = read_file(tmp_path, "mine.csv", toml(top="header_row = 4"), body)
    assert usd(batch) == [1000]
    assert batch.rejected.select("rule", "value").rows() == [("note", None)]


def test_a_foot_of_several_cells_is_named_by_its_rows(tmp_path: Path) -> None:
    lines = ("KAZ,RUS,2022-07,851713,1000", "all,of,it,,1000")
    assert len(errors(read(tmp_path, toml(), *lines))) == 1
    assert usd(read(tmp_path, toml(top="foot_rows = 1"), *lines)) == [1000]


def test_a_row_that_was_cut_is_no_note(tmp_path: Path) -> None:
    batch = read_file(tmp_path, "mine.csv", toml(), f"{HEADER}\nKAZ,RUS,2022-07,851713,1000\nKA")
    assert len(errors(batch)) == 1


def test_a_wrong_separator_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match='separator = ";"'):
        read_file(tmp_path, "mine.csv", toml(), f"{HEADER}\n".replace(",", ";"))


# re-exports and rates


def test_reexports_beside_exports_are_added_where_the_mapping_says_so(tmp_path: Path) -> None:
    sections = 'flow = "way"\n[flows]\n"Export" = "X"\n"Re-Export" = "RX"'
    lines = (
        "ARE,RUS,2022-01,851713,1,Export",
        "ARE,RUS,2022-01,851713,250,Re-Export",
        "ARE,IRN,2022-01,851713,7,Re-Export",
    )
    header = f"{HEADER},way"
    as_it_is = read(tmp_path, toml(flow="", sections=sections), *lines, header=header).flows
    assert as_it_is.filter(pl.col("flow_code") == "X")["primary_value_usd"].to_list() == [1]
    added = read(tmp_path, toml(flow="", top='reexports = "added"', sections=sections), *lines, header=header).flows
    exports = added.filter(pl.col("flow_code") == "X").sort("partner_iso")
    assert exports.select("partner_iso", "primary_value_usd").rows() == [("IRN", 7), ("RUS", 251)]


@pytest.mark.parametrize("rates", ['{ "2022-01" = 0.0023 }', '{ "2022" = 0.0023 }', '"kzt.csv"'])
def test_rates_of_ones_own_are_used(tmp_path: Path, rates: str) -> None:
    (tmp_path / "kzt.csv").write_text("period,usd_per_unit\n2022-01,0.0023\n", encoding="utf-8")
    mapping = toml(sections=f'[value]\ncurrency = "KZT"\nrates = {rates}')
    assert usd(read(tmp_path, mapping, "KAZ,RUS,2022-01,851713,1000000")) == [2300]


def test_a_currency_without_rates_is_refused_with_the_key(tmp_path: Path) -> None:
    ((rule, reason),) = errors(read(tmp_path, toml(sections='[value]\ncurrency = "KZT"'), "KAZ,RUS,2022-01,851713,1"))
    assert rule == "no_rate"
    assert "[value] rates" in reason


@pytest.mark.parametrize(
    "change",
    ['header_row = "four"', "cumulative = 1", 'month_names = "xx"', "sum_over = 5", 'reexports = "maybe"', "year_begins = 13", 'encoding = "rot13"'],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_is_refused_by_its_key(tmp_path: Path, change: str) -> None:
    with pytest.raises(SettingsWrong, match=change.split(" ")[0]):
        read(tmp_path, toml(top=change), "KAZ,RUS,2022-01,851713,1")


def test_every_mapping_ends_in_a_sentence(tmp_path: Path) -> None:
    odd: list[Any] = [
        "[value]\nrates = [1]",
        '[number]\ndecimal = "x"',
        '[marks]\nzero = "-"',
        "[country]\nx = 5",
        "[wide]\nvalue = 5",
    ]
    for sections in odd:
        with pytest.raises(AnomalyError):
            read(tmp_path, toml(sections=sections), "KAZ,RUS,2022-01,851713,1")


def test_totals_alone_are_a_good_of_their_own(tmp_path: Path) -> None:
    batch = read(tmp_path, toml(), "KAZ,RUS,2022-01,TOTAL,2500", "KAZ,DEU,2022-01,TOTAL,100")
    assert batch.flows["cmd_code"].to_list() == ["TOTAL", "TOTAL"]
    assert (batch.rows_in, batch.rows_deduplicated) == (2, 0)
