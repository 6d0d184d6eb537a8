"""UN Comtrade's answers, case by case (C1 to C13 of the replay matrix), and what becomes of them in data/raw."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from pydantic import SecretStr

from anomaly.contract.errors import BadRequest, DataRejected, KeyRefused, SourceUnavailable, TryLater
from anomaly.fetch import PUBLISHERS, comtrade_answer, comtrade_ask, comtrade_plan, run
from anomaly.fetch.base import Release
from anomaly.fetch.comtrade_ask import DATA, Ask, halves, within_address
from anomaly.fetch.comtrade_releases import of_rows
from anomaly.sources import find
from anomaly.sources.base import Context
from pipelines.raw import find as raw_files
from tests.fetch.comtrade_service import ERRORS, KEY, Comtrade, envelope, gateway, need, row, trade
from tests.fetch.wire import Hand, as_json, reply, served

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PUBLISHER = next(publisher for publisher in PUBLISHERS if publisher.name == "comtrade")
MONTHS = ("202501", "202502", "202503")
REPORTERS = (276, 398, 417, 842)
PARTNERS = (112, 643, 156, 792)


@pytest.fixture
def service():
    return Comtrade(trade(REPORTERS, MONTHS, PARTNERS))


def fetched(service, raw, *, key=KEY, hand=None, needed=None, said=None):
    hand = hand or Hand()
    with served(service.answer) as wire:
        done = run.fetch(
            PUBLISHER, needed or need(), raw, SecretStr(key) if key else None, None, hand.clock(),
            (said if said is not None else []).append, wire.url,
        )  # fmt: skip
    return done, wire


def flows(raw):
    """What the reader makes of all that lies there."""
    parts = []
    for described in raw_files(raw):
        source = find(described.raw)
        parts += [batch.flows for batch in source.read(described.raw, Context())]
    return pl.concat(parts)


def rows_as_flows(rows):
    """The same rows by hand: bilateral, six digits."""
    return sorted(
        (row["reporterCode"], row["period"], row["partnerCode"], row["cmdCode"], row["primaryValue"])
        for row in rows
        if row["partnerCode"]
    )


def stored(raw):
    """Bilateral rows of every answer that lies there."""
    files = sorted(raw.glob("comtrade/C-*/*/*/*.json.gz"))
    rows = [row for path in files for row in json.loads(gzip.decompress(path.read_bytes()))["data"]]
    return rows_as_flows(rows)


def test_c1_rows_are_kept_as_published_and_read_with_their_types(service, tmp_path):
    fetched(service, tmp_path)
    assert stored(tmp_path) == rows_as_flows(service.rows)
    read = flows(tmp_path)
    assert read.height == len(stored(tmp_path))
    assert read.schema["primary_value_usd"] == pl.Int64
    assert set(read["cmd_code"]) == {"851713", "854231"}


def test_c2_an_empty_answer_is_remembered_and_no_error(tmp_path):
    service = Comtrade(trade((276,), ("202501",), PARTNERS))
    asked_about = replace(need(), goods=("880730",))
    done, _ = fetched(service, tmp_path, needed=asked_about)
    assert (done.made, list(tmp_path.glob("comtrade/C-M-HS/*/*/*"))) == (4, [])
    assert json.loads((tmp_path / "comtrade/C-M-HS/.looked.json").read_text())["cells"]
    service.data_asked = 0
    fetched(service, tmp_path, needed=asked_about)
    assert service.data_asked == 0


def test_c3_a_rate_limit_is_waited_for(service, tmp_path):
    hand = Hand()
    service.faults = [lambda: gateway(429, ERRORS["rate"], retry_after="1")]
    done, _ = fetched(service, tmp_path, hand=hand)
    assert len(done.releases) == 4
    assert 1.0 in hand.slept


def test_c4_a_quota_stops_and_goes_on_later_without_asking_twice(tmp_path):
    service = Comtrade(trade(REPORTERS, MONTHS, PARTNERS), most_rows=60)
    asked = []

    def answer(request):
        if "/get/" in request.path:
            asked.append(request.params)
            if len(asked) == 4:
                return gateway(403, ERRORS["quota"], retry_after="11657")
        return service.answer(request)

    with small_cap(60):
        with served(answer) as wire, pytest.raises(TryLater, match="2026-11-20 12:14"):
            run.fetch(PUBLISHER, need(), tmp_path, SecretStr(KEY), None, Hand().clock(), address=wire.url)
        before = len(asked)
        with served(answer) as wire:
            run.fetch(PUBLISHER, need(), tmp_path, SecretStr(KEY), None, Hand(3 * 3600.0).clock(), address=wire.url)
    assert stored(tmp_path) == rows_as_flows(service.rows)
    answered = [json.dumps(params) for params in asked[: before - 1] + asked[before:]]
    assert len(set(answered)) == len(answered)


class small_cap:  # noqa: N801 - reads as a block
    """The service's cap for data, made small in the client too, and answers expected to be far smaller than they are."""

    def __init__(self, rows):
        self.rows = rows

    def __enter__(self):
        self.before = comtrade_ask.MOST_ROWS[DATA], dict(comtrade_plan.ROWS_A_GOOD)
        comtrade_ask.MOST_ROWS[DATA] = self.rows
        comtrade_plan.ROWS_A_GOOD.update(dict.fromkeys(comtrade_plan.ROWS_A_GOOD, 0.001))

    def __exit__(self, *_):
        comtrade_ask.MOST_ROWS[DATA] = self.before[0]
        comtrade_plan.ROWS_A_GOOD.update(self.before[1])


