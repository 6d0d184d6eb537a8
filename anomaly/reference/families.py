"""Families: codes of the Harmonized System that stay the same good when the edition changes. Pure; no disk.

A node is a code in an edition. Links of kind 1:1, n:1 and pure 1:n join nodes; n:n links never do. A code that no link
names is itself in both editions. A set of joined nodes with more than one code is a family, named by its oldest code
and `+`; a good with a node that only n:n links reach is unstable at that change of edition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

import polars as pl

from anomaly.contract.errors import DataRejected

RELATIONS = ("1:1", "n:1", "1:n", "n:n")  # newer to older: n:1, several newer codes lay in one older code

Node = tuple[int, str]  # HS edition, code


class Good(NamedTuple):
    """A good of the data: one code, or a family of codes that are the same good in different editions.

    Parameters
    ----------
    name : str
        The code; of a family its oldest code and +.
    nodes : list of Node
        Editions and codes it has there, sorted by both.
    breaks : list of int
        Newer editions whose coming it does not survive.
    """

    name: str
    nodes: list[Node]
    breaks: list[int]


def links_from_correlation(table: pl.DataFrame) -> pl.DataFrame:
    """Links that make families, and codes that break, out of a publisher's correlation table.

    1:1 and n:1 links are kept, and 1:n links of a newer code that has no n:n link. A newer code without such a link,
    and an older code without one, is listed once as n:n with the other side null. A code that is linked with itself
    alone is left out.

    Parameters
    ----------
    table : polars.DataFrame
        newer_code, older_code (six digits, text), relation (one of RELATIONS).

    Returns
    -------
    polars.DataFrame
        older_code, newer_code, relation, sorted.

    Raises
    ------
    DataRejected
        For any other code or relation.
    """
    _refuse_unless(table, pl.col("relation").is_in(RELATIONS), "relation", "relations 1:1, n:1, 1:n or n:n")
    for side in ("newer_code", "older_code"):
        _refuse_unless(table, pl.col(side).str.contains(r"^[0-9]{6}$"), side, "codes of six digits, as text")
    is_mixed = (pl.col("relation") == "n:n").any().over("newer_code")
    is_same = pl.col("newer_code") == pl.col("older_code")
    joins = pl.col("relation").is_in(["1:1", "n:1"]) | ((pl.col("relation") == "1:n") & (~is_mixed | is_same))
    joining = table.filter(joins)
    is_alone = is_same & (pl.len().over("older_code") == 1) & (pl.len().over("newer_code") == 1)
    broken = [
        table.select(side).unique().join(joining, on=side, how="anti").with_columns(relation=pl.lit("n:n"))
        for side in ("newer_code", "older_code")
    ]
    links = pl.concat([joining.filter(~is_alone), *broken], how="diagonal")
    return links.select("older_code", "newer_code", "relation").sort("older_code", "newer_code", nulls_last=True)


def _refuse_unless(table: pl.DataFrame, is_right: pl.Expr, column: str, expected: str) -> None:
    wrong = table.filter(~is_right.fill_null(value=False))[column]
    if wrong.len():
        raise DataRejected(
            f"{expected} in the correlation table",
            f"others in {column}",
            count=wrong.len(),
            examples=wrong.unique().sort().to_list(),
            hint="export the table again, every column as text",
        )


def goods(links: pl.DataFrame, first: int, last: int) -> list[Good]:
    """Every good that a link or a break between two editions names.

    Parameters
    ----------
    links : polars.DataFrame
        older_edition, newer_edition (integers), older_code, newer_code, relation.
    first, last : int
        Numbers of the oldest and newest HS edition.

    Returns
    -------
    list of Good
        In the order of their first nodes.
    """
    edges, breaks = _edges(links, first, last)
    broken: dict[Node, list[int]] = defaultdict(list)
    for node, newer in breaks:
        broken[node].append(newer)
    result: list[Good] = []
    names_taken: set[str] = set()
    for nodes in _joined([*edges, *((node, node) for node, _ in breaks)]):
        name = _name([code for _, code in nodes], names_taken)
        names_taken.add(name)
        result.append(Good(name, nodes, sorted({newer for node in nodes for newer in broken[node]})))
    return result


def _name(codes: list[str], names_taken: set[str]) -> str:
    """The only code, or the oldest with +; the next one where a good of an older edition has that name."""
    if len(set(codes)) == 1:
        return codes[0]
    return next((f"{code}+" for code in codes if f"{code}+" not in names_taken), f"{codes[0]}+")


def _edges(links: pl.DataFrame, first: int, last: int) -> tuple[list[tuple[Node, Node]], list[tuple[Node, int]]]:
    """(joined nodes, breaks: a node and the newer edition that breaks it); codes not listed are joined to themselves."""
    inside = links.filter(pl.col("older_edition") >= first, pl.col("newer_edition") <= last)
    mentioned = pl.concat([inside["older_code"], inside["newer_code"]]).drop_nulls().unique().sort().to_list()
    edges: list[tuple[Node, Node]] = []
    breaks: list[tuple[Node, int]] = []
    for step in range(first, last):
        rows = inside.filter(pl.col("older_edition") == step).select("older_code", "newer_code").rows()
        listed = {code for row in rows for code in row}
        edges += [((step, code), (step + 1, code)) for code in mentioned if code not in listed]
        for older, newer in rows:
            if newer is None:
                breaks.append(((step, older), step + 1))
            elif older is None:
                breaks.append(((step + 1, newer), step + 1))
            else:
                edges.append(((step, older), (step + 1, newer)))
    return edges, breaks


def _joined(edges: Iterable[tuple[Node, Node]]) -> list[list[Node]]:
    """Sets of joined nodes, each sorted, in the order of their first nodes (union-find)."""
    parent: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for older, newer in edges:
        parent[root(older)] = root(newer)
    members: dict[Node, list[Node]] = defaultdict(list)
    for node in sorted(parent):
        members[root(node)].append(node)
    return list(members.values())


def map_of(goods_of_run: Iterable[Good], editions: Collection[int]) -> pl.DataFrame:
    """Which good a code of an edition belongs to, for the codes that are not themselves or are unstable.

    Parameters
    ----------
    goods_of_run : iterable of Good
        As `goods` gives them.
    editions : collection of int
        Editions whose codes are listed.

    Returns
    -------
    polars.DataFrame
        edition (Int8), cmd_code, good, is_unstable, unstable_since (Int8, the newest edition that breaks it, or null).
    """
    rows = [
        (edition, code, good.name, bool(good.breaks), max(good.breaks, default=None))
        for good in goods_of_run
        for edition, code in good.nodes
        if edition in editions and (good.name != code or good.breaks)
    ]
    schema = {
        "edition": pl.Int8,
        "cmd_code": pl.String,
        "good": pl.String,
        "is_unstable": pl.Boolean,
        "unstable_since": pl.Int8,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("edition", "cmd_code")


def breaks_of(goods_of_run: Iterable[Good]) -> pl.DataFrame:
    """Every change of edition that a good does not survive.

    Parameters
    ----------
    goods_of_run : iterable of Good
        As `goods` gives them.

    Returns
    -------
    polars.DataFrame
        good, newer_edition (Int8), each pair once, sorted.
    """
    rows = [(good.name, newer) for good in goods_of_run for newer in good.breaks]
    schema = {"good": pl.String, "newer_edition": pl.Int8}
    return pl.DataFrame(rows, schema=schema, orient="row").unique().sort("good", "newer_edition")


def broken(goods: pl.Series, breaks: pl.DataFrame, tables: pl.DataFrame, editions: Collection[int]) -> pl.DataFrame:
    """Changes of HS edition across which a good is never compared.

    A good is broken where it does not survive the change, and where there is no table of links for its chapter: what
    the codes were before is then not known.

    Parameters
    ----------
    goods : polars.Series
        Goods, sorted, each once.
    breaks : polars.DataFrame
        `breaks_of` the families of these editions: good, newer_edition.
    tables : polars.DataFrame
        Changes that have a table of links: older, newer, chapter ("all" or two digits).
    editions : collection of int
        HS editions in use; changes outside the oldest and the newest are left out.

    Returns
    -------
    polars.DataFrame
        good, newer_edition (Int8), sorted.
    """
    newer = range(min(editions, default=0) + 1, max(editions, default=0) + 1)
    changes = (
        goods.alias("good")
        .to_frame()
        .join(pl.DataFrame({"newer_edition": newer}, {"newer_edition": pl.Int8}), how="cross")
    )
    linked = tables.filter(pl.col("newer") == pl.col("older") + 1).select(
        pl.col("newer").alias("newer_edition"), "chapter"
    )
    changes = changes.with_columns(chapter=pl.col("good").str.slice(0, 2))
    all_chapters = linked.filter(pl.col("chapter") == "all")
    unlinked = changes.join(all_chapters, on="newer_edition", how="anti").join(
        linked, on=["newer_edition", "chapter"], how="anti"
    )
    lost = changes.join(breaks, on=["good", "newer_edition"], how="semi")
    columns = ["good", "newer_edition"]
    return pl.concat([unlinked.select(columns), lost.select(columns)]).unique().sort(columns)
