"""Where a table of the coalition that would show its sales to a hub holds none, they are nothing, if the good is the same thing throughout."""

import pytest

from tests.trade import broken_in, measured, years

GOOD = "282560"
YEARS = range(2019, 2023)


def supply(newer_edition: int) -> int | None:
    """What the coalition sells the hub of a good that the coming of an edition breaks.

    Germany reports 2019 to 2021 in HS 2017 (5) and 2022 in HS 2022 (6), sells the good to France and another one to the
    hub; Kazakhstan reports in HS 2017 throughout.
    """
    rows = years("KAZ", "RUS", dict.fromkeys(YEARS, 3_000_000), code=GOOD, edition="H5")
    for partner, code in (("FRA", GOOD), ("RUS", GOOD), ("KAZ", "640399")):
        rows += years("DEU", partner, dict.fromkeys(YEARS, 5_000_000), code=code, source="comext", dataset="eu")
    table, _ = measured(rows, broken=broken_in((GOOD, newer_edition)))
    route = table.filter(good=GOOD, exporter_iso="KAZ", importer_iso="RUS", baseline_gap_years=1)
    value: int | None = route.sort("window_end").row(-1, named=True)["coalition_to_hub_usd"]
    return value


@pytest.mark.parametrize(
    ("newer_edition", "supplied_usd"),
    [(4, 0), (5, 0), (6, None)],
)
def test_a_good_that_an_edition_broke_is_known_to_be_nothing_where_no_report_crosses_that_edition(
    newer_edition: int, supplied_usd: int | None
) -> None:
    assert supply(newer_edition) == supplied_usd