def test_c5_a_wrong_key_fails_at_once_and_is_not_shown(service, tmp_path):
    wrong = "f" * 32
    with served(service.answer) as wire, pytest.raises(KeyRefused) as caught:
        run.fetch(PUBLISHER, need(), tmp_path, SecretStr(wrong), None, Hand().clock(), address=wire.url)
    assert len(wire.asked) == 1
    assert wrong not in str(caught.value)


def test_c6_a_question_not_understood_says_what_the_service_says(service, tmp_path):
    fault = {"MemberNames": ["partnerCode"], "ErrorMessage": "The field partnerCode is invalid"}
    body = {
        "elapsedTime": "0 secs",
        "count": -1,
        "data": [],
        "error": "Invalid parameter value",
        "errorObject": [fault],
    }
    service.faults = [lambda: as_json(body, 400)] * 9
    with pytest.raises(BadRequest, match="partnerCode The field partnerCode is invalid"):
        fetched(service, tmp_path)


@pytest.mark.parametrize("most_rows", [7, 24, 50])
def test_c7_an_answer_at_the_cap_is_cut_in_two_until_none_is(most_rows, tmp_path):
    service = Comtrade(trade(REPORTERS, MONTHS, PARTNERS), most_rows)
    with small_cap(most_rows):
        fetched(service, tmp_path)
    rows = stored(tmp_path)
    assert rows == rows_as_flows(service.rows)
    assert len(set(rows)) == len(rows)
    assert (
        max(
            len(json.loads(gzip.decompress(path.read_bytes()))["data"]) for path in tmp_path.glob("comtrade/*/*/*/*.gz")
        )
        < most_rows
    )


def test_c7_what_cannot_be_cut_is_refused(tmp_path):
    rows = [row(276, "202501", 643, 1.0 + mot, motCode=mot) for mot in range(5)]
    with small_cap(2), pytest.raises(DataRejected, match="one reporter, period, good and partner"):
        fetched(Comtrade(rows, 2), tmp_path)
    assert stored(tmp_path) == []


def test_c8_breakdowns_do_not_count(service, tmp_path):
    totals = list(service.rows)
    parts = ({"motCode": 3200}, {"partner2Code": 276}, {"customsCode": "C01"}, {"mosCode": "1"}, {"cmdCode": "8542"})
    service.rows = totals + [row(276, "202501", 643, 7.0, **part) for part in parts]
    said: list[str] = []
    fetched(service, tmp_path, said=said)
    assert [text for text in said if "world" in text] == []
    assert flows(tmp_path)["primary_value_usd"].sum() == sum(value for *_, value in rows_as_flows(totals))


@pytest.mark.parametrize(
    "body",
    [reply(b"<html>maintenance</html>", content_type="text/html"), reply(b"All calls are rejected by policy.", 403)],
)
def test_c9_a_page_in_place_of_data_is_an_error_by_its_name(service, tmp_path, body):
    service.faults = [lambda: body] * 99
    with pytest.raises(SourceUnavailable, match=r"maintenance|rejected by policy"):
        fetched(service, tmp_path)
    assert stored(tmp_path) == []


def test_c10_a_long_address_is_cut_before_it_is_sent():
    ask = Ask(DATA, "M", tuple(range(100, 900)), MONTHS, tuple(f"{code:06}" for code in range(840000, 840400)))
    parts = within_address(ask)
    assert len(parts) > 1
    assert max(part.letters for part in parts) <= 4000
    blocks = [(reporter, code) for part in parts for reporter in part.reporters for code in part.goods]
    assert sorted(blocks) == [(reporter, code) for reporter in ask.reporters for code in ask.goods]


