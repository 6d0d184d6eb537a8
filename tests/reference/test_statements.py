"""What a statement is about: its countries, goods in any edition, everything or nothing known."""

import polars as pl
import pytest

from anomaly.contract.errors import BadRequest
from anomaly.reference import goods, statements

ROUTES = pl.DataFrame(
    {"good": ["870323", "851712+", "870323"], "exporter_iso": ["GEO", "KAZ", "DEU"], "importer_iso": ["RUS"] * 3}
)


@pytest.mark.parametrize(
    ("prefixes", "among"),
    [(["8703"], ["870323"]), (["851713"], ["851712+"]), (["85"], ["851712+"]), (["870"], ["870323"]), (["84"], [])],
)
def test_a_statement_is_about_goods_whose_codes_in_any_edition_begin_so(prefixes, among):
    assert statements.goods_of(prefixes, ["851712+", "870323"]) == among


@pytest.mark.parametrize(
    ("exporters", "importers", "codes", "rows"),
    [
        (["GEO"], ["RUS"], ["8703"], [0]),
        (["GEO"], ["BLR"], ["8703"], []),
        (["EU27"], [], [], [2]),
        ([], [], ["851713"], [1]),
        ([], [], [], [0, 1, 2]),
    ],
)
def test_a_route_is_among_it_by_exporter_importer_and_good_and_what_is_empty_is_everything(
    exporters, importers, codes, rows
):
    is_about = statements.is_about(exporters, importers, codes, ROUTES["good"].unique().sort().to_list())
    assert ROUTES.with_row_index("row").filter(is_about)["row"].to_list() == rows


def test_an_empty_cell_is_unknown_and_all_is_everything():
    assert statements.parse_scope(None, "goods") is None
    assert statements.parse_scope("all", "goods") == []
    assert statements.parse_scope("KAZ EU27", "exporters") == ["KAZ", "EU27"]
    assert statements.parse_scope("8703 chpl.csv", "goods") == ["8703", *goods.goods_list("chpl.csv")["hs6"]]


def test_all_beside_something_is_refused():
    with pytest.raises(BadRequest, match="'all' alone"):
        statements.parse_scope("all 8703", "goods")
