"""Comext's bulk months: which of a listing are taken, and that an archive is kept only whole."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from anomaly.contract.errors import DataRejected, SourceUnavailable
from anomaly.fetch import archives, comext
from anomaly.fetch.base import Asking, Cell, Release
from anomaly.fetch.comext_listing import months_listed
from anomaly.fetch.faults import Transient
from tests.fetch.answers import HTML, NOW, Answered, Publishing, fetched, need, serve, seven_zip
from tests.sources.comext_files import BULK_HEADER, bulk_row

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NEED = need(date(2024, 1, 1), date(2024, 2, 1))


def row(name: str, size: int, day: str = "18/04/2024 11:00") -> str:
    link = f"https://ec.europa.eu/eurostat/api/dissemination/files?file=comext%2FCOMEXT_DATA%2FPRODUCTS%2F{name}"
    return f'<tr><td>&nbsp;<a href="{link}">{name}</a></td><td title="{size} bytes">1 MB</td><td class="center">7z</td><td>&nbsp;{day}</td></tr>'


def page(*rows: str) -> bytes:
    return f'<html><table id="filetable"><tbody>{"".join(rows)}</tbody></table></html>'.encode()


def month(period: str, rows: int = 400) -> bytes:
    draw = random.Random(period)
    lines = [
        bulk_row(
            product=f"8542319{n % 10}", partner=("KZ", "KG", "AM")[n % 3], value=draw.randrange(10**6), period=period
        )
        for n in range(rows)
    ]
    return seven_zip(f"full_{period}.dat", f"{BULK_HEADER}\n{chr(10).join(lines)}\n".encode())


class Eurostat:
    """A listing of the months in `files` and the files."""

    def __init__(self, **files: bytes) -> None:
        self.files = {f"full_v2_{name[1:]}.7z": content for name, content in files.items()}
        self.day = "18/04/2024 11:00"

    def __call__(self, path: str, query: dict[str, str]) -> Answered:
        if "dir" in query:
            beside = (row("full_v2_202352.7z", 9), row("full_partxixu_v2_202401.7z", 9), row("full200112.7z", 9))
            return Answered(page(*beside, *(row(name, len(c), self.day) for name, c in self.files.items())), HTML)
        return Answered(self.files[query["file"].rpartition("/")[2]], takes_ranges=True)


def test_of_a_listing_only_months_are_taken():
    listed = months_listed(
        page(
            row("full_v2_202352.7z", 92_000_000), row("full_partxixu_v2_202402.7z", 2_000_000),
            row("full200112.7z", 30_000_000), row("full_v2_202402.7z", 45_431_111),
        ).decode()
    )  # fmt: skip
    assert listed == {"202402": Release("45431111 bytes, 2024-04-18T11:00", "2024-04-18T11:00", size_bytes=45_431_111)}


def test_a_month_lies_there_as_published_with_its_origin(httpserver, tmp_path):
    eurostat = Eurostat(m202401=month("202401"), m202402=month("202402"))
    done = fetched(comext.PUBLISHER, NEED, tmp_path, serve(httpserver, Publishing(eurostat)))
    assert (done.planned, len(done.releases)) == (2, 2)
    for release in done.releases:
        name = f"full_v2_{release.parent.name}.7z"
        assert (release / name).read_bytes() == eurostat.files[name]
        assert "COMEXT_DATA" in (release / "origin.toml").read_text()


def test_what_is_there_is_not_asked_for_again_until_the_listing_has_another_day_or_size(httpserver, tmp_path):
    eurostat = Eurostat(m202401=month("202401"), m202402=month("202402"))
    publishing = Publishing(eurostat)
    address = serve(httpserver, publishing)
    fetched(comext.PUBLISHER, NEED, tmp_path, address)
    asked = len(publishing.asked)
    again = fetched(comext.PUBLISHER, NEED, tmp_path, address, start=NOW + timedelta(days=1))
    assert (again.planned, len(publishing.asked)) == (0, asked + 1)
    eurostat.files["full_v2_202401.7z"] = month("202401", rows=401)
    revised = fetched(comext.PUBLISHER, NEED, tmp_path, address, start=NOW + timedelta(days=2))
    assert [release.parent.name for release in revised.releases] == ["202401"]
    assert len(list((tmp_path / "comext/full/202401").iterdir())) == 2  # the older release stays


def test_a_new_day_of_the_same_table_is_no_new_release(httpserver, tmp_path):
    eurostat = Eurostat(m202401=month("202401"))
    address = serve(httpserver, Publishing(eurostat))
    fetched(comext.PUBLISHER, NEED, tmp_path, address)
    eurostat.day = "19/05/2024 11:00"
    again = fetched(comext.PUBLISHER, NEED, tmp_path, address, start=NOW + timedelta(days=1))
    assert (again.planned, again.unchanged, again.releases) == (1, 1, [])
    third = fetched(comext.PUBLISHER, NEED, tmp_path, address, start=NOW + timedelta(days=2))
    assert third.planned == 0


def test_a_plan_that_asks_nobody_tells_months_and_bytes():
    asked = need(date(2022, 1, 1), date(2024, 4, 1))
    plan = comext.plan(Asking(asked, {}, None, False, None, date(2024, 5, 20)))
    assert [call.period for call in plan.calls[:2]] == ["202402", "202401"]
    assert len(plan.calls) == 26
    assert sum(call.size_bytes or 0 for call in plan.calls) == 26 * comext.USUAL_BYTES
    assert "1.2 GB" in plan.says[0]
    assert "30" in plan.says[1]


def test_missing_months_come_before_revised_ones():
    held = {"full/202402": Cell("0" * 64, Release("old", "old"), NOW)}
    out = {f"full/{name}": Release("new", "new", size_bytes=1) for name in ("202401", "202402")}
    plan = comext.plan(Asking(NEED, held, out, False, None, NOW.date()))
    assert [(call.period, call.why) for call in plan.calls] == [("202401", "missing"), ("202402", "revised")]


def test_a_cut_download_goes_on_where_it_broke_off(httpserver, tmp_path):
    eurostat = Eurostat(m202401=month("202401", rows=5000))
    publishing = Publishing(eurostat, ["cut", "cut", "cut"], only="file=")
    done = fetched(comext.PUBLISHER, NEED, tmp_path, serve(httpserver, publishing))
    content = eurostat.files["full_v2_202401.7z"]
    assert (done.releases[0] / "full_v2_202401.7z").read_bytes() == content
    listing = done.bytes_read - len(content)
    assert listing < 3000  # nothing was sent twice


@pytest.mark.parametrize("fault", ["html", 503, "truncated"])
def test_an_archive_that_does_not_come_whole_is_asked_for_again(httpserver, tmp_path, fault):
    eurostat = Eurostat(m202401=month("202401"))
    publishing = Publishing(eurostat, [fault], only="file=")
    done = fetched(comext.PUBLISHER, NEED, tmp_path, serve(httpserver, publishing))
    assert sum("file=" in address for address in publishing.asked) == 2
    assert (done.releases[0] / "full_v2_202401.7z").read_bytes() == eurostat.files["full_v2_202401.7z"]


@pytest.mark.parametrize(
    ("fault", "error"), [(404, SourceUnavailable), ("html", SourceUnavailable), ("truncated", SourceUnavailable)]
)
def test_an_archive_that_never_comes_whole_leaves_nothing(httpserver, tmp_path, fault, error):
    publishing = Publishing(Eurostat(m202401=month("202401")), [fault] * 50, only="file=")
    with pytest.raises(error):
        fetched(comext.PUBLISHER, NEED, tmp_path, serve(httpserver, publishing))
    assert not [path for path in tmp_path.rglob("*.7z") if not path.name.startswith(".")]


def test_a_page_that_is_no_listing_is_asked_for_again(httpserver, tmp_path):
    publishing = Publishing(Eurostat(m202401=month("202401")), ["html"], only="dir=")
    assert fetched(comext.PUBLISHER, NEED, tmp_path, serve(httpserver, publishing)).planned == 1


def test_a_bomb_is_refused_at_once(tmp_path):
    path = tmp_path / "full_v2_202401.7z"
    path.write_bytes(seven_zip("full_202401.dat", BULK_HEADER.encode() + b"\n" * 100_000_000))
    with pytest.raises(DataRejected, match="for each packed one"):
        archives.seven_zip(path, comext.HEADERS)


@pytest.mark.parametrize("content", [b"{}\n", BULK_HEADER.encode(), b""], ids=["json", "no line end", "nothing"])
def test_a_7z_with_something_else_in_it_is_asked_for_again(tmp_path, content):
    path = tmp_path / "full_v2_202401.7z"
    path.write_bytes(seven_zip("full_202401.dat", content))
    with pytest.raises(Transient):
        archives.seven_zip(path, comext.HEADERS)
