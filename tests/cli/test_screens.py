"""Answers on a screen: nothing wider than it, no number cut, no column lost, and nothing that acts on a terminal."""

import itertools
import json
import re
import shlex

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from anomaly.cli import output
from anomaly.cli.commands import main
from anomaly.cli.completion import codes, countries
from anomaly.cli.examples import EXAMPLES
from anomaly.cli.layout import Column, laid_out
from anomaly.cli.output import FORMATS, short
from anomaly.cli.sparks import has_blocks, lines_of, sparkline
from anomaly.contract import schema
from anomaly.contract.visible import visible
from tests import query_tables
from tests.cli.test_cli import loaded_by
from tests.query_tables import FLAG_ID, write_store

ACTS = "\x1b]0;own\x07\x1b[2J\x9b\u202e\u2066\u200f\u2028\r"
ROUTE = ("8517.12", "--exporter", "KAZ", "--importer", "RUS", "--period", "2022H1")
PRINT_DATA = {  # a command that prints data → whether a planted text is among them
    ("query", *ROUTE): True,
    ("query", "8517.12"): True,
    ("explain", FLAG_ID): True,
    ("explain", "870323:ARM:RUS"): True,
    ("series", "8517.12", "KAZ", "RUS"): True,
    ("sources", "--doubts"): True,
    ("goods",): False,
    ("hubs",): False,
    ("compare", "KAZ", "ARM"): False,
    ("tables",): False,
    ("tables", "flags"): False,
    ("scenarios",): False,
    ("sources",): False,
    ("indicators",): False,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("screens") / "processed"
    root.mkdir()
    write_store(root)
    return root


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The same tables with letters that act in every text that is free."""
    root = tmp_path_factory.mktemp("planted") / "processed"
    root.mkdir()
    frames, reported = query_tables.frames, query_tables.reported

    def hostile_frames():
        tables = frames()
        text = pl.lit(f"planted{ACTS}")
        flags = tables["flags"].with_columns(
            reasons=pl.Series([[planted_reason()]]), caveats=pl.Series([[f"planted{ACTS}"]]), evidence=text
        )
        return tables | {
            "flags": flags,
            "bilateral": tables["bilateral"].with_columns(source=text, dataset=text),
            "features": tables["features"].with_columns(source=text),
            "flows.doubts": pl.DataFrame(
                [dict.fromkeys(schema.TABLES["flows.doubts"].column_names(), f"planted{ACTS}")]
            ),
        }

    def hostile_reported(rows=None):
        flows, files = reported(rows)
        return flows, files.with_columns(path=pl.lit("planted" + ACTS) + pl.col("path"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_tables, "frames", hostile_frames)
        patch.setattr(query_tables, "reported", hostile_reported)
        write_store(root)
    return root


def planted_reason():
    return {"indicator": "surge_log", "value": 1.57, "unit": "log", "threshold": 0.405, "text": f"planted{ACTS}"}


def run(data, *arguments, columns=None):
    return CliRunner(env={"COLUMNS": columns}).invoke(main, [*arguments, "--data", str(data)], prog_name="anomaly")


WIDE = [
    ("query", "8517.12"),
    ("query", *ROUTE),
    ("query", "8703"),
    ("series", "870323", "ARM", "RUS"),
    ("hubs",),
    ("goods",),
    ("compare", "KAZ", "DEU"),
]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", WIDE, ids=" ".join)
def test_no_line_is_wider_than_the_screen(data, command, columns):
    result = run(data, *command, columns=str(columns))
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= columns


@pytest.mark.parametrize("columns", ["80", "120", None])
def test_hubs_keep_their_names_and_goods_theirs(data, columns):
    assert "Kazakhstan" in run(data, "hubs", columns=columns).stdout
    assert "mobile phones" in run(data, "goods", columns=columns).stdout


def test_a_pipe_gets_every_digit_and_a_narrow_screen_short_amounts(data):
    assert "178,000,000" in run(data, "query", *ROUTE).stdout
    narrow = run(data, "query", *ROUTE, columns="80").stdout
    assert "178.0 m" in narrow or "178,000,000" in narrow


def test_programs_get_every_digit_on_a_narrow_screen_too(data):
    for form in ("csv", "json", "ndjson"):
        assert run(data, "hubs", "--format", form, columns="40").stdout == run(data, "hubs", "--format", form).stdout


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (950, "950"), (999_949, "999.9 k"), (999_950, "1.0 m"), (12_345, "12.3 k"), (37_000_000, "37.0 m"),
        (999_999_999, "1.0 bn"), (3_658_100_000, "3.7 bn"), (-53_900_000, "-53.9 m"),
    ],
)  # fmt: skip
def test_a_short_amount_is_rounded_into_its_own_size(value, text):
    assert short("value_usd", value, "") == text


def test_only_amounts_are_shortened():
    assert short("flags", 12_345, "12,345") == "12,345"
    assert short("value_usd", None, "not reported") == "not reported"


words = st.text("abc ", min_size=1, max_size=30).map(str.strip).filter(bool)


@given(
    st.lists(st.tuples(words, st.booleans(), st.integers(0, 10**12)), min_size=1, max_size=12),
    st.integers(1, 4),
    st.integers(60, 130),
)
def test_every_heading_and_number_stands_whole_on_a_screen_of_any_width(kinds, rows, width):
    columns = [
        Column(heading, (f"{number:,}",) * rows, (f"{number:,}",) * rows, is_number=True)
        if is_number
        else Column(heading, (heading,) * rows, (heading,) * rows, is_number=False)
        for heading, is_number, number in kinds
    ]
    text = laid_out(columns, width)
    assert all(f"{number:,}" in text for _, is_number, number in kinds if is_number)
    letters = "".join(text.split())
    assert all(len(line) <= width for line in text.splitlines())
    assert all(letter in letters for heading, _, _ in kinds for letter in heading.split())


def test_rows_that_cannot_stand_beside_each_other_are_lines_of_their_own():
    numbers = [Column(f"number{at}", ("1,234,567", "2"), ("1,234,567", "2"), is_number=True) for at in range(9)]
    lines = laid_out(numbers, 60).splitlines()
    assert lines[0] == "number0  1,234,567"
    assert lines[9:11] == ["", "number0  2"]


def test_what_is_the_same_in_all_rows_is_said_once_before_texts_leave_their_column():
    columns = [
        Column("who", ("a", "b"), ("a", "b"), is_number=False),
        Column("when", ("2022", "2022"), ("2022", "2022"), is_number=False),
        Column("why", ("x " * 30, "y " * 30), ("x " * 30, "y " * 30), is_number=False),
    ]
    text = laid_out(columns, 40)
    assert text.splitlines()[0] == "when 2022"
    assert text.count("2022") == 1


def acting(text):
    return re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("command", PRINT_DATA, ids=" ".join)
def test_no_letter_of_the_data_acts_on_a_terminal(planted, command, form):
    if command == ("indicators",):
        result = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*command, "--format", form])
    else:
        result = run(planted, *command, "--format", form, columns="80")
    assert result.exit_code == 0, result.output
    assert acting(result.stdout + result.stderr) == []


@pytest.mark.parametrize("command", [command for command, is_planted in PRINT_DATA.items() if is_planted], ids=" ".join)
def test_a_planted_text_is_among_what_is_printed_and_its_letters_are_shown(planted, command):
    assert "planted\\u001b]0;own" in run(planted, *command, "--format", "csv").stdout.replace("\\\\u", "\\u")


def test_json_means_the_same_text_as_before(planted):
    parts = json.loads(run(planted, "explain", FLAG_ID, "--format", "json").stdout)
    assert any(f"planted{ACTS}" in str(reason) for reason in parts["reasons"])


def test_the_draft_of_a_mapping_shows_letters_that_act(tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("exporter,importer,year,code,value\nKAZ\u202e,RUS,2022,851713,5\n" * 3, encoding="utf-8")
    result = CliRunner().invoke(main, ["map", str(file)])
    assert acting(result.output) == []


@given(st.text())
def test_what_is_made_visible_holds_nothing_that_acts_and_loses_no_other_letter(text):
    shown = visible(text)
    assert acting(shown) == []
    assert visible(shown) == shown
    if not acting(text) and "\ufeff" not in text and not re.search("[\ufff9-\ufffb]", text):
        assert shown == text


def test_a_remark_and_a_sentence_show_letters_that_act(capsys):
    output.say(f"x{ACTS}")
    output.line(f"x{ACTS}")
    written = capsys.readouterr()
    assert acting(written.out + written.err) == []


def test_a_spark_is_as_high_as_its_share_of_the_largest():
    assert sparkline([0, 1, 99, 100]) == "▁▁██"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([None, 7]) == "·█"
    assert sparkline([0, 50, 100, None], is_ascii=True) == "_=#?"


@given(st.lists(st.none() | st.integers(0, 10**13), max_size=40))
def test_a_larger_value_never_has_a_lower_block_and_unknown_is_no_block(values):
    for is_ascii, letters in ((False, "▁▂▃▄▅▆▇█"), (True, "_.:-=+*#")):
        drawn = sparkline(values, is_ascii=is_ascii)
        assert len(drawn) == len(values)
        heights = [
            (value, letters.index(letter)) for value, letter in zip(values, drawn, strict=True) if value is not None
        ]
        assert all(low[1] <= high[1] for low, high in itertools.pairwise(sorted(heights)))
        assert all(letter not in letters for value, letter in zip(values, drawn, strict=True) if value is None)


def test_a_period_that_nobody_reported_leaves_a_gap_in_the_line_of_blocks():
    rows = [{"freq_code": "M", "period": f"2022-{month:02d}", "value": 5} for month in (1, 2, 4)]
    heading, blocks = lines_of(rows, {"value": "exporter reports USD"}, 80)
    assert heading == "exporter reports USD, monthly 2022-01 to 2022-04: 5 to 5; · not reported"
    assert blocks == "██·█"


def test_a_series_longer_than_the_screen_goes_on_in_the_next_line():
    rows = [
        {"freq_code": "M", "period": f"{2015 + month // 12}-{month % 12 + 1:02d}", "value": month}
        for month in range(100)
    ]
    assert [len(text) for text in lines_of(rows, {"value": "x"}, 60)[1:]] == [60, 40]


def test_a_series_has_its_blocks_before_the_table_and_programs_have_none(data):
    assert "▁▁▁▆█" in run(data, "series", "870323", "ARM", "RUS").stdout
    assert "█" not in run(data, "series", "870323", "ARM", "RUS", "--format", "csv").stdout


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", True), ("latin-1", False), ("ascii", False), (None, False), ("no such", False)]
)
def test_blocks_are_only_for_encodings_that_have_them(encoding, expected):
    assert has_blocks(encoding) is expected


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_an_example_that_it_takes(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = main.make_context("anomaly", [name])
    (tmp_path / "my-table.csv").touch()
    for example in EXAMPLES[name]:
        words_of_it = shlex.split(example)
        assert words_of_it[:2] == ["anomaly", name]
        main.commands[name].make_context(name, words_of_it[2:], parent=program)
        assert example in CliRunner().invoke(main, [name, "--help"]).stdout


@pytest.mark.parametrize(
    "example",
    [example for name in ("query", "series", "compare", "goods", "hubs", "explain") for example in EXAMPLES[name]],
)
def test_the_examples_of_questions_are_answered(data, example):
    result = run(data, *shlex.split(example)[1:])
    assert result.exit_code == 0, result.stderr


def offered(complete, begun):
    return [item.value for item in complete(None, None, begun)]


def test_countries_complete_by_code_and_by_name_and_in_a_list():
    assert offered(countries, "kaz") == ["KAZ"]
    assert offered(countries, "Kyr") == ["KGZ"]
    assert offered(countries, "KAZ,Kyr") == ["KAZ,KGZ"]
    assert "coalition" in offered(countries, "co")
    assert len(offered(countries, "")) > 150


def test_codes_complete_by_digits_with_and_without_dots_and_by_words():
    assert "851713" in offered(codes, "8517")
    assert "8517.13" in offered(codes, "8517.1")
    assert offered(codes, "smart") == ["851713"]
    assert offered(codes, "TOT") == ["TOTAL"]
    assert offered(codes, "nothing such") == []


def test_completion_loads_no_table_library(monkeypatch):
    monkeypatch.setenv("_COMPLETE", "")
    modules, _ = loaded_by("query", "--help")
    assert "anomaly.cli.completion" in modules
    assert not modules & {"polars", "rich", "numpy"}
