"""Raw folder → flows: which files are read, what lies beside them, releases, and every row accounted for."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected, SourceUnavailable, StoreFailure
from anomaly.store.store import Store
from pipelines import flows, parts, raw
from pipelines.running import run_jobs
from tests.sources.comtrade_files import answer, row
from tests.trade import codes_of

CARS = codes_of("87", 20)
MAPPING = """
classification = "H6"
flow = "X"
[columns]
reporter = "from"
partner = "to"
period = "year"
code = "hs"
value = "usd"
"""


def table(folder: Path, rows: list[str], name: str = "trade.csv", mapping: str = MAPPING) -> Path:
    """A table of one's own with its mapping beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("from,to,year,hs,usd\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    (folder / (Path(name).stem + ".toml")).write_text(mapping, encoding="utf-8")
    return folder / name


def ingest(root: Path, raw_folder: Path | None = None) -> Store:
    run_jobs((flows.JOB,), "flows", raw_folder or root / "raw", root / "data", "russia-2022")
    return Store(root / "data")


def files_of(store: Store) -> dict[str, dict[str, object]]:
    return {row["path"]: row for row in store.read("flows.files").to_dicts()}


def balance(store: Store) -> bool:
    files = store.read("flows.files")
    sums = files["rows_kept"] + files["rows_rejected"] + files["rows_deduplicated"]
    kept_is_held = files["rows_kept"].sum() == store.read("flows").height
    return (
        kept_is_held
        and files["rows_rejected"].sum() == store.read("flows.rejected").height
        and (sums == files["rows_in"]).all()
    )


def test_every_row_is_kept_rejected_or_deduplicated_and_the_store_holds_as_many(tmp_path, capsys):
    good = [f"KAZ,RUS,{year},851713,{year}" for year in range(1900, 2023)]
    table(tmp_path / "raw", [*good, good[0], "KAZ,XXX,2022,851713,5"])
    store = ingest(tmp_path)
    assert balance(store)
    file = files_of(store)["trade.csv"]
    assert (file["rows_in"], file["rows_kept"], file["rows_rejected"], file["rows_deduplicated"]) == (125, 123, 1, 1)
    assert "trade.csv: 125 rows in = 123 kept + 1 rejected + 1 deduplicated" in capsys.readouterr().err


def test_a_file_with_too_many_bad_rows_commits_nothing_and_shows_three_of_them(tmp_path):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5", "KAZ,QQQ,2022,851713,6", "KAZ,RUS,2022,851713,many"])
    with pytest.raises(DataRejected, match=r"2 bad rows of 3") as caught:
        ingest(tmp_path)
    assert "row 2" in str(caught.value)
    assert caught.value.exit_code == 65
    assert not Store(tmp_path / "data").exists("flows")
    status = json.loads((tmp_path / "data" / "run-status.json").read_text())
    assert (status["status"], status["exit_code"]) == ("failed", 65)


@pytest.mark.parametrize(("bad", "is_refused"), [(1, False), (2, True)])
def test_the_limit_of_bad_rows_is_one_in_a_hundred_and_not_one_more(tmp_path, bad, is_refused):
    good = [f"KAZ,RUS,{year},851713,{year}" for year in range(1924, 2024 - bad)]
    table(tmp_path / "raw", [*good, *["KAZ,QQQ,2022,851713,6", "KAZ,QQQ,2021,851713,6"][:bad]])
    if is_refused:
        with pytest.raises(DataRejected, match=r"2 bad rows of 100"):
            ingest(tmp_path)
    else:
        assert ingest(tmp_path).read("flows").height == 99


