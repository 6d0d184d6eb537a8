"""Four nights over the years of the simulated world, with revisions and an outage, end as one run over everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.nights import year


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_nights_with_revisions_late_reporters_and_an_outage_end_in_the_tables_of_one_run(tmp_path: Path) -> None:
    shown = year(tmp_path, nights=3, asked_again=2)
    assert shown.faults == []
    assert shown.ends == {"0 there": 2, "3 away": 1}
