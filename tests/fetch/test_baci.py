"""BACI's releases: which is the newest, and what is done where the page or the newest is not there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from anomaly.contract.errors import SourceUnavailable
from anomaly.fetch import baci
from anomaly.fetch.archives import zipped
from anomaly.fetch.faults import Transient
from anomaly.sources.baci import YEAR_MEMBER
from tests.fetch import answers
from tests.fetch.answers import HTML, NOW, Answered, Publishing, fetched, need, serve
from tests.fetch.published import baci_zip

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NEED = need(date(2019, 1, 1), date(2024, 4, 1))


class Cepii:
    """A page that names releases, and their zips."""

    def __init__(self, *releases: str, page: bool = True) -> None:
        self.releases, self.page = list(releases), page

    def __call__(self, path: str, query: dict[str, str]) -> Answered:
        if not path.endswith(".zip"):
            links = "".join(
                f'<a href="/x/BACI_{edition}_{name}.zip">zip</a>'
                for name in self.releases
                for edition in ("HS17", "HS22")
            )
            return Answered(f"<html>{links}</html>".encode(), HTML) if self.page else Answered(b"gone", HTML, 404)
        named = path.rpartition("_")[2].removesuffix(".zip")
        return Answered(baci_zip(named), takes_ranges=True) if named in self.releases else Answered(b"gone", HTML, 404)


def test_the_page_says_which_release_is_the_newest_letters_too(httpserver, tmp_path):
    done = fetched(
        baci.PUBLISHER, NEED, tmp_path, serve(httpserver, Publishing(Cepii("V202301", "V202401", "V202401b")))
    )
    assert [path.name for path in done.releases[0].glob("*.zip")] == ["BACI_HS17_V202401b.zip"]


@pytest.mark.parametrize(("day", "vintage"), [(datetime(2024, 1, 30, tzinfo=UTC), "V202301"), (datetime(2024, 1, 31, tzinfo=UTC), "V202401")])  # fmt: skip
def test_without_the_page_the_calendar_says(httpserver, tmp_path, day, vintage):
    publishing = Publishing(Cepii("V202301", "V202401", page=False))
    done = fetched(baci.PUBLISHER, NEED, tmp_path, serve(httpserver, publishing), start=day)
    assert [path.name for path in done.releases[0].glob("*.zip")] == [f"BACI_HS17_{vintage}.zip"]


def test_a_release_that_is_late_is_waited_for_with_the_one_before_and_that_is_brought_once(httpserver, tmp_path):
    cepii = Cepii("V202301", page=False)
    address = serve(httpserver, Publishing(cepii))
    first = fetched(baci.PUBLISHER, NEED, tmp_path, address)
    assert "V202401 is not out; V202301 is the newest" in first.says[0]
    second = fetched(baci.PUBLISHER, NEED, tmp_path, address, start=NOW + timedelta(days=1))
    assert (second.releases, second.bytes_read < len(baci_zip("V202301"))) == ([], True)
    cepii.releases.append("V202401")
    third = fetched(baci.PUBLISHER, NEED, tmp_path, address, start=NOW + timedelta(days=2))
    assert [path.name for path in third.releases[0].glob("*.zip")] == ["BACI_HS17_V202401.zip"]


def test_where_no_release_is_there_the_last_answer_is_the_error(httpserver, tmp_path):
    with pytest.raises(SourceUnavailable, match="404"):
        fetched(baci.PUBLISHER, NEED, tmp_path, serve(httpserver, Publishing(Cepii(page=False))))


@pytest.mark.parametrize(
    ("year", "dataset"), [(1990, "BACI_HS92"), (2016, "BACI_HS12"), (2019, "BACI_HS17"), (2022, "BACI_HS22")]
)
def test_the_edition_is_the_one_in_force_when_the_baseline_begins(year, dataset):
    assert baci.dataset_of(date(year, 1, 1)) == dataset


@pytest.mark.parametrize(
    "members",
    [
        {"readme.txt": b"x"},
        {"BACI_HS17_Y2022_V202401.csv": b"year;value\n"},
        {"BACI_HS17_Y2022_V202401.csv": b"t,i,j,k,v,q\n1"},
    ],
    ids=["no table", "another table", "cut table"],
)
def test_a_zip_of_something_else_is_asked_for_again(tmp_path, members):
    path = tmp_path / "BACI_HS17_V202401.zip"
    path.write_bytes(answers.zipped(members))
    with pytest.raises(Transient):
        zipped(path, YEAR_MEMBER, baci.HEADERS)


def test_a_zip_with_one_bit_flipped_is_asked_for_again(tmp_path):
    content = bytearray(baci_zip())
    begin = content.index(b".csv") + 4  # of what is packed of the first table
    content[begin + 40] ^= 1
    path = tmp_path / "BACI_HS17_V202401.zip"
    path.write_bytes(content)
    with pytest.raises(Transient):
        zipped(path, YEAR_MEMBER, baci.HEADERS)
