"""The ECB's rates: monthly means, as US dollars per unit, and nothing that cannot be a rate."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected
from anomaly.sources import ecb
from anomaly.sources.base import Context, RawFile
from tests import REAL_RAW

HEADER = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE"


def line(currency: str, period: str, value: object, freq: str = "M", suffix: str = "A", denom: str = "EUR") -> str:
    """One row as the ECB gives it."""
    return f"EXR.{freq}.{currency}.{denom}.SP00.{suffix},{freq},{currency},{denom},SP00,{suffix},{period},{value}"


USD = (line("USD", "2022-01", 1.1), line("USD", "2022-02", 1.2))


def raw(folder: Path, *rows: str, header: str = HEADER) -> RawFile:
    """A file with these rows."""
    path = folder / "EXR_M_EUR_SP00_A.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return RawFile(path, f"ecb/{path.name}")


def test_rates_are_dollars_per_unit_of_each_currency_by_month(tmp_path: Path) -> None:
    rows = (line("JPY", "2022-02", 132), line("GBP", "2022-01", 0.88), *reversed(USD), line("GBP", "2022-03", 0.9))
    rates = ecb.rates(raw(tmp_path, *rows))
    assert list(rates) == ["EUR", "GBP", "JPY"]
    assert rates["EUR"].rows() == [(date(2022, 1, 1), 1.1), (date(2022, 2, 1), 1.2)]
    assert rates["GBP"].rows() == [(date(2022, 1, 1), pytest.approx(1.25))]
    assert rates["JPY"].rows() == [(date(2022, 2, 1), pytest.approx(1.2 / 132))]


def test_only_monthly_means_against_the_euro_are_taken(tmp_path: Path) -> None:
    rows = (
        *(line("USD", f"2022-01-{day}", 9.9, freq="D") for day in (17, 18)),
        line("USD", "2022-01", 9.9, suffix="E"),
        line("USD", "2022-01", 9.9, denom="GBP"),
        line("USD", "2022", 9.9, freq="A"),
    )
    assert ecb.rates(raw(tmp_path, *rows, *USD))["EUR"].height == 2
    with pytest.raises(DataRejected, match="column CURRENCY: no such series"):
        ecb.rates(raw(tmp_path, *rows))


def test_more_columns_in_another_order_change_nothing(tmp_path: Path) -> None:
    columns = HEADER.split(",")[::-1]
    rows = [",".join([*text.split(",")[::-1], "x"]) for text in USD]
    assert ecb.rates(raw(tmp_path, *rows, header=",".join([*columns, "TITLE"])))["EUR"].height == 2


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (line("USD", "2022-13", 1.1), "TIME_PERIOD"),
        (line("USD", "2022-3", 1.1), "TIME_PERIOD"),
        (line("USD", "", 1.1), "TIME_PERIOD"),
        (line("USD", "2022-02", 1.3), "TIME_PERIOD"),
        (line("USD", "2022-03", ""), "OBS_VALUE"),
        (line("USD", "2022-03", "NaN"), "OBS_VALUE"),
        (line("USD", "2022-03", "1;1"), "OBS_VALUE"),
        (line("USD", "2022-03", 0), "OBS_VALUE"),
        (line("USD", "2022-03", -1.1), "OBS_VALUE"),
        (line("USD", "2022-03", 11.7), "OBS_VALUE"),
        (line("USD", "2022-03", 1.6), "OBS_VALUE"),
        (line("JPY", "2022-03", 1.3), "OBS_VALUE"),
        (line("GBP", "2022-03", 1.7), "OBS_VALUE"),
        (line("SEK", "2022-03", 0), "OBS_VALUE"),
        (line("", "2022-03", 1.1), "CURRENCY"),
    ],
)
def test_what_cannot_be_a_rate_refuses_the_file_with_its_row_and_column(row: str, column: str, tmp_path: Path) -> None:
    expected_row = 2 if column == "TIME_PERIOD" and row == line("USD", "2022-02", 1.3) else 3
    with pytest.raises(DataRejected, match=rf"ecb/EXR_M_EUR_SP00_A\.csv, row {expected_row}, column {column}"):
        ecb.rates(raw(tmp_path, *USD, row))


def test_a_big_step_over_months_that_are_missing_is_no_fault(tmp_path: Path) -> None:
    assert ecb.rates(raw(tmp_path, *USD, line("USD", "2024-03", 0.9)))["EUR"].height == 3


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\xff\xfeK\x00", f"{HEADER}\nEXR,M,USD".encode()])
def test_a_file_that_is_not_whole_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "EXR.csv"
    path.write_bytes(content)
    with pytest.raises(DataRejected, match=r"ecb/EXR\.csv"):
        list(ecb.read(RawFile(path, "ecb/EXR.csv"), Context()))


def test_the_file_holds_rates_and_no_flows(tmp_path: Path) -> None:
    (batch,) = ecb.read(raw(tmp_path, *USD), Context())
    assert (batch.rows_in, batch.flows.height, batch.rejected.height, batch.rows_deduplicated) == (0, 0, 0, 0)


def test_the_real_rates_are_what_they_were_known_to_be() -> None:
    path = REAL_RAW / "ecb" / "EXR_M_EUR_SP00_A.csv"
    if not path.exists():
        pytest.skip("the real files are not here; ANOMALY_REAL_RAW names their folder")
    rates = ecb.rates(RawFile(path, f"ecb/{path.name}"))
    assert {currency: frame.height for currency, frame in rates.items()} == {"EUR": 192, "GBP": 192, "JPY": 192}
    euro = dict(rates["EUR"].rows())
    # the euro fell below the dollar in the autumn of 2022, for the first time in twenty years
    below = sorted(month for month, usd in euro.items() if usd < 1 and month >= date(2010, 1, 1))
    assert below[0] >= date(2022, 8, 1)
    assert below[-1] <= date(2022, 10, 1)
    pound = rates["GBP"].filter(pl.col("month") == date(2016, 6, 1))["usd_per_unit"].item()
    assert 1.35 < pound < 1.50
