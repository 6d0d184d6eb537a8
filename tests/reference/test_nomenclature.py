"""The nomenclature: codes of an edition are its codes, and a wrong one is named for what it is."""

import polars as pl
import pytest

from anomaly.reference import nomenclature
from anomaly.reference.tables import read


def fault(code: str, edition: int) -> str | None:
    wrong = nomenclature.faults(pl.DataFrame({"code": [code], "edition": [edition]}))
    return str(wrong["fault"][0]) if wrong.height else None


def test_a_list_has_as_many_codes_as_its_source_says() -> None:
    counted = dict(nomenclature.codes().group_by("edition").len().iter_rows())
    expected = read("hs_lists.csv").select(pl.col("edition").cast(pl.Int8), pl.col("codes").cast(pl.Int64))
    assert counted == dict(expected.iter_rows())
    assert not nomenclature.codes().is_duplicated().any()


@pytest.mark.parametrize(
    ("code", "edition", "says"),
    [
        ("851713", 6, None),
        ("851712", 6, "a code of HS 2007, HS 2012, HS 2017, not of HS 2022"),
        ("851713", 5, "a code of HS 2022, not of HS 2017"),
        ("854399", 6, "no code of HS 2022, nor of any edition listed"),
        ("168542", 6, "no code of the HS: it has no heading 1685"),
        ("771234", 5, "no code of the HS: it has no chapter 77"),
        ("000000", 6, "no code of the HS: it has no chapter 00"),
        ("990500", 6, None),
        ("020110", 3, None),
        ("010121", 3, "a code of HS 2012, HS 2017, HS 2022, not of HS 2007"),
        ("010120", 4, "no code of HS 2012, nor of any edition listed"),
        ("440130", 4, "a code of HS 2007, not of HS 2012"),
        ("030290", 5, "a code of HS 2012, not of HS 2017"),
        ("010110", 2, None),
    ],
)
def test_a_wrong_code_is_named_for_what_it_is(code: str, edition: int, says: str | None) -> None:
    assert fault(code, edition) == says


def test_the_quick_look_up_agrees_with_the_sentences_for_every_number() -> None:
    numbers = pl.int_range(10**6, eager=True).cast(pl.String).str.zfill(6)
    wrong = nomenclature.faults(pl.DataFrame({"code": numbers, "edition": 4}))["code"].cast(pl.Int64).sort()
    assert (~nomenclature.passes(4)).arg_true().cast(pl.Int64).to_list() == wrong.to_list()


def test_the_edition_in_force_is_that_of_the_year() -> None:
    years = pl.DataFrame({"year": [1980, 1988, 2016, 2017, 2021, 2022, 2026]})
    assert years.select(nomenclature.in_force(pl.col("year"))).to_series().to_list() == [-1, 0, 4, 5, 5, 6, 6]
