"""The pages that are made from the program stay what the program says. `python -m tests.test_docs` writes them."""

from pathlib import Path

import click
from click.testing import CliRunner

from anomaly.cli import main

DOCS = Path(__file__).parent.parent / "docs"
_HEAD = """# Command line

This page is the program's own help: `python -m tests.test_docs` writes it, and a test compares.

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
| 78 | a scenario or settings file cannot be used |
"""


def cli_page() -> str:
    """docs/cli.md: the help of the program and of every command."""
    parts = [_HEAD]
    for name in ["", *sorted(main.commands)]:
        told = CliRunner().invoke(
            main, [name, "--help"] if name else ["--help"], prog_name="anomaly", terminal_width=100
        )
        assert told.exit_code == 0
        parts.append(f"## anomaly {name}".rstrip() + f"\n\n```text\n{told.stdout.rstrip()}\n```\n")
    return "\n".join(parts)


def test_the_page_of_the_command_line_is_what_help_says():
    page = DOCS / "cli.md"
    assert page.read_text(encoding="utf-8") == cli_page(), "run `python -m tests.test_docs`"


def test_every_option_of_every_command_says_what_it_is_for():
    for name, command in main.commands.items():
        assert command.help, name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
