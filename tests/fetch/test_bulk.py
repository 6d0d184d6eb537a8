"""UN Comtrade's bulk files (C11): a listing, whole files, and what bears their name without being one."""

import gzip

import pytest
from pydantic import SecretStr

from anomaly.contract.errors import DataRejected, SourceUnavailable
from anomaly.fetch import PUBLISHERS, run
from anomaly.sources import find
from anomaly.sources.base import Context
from pipelines.raw import find as raw_files
from tests.fetch.comtrade_service import KEY, envelope, need
from tests.fetch.wire import Hand, Reply, as_json, reply, served

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PUBLISHER = next(publisher for publisher in PUBLISHERS if publisher.name == "comtrade-bulk")
COLUMNS = [
    "datasetCode",
    "typeCode",
    "freqCode",
    "refPeriodId",
    "refYear",
    "refMonth",
    "period",
    "reporterCode",
    "flowCode",
    "partnerCode",
    "partner2Code",
    "classificationSearchCode",
    "classificationCode",
    "isOriginalClassification",
    "cmdCode",
    "customsCode",
    "mosCode",
    "motCode",
    "qtyUnitCode",
    "qty",
    "isQtyEstimated",
    "altQtyUnitCode",
    "altQty",
    "isAltQtyEstimated",
    "netWgt",
    "isnetWgtEstimated",
    "grossWgt",
    "isgrossWgtEstimated",
    "CIFValue",
    "FOBValue",
    "primaryValue",
    "legacyEstimationFlag",
    "isReported",
    "isAggregate",
]
ROW = (
    "1 C M 20250101 2025 1 202501 398 X 643 0 H6 H6 1 854231 C00 0 0 -1 · 0 -1 · 0 12.5 0 · 0 · 900.0 900.0 0 1 0".replace(
        "·", ""
    )
).split(" ")
FILE = gzip.compress("\n".join("\t".join(cells) for cells in (COLUMNS, ROW, [])).encode(), mtime=0)


def listing(time="2025-03-10T04:54:11.8900761+00:00", url="https://comtradeapi.un.org/bulk/v1/file/398/b07f"):
    row = {
        "fileUrl": url, "fileSize": "1.34 KB", "isOriginalClassification": True, "reporterCode": 398, "freqCode": "M",
        "typeCode": "C", "classificationCode": "H6", "refPeriodId": 20250101, "period": 202501, "publicationDate": None,
        "partitionKey": "398", "rowKey": "b07f", "timestamp": time, "eTag": "W/\"x\"",
    }  # fmt: skip
    return as_json(envelope([row, {**row, "isOriginalClassification": False, "reporterCode": 417}]))


def fetched(raw, file, **options):
    def answer(asked):
        return listing(**options) if asked.path == "/bulk/v1/get/C/M/HS" else file

    with served(answer) as wire:
        done = run.fetch(PUBLISHER, need(), raw, SecretStr(KEY), None, Hand().clock(), address=wire.url)
    return done, wire


def file_reply(content, cut=0):
    name = 'attachment; filename="C/M/398/C_M_398_202501_H6_O.txt.gz"; size=1'
    whole = reply(content, content_type="application/TSV", content_disposition=name)
    return Reply(whole.content[: len(whole.content) - cut])


def test_c11_a_bulk_file_is_kept_as_published_and_read(tmp_path):
    done, wire = fetched(tmp_path, file_reply(FILE))
    (release,) = done.releases
    assert (release / "C_M_398_202501.txt.gz").read_bytes() == FILE
    assert [asked.path for asked in wire.asked] == ["/bulk/v1/get/C/M/HS", "/bulk/v1/file/398/b07f"]
    (described,) = raw_files(tmp_path)
    (batch,) = find(described.raw).read(described.raw, Context())
    assert batch.flows.select("reporter_iso", "partner_iso", "primary_value_usd").row(0) == ("KAZ", "RUS", 900)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (file_reply(FILE[:-12]), "gzip that is cut off"),
        (file_reply(FILE, cut=9), "a broken connection"),
        (file_reply(b'{"statusCode": 500, "message": "no"}'), "no gzip: .*statusCode"),
        (file_reply(gzip.compress(b"a\tb\n1\t2\n")), "another table: a b"),
        (file_reply(gzip.compress(b"")), "another table"),
    ],
    ids=["cut gzip", "short body", "an error", "another table", "nothing"],
)
def test_c11_what_is_no_whole_bulk_file_is_refused(tmp_path, file, words):
    with pytest.raises(SourceUnavailable, match=words):
        fetched(tmp_path, file)
    assert [path for path in tmp_path.rglob("*.gz") if not path.name.startswith(".")] == []


def test_c11_a_listing_that_points_elsewhere_is_refused(tmp_path):
    with pytest.raises(DataRejected, match="files below"):
        fetched(tmp_path, file_reply(FILE), url="https://example.org/bulk/v1/other")


def test_c11_a_file_is_fetched_again_only_where_its_time_changed(tmp_path):
    fetched(tmp_path, file_reply(FILE))
    done, _ = fetched(tmp_path, file_reply(FILE))
    assert done.planned == 0
    done, _ = fetched(tmp_path, file_reply(FILE), time="2025-04-10T04:54:11")
    assert (done.planned, done.unchanged) == (1, 1)
