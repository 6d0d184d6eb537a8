"""`python -m pipelines JOB --raw DIR --data DIR --scenario NAME`: one job, `run` for all in order, `demo` or `sample`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anomaly.contract.scenario import DEFAULT
from pipelines.log import FORMATS, VARIABLE


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("job", default="run")
@click.option("--raw", default="data/raw", show_default=True, help="Folder, file or glob of raw files.")
@click.option("--data", default="data/processed", show_default=True, help="Folder of the tables and reports.")
@click.option("--scenario", default=DEFAULT, show_default=True, help="Scenario's name or TOML file.")
@click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    envvar=VARIABLE,
    show_envvar=True,
    help="Form of the log on stderr; plain if not told.",
)
@click.option(
    "--quarantine/--strict",
    "is_quarantine",
    default=False,
    show_default=True,
    envvar="ANOMALY_QUARANTINE",
    show_envvar=True,
    help="Set files that cannot be read aside and end with 3; strict: end at once, all of them named.",
)
def main(job: str, raw: str, data: str, scenario: str, log_format: str | None, *, is_quarantine: bool) -> None:
    """Run JOB: one table's name, report, run for all of them in order, demo: run on the simulated world, or sample.

    demo writes its raw files under --raw first; never point it at a folder of your own. sample makes a small extract of the
    Comext files under --raw and runs on it, all in --data.
    """
    from pipelines import run
    from pipelines.running import exit_code_of
    from pipelines.streams import let_any_terminal_read

    let_any_terminal_read()

    def work() -> object:
        if job == "demo":
            return run.demo(Path(raw), Path(data), scenario)
        if job == "sample":
            from pipelines import sample

            return sample.main(Path(raw), Path(data), scenario)
        return run.main(Path(raw), Path(data), scenario, job, is_quarantine=is_quarantine)

    sys.exit(exit_code_of(work, log_format))


if __name__ == "__main__":
    main(prog_name="python -m pipelines")
