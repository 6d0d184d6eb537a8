"""Families: the editions of the HS are linked so that no dollar is lost, and what cannot be linked is said."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.contract.errors import DataRejected
from anomaly.reference import editions, families, tables
from tests import REAL_RAW

CORRELATION = REAL_RAW.parent.parent / "reference" / "hs2022_hs2017_correlation.csv"
NEEDS_CORRELATION = pytest.mark.skipif(not CORRELATION.is_file(), reason="the UNSD correlation table is not here")


def good_of(edition: int, code: str, used: tuple[int, ...] = (5, 6)) -> str:
    matches = editions.family_map(used).filter(pl.col("edition") == edition, pl.col("cmd_code") == code)
    return matches["good"].item() if matches.height else code


def is_unstable(good: str, used: tuple[int, ...] = (5, 6)) -> bool:
    return good in unstable(used)["good"]


def unstable(used: Iterable[int], links: pl.DataFrame | None = None) -> pl.DataFrame:
    return families.breaks_of(editions.linked_goods(used, links))


@pytest.mark.parametrize(
    ("edition", "code", "good"),
    [
        (5, "851712", "851712+"), (6, "851713", "851712+"), (6, "851714", "851712+"), (6, "852589", "852580+"),
        (5, "880330", "880330+"), (6, "880730", "880330+"), (5, "854890", "854890+"), (6, "854800", "854890+"),
        (6, "854149", "854140+"), (6, "847989", "847989"), (5, "847989", "847989"), (5, "853710", "853710"),
        (6, "853710", "853710"), (5, "870323", "870323"), (6, "870323", "870323"), (6, "854231", "854231"),
    ],
)  # fmt: skip
def test_the_watched_goods_keep_one_name_across_2022(edition: int, code: str, good: str) -> None:
    assert good_of(edition, code) == good
    assert not is_unstable(good)


def test_goods_that_only_n_to_n_links_reach_are_unstable_and_never_merged() -> None:
    table = editions.family_map([5, 6])
    for code in ("854151", "854159", "880622", "854921", "852411"):
        row = table.filter(pl.col("edition") == 6, pl.col("cmd_code") == code).row(0, named=True)
        assert row == {"edition": 6, "cmd_code": code, "good": code, "is_unstable": True, "unstable_since": 6}
    assert is_unstable("854150")
    assert not set(editions.good_members("851712+")) & {"852411", "854151", "854159"}
    assert not [code for code in editions.good_members("852580+") if code.startswith("88")]


def test_a_split_of_2017_does_not_coarsen_a_comparison_of_2021_with_2022() -> None:
    assert good_of(5, "845611", (5, 6)) == "845611"
    assert good_of(5, "845611", (4, 5, 6)) == good_of(4, "845610", (4, 5, 6)) == "845610+"
    assert good_of(6, "845612", (4, 5, 6)) == "845610+"
    assert good_of(4, "851712", (4, 5, 6)) == "851712+"
    assert is_unstable("870340", (4, 5))
    assert not is_unstable("870340", (5, 6))


def test_one_edition_alone_has_no_families() -> None:
    assert editions.family_map([6]).is_empty()
    assert editions.family_map([]).is_empty()
    assert unstable([]).is_empty()


def test_a_good_knows_its_members() -> None:
    assert editions.good_members("851712+") == ["851712", "851713", "851714"]
    assert editions.good_members("870323") == ["870323"]
    assert editions.good_members("845610+") == ["845610", "845611", "845612"]


@pytest.mark.parametrize("used", [(5, 6), (4, 5), (4, 5, 6), (2, 3, 4, 5, 6), (4, 6)])
def test_in_the_shipped_links_every_code_of_an_edition_has_one_good(used: tuple[int, ...]) -> None:
    table = editions.family_map(used)
    assert table.select(pl.struct("edition", "cmd_code").is_unique().all()).item()
    assert set(table["edition"]) <= set(used)
    stable = table.filter(~pl.col("is_unstable"))
    assert stable["good"].str.ends_with("+").all()
    assert table.filter(pl.col("is_unstable") != pl.col("unstable_since").is_not_null()).is_empty()
    assert set(table.filter("is_unstable")["good"]) <= set(unstable(used)["good"])
    named = table.filter(pl.col("good").str.ends_with("+"))
    assert named.filter(pl.col("good").str.strip_chars("+") == pl.col("cmd_code"))["good"].n_unique() == (
        named["good"].n_unique() if min(used) <= 5 else 0
    )


def test_in_the_shipped_links_each_relation_is_what_its_rows_say() -> None:
    links = tables.read("hs_families.csv")
    sides = ["older_edition", "newer_edition"]
    counted = links.with_columns(
        of_newer=pl.len().over(*sides, "newer_code"), of_older=pl.len().over(*sides, "older_code")
    )
    assert set(links["relation"]) == {"1:1", "n:1", "1:n", "n:n"}
    broken = pl.col("newer_code").is_null() ^ pl.col("older_code").is_null()
    assert counted.filter((pl.col("relation") == "n:n") != broken).is_empty()
    linked = counted.filter(pl.col("relation") != "n:n")
    assert linked.filter(pl.col("relation").is_in(["1:1", "n:1"]), pl.col("of_newer") != 1).is_empty()
    assert linked.filter(pl.col("relation") == "1:1", pl.col("newer_code") == pl.col("older_code")).is_empty()
    assert linked.filter(pl.col("relation") == "1:n", pl.col("of_newer") == 1).is_empty()
    assert counted.filter(broken & (pl.min_horizontal("of_newer", "of_older") > 1)).is_empty()


@NEEDS_CORRELATION
def test_the_shipped_links_of_2022_are_those_of_the_full_table() -> None:
    assert editions.family_map([5, 6], editions.edition_links(CORRELATION)).equals(editions.family_map([5, 6]))
    assert unstable([5, 6], editions.edition_links(CORRELATION)).equals(unstable([5, 6]))


@NEEDS_CORRELATION
def test_in_the_full_table_no_stable_good_begins_or_ends_in_2022() -> None:
    table = pl.read_csv(CORRELATION, infer_schema=False)
    goods = {
        edition: {good_of_all(edition, code) for code in set(table[column])}
        for edition, column in ((5, "hs2017"), (6, "hs2022"))
    }
    broken = set(unstable([5, 6])["good"])
    assert goods[5] - broken == goods[6] - broken
    linked = set(zip(table["hs2022"], table["hs2017"], strict=True))
    plain = {good for good in goods[5] & goods[6] if not good.endswith("+")} - broken
    assert all((code, code) in linked for code in plain)


def good_of_all(edition: int, code: str) -> str:
    if not _GOODS:
        _GOODS.update({(row[0], row[1]): row[2] for row in editions.family_map([5, 6]).iter_rows()})
    return _GOODS.get((edition, code), code)


_GOODS: dict[tuple[int, str], str] = {}


def correlation(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "correlation.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_full_table_takes_the_place_of_the_shipped_links(tmp_path: Path) -> None:
    path = correlation(
        tmp_path, "HS2022, HS2017,Relationship\n010121,010120,n:1\n010129,010120,n:1\n851712,851712,1:1\n"
    )
    table = editions.family_map([5, 6], editions.edition_links(path))
    assert table.select("edition", "cmd_code", "good").rows() == [
        (5, "010120", "010120+"),
        (6, "010121", "010120+"),
        (6, "010129", "010120+"),
    ]
    assert editions.family_map([4, 5], editions.edition_links(path)).equals(editions.family_map([4, 5]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "columns hs2022, hs2017, relationship"),
        ("hs2022,hs2017,relationship\n10121,010121,1:1\n", "six digits, as text"),
        ("hs2022,hs2017,relationship\n010121,010121,1:2\n", "relations 1:1, n:1, 1:n or n:n"),
        ("hs2022,hs2017,relationship\n010121,,1:1\n", "six digits, as text"),
        ("", "as CSV in UTF-8"),
    ],
)
def test_a_full_table_that_is_none_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataRejected, match=says):
        editions.edition_links(correlation(tmp_path, text))


# A correlation made of separate knots: (kind, number of codes). Codes are numbered, so that knots never touch.
KNOTS = st.lists(
    st.tuples(st.sampled_from(["same", "renamed", "split", "merged", "tangle", "shedding"]), st.integers(2, 4)),
    max_size=60,
)


def knotted(knots: list[tuple[str, int]]) -> pl.DataFrame:
    rows: list[tuple[str, str, str]] = []
    for number, (kind, size) in enumerate(knots):
        older = [f"{10 + number:02d}1{part:03d}" for part in range(size)]
        newer = [f"{10 + number:02d}2{part:03d}" for part in range(size)]
        rows += {
            "same": [(older[0], older[0], "1:1")],
            "renamed": [(newer[0], older[0], "1:1")],
            "split": [(new, older[0], "n:1") for new in [older[0], *newer]],
            "merged": [(newer[0], old, "1:n") for old in older],
            "tangle": [(new, old, "n:n") for new in newer for old in older],
            "shedding": [(old, old, "n:1") for old in older] + [(newer[0], old, "n:n") for old in older],
        }[kind]
    return pl.DataFrame(rows, schema=["newer_code", "older_code", "relation"], orient="row").cast(pl.String)


def found_in(knots: list[tuple[str, int]]) -> list[families.Good]:
    links = families.links_from_correlation(knotted(knots))
    return families.goods(links.with_columns(older_edition=5, newer_edition=6), 5, 6)


@given(KNOTS)
def test_families_are_disjoint_and_hold_every_link_but_n_to_n(knots: list[tuple[str, int]]) -> None:
    built = found_in(knots)
    nodes = [node for good in built for node in good.nodes]
    assert len(nodes) == len(set(nodes))
    assert len({good.name for good in built if good.name.endswith("+")}) == sum(
        kind in ("renamed", "split", "merged") for kind, _ in knots
    )
    name_of = {node: good.name for good in built for node in good.nodes}
    for newer, older, relation in knotted(knots).iter_rows():
        is_merged = name_of.get((6, newer), newer) == name_of.get((5, older), older)
        assert is_merged == (relation != "n:n")
        assert bool([good for good in built if good.name == name_of.get((6, newer)) and good.breaks]) == (
            relation == "n:n"
        )


@given(KNOTS, st.randoms(use_true_random=False))
def test_the_order_of_a_table_changes_no_family(knots: list[tuple[str, int]], random: Random) -> None:
    rows = knotted(knots).rows()
    random.shuffle(rows)
    shuffled = pl.DataFrame(rows, schema=knotted(knots).schema, orient="row")
    assert families.links_from_correlation(shuffled).equals(families.links_from_correlation(knotted(knots)))


@given(KNOTS, st.data())
def test_a_split_with_a_constant_total_keeps_its_good_constant(
    knots: list[tuple[str, int]], data: st.DataObject
) -> None:
    name_of = {node: good.name for good in found_in(knots) for node in good.nodes}
    amounts = st.integers(0, 10**9)
    totals: dict[int, dict[str, int]] = {5: {}, 6: {}}
    for newer, older, relation in knotted(knots).iter_rows():
        amount = 0 if relation == "n:n" else data.draw(amounts)
        for edition, code in ((5, older), (6, newer)):
            good = name_of.get((edition, code), code)
            totals[edition][good] = totals[edition].get(good, 0) + amount
    assert {good: total for good, total in totals[5].items() if total} == {
        good: total for good, total in totals[6].items() if total
    }


def test_a_chain_of_splits_is_one_good_and_a_code_used_again_is_another() -> None:
    links = pl.DataFrame(
        [
            (4, 5, "100000", "200000", "n:1"),
            (4, 5, "100000", "300000", "n:1"),
            (5, 6, "200000", "400000", "1:1"),
            (5, 6, "500000", "100000", "1:1"),
        ],
        schema=["older_edition", "newer_edition", "older_code", "newer_code", "relation"],
        orient="row",
    )
    name_of = {node: good.name for good in families.goods(links, 4, 6) for node in good.nodes}
    assert name_of[4, "100000"] == name_of[5, "300000"] == name_of[6, "300000"] == name_of[6, "400000"] == "100000+"
    assert name_of[6, "100000"] == name_of[5, "500000"] == "500000+"


def test_a_code_that_takes_in_one_code_and_a_part_of_another_breaks_both_and_merges_none() -> None:
    table = pl.DataFrame(
        [("200000", "100000", "1:n"), ("200000", "300000", "n:n"), ("300000", "300000", "n:1")],
        schema=["newer_code", "older_code", "relation"],
        orient="row",
    )
    links = families.links_from_correlation(table).with_columns(older_edition=5, newer_edition=6)
    built = families.goods(links, 5, 6)
    assert {(good.name, tuple(good.breaks)) for good in built} == {("100000", (6,)), ("200000", (6,))}


def test_a_code_that_keeps_its_own_and_gains_parts_of_others_stays_itself() -> None:
    table = pl.DataFrame(
        [("854231", "854231", "1:n"), ("854231", "847330", "n:n"), ("847330", "847330", "n:1")],
        schema=["newer_code", "older_code", "relation"],
        orient="row",
    )
    assert families.links_from_correlation(table).is_empty()


def linked(*rows: tuple[int, int, str | None, str | None, str]) -> pl.DataFrame:
    schema = ["older_edition", "newer_edition", "older_code", "newer_code", "relation"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_two_goods_never_share_a_name_where_a_code_is_used_again() -> None:
    built = families.goods(linked((4, 5, "100000", "200000", "1:1"), (5, 6, "100000", "300000", "1:1")), 4, 6)
    assert {good.name for good in built if len(good.nodes) > 2} == {"100000+"}
    assert len({good.name for good in built}) == len(built)


def test_a_good_that_two_changes_break_is_unstable_since_the_newer_and_lists_both() -> None:
    links = linked((4, 5, None, "100000", "n:n"), (5, 6, "100000", None, "n:n"))
    built = families.goods(links, 4, 6)
    assert families.breaks_of(built).rows() == [("100000", 5), ("100000", 6)]
    since = families.map_of(built, {5}).select("cmd_code", "unstable_since").rows()
    assert since == [("100000", 6)]


TABLES = pl.DataFrame({"older": [4, 5], "newer": [5, 6], "chapter": ["85", "all"]})
BREAKS = pl.DataFrame(
    {"good": ["854151", "854151"], "newer_edition": [6, 4]}, {"good": pl.String, "newer_edition": pl.Int8}
)


def broken(goods: list[str], used: list[int]) -> list[tuple[str, int]]:
    return families.broken(pl.Series(goods, dtype=pl.String), BREAKS, TABLES, used).rows()


def test_a_good_is_broken_by_a_change_that_it_does_not_survive_and_by_one_without_a_table_for_its_chapter() -> None:
    assert broken(["640399", "851712+", "854151"], [4, 5, 6]) == [("640399", 5), ("854151", 6)]


def test_a_change_outside_the_editions_in_use_breaks_nothing() -> None:
    assert broken(["640399", "854151"], [6]) == []
    assert broken(["640399", "854151"], [5]) == broken(["640399"], []) == []
    assert broken(["640399"], [3, 5]) == [("640399", 4), ("640399", 5)]


def test_a_good_that_nobody_trades_has_no_row() -> None:
    assert broken(["851712+"], [4, 5, 6]) == broken([], [4, 5, 6]) == []