def test_c12_tables_of_codes_are_asked_for_with_what_lies_there(service, tmp_path):
    hand = Hand()
    fetched(service, tmp_path, hand=hand)
    assert (next(tmp_path.glob("reference/comtrade/reference/HS/*/HS.json"))).read_bytes().startswith(b"\xef\xbb\xbf")
    hand.seconds += 8 * 86400

    def answer(asked):
        return (
            reply(b"", 304, content_length="")
            if asked.headers.get("if-none-match") == '"r1"'
            else service.answer(asked)
        )

    before = sorted(tmp_path.rglob("*.json"))
    with served(answer) as wire:
        run.fetch(PUBLISHER, need(), tmp_path, SecretStr(KEY), None, hand.clock(), address=wire.url)
    assert [asked.headers.get("if-none-match") for asked in wire.asked if "reference" in asked.path] == ['"r1"'] * 3
    assert [path for path in sorted(tmp_path.rglob("*.json")) if path.name[0] != "."] == [
        path for path in before if path.name[0] != "."
    ]


def test_c13_availability_is_the_same_table_in_every_spelling():
    camel = {
        "reporterCode": 398,
        "period": 202401,
        "datasetChecksum": -12,
        "lastReleased": "2024-09-18T10:01:22",
        "totalRecords": 7,
    }
    text = {
        "ReporterCode": "398",
        "Period": "202401",
        "DatasetChecksum": "-12",
        "LastReleased": "2024-09-18T10:01:22.0000000",
        "TotalRecords": "7",
    }
    spelt = [{name.lower(): str(value) for name, value in one.items()} for one in (camel, text)]
    assert of_rows(spelt[:1]) == of_rows(spelt[1:])
    assert of_rows(spelt[:1]) == {(398, "202401"): Release("-12", "2024-09-18T10:01:22.000000", 7)}


def test_c13_the_newest_day_counts_with_and_without_a_fraction():
    days = ("2024-09-18T10:01:22.4431", "2024-09-18T10:01:22", "2024-09-18T10:01:23")
    rows = [{"reportercode": "398", "period": "202401", "lastreleased": day, "datasetchecksum": day} for day in days]
    assert of_rows(rows)[398, "202401"].released == "2024-09-18T10:01:23.000000"


# counts and sums


def test_a_count_that_is_not_the_number_of_rows_is_asked_again_and_then_refused(service, tmp_path):
    service.faults = [lambda: as_json(envelope(service.rows[:5], count=6))]
    fetched(service, tmp_path)
    assert stored(tmp_path) == rows_as_flows(service.rows)
    service.faults = [lambda: as_json(envelope(service.rows[:5], count=6))] * 99
    service.revision = {(reporter, month): 2 for reporter in REPORTERS for month in MONTHS}
    with pytest.raises(SourceUnavailable, match="5 rows where `count` says 6"):
        fetched(service, tmp_path)


def test_rows_that_nobody_asked_for_are_refused(service, tmp_path):
    service.faults = [lambda: as_json(envelope([row(250, "202501", 643, 1.0)]))] * 99
    with pytest.raises(DataRejected, match="reporters, periods and partners asked for"):
        fetched(service, tmp_path)


def test_two_values_of_one_key_are_refused(service, tmp_path):
    service.rows.append(row(276, "202501", 643, 5.0))
    with pytest.raises(DataRejected, match="one value a key"):
        fetched(service, tmp_path)


def test_partners_that_do_not_add_up_to_the_world_are_said():
    kept = pl.DataFrame(
        [
            {name: cells[name] for name in comtrade_answer.SCHEMA}
            for cells in (
                row(276, "202501", 0, 100_000.0),
                row(276, "202501", 643, 102_000.0),
                row(398, "202501", 0, 100_000.0),
                row(398, "202501", 643, 90_000.0),
                row(417, "202501", 0, 100_000.0),
                row(417, "202501", 643, 99_500.0),
            )
        ],
        schema=comtrade_answer.SCHEMA,
    )
    too_much, too_little = comtrade_answer.against_world(kept)
    assert "more than the world in 1 of 3 sums, such as 276" in too_much
    assert "less than the world (withheld, or cut) in 1 of 3 sums, such as 398" in too_little


# what is asked, and what is asked again


