"""HMRC's pages: a chain to its end, a gate that turns callers away, a next page that is somebody else's."""

from __future__ import annotations

import json
import zipfile
from urllib.parse import unquote

import pytest

from anomaly.contract.errors import AnomalyError, DataRejected, SourceUnavailable
from anomaly.fetch import hmrc
from tests.fetch.answers import HTML, Answered, Publishing, fetched, serve
from tests.fetch.published import COUNTRY_LIST, MONTH, ots_row

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

FORBIDDEN = Answered(b"<html><body><h1>Ip Forbidden</h1></body></html>", HTML, 403)


def as_json(content: object) -> Answered:
    return Answered(json.dumps(content).encode(), "application/json")


class Pages:
    """Exports elsewhere in three pages of two rows, to the EU in one; addresses of next pages as the service writes them."""

    def __init__(self) -> None:
        self.address = ""
        self.next_at = ""  # another host or path in place of the right next page
        self.other_month = False

    def __call__(self, path: str, query: dict[str, str]) -> Answered:
        if path == "/Country":
            return as_json(COUNTRY_LIST)
        asked, skip = unquote(query["$filter"]), int(query.get("$skip", "0"))
        if "FlowTypeId eq 2" in asked:
            return as_json({"value": [ots_row(flow=2, CountryId=4)]})
        month = 202402 if self.other_month and skip else 202401
        page: dict[str, object] = {"value": [ots_row(PortId=skip + port, MonthId=month) for port in (1, 2)]}
        if skip < 4:
            page["@odata.nextLink"] = self.next_at or f"{self.address}/OTS?$filter={asked}&$skip={skip + 2}"
        return as_json(page)


@pytest.fixture
def pages(httpserver) -> Pages:
    answers = Pages()
    answers.address = httpserver.url
    return answers


def test_a_chain_is_followed_to_its_end_and_every_page_is_kept_as_it_came(httpserver, tmp_path, pages):
    done = fetched(hmrc.PUBLISHER, MONTH, tmp_path, serve(httpserver, Publishing(pages)))
    with zipfile.ZipFile(done.releases[0] / "OTS_2024-01.zip") as archive:
        assert archive.namelist() == [
            "Country.json",
            "OTS_2_0001.json",
            "OTS_4_0001.json",
            "OTS_4_0002.json",
            "OTS_4_0003.json",
        ]
        assert (
            archive.read("OTS_4_0003.json")
            == pages("/OTS", {"$filter": "MonthId eq 202401 and FlowTypeId eq 4", "$skip": "4"}).body
        )
    assert sorted(path.name for path in done.releases[0].iterdir()) == [
        ".fetched.json",
        "OTS_2024-01.zip",
        "origin.toml",
    ]


def test_a_gate_that_turns_away_is_asked_again_but_not_for_ever(httpserver, tmp_path, pages):
    publishing = Publishing(pages)
    turned = [FORBIDDEN] * 5
    publishing.answer = lambda path, query: turned.pop() if turned else pages(path, query)
    assert len(fetched(hmrc.PUBLISHER, MONTH, tmp_path, serve(httpserver, publishing)).releases) == 1
    publishing.answer = lambda path, query: FORBIDDEN
    with pytest.raises(SourceUnavailable, match="Ip Forbidden"):
        fetched(hmrc.PUBLISHER, MONTH, tmp_path / "again", httpserver.url)


def test_a_403_that_is_no_page_is_no_gate(httpserver, tmp_path):
    publishing = Publishing(lambda path, query: Answered(b'{"message": "no"}', "application/json", 403))
    with pytest.raises(AnomalyError):
        fetched(hmrc.PUBLISHER, MONTH, tmp_path, serve(httpserver, publishing))
    assert len(publishing.asked) == 1


@pytest.mark.parametrize(
    "link", ["https://example.org/OTS?$skip=2", "http://127.0.0.1.example.org/OTS", "file:///etc/passwd"]
)
def test_a_next_page_of_another_host_is_not_asked_for(httpserver, tmp_path, pages, link):
    pages.next_at = link
    with pytest.raises(DataRejected, match="next page"):
        fetched(hmrc.PUBLISHER, MONTH, tmp_path, serve(httpserver, Publishing(pages)))


def test_a_chain_that_leads_back_ends(httpserver, tmp_path, pages):
    pages.next_at = f"{pages.address}/OTS?$filter=MonthId eq 202401 and FlowTypeId eq 4&$skip=2"
    with pytest.raises(DataRejected, match="leads back"):
        fetched(hmrc.PUBLISHER, MONTH, tmp_path, serve(httpserver, Publishing(pages)))


def test_a_next_page_that_has_lost_its_filter_is_not_kept(httpserver, tmp_path, pages):
    pages.other_month = True
    with pytest.raises(DataRejected, match="202401"):
        fetched(hmrc.PUBLISHER, MONTH, tmp_path, serve(httpserver, Publishing(pages)))
    assert not [path for path in tmp_path.rglob("*.zip") if ".part-" not in str(path)]


def test_pages_that_came_are_not_asked_for_again(httpserver, tmp_path, pages):
    publishing = Publishing(pages, ["html"] * 40, only="skip=4")
    with pytest.raises(SourceUnavailable):
        fetched(hmrc.PUBLISHER, MONTH, tmp_path, serve(httpserver, publishing))
    asked, publishing.faults = len(publishing.asked), []
    done = fetched(hmrc.PUBLISHER, MONTH, tmp_path, pages.address)
    assert len(done.releases) == 1
    assert len(publishing.asked) == asked + 1
