"""What holds for every publisher that can be fetched, those that come later too."""

from datetime import date

import pytest

from anomaly.contract.settings import load
from anomaly.fetch import PUBLISHERS, need
from anomaly.fetch.base import Asking
from anomaly.fetch.client import address_of
from anomaly.fetch.raw_store import begin
from anomaly.sources import SOURCES
from tests import ROOT
from tests.fetch.wire import Hand

EVERY = pytest.mark.parametrize("publisher", PUBLISHERS, ids=[publisher.name for publisher in PUBLISHERS])


def plan(publisher, *, has_key):
    return publisher.plan(
        Asking(need.of_scenario(load(), date(2026, 11, 20)), {}, None, has_key, None, date(2026, 11, 20))
    )


@EVERY
def test_a_publisher_is_asked_by_https_and_at_a_pace(publisher):
    assert address_of(publisher.service, {}).startswith("https://")
    assert publisher.service.limits.least_seconds > 0


@EVERY
def test_a_publisher_says_its_licence_and_is_on_the_page(publisher):
    assert publisher.licence
    assert f"| `{publisher.name}` |" in (ROOT / "docs" / "fetch.md").read_text(encoding="utf-8")


@EVERY
def test_a_plan_needs_nobody_and_asks_for_no_piece_twice(publisher):
    for has_key in (True, False):
        cells = [(call.dataset, cell) for call in plan(publisher, has_key=has_key).calls for cell in call.cells]
        assert len(set(cells)) == len(cells)


@EVERY
def test_every_call_has_a_place_and_no_key(publisher, tmp_path):
    for call in plan(publisher, has_key=True).calls[:50]:
        assert begin(tmp_path, publisher.source, call, Hand().begin).is_dir()
        assert not {"subscription-key", "key"} & {name.lower() for name, _ in call.params}


@EVERY
def test_what_a_publisher_brings_has_a_reader(publisher):
    is_reference = all(call.is_reference for call in plan(publisher, has_key=True).calls)
    assert publisher.source in {source.name for source in SOURCES} or is_reference
