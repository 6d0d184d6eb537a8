"""The pages that are made from the program stay what the program says. `python -m tests.house.test_docs` writes them."""

import re
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner

from anomaly.backtest import page as backtest_page
from anomaly.backtest.rivals import RIVALS
from anomaly.cli.backtest import CHART, FIGURES
from anomaly.cli.commands import main
from anomaly.indicators import INDICATORS
from anomaly.reports import REPORTS
from anomaly.sources import SOURCES
from tests import ROOT

DOCS = ROOT / "docs"
_HEAD = """# Command line

This page is the program's own help: `python -m tests.house.test_docs` writes it, and a test compares.

The answer goes to stdout and everything else to stderr. `--format` is `table` for people and `csv`, `json`, `ndjson` or
`markdown` for programs. `--data`, or the variable `ANOMALY_DATA`, names the folder of the tables. An amount that nobody
reported is "not reported" in a table, an empty cell in CSV and `null` in JSON; 0 is known to be nothing.

| exit code | means |
|---|---|
| 0 | answered; also when the answer is that there is nothing |
| 2 | the question cannot be understood; the message names the nearest right answers |
| 65 | data are not what their publisher says they are |
| 69 | there is no data yet, or a publisher does not answer |
| 70 | a fault of this program |
| 74 | a table could not be read or is not what was written |
| 75 | another run holds the store |
| 78 | a scenario or settings file cannot be used, or the tables are of several scenarios |

## What can be typed

A good is a code of two to six digits, eight or ten of a national list (taken as its first six, which is said), its name
(`smartphones`; of words that several goods have, such as `car`, the answer is their list and exit code 2), or `TOTAL`. A
country is ISO-2, ISO-3 or its English name; `KAZ,KGZ` are two side by side, `EU27` and `coalition` are added up. A period
is `2022`, `2022H1`, `H1 2022`, `2022-Q2`, `2022-07`, `Jul 2022`, `2022-01:2022-11` or `January to June 2022`.

## On a screen

A table takes the width of the terminal, or `COLUMNS` where that is set; into a pipe it is as wide as it needs. What does
not fit has short amounts (37.0 m is 37.0 million, bn 1,000 million), then what is the same in all rows once above the table,
then texts under their row, then each row as lines of its own. No number is cut and no column left out; csv, json and ndjson
always hold every digit. `series` draws each side from 0 to its largest in blocks, in plain letters where the terminal has
none. Letters that would move the cursor or turn the order of writing are shown as their escape, such as `\\u202e`.

## Completion

Countries, codes, commands and options complete by Tab once the shell knows of it:

```sh
eval "$(_ANOMALY_COMPLETE=bash_source anomaly)"  # in ~/.bashrc; zsh_source in ~/.zshrc
_ANOMALY_COMPLETE=fish_source anomaly | source   # in ~/.config/fish/config.fish
```

`anomaly query smart<Tab>` becomes 851713, `--exporter Kyr<Tab>` KGZ, `--exporter KAZ,Kyr<Tab>` KAZ,KGZ.
"""


def cli_page() -> str:
    """docs/cli.md: the help of the program and of every command."""
    parts = [_HEAD]
    for name in ["", *sorted(main.commands)]:
        help_page = CliRunner().invoke(
            main, [name, "--help"] if name else ["--help"], prog_name="anomaly", terminal_width=100
        )
        assert help_page.exit_code == 0
        parts.append(f"## anomaly {name}".rstrip() + f"\n\n```text\n{help_page.stdout.rstrip()}\n```\n")
    return "\n".join(parts)


_INDICATORS = """# Indicators

One measurement of a route each; higher is more suspicious, unknown is null. This page is what the registry says of itself:
`python -m tests.house.test_docs` writes it, and a test compares. The formulas are in [method.md](method.md) and in one file each
under `anomaly/indicators/`. A value from its threshold on is a reason of a flag; a scenario may set another threshold.
"""