def test_an_unknown_file_is_named_with_what_is_known(tmp_path):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    (tmp_path / "raw" / "holiday.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataRejected, match=r"holiday\.jpg") as caught:
        ingest(tmp_path)
    assert "comtrade" in str(caught.value)


def test_pages_hidden_files_and_reference_are_passed_over(tmp_path):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    (tmp_path / "raw" / "reference").mkdir()
    for name in ("README.md", "SIMULATED.md", ".DS_Store", "reference/table.csv"):
        (tmp_path / "raw" / name).write_text("x", encoding="utf-8")
    assert [item.raw.name for item in raw.find(tmp_path / "raw")] == ["trade.csv"]


@pytest.mark.parametrize("given_path", ["comtrade", "comtrade/a.json", "comtrade/*.json"])
def test_a_folder_a_file_and_a_glob_name_a_file_alike(tmp_path, given_path):
    (tmp_path / "comtrade").mkdir()
    (tmp_path / "comtrade" / "a.json").write_text("{}", encoding="utf-8")
    names = [item.raw.name for item in raw.find(tmp_path / given_path)]
    assert names == (["a.json"] if given_path == "comtrade" else ["comtrade/a.json"])


def test_nothing_to_read_says_where_files_belong(tmp_path):
    with pytest.raises(SourceUnavailable, match="RAW="):
        raw.find(tmp_path / "nowhere")


def test_folders_and_origin_toml_say_dataset_vintage_and_where_it_was_published(tmp_path):
    folder = tmp_path / "raw" / "own" / "survey" / "2022" / "2023-07-20"
    path = table(folder, ["KAZ,RUS,2022,851713,5"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    origin = f'url = "https://example.org/a"\nfetched_at = 2023-07-20T09:00:00Z\nsha256 = "{digest}"\n'
    (folder / "origin.toml").write_text(origin, encoding="utf-8")
    store = ingest(tmp_path)
    file = files_of(store)["own/survey/2022/2023-07-20/trade.csv"]
    assert (file["dataset"], file["vintage"], file["url"]) == ("survey", "2023-07-20", "https://example.org/a")
    assert str(file["fetched_at"]).startswith("2023-07-20")
    assert file["sha256"] == digest


@pytest.mark.parametrize("origin", ['sha256 = "00"', '[sha256]\n"trade.csv" = "00"', "sha256 = ", 'ulr = "x"'])
def test_an_origin_that_does_not_fit_is_refused(tmp_path, origin):
    path = table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    (path.parent / "origin.toml").write_text(origin, encoding="utf-8")
    with pytest.raises(DataRejected, match=r"trade\.csv"):
        ingest(tmp_path)


def current(store: Store) -> set[tuple[str, str, int]]:
    rows = store.read("flows", where=pl.col("is_current")).select("dataset", "cmd_code", "primary_value_usd")
    return set(rows.iter_rows())


def releases(root: Path, older: list[str], newer: list[str], older_edition: str = "H6") -> set[tuple[str, str, int]]:
    """What is current of two releases of one dataset, the newer in H6, as (reporter, code, value)."""
    january, july = (root / "raw" / "own" / "survey" / "2022" / day for day in ("2023-01-05", "2023-07-20"))
    table(january, older, mapping=MAPPING.replace("H6", older_edition))
    table(july, newer)
    store = ingest(root)
    assert store.read("flows").height == len(older) + len(newer)
    rows = store.read("flows", where=pl.col("is_current"))
    return set(rows.select("reporter_iso", "cmd_code", "primary_value_usd").iter_rows())


def test_a_newer_vintage_replaces_what_it_holds_and_both_stay(tmp_path):
    older = ["KAZ,RUS,2022,851713,5", "KGZ,RUS,2022,851713,9"]
    assert releases(tmp_path, older, ["KAZ,RUS,2022,851713,6"]) == {("KAZ", "851713", 6), ("KGZ", "851713", 9)}


def test_a_row_that_was_revised_away_is_gone_where_the_newer_release_has_its_code_elsewhere(tmp_path):
    older = ["KAZ,RUS,2022,851713,5", "KAZ,RUS,2022,847130,7"]
    newer = ["KAZ,RUS,2022,851713,6", "KGZ,RUS,2022,847130,8"]
    assert releases(tmp_path, older, newer) == {("KAZ", "851713", 6), ("KGZ", "847130", 8)}


def test_a_newer_release_of_one_chapter_leaves_the_other_chapters_in_place(tmp_path):
    older = ["KAZ,RUS,2022,851713,5", "KAZ,RUS,2022,870323,7", "KAZ,RUS,2022,851762,3"]
    newer = ["KAZ,RUS,2022,851713,6", "KAZ,RUS,2022,851762,4"]
    assert releases(tmp_path, older, newer) == {
        ("KAZ", "851713", 6), ("KAZ", "851762", 4), ("KAZ", "870323", 7),
    }  # fmt: skip


def test_a_newer_release_of_some_codes_leaves_the_other_codes_of_their_chapter_in_place(tmp_path):
    older = [f"KAZ,RUS,2022,{code},5" for code in CARS]
    newer = [f"KAZ,RUS,2022,{code},6" for code in CARS[:10]]
    kept = releases(tmp_path, older, newer)
    assert {code for _, code, value in kept if value == 5} == set(CARS[10:])


def test_a_code_that_a_newer_release_of_its_whole_chapter_has_no_more_is_gone(tmp_path):
    older = [f"KAZ,RUS,2022,{code},5" for code in CARS]
    newer = [f"KAZ,RUS,2022,{code},6" for code in CARS[:19]]
    assert all(value == 6 for _, _, value in releases(tmp_path, older, newer))


def test_a_route_that_a_newer_release_of_the_whole_reporter_has_no_more_is_gone(tmp_path):
    partners = ("ARM", "AZE", "BLR", "CHN", "DEU", "FRA", "GEO", "IRN", "KGZ", "MNG", "RUS", "TUR")
    older = [f"KAZ,{partner},2022,851713,5" for partner in partners]
    newer = [f"KAZ,{partner},2022,851713,6" for partner in partners[:-1]]
    assert releases(tmp_path, older, newer) == {("KAZ", "851713", 6)}


def test_a_newer_release_of_some_partners_leaves_the_others_in_place(tmp_path):
    older = ["KAZ,RUS,2022,851713,5", "KAZ,BLR,2022,851713,7"]
    assert releases(tmp_path, older, ["KAZ,RUS,2022,851713,6"]) == {("KAZ", "851713", 6), ("KAZ", "851713", 7)}


def test_a_group_told_again_in_another_edition_does_not_keep_the_codes_that_ended(tmp_path):
    older = ["KAZ,RUS,2022,851712,5", "KAZ,RUS,2022,870323,7"]
    assert releases(tmp_path, older, ["KAZ,RUS,2022,851713,6"], "H5") == {("KAZ", "851713", 6), ("KAZ", "870323", 7)}


def test_a_code_of_another_edition_does_not_replace_one_in_a_group_of_the_same_edition(tmp_path):
    older = ["KAZ,RUS,2022,070959,5", "KAZ,RUS,2022,870323,7"]  # HS 2022 took 070952 out of 070959, and has both
    newer = ["KAZ,RUS,2022,870323,8", "KGZ,RUS,2022,070952,6"]
    assert releases(tmp_path, older, newer) == {("KAZ", "070959", 5), ("KAZ", "870323", 8), ("KGZ", "070952", 6)}


def test_each_row_is_replaced_by_the_newest_release_that_holds_it(tmp_path):
    days = ("2023-01-05", "2023-07-20", "2024-01-05")
    oldest, middle, newest = (tmp_path / "raw" / "own" / "survey" / "2022" / day for day in days)
    table(oldest, ["KAZ,RUS,2022,851713,5", "KAZ,RUS,2022,847130,5", "KAZ,RUS,2022,870323,5"])
    table(middle, ["KAZ,RUS,2022,851713,6", "KAZ,RUS,2022,847130,6"])
    table(newest, ["KAZ,RUS,2022,851713,7"])
    assert {(code, value) for _, code, value in current(ingest(tmp_path))} == {
        ("851713", 7), ("847130", 6), ("870323", 5),
    }  # fmt: skip


def test_between_datasets_the_newer_row_wins_and_an_undated_one_is_the_oldest(tmp_path):
    table(tmp_path / "raw" / "own" / "survey" / "2022" / "2023-01-05", ["KAZ,RUS,2022,851713,5"])
    table(tmp_path / "raw" / "z", ["KAZ,RUS,2022,851713,6", "KAZ,RUS,2022,847130,7"])
    store = ingest(tmp_path)
    assert current(store) == {("survey", "851713", 5), ("trade", "847130", 7)}


@pytest.mark.parametrize("code", ["870323", "851713"])
def test_what_two_datasets_say_in_two_editions_is_counted_once(tmp_path, code):
    rows = ["KAZ,RUS,2022,870323,5", "KAZ,RUS,2022,851712,5"]
    folder = tmp_path / "raw" / "own"
    table(folder / "survey" / "2022" / "2023-01-05", rows, mapping=MAPPING.replace("H6", "H5"))
    table(folder / "again" / "2022" / "2024-01-05", [f"KAZ,RUS,2022,{code},6"])
    left = {"870323": "851712", "851713": "870323"}[code]
    assert current(ingest(tmp_path)) == {("again", code, 6), ("survey", left, 5)}


def test_one_table_twice_is_counted_once(tmp_path):
    for name in ("a", "b"):
        table(tmp_path / "raw" / name, ["KAZ,RUS,2022,851713,5"])
    store = ingest(tmp_path)
    assert store.read("flows").height == 1
    assert balance(store)


def test_rows_that_two_files_of_a_release_share_are_counted_once(tmp_path):
    table(tmp_path / "raw" / "a", ["KAZ,RUS,2022,851713,5", "KAZ,RUS,2022,847130,7"])
    table(tmp_path / "raw" / "b", ["KAZ,RUS,2022,851713,5", "KAZ,RUS,2022,870323,9"])
    store = ingest(tmp_path)
    assert sorted(store.read("flows")["primary_value_usd"]) == [5, 7, 9]
    assert balance(store)
    assert store.read("flows.files")["rows_deduplicated"].sum() == 1


def test_two_files_of_a_release_that_differ_are_refused(tmp_path):
    table(tmp_path / "raw" / "a", ["KAZ,RUS,2022,851713,5"])
    table(tmp_path / "raw" / "b", ["KAZ,RUS,2022,851713,6"])
    with pytest.raises(DataRejected, match="one value for a key"):
        ingest(tmp_path)


def test_files_read_in_many_batches_give_the_flows_of_one(tmp_path, monkeypatch):
    rows = [f"KAZ,RUS,2022,{code},{code}" for code in codes_of("84", 600)]
    table(tmp_path / "one" / "raw", rows)
    table(tmp_path / "many" / "raw", rows)
    whole = ingest(tmp_path / "one").read("flows")
    monkeypatch.setattr(parts, "PART_ROWS", 7)
    monkeypatch.setattr(flows, "BATCH_ROWS", 10)
    store = ingest(tmp_path / "many")
    assert len(list((tmp_path / "many" / "data" / "flows" / store.version("flows")).glob("part-*"))) == 60
    assert store.read("flows").sort("cmd_code").equals(whole)


@pytest.mark.parametrize("codes", [(847130, 851713), (851713, 847130)])
def test_rows_lie_in_order_whatever_the_order_of_the_file(tmp_path, codes):
    pairs = [("KAZ", "RUS"), ("KAZ", "BLR"), ("KGZ", "RUS"), ("ARM", "BLR")]
    rows = [
        f"{exporter},{importer},{year},{code},1"
        for code in codes
        for exporter, importer in pairs
        for year in (2023, 2022)
    ]
    table(tmp_path / "ordered" / "raw", sorted(rows, key=lambda row: [row.split(",")[at] for at in (3, 0, 1, 2)]))
    table(tmp_path / "mixed" / "raw", rows)
    ordered, mixed = (ingest(tmp_path / name).read("flows").drop("raw_file") for name in ("ordered", "mixed"))
    assert ordered.equals(mixed)
    assert ordered.equals(ordered.sort(parts.ORDER))


def test_the_groups_of_a_file_are_all_there_whatever_never_changes_in_it(tmp_path):
    january, july = (tmp_path / "raw" / "own" / "survey" / "2022" / day for day in ("2023-01-05", "2023-07-20"))
    table(january, ["KAZ,RUS,2022,851713,5", "KAZ,BLR,2022,851713,6", "KAZ,BLR,2021,851713,7"])
    table(july, ["KAZ,RUS,2022,851713,8", "KAZ,BLR,2022,851713,9", "KAZ,BLR,2021,851713,10"])
    assert current(ingest(tmp_path)) == {("survey", "851713", value) for value in (8, 9, 10)}


def test_unchanged_files_are_not_read_again_and_a_changed_mapping_is(tmp_path, capsys, monkeypatch):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    version = ingest(tmp_path).version("flows")
    with monkeypatch.context() as patched:
        patched.setattr(flows, "_ingest", None)
        assert ingest(tmp_path).version("flows") == version
    assert "flows: no change" in capsys.readouterr().err
    (tmp_path / "raw" / "trade.toml").write_text(MAPPING + "[value]\nmultiplier = 1000\n", encoding="utf-8")
    assert ingest(tmp_path).read("flows")["primary_value_usd"].to_list() == [5000]


def test_a_raw_file_that_cannot_be_read_is_an_input_error_with_its_name(tmp_path, monkeypatch):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])

    def broken(_path: Path) -> str:
        raise OSError(5, "Input/output error", "trade.csv")

    monkeypatch.setattr(raw, "_sha256", broken)
    with pytest.raises(StoreFailure, match=r"Input/output error: trade\.csv"):
        ingest(tmp_path)


def quarantined(root: Path) -> int:
    outcome = run_jobs((flows.JOB,), "flows", root / "raw", root / "data", "russia-2022", is_quarantine=True)
    return outcome.exit_code


def test_one_bad_file_is_set_aside_with_its_reason_and_tried_again(tmp_path):
    table(tmp_path / "raw", ["KAZ,RUS,2022,851713,5"])
    bad = table(tmp_path / "raw", ["KAZ,RUS,2022,85171,5"], "bad.csv")
    assert quarantined(tmp_path) == 3
    store = Store(tmp_path / "data")
    assert store.read("flows")["primary_value_usd"].to_list() == [5]
    assert store.read("flows.files")["path"].to_list() == ["trade.csv"]
    assert store.read("flows.rejected").is_empty()
    assert "a zero is lost" in store.read("flows.set_aside")["reason"][0]
    status = json.loads((tmp_path / "data" / "run-status.json").read_text())
    assert (status["exit_code"], status["set_aside"]) == (3, ["bad.csv"])
    assert quarantined(tmp_path) == 3  # nothing changed, and it is tried again
    bad.write_text("from,to,year,hs,usd\nKGZ,RUS,2022,851713,7\n", encoding="utf-8")
    assert quarantined(tmp_path) == 0
    assert store.read("flows.set_aside").is_empty()
    assert store.read("flows")["primary_value_usd"].sort().to_list() == [5, 7]


def test_what_was_taken_of_a_file_before_it_turned_out_bad_is_taken_out_again(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART_ROWS", 2)
    monkeypatch.setattr(flows, "BATCH_ROWS", 3)
    table(tmp_path / "raw", [f"KAZ,RUS,2022,{code},5" for code in CARS[:4]])
    table(tmp_path / "raw", [*(f"KGZ,RUS,2022,{code},7" for code in CARS), "KGZ,RUS,2022,85171,7"], "bad.csv")
    assert quarantined(tmp_path) == 3
    assert Store(tmp_path / "data").read("flows")["primary_value_usd"].to_list() == [5] * 4


def test_every_bad_file_is_named_at_once(tmp_path):
    table(tmp_path / "raw", ["KAZ,RUS,2022,85171,5"], "first.csv")
    table(tmp_path / "raw", ["KAZ,QQQ,2022,851713,5"], "second.csv")
    (tmp_path / "raw" / "holiday.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataRejected, match="3 that cannot") as caught:
        ingest(tmp_path)
    assert all(
        name in str(caught.value) for name in ("first.csv", "second.csv", "holiday.jpg", "a zero is lost", "[country]")
    )


def test_nothing_left_says_why_with_a_row(tmp_path):
    table(tmp_path / "raw", ["KAZ,W00,2022,851713,5"])
    with pytest.raises(DataRejected, match=r"trade\.csv, 1 rows, the first is row 1, to 'W00': the world"):
        ingest(tmp_path)


def test_parts_of_one_table_in_two_files_are_refused_and_equal_ones_are_not(tmp_path):
    table(tmp_path / "raw", ["RUS,KAZ,2022,854231,800"], "moscow.csv")
    table(tmp_path / "raw", ["RUS,KAZ,2022,854231,50"], "tver.csv")
    with pytest.raises(DataRejected, match=r"moscow\.csv .* says 800 USD; tver\.csv .* says 50 USD"):
        ingest(tmp_path)
    table(tmp_path / "raw", ["RUS,KAZ,2022,854231,800"], "tver.csv")
    assert ingest(tmp_path).read("flows").filter("is_current").height == 1


def test_files_that_a_mapping_names_and_a_desktop_leaves_are_no_data(tmp_path):
    table(tmp_path / "raw", ["Kasachstan,RUS,2022,851713,5"], mapping='country_table = "names.csv"\n' + MAPPING)
    (tmp_path / "raw" / "names.csv").write_text("text,iso3\nKasachstan,KAZ\n", encoding="utf-8")
    (tmp_path / "raw" / "Thumbs.db").write_bytes(b"abc")
    (tmp_path / "raw" / "~$trade.xlsx").write_bytes(b"abc")
    store = ingest(tmp_path)
    assert store.read("flows")["reporter_iso"].to_list() == ["KAZ"]
    version = store.version("flows")
    (tmp_path / "raw" / "names.csv").write_text("text,iso3\nKasachstan,KGZ\n", encoding="utf-8")
    assert ingest(tmp_path).version("flows") != version


def months(value: int, reporter: str = "KAZ") -> list[str]:
    return [f"{reporter},RUS,2022-{month:02},854231,{value * month}" for month in (3, 1, 5, 2)]


def test_a_table_a_thousand_times_smaller_than_a_publisher_is_doubted(tmp_path):
    mapping = MAPPING.replace('flow = "X"', 'flow = "X"\nperiod = "%Y-%m"')
    table(tmp_path / "raw", months(5), mapping=mapping)
    (tmp_path / "raw" / "comtrade").mkdir()
    rows = [
        row(freqCode="M", period=f"2022{month:02}", reporterCode=398, reporterISO="KAZ", cmdCode="854231", primaryValue=5000.0 * month)
        for month in (1, 2, 3, 5)
    ]  # fmt: skip
    (tmp_path / "raw" / "comtrade" / "a.json").write_bytes(answer(rows))
    doubts = ingest(tmp_path).read("flows.doubts").sort("rule")
    assert doubts["rule"].to_list() == ["differs_by_power_of_ten", "takes_the_route"]
    assert doubts.select("reporter_iso", "partner_iso", "cmd_code").row(0) == ("KAZ", "RUS", "854231")
    assert "1000 times smaller than comtrade" in doubts["says"][0]
    assert "55 USD in the table, 55000 USD" in doubts["figures"][0]


def test_a_table_that_agrees_is_not_doubted_for_its_unit(tmp_path):
    mapping = MAPPING.replace('flow = "X"', 'flow = "X"\nperiod = "%Y-%m"')
    table(tmp_path / "raw", months(5), mapping=mapping)
    (tmp_path / "raw" / "comtrade").mkdir()
    rows = [
        row(freqCode="M", period=f"2022{month:02}", reporterCode=398, reporterISO="KAZ", cmdCode="854231", primaryValue=6.0 * month)
        for month in (1, 2, 3, 5)
    ]  # fmt: skip
    (tmp_path / "raw" / "comtrade" / "a.json").write_bytes(answer(rows))
    assert ingest(tmp_path).read("flows.doubts")["rule"].to_list() == ["takes_the_route"]


def test_reexports_beyond_exports_are_doubted(tmp_path):
    mapping = MAPPING.replace('flow = "X"\n', "") + 'flow = "way"\n[flows]\nE = "X"\nR = "RX"\n'
    rows = [
        "ARE,RUS,2022,851713,1,E",
        "ARE,RUS,2022,851713,250,R",
        "ARE,IRN,2022,851713,9,E",
        "ARE,IRN,2022,851713,3,R",
    ]
    path = table(tmp_path / "raw", rows, mapping=mapping)
    path.write_text(path.read_text().replace("hs,usd", "hs,usd,way"), encoding="utf-8")
    doubts = ingest(tmp_path).read("flows.doubts")
    assert doubts.select("rule", "partner_iso").rows() == [("reexports_beyond_exports", "RUS")]
    assert "250 USD sent on, 1 USD of exports" in doubts["figures"][0]
