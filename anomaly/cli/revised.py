"""`anomaly revisions`: what became of the flags since the run before, and whether revised figures or new periods did it."""

from __future__ import annotations

from pathlib import Path

from anomaly.cli.output import say, show
from anomaly.cli.store import open_store, say_if_simulated

SEEN = ("flag_id", "change", "because", "severity_before", "severity_now", "value_usd_before", "value_usd_now")


def changed(data: Path, form: str) -> None:
    """Answer `anomaly revisions`: a row for each flag that appeared, vanished or moved.

    Parameters
    ----------
    data : pathlib.Path
        Folder of the tables.
    form : str
        One of output.FORMATS.

    Raises
    ------
    SourceUnavailable
        There are no two runs.
    SettingsWrong
        They are of two scenarios.
    """
    from anomaly.query import revisions
    from pipelines import revisions as between

    now = open_store(data)
    say_if_simulated(now)
    before = between.before(now)
    periods = revisions.periods(before.read("coverage"), now.read("coverage"))
    counts = dict(periods["change"].value_counts().rows())
    says = ", ".join(f"{counts.get(change, 0):,} {change}" for change in ("new", "revised", "gone"))
    say(f"periods of reporters since the run before: {says}")
    if between.is_of_another_program(now, before):
        say("the program changed between the two runs: what it changed stands under revised")
    rows = between.changes(now, before)
    counts = dict(rows["change"].value_counts().rows())
    say(f"flags: {', '.join(f'{counts.get(word, 0):,} {word}' for word in ('appeared', 'vanished', 'moved'))}")
    show(rows, form, SEEN)
