"""The US Census Bureau: pages with 200, plain words with 400, months without rows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from anomaly.contract.errors import BadRequest, KeyRefused
from anomaly.fetch import census
from anomaly.fetch.base import Asking, Cell, Release
from tests.fetch.answers import HTML, NOW, Answered, Publishing, fetched, need, serve
from tests.fetch.published import KEY, MONTH, of_census

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

INVALID = b"<html><head><title>Invalid Key</title></head><body>A valid <em>key</em> must be included.</body></html>"


def bring(httpserver, tmp_path, answer, key=KEY):
    publishing = Publishing(answer)
    return publishing, lambda: fetched(census.PUBLISHER, MONTH, tmp_path, serve(httpserver, publishing), key)


def test_a_page_about_the_key_ends_the_fetch_at_once_and_does_not_say_the_key(httpserver, tmp_path):
    publishing, run = bring(httpserver, tmp_path, lambda path, query: Answered(INVALID + KEY.encode(), HTML))
    with pytest.raises(KeyRefused) as caught:
        run()
    assert len(publishing.asked) == 1
    assert KEY not in str(caught.value)


def test_without_a_key_nobody_is_asked(httpserver, tmp_path):
    publishing, run = bring(httpserver, tmp_path, of_census, key=None)
    with pytest.raises(KeyRefused):
        run()
    assert publishing.asked == []


def test_what_it_does_not_understand_is_told_in_its_own_words(httpserver, tmp_path):
    says = b"error: unknown variable 'ALL_VAL_MO'"
    publishing, run = bring(httpserver, tmp_path, lambda path, query: Answered(says, "text/plain", 400))
    with pytest.raises(BadRequest, match="unknown variable 'ALL_VAL_MO'"):
        run()
    assert len(publishing.asked) == 1


def test_a_month_without_rows_is_looked_at_and_asked_for_again_the_next_day(httpserver, tmp_path):
    publishing, run = bring(httpserver, tmp_path, lambda path, query: Answered(b"", "application/json", 204))
    assert "nothing is out" in run().says[0]
    assert run().planned == 0
    address = httpserver.url
    publishing.answer = of_census
    done = fetched(census.PUBLISHER, MONTH, tmp_path, address, KEY, NOW + timedelta(days=1))
    assert len(done.releases) == 1


def test_months_are_asked_for_until_they_are_final():
    asked = need(date(2021, 11, 1), date(2024, 4, 1))
    plan = census.plan(Asking(asked, {}, None, True, None, NOW.date()))
    assert (plan.calls[0].period, plan.calls[-1].period) == ("2024-03", "2021-11")
    held = {f"exports_hs6/{call.period}": Cell("0", Release(rows=9), NOW - timedelta(days=31)) for call in plan.calls}
    again = census.plan(Asking(asked, held, None, True, None, NOW.date()))
    assert (again.calls[0].period, again.calls[-1].period, again.there) == ("2024-03", "2022-05", 6)
    assert {call.why for call in again.calls} == {"recent"}
    fresh = {name: Cell("0", Release(rows=9), NOW - timedelta(days=3)) for name in held}
    assert census.plan(Asking(asked, fresh, None, True, None, NOW.date())).calls == ()