def indicators_page() -> str:
    """docs/indicators.md: every registered indicator in its own words."""
    parts = [_INDICATORS]
    for indicator in INDICATORS:
        role = "an input of the forest and a reason" if indicator.in_forest else "a reason only"
        facts = f"unit {indicator.unit}; threshold {indicator.threshold:.6g}; {role}. Source: {indicator.source.rstrip('.')}."
        parts.append(
            f"## {indicator.name}\n\n{indicator.says[0].upper()}{indicator.says[1:].rstrip('.')}.\n\n{facts}\n"
        )
    return "\n".join(parts)


def test_the_page_of_the_indicators_is_what_the_registry_says():
    page = DOCS / "indicators.md"
    assert page.read_text(encoding="utf-8") == indicators_page(), "run `python -m tests.house.test_docs`"


@pytest.mark.parametrize("source", [source.name for source in SOURCES])
def test_every_source_has_its_page(source):
    page = (DOCS / "sources" / f"{source}.md").read_text(encoding="utf-8")
    assert page.startswith("# ")
    assert len(page.split()) > 50


def test_no_page_is_of_a_source_that_is_gone():
    assert {path.stem for path in (DOCS / "sources").glob("*.md")} == {source.name for source in SOURCES}


@pytest.mark.parametrize("file", [report.name + report.suffix for report in REPORTS])
def test_every_report_has_its_part_of_the_page(file):
    page = (DOCS / "report.md").read_text(encoding="utf-8")
    assert f"| `{file}` |" in page


def test_the_backtest_in_the_docs_and_in_the_readme_is_made_of_the_figures_beside_it():
    """`make backtest` writes all four; a figure changed by hand, or a table of other figures, is found here."""
    figures = pl.read_csv(DOCS / FIGURES, schema_overrides={"kind": pl.String})
    figures = figures.with_columns(pl.col("kind").fill_null(""))
    dates = figures["dates"][0].split()
    blocks = {
        DOCS / "backtest.md": backtest_page.block(figures, dates, CHART),
        ROOT / "README.md": backtest_page.brief(figures, dates),
    }
    for path, block in blocks.items():
        page = path.read_text(encoding="utf-8")
        assert page == backtest_page.put(page, block), f"{path.name}: run `make backtest`"
    assert (DOCS / CHART).read_text(encoding="utf-8") == backtest_page.draw(figures)


def pages() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_and_picture_of_a_page_leads_to_a_file(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    own = [target for target in targets if "://" not in target]
    assert [target for target in own if not (page.parent / target).exists()] == []


def test_the_readme_is_read_in_three_minutes():
    words = re.findall(r"\w[\w'.%:/-]*", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(words) <= 750  # 250 a minute


def test_the_page_of_the_backtest_tells_every_figure_and_every_rival():
    page = (DOCS / "backtest.md").read_text(encoding="utf-8")
    named = {measure for measure, _, _ in backtest_page.FIGURES} | {rival.name for rival in RIVALS}
    assert {name for name in named if f"`{name}`" not in page} - {"precision_at_20", "precision_at_50"} == set()


def test_every_promise_has_one_row_with_its_tests_and_its_figure():
    page = (DOCS / "promises.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| R")]
    assert [row[0] for row in rows] == [f"R{number}" for number in range(1, 31)]
    held = [row for row in rows if "not built yet" not in row[2]]
    assert [row[0] for row in rows if row not in held] == []
    assert [row[0] for row in held if not row[3] or not re.search(r"`(test_\w+|make [\w-]+)`", row[2])] == []


def test_every_test_that_the_page_of_promises_names_is_there():
    page = (DOCS / "promises.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in DOCS.parent.glob("tests/**/test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 30
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_the_page_of_the_command_line_is_what_help_says():
    page = DOCS / "cli.md"
    assert page.read_text(encoding="utf-8") == cli_page(), "run `python -m tests.house.test_docs`"


def test_every_option_of_every_command_says_what_it_is_for():
    for name, command in main.commands.items():
        assert command.help, name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    (DOCS / "indicators.md").write_text(indicators_page(), encoding="utf-8")
