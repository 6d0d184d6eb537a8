"""Slices of Comext's API: what is too big is divided, what is nothing is known to be nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from anomaly.contract.errors import DataRejected, SourceUnavailable
from anomaly.fetch import comext_slices
from anomaly.fetch.base import Asking, Cell, Release
from anomaly.fetch.comext_slices import Slice, halves
from anomaly.sources import comext
from anomaly.sources.base import Context
from pipelines.raw import find
from tests.fetch.answers import NOW, Answered, Publishing, fetched, need, serve
from tests.fetch.published import slice_of

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

XML = "application/xml"
SOAP = "<S:Envelope><S:Body><S:Fault><faultcode>{}</faultcode><faultstring>{}</faultstring></S:Fault></S:Body></S:Envelope>"
TOO_BIG = SOAP.format(413, "EXTRACTION_TOO_BIG: The requested extraction is too big, estimated 7644780 rows").encode()
NOTHING = SOAP.format(100, "NO_RESULTS: No results found").encode()
QUEUED = b"<S:Envelope><S:Body><queued><id>1</id></queued></S:Body></S:Envelope>"
GOODS = ("854231", "870323")


class Api:
    """Answers slices of at most so many months and goods."""

    def __init__(self, most_months: int, most_goods: int, refusal: Answered) -> None:
        self.most_months, self.most_goods, self.refusal = most_months, most_goods, refusal

    def __call__(self, path: str, query: dict[str, str]) -> Answered:
        goods = path.rpartition("/")[2].split(".")[3].split("+")
        first, last = (int(query[name].replace("-", "")) % 100 for name in ("startPeriod", "endPeriod"))
        if last - first + 1 > self.most_months or len(goods) > self.most_goods:
            return self.refusal
        months = [f"2023-{month:02}" for month in range(first, last + 1)]
        header, *_ = slice_of().split(b"\r\n")
        rows = [line for month in months for good in goods for line in slice_of(month, good=good).split(b"\r\n")[1:-1]]
        return Answered(b"\r\n".join([header, *rows, b""]), "text/csv")


YEAR = need(date(2023, 1, 1), date(2023, 12, 1), GOODS)


@pytest.mark.parametrize("refusal", [Answered(TOO_BIG, XML, 413), Answered(QUEUED, XML)], ids=["413", "queued"])
def test_a_slice_that_is_too_big_is_asked_for_in_parts_that_are_the_whole(httpserver, tmp_path, refusal):
    publishing = Publishing(Api(3, 1, refusal))
    done = fetched(comext_slices.PUBLISHER, YEAR, tmp_path, serve(httpserver, publishing))
    assert len(done.releases) == 1
    items = find(tmp_path)
    assert len(items) == 12 * 2  # no month of two goods is answered
    flows = [row for item in items for batch in comext.read(item.raw, Context({"EUR": rates_2023()})) for row in batch.flows.select("ref_date", "cmd_code").rows()]  # fmt: skip
    assert sorted(flows) == sorted((date(2023, month, 1), good) for month in range(1, 13) for good in GOODS)


def rates_2023():
    import polars as pl

    return pl.DataFrame({"month": [date(2023, month, 1) for month in range(1, 13)], "usd_per_unit": [1.1] * 12})


def test_one_good_in_one_month_that_is_too_big_is_an_error_that_says_what_to_do(httpserver, tmp_path):
    publishing = Publishing(Api(0, 0, Answered(TOO_BIG, XML, 413)))
    with pytest.raises(DataRejected, match="anomaly fetch comext"):
        fetched(comext_slices.PUBLISHER, YEAR, tmp_path, serve(httpserver, publishing))
    assert find_nothing(tmp_path)


def find_nothing(raw):
    return not [path for path in raw.rglob("*.csv") if ".part-" not in str(path)]


def test_a_year_of_which_nothing_is_out_is_known_to_have_been_asked_for(httpserver, tmp_path):
    publishing = Publishing(lambda path, query: Answered(NOTHING, XML, 404))
    address = serve(httpserver, publishing)
    done = fetched(comext_slices.PUBLISHER, YEAR, tmp_path, address)
    assert "nothing is out" in done.says[0]
    assert fetched(comext_slices.PUBLISHER, YEAR, tmp_path, address).planned == 0


def test_another_404_is_no_empty_slice(httpserver, tmp_path):
    publishing = Publishing(lambda path, query: Answered(b"<html>gone</html>", XML, 404))
    with pytest.raises(SourceUnavailable):
        fetched(comext_slices.PUBLISHER, YEAR, tmp_path, serve(httpserver, publishing))


@pytest.mark.parametrize(
    ("goods", "first", "last"),
    [(("1", "2", "3"), 1, 12), (("1",), 1, 7), (("1", "2", "3"), 4, 4), (("1",), 11, 12)],
)
def test_halves_share_nothing_and_are_the_whole(goods, first, last):
    whole = Slice(goods, date(2023, first, 1), date(2023, last, 1))
    asked = [
        (good, month)
        for half in halves(whole)
        for good in half.goods
        for month in range(half.first.month, half.last.month + 1)
    ]
    assert sorted(asked) == sorted((good, month) for good in goods for month in range(first, last + 1))


def test_a_new_day_of_the_last_update_alone_is_no_revision(httpserver, tmp_path):
    update = ["15/05/24"]
    publishing = Publishing(lambda path, query: Answered(slice_of("2023-06", update[0]), "text/csv"))
    address = serve(httpserver, publishing)
    fetched(comext_slices.PUBLISHER, YEAR, tmp_path, address)
    update[0] = "15/06/24"
    later = fetched(comext_slices.PUBLISHER, YEAR, tmp_path, address, start=NOW + timedelta(days=8))
    assert (later.planned, later.unchanged) == (1, 1)


def test_a_revised_value_is_a_new_release_beside_the_old_one(httpserver, tmp_path):
    value = [1200]
    publishing = Publishing(lambda path, query: Answered(slice_of("2023-06", value=value[0]), "text/csv"))
    address = serve(httpserver, publishing)
    fetched(comext_slices.PUBLISHER, YEAR, tmp_path, address)
    value[0] = 1300
    later = fetched(comext_slices.PUBLISHER, YEAR, tmp_path, address, start=NOW + timedelta(days=8))
    assert len(later.releases) == 1
    vintages = {item.raw.vintage for item in find(tmp_path)}
    assert len(vintages) == 2


def test_years_that_are_final_are_not_asked_for_again():
    asked = need(date(2019, 1, 1), date(2024, 4, 1), GOODS)
    first = comext_slices.plan(Asking(asked, {}, None, False, None, NOW.date()))
    assert [call.period for call in first.calls] == ["2024", "2023", "2022", "2021", "2020", "2019"]
    held = {
        f"DS-059341/{cell}": Cell("0", Release(rows=1), NOW - timedelta(days=8))
        for call in first.calls
        for cell in call.cells
    }
    again = comext_slices.plan(Asking(asked, held, None, False, None, NOW.date()))
    assert [call.period for call in again.calls] == ["2024", "2023", "2022"]


def test_a_scenario_without_lists_has_no_slice():
    plan = comext_slices.plan(Asking(need(date(2023, 1, 1), date(2023, 2, 1), ()), {}, None, False, None, NOW.date()))
    assert plan.calls == ()
    assert "fetch comext" in plan.says[0]
