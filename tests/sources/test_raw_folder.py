"""The raw folder: nothing in it is left out without a word, and what is read is what was hashed."""

import json
import os
from pathlib import Path

import pytest

from anomaly.contract.errors import DataRejected, SettingsWrong, StoreFailure, TryLater
from anomaly.store.store import Store
from pipelines import flows, raw_walk
from tests.sources.test_ingest import MAPPING, ingest, table

ROW = "KAZ,RUS,2022,851713,5"


def paths(store: Store) -> list[str]:
    return sorted(store.read("flows.files")["path"])


def test_a_folder_that_is_a_link_is_read_like_any_other(tmp_path):
    table(tmp_path / "raw", [ROW])
    table(tmp_path / "elsewhere", ["KGZ,RUS,2022,851713,7"], "more.csv")
    (tmp_path / "raw" / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert paths(ingest(tmp_path)) == ["linked/more.csv", "trade.csv"]


def test_a_link_that_leads_nowhere_is_an_error_with_its_name(tmp_path):
    table(tmp_path / "raw", [ROW])
    (tmp_path / "raw" / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(StoreFailure, match=r"raw/gone\.csv") as caught:
        ingest(tmp_path)
    assert caught.value.exit_code == 74


@pytest.mark.parametrize("back", [".", "below"])
def test_a_link_back_to_a_folder_that_it_lies_in_is_refused_by_name(tmp_path, back):
    table(tmp_path / "raw" / "below", [ROW])
    (tmp_path / "raw" / "below" / "again").symlink_to(tmp_path / "raw" / back, target_is_directory=True)
    with pytest.raises(StoreFailure, match="again: a folder that it lies in"):
        ingest(tmp_path)


def test_a_folder_that_may_not_be_read_is_an_error_with_its_name(tmp_path, monkeypatch):
    table(tmp_path / "raw", [ROW])
    table(tmp_path / "raw" / "shut", ["KGZ,RUS,2022,851713,7"])
    inside = Path.iterdir

    def iterdir(path: Path):
        if path.name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return inside(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(StoreFailure, match="raw/shut") as caught:
        ingest(tmp_path)
    assert caught.value.exit_code == 74


def test_a_pipe_among_the_files_is_refused_by_name_and_not_waited_for(tmp_path):
    table(tmp_path / "raw", [ROW])
    os.mkfifo(tmp_path / "raw" / "pipe.csv")
    with pytest.raises(DataRejected, match=r"pipe\.csv"):
        ingest(tmp_path)


def test_a_folder_that_a_glob_names_is_read(tmp_path):
    table(tmp_path / "raw" / "own", [ROW])
    table(tmp_path / "raw", ["KGZ,RUS,2022,851713,7"], "more.csv")
    assert paths(ingest(tmp_path, tmp_path / "raw" / "*")) == ["more.csv", "own/trade.csv"]


@pytest.mark.parametrize("pattern", ["*/*.csv", "**/*.csv", "*/inner/*.csv", "**", "s*/**/trade.csv"])
def test_a_folder_in_the_middle_of_a_glob_that_may_not_be_read_is_an_error_with_its_name(
    tmp_path, pattern, monkeypatch
):
    table(tmp_path / "raw" / "open", [ROW])
    table(tmp_path / "raw" / "shut" / "inner", ["KGZ,RUS,2022,851713,7"])
    inside = Path.iterdir

    def iterdir(path: Path):
        if path.name in ("shut", "inner"):
            raise PermissionError(13, "Permission denied", str(path))
        return inside(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(StoreFailure, match="raw/shut") as caught:
        ingest(tmp_path, tmp_path / "raw" / pattern)
    assert caught.value.exit_code == 74


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "**",
        "*.csv",
        "*/*",
        "*/*.csv",
        "**/*.csv",
        "o*/**",
        "**/deep/*",
        "[ab]*/t?ade.csv",
        "*/deep/**/*.csv",
        "x*",
    ],
)
def test_a_glob_names_what_the_shell_would_name(tmp_path, pattern):
    import glob

    for folder in ("", "own", "b/deep", "b/deep/deep", ".hidden", "lost+found"):
        table(tmp_path / "raw" / folder, [ROW])
    whole = str(tmp_path / "raw" / pattern)
    by_glob = glob.glob(whole, recursive=True)  # noqa: PTH207
    files = {path for path in by_glob if Path(path).is_file() and "lost+found" not in path}
    walked = {str(path) for path in raw_walk._named(Path(whole)) if path.is_file()}
    folders = [path for path in raw_walk._named(Path(whole)) if path.is_dir()]
    walked |= (
        {str(path) for folder in folders for path in raw_walk._files(folder, folder)} if pattern[-2:] == "**" else set()
    )
    assert {path for path in walked if "lost+found" not in path} == files


def test_a_link_in_the_middle_of_a_glob_is_followed_and_refused_where_it_leads_back_or_nowhere(tmp_path):
    table(tmp_path / "raw" / "own", [ROW])
    table(tmp_path / "elsewhere", ["KGZ,RUS,2022,851713,7"], "more.csv")
    (tmp_path / "raw" / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert paths(ingest(tmp_path, tmp_path / "raw" / "*" / "*.csv")) == ["linked/more.csv", "own/trade.csv"]
    back = tmp_path / "raw" / "own" / "back"
    back.symlink_to(tmp_path / "raw", target_is_directory=True)
    with pytest.raises(StoreFailure, match="a folder that it lies in"):
        ingest(tmp_path, tmp_path / "raw" / "**" / "*.csv")
    back.unlink()
    (tmp_path / "raw" / "gone").symlink_to(tmp_path / "nowhere", target_is_directory=True)
    with pytest.raises(StoreFailure, match="raw/gone"):
        ingest(tmp_path, tmp_path / "raw" / "*" / "*.csv")


def test_hidden_folders_reference_and_lost_files_of_a_disk_are_not_even_opened(tmp_path, monkeypatch):
    table(tmp_path / "raw", [ROW])
    for name in (".git", "reference", "lost+found"):
        table(tmp_path / "raw" / name, [ROW])
    opened = []
    inside = Path.iterdir

    def iterdir(path: Path):
        opened.append(path.name)
        return inside(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert [path.name for path in raw_walk.walk(tmp_path / "raw")[1]] == ["trade.csv", "trade.toml"]
    assert opened == ["raw"]


def test_a_name_that_is_not_utf_8_is_refused_with_its_bytes(tmp_path):
    table(tmp_path / "raw", [ROW])
    Path(os.fsdecode(os.fsencode(tmp_path / "raw") + b"/caf\xe9.csv")).write_text("x", encoding="utf-8")
    with pytest.raises(DataRejected, match=r"caf\\xe9") as caught:
        ingest(tmp_path)
    str(caught.value).encode()


def during(monkeypatch: pytest.MonkeyPatch, change) -> None:
    """Let something happen in the raw folder after its files were hashed and before the first is read."""
    claimed = flows._claimed

    def changed(run):
        change()
        return claimed(run)

    monkeypatch.setattr(flows, "_claimed", changed)


def refused_as_changed(root: Path, name: str) -> None:
    with pytest.raises(TryLater, match=name) as caught:
        ingest(root)
    assert caught.value.exit_code == 75
    assert not Store(root / "data").exists("flows")
    assert json.loads((root / "data" / "run-status.json").read_text())["exit_code"] == 75


def test_a_file_replaced_between_hash_and_reading_is_not_taken_under_the_old_hash(tmp_path, monkeypatch):
    path = table(tmp_path / "raw", [ROW])
    during(monkeypatch, lambda: path.write_text(path.read_text().replace(",5", ",7"), encoding="utf-8"))
    refused_as_changed(tmp_path, r"raw/trade\.csv changed")


def test_a_mapping_replaced_meanwhile_is_not_taken_under_the_old_hash(tmp_path, monkeypatch):
    table(tmp_path / "raw", [ROW])
    mapping = tmp_path / "raw" / "trade.toml"
    during(monkeypatch, lambda: mapping.write_text(MAPPING + "[value]\nmultiplier = 1000\n", encoding="utf-8"))
    refused_as_changed(tmp_path, r"raw/trade\.toml changed")


def test_a_mapping_that_comes_meanwhile_does_not_speak_for_a_file(tmp_path, monkeypatch):
    table(tmp_path / "raw", [ROW])
    origin = tmp_path / "raw" / "origin.toml"
    during(monkeypatch, lambda: origin.write_text('vintage = "2023"\n', encoding="utf-8"))
    refused_as_changed(tmp_path, r"raw/origin\.toml came")


def test_a_file_that_goes_away_meanwhile_is_named_and_not_left_out(tmp_path, monkeypatch):
    table(tmp_path / "raw", [ROW])
    path = table(tmp_path / "raw", ["KGZ,RUS,2022,851713,7"], "more.csv")
    during(monkeypatch, path.unlink)
    refused_as_changed(tmp_path, r"raw/more\.csv went away")


def test_a_file_that_is_half_written_while_it_is_read_is_to_be_tried_later(tmp_path, monkeypatch):
    path = table(tmp_path / "raw", [ROW])
    during(monkeypatch, lambda: path.write_text("from,to,ye", encoding="utf-8"))
    refused_as_changed(tmp_path, r"raw/trade\.csv changed")


def test_a_file_that_comes_meanwhile_is_said_and_left_to_the_next_run(tmp_path, monkeypatch, capsys):
    table(tmp_path / "raw", [ROW])
    late = tmp_path / "raw" / "holiday.jpg"
    with monkeypatch.context() as patched:
        during(patched, lambda: late.write_bytes(b"\xff\xd8"))
        assert paths(ingest(tmp_path)) == ["trade.csv"]
    assert "raw/holiday.jpg came while the others were read" in capsys.readouterr().err
    with pytest.raises(DataRejected, match=r"holiday\.jpg"):
        ingest(tmp_path)


def test_a_disk_that_fails_while_a_raw_file_is_read_names_it_and_its_bytes(tmp_path, monkeypatch):
    path = table(tmp_path / "raw", [ROW])
    size = path.stat().st_size
    whole = Path.read_bytes

    def broken(at: Path) -> bytes:
        if at == path:
            raise OSError(5, "Input/output error")
        return whole(at)

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(StoreFailure, match=rf"raw/trade\.csv \({size} bytes\)") as caught:
        ingest(tmp_path)
    assert caught.value.exit_code == 74


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ('[sha256]\n"not-there.csv" = "00"', "not-there.csv, which is not beside it"),
        ("dataset = { a = 1 }", "dataset is"),
        ("[sha256]\n'trade.csv' = 1", "no text"),
        ("url = 1" + "0" * 5000, "digits"),
        ("vintage = [1]", "vintage is"),
    ],
)
def test_an_origin_with_odd_values_is_refused_with_the_key(tmp_path, origin, says):
    path = table(tmp_path / "raw", [ROW])
    (path.parent / "origin.toml").write_text(origin, encoding="utf-8")
    with pytest.raises(DataRejected, match=says) as caught:
        ingest(tmp_path)
    assert "trade.csv" in str(caught.value)


@pytest.mark.parametrize("name", ["/etc/hostname", "../countries.csv"])
def test_what_a_mapping_names_lies_beside_the_table(tmp_path, name):
    table(tmp_path / "raw", [ROW], mapping=f'country_table = "{name}"\n' + MAPPING)
    with pytest.raises(SettingsWrong, match="beside the table"):
        ingest(tmp_path, tmp_path / "raw" / "*.csv")


def test_all_that_changed_is_named_at_once(tmp_path, monkeypatch):
    removed, emptied = table(tmp_path / "raw", [ROW]), table(tmp_path / "raw", [ROW], "more.csv")

    def change() -> None:
        removed.unlink()
        emptied.write_text("", encoding="utf-8")

    during(monkeypatch, change)
    refused_as_changed(tmp_path, "2 that did not")