def test_without_a_key_previews_bring_what_goes_to_the_targets(service, tmp_path):
    said: list[str] = []
    _, wire = fetched(service, tmp_path, key=None, said=said)
    paths = {asked.path for asked in wire.asked if "/files/" not in asked.path}
    assert paths == {"/public/v1/getDA/C/M/HS", "/public/v1/preview/C/M/HS"}
    assert {asked.params["period"] for asked in wire.asked if "preview" in asked.path} == set(MONTHS)
    assert stored(tmp_path) == [cells for cells in rows_as_flows(service.rows) if cells[2] in (112, 643)]
    assert any("no key, so previews only" in text for text in said)
    assert flows(tmp_path).height == len(stored(tmp_path))


def test_what_lies_there_is_not_asked_for_again(service, tmp_path):
    fetched(service, tmp_path)
    service.data_asked = 0
    done, _ = fetched(service, tmp_path)
    assert (service.data_asked, done.planned) == (0, 0)


def test_a_fetch_sweeps_what_another_left_unfinished_long_ago(service, tmp_path):
    left = tmp_path / "comtrade" / "C-M-HS" / "1999" / ".part-0"
    left.mkdir(parents=True)
    fetched(service, tmp_path)
    assert not left.exists()


def test_a_plan_after_a_fetch_knows_what_is_out_without_asking(service, tmp_path):
    fetched(service, tmp_path)
    asking = run.asking(PUBLISHER, need(), tmp_path, has_key=True, since=None, clock=Hand().clock())
    planned = PUBLISHER.plan(asking)
    assert (planned.calls, planned.there, planned.says) == ((), len(REPORTERS) * len(MONTHS), ())


def test_only_what_was_revised_is_asked_for_again_and_both_stay(service, tmp_path):
    hand = Hand()
    fetched(service, tmp_path, hand=hand)
    hand.seconds += 86400
    service.revision = {(398, "202502"): 1}
    changed = next(cells for cells in service.rows if cells["reporterCode"] == 398 and cells["period"] == "202502")
    changed["primaryValue"] += 1.0
    done, wire = fetched(service, tmp_path, hand=hand)
    asked = [asked.params for asked in wire.asked if "/get/" in asked.path]
    assert [(params["reporterCode"], params["period"]) for params in asked] == [("398", "202502")]
    assert len(done.releases) == 1
    assert len(list(tmp_path.glob("comtrade/C-M-HS/*/*"))) == 2


def test_a_revision_that_changes_nothing_asked_about_writes_no_release(service, tmp_path):
    hand = Hand()
    fetched(service, tmp_path, hand=hand)
    hand.seconds += 86400
    service.revision = {(398, "202502"): 1}
    done, _ = fetched(service, tmp_path, hand=hand)
    assert (done.releases, done.unchanged) == ([], 1)
    service.data_asked = 0
    fetched(service, tmp_path, hand=hand)
    assert service.data_asked == 0


def test_recent_months_are_looked_at_again_after_a_month(service, tmp_path):
    hand = Hand(begin=datetime(2025, 5, 1, tzinfo=UTC))
    fetched(service, tmp_path, hand=hand)
    service.data_asked, hand.seconds = 0, hand.seconds + 29 * 86400
    fetched(service, tmp_path, hand=hand)
    assert service.data_asked == 0
    hand.seconds += 2 * 86400
    fetched(service, tmp_path, hand=hand)
    assert service.data_asked == 1


def test_a_new_month_asks_for_that_month_alone(service, tmp_path):
    fetched(service, tmp_path)
    service.rows += trade(REPORTERS, ("202504",), PARTNERS)
    _, wire = fetched(service, tmp_path, needed=need(last=date(2025, 4, 1)))
    assert [asked.params["period"] for asked in wire.asked if "/get/" in asked.path] == ["202504"]


def test_the_days_calls_are_counted_over_runs(service, tmp_path):
    limited = replace(
        PUBLISHER, service=replace(PUBLISHER.service, limits=replace(PUBLISHER.service.limits, calls_a_day=3))
    )
    with served(service.answer) as wire:
        for _ in range(2):
            with pytest.raises(TryLater, match="all 3 calls of today are used up"):
                run.fetch(limited, need(), tmp_path, SecretStr(KEY), None, Hand().clock(), address=wire.url)
        assert len(wire.asked) == 3
        run.fetch(limited, need(), tmp_path, SecretStr(KEY), None, Hand(86400.0).clock(), address=wire.url)


def test_halves_are_disjoint_and_together_the_same():
    ask = Ask(DATA, "M", (276, 398, 842), MONTHS, ("270900", "851713", "854231"), (0, 643))
    blocks, whole = [ask], []
    while blocks:
        block = blocks.pop()
        try:
            blocks += halves(block)
        except DataRejected:
            whole.append((block.reporters, block.periods, block.goods, block.partners))
    assert len(whole) == len(set(whole)) == 3 * 3 * 3 * 2
