"""The small sample of Comext's flows: whose sums, of what, said by whom, and the same bytes each time."""

import gzip
import tomllib
from datetime import date
from typing import Any

import polars as pl
import pytest

from anomaly.contract.errors import DataRejected
from anomaly.reference import sample_goods
from anomaly.sources import comext_sample
from anomaly.sources.comext_sample import Sample

GOODS = pl.Series(["870324", "330510"])
RATES = pl.DataFrame({"month": [date(2022, 7, 1), date(2022, 8, 1)], "usd_per_unit": [1.02, 1.01]})


def flow(code: str = "87032410", value: int = 1000, **change: Any) -> dict[str, object]:
    usual = {
        "reporter_iso": "DEU", "partner_iso": "KGZ", "ref_date": date(2022, 7, 1), "flow_code": "X", "cmd_code": code,
        "dataset": "DS-045409", "vintage": "2023-01-13", "reported_value": value,
    }  # fmt: skip
    return usual | change


def sampled(*rows: dict[str, object]) -> Sample:
    frame = pl.DataFrame(list(rows))
    return comext_sample.build(frame.filter(comext_sample.wanted(GOODS)))


def sums(*rows: dict[str, object]) -> list[tuple[object, ...]]:
    return sampled(*rows).table.rows()


def test_members_and_eight_digits_are_added_up_to_one_reporter_and_six_digits() -> None:
    rows = (flow(), flow("87032490", 200), flow(reporter_iso="AUT", value=30), flow("33051000", 4))
    assert sums(*rows) == [("EU27", "KGZ", "2022-07", "330510", 4), ("EU27", "KGZ", "2022-07", "870324", 1230)]
    assert sampled(*rows).members == ("AUT", "DEU")


@pytest.mark.parametrize(
    "change",
    [
        {"flow_code": "M"}, {"reporter_iso": "GBR"}, {"partner_iso": "CHN"}, {"ref_date": date(2019, 12, 1)},
        {"cmd_code": "87XXXXXX"}, {"cmd_code": "87033319"}, {"ref_date": date(2023, 1, 1)},
    ],
    ids=["imports", "no member", "no importer of the sample", "too early", "withheld", "another good", "too late"],
)  # fmt: skip
def test_what_is_no_part_of_the_sample_is_in_no_sum(change: dict[str, Any]) -> None:
    assert sums(flow(), flow(value=7, **change)) == sums(flow())


def test_what_two_files_of_a_release_say_alike_counts_once() -> None:
    assert sums(flow(), flow()) == sums(flow())


def test_of_two_releases_the_newer_counts_alone() -> None:
    newer = flow(value=1100, vintage="2023-06-01")
    assert sums(flow(), flow("87032490", 200), newer) == sums(newer)


def test_a_release_that_says_a_code_twice_differently_is_refused() -> None:
    with pytest.raises(DataRejected, match="one value for a code in one release"):
        sampled(flow(), flow(value=1001))


def test_the_origin_names_publisher_dataset_day_licence_changes_and_the_hash_of_every_input() -> None:
    files = comext_sample.files(sampled(flow()), RATES, {"comext/a.csv": "00ff"})
    origin = tomllib.loads(files["eu27/origin.toml"].decode())
    assert origin["publisher"] == "Eurostat, Comext: DS-045409"
    assert origin["fetched_at"] == "2023-01-13"
    assert "2011/833/EU" in origin["licence"]
    assert "exports of 1 members, added up to one reporter and to six digits, 2022-07 to 2022-07" in origin["changes"]
    assert origin["made_from"] == {"comext/a.csv": "00ff"}


def test_the_files_hold_the_sums_in_euros_and_the_dollar_of_their_months_alone() -> None:
    files = comext_sample.files(sampled(flow()), RATES, {})
    table = gzip.decompress(files["eu27/exports.csv.gz"]).decode()
    assert table == "reporter,partner,month,code,value_eur\nEU27,KGZ,2022-07,870324,1000\n"
    assert files["ecb/EXR_USD.csv"].decode().splitlines()[1:] == ["EXR.M.USD.EUR.SP00.A,M,USD,EUR,SP00,A,2022-07,1.02"]


def test_the_same_flows_in_another_order_give_the_same_bytes() -> None:
    rows = [flow(), flow("87032490", 200), flow(reporter_iso="AUT"), flow(partner_iso="KAZ")]
    first, second = (comext_sample.files(sampled(*order), RATES, {}) for order in (rows, rows[::-1]))
    assert first == second


def test_a_sample_of_simulated_figures_says_so() -> None:
    files = comext_sample.files(sampled(flow(dataset="SIMULATED-DS-045409")), RATES, {})
    assert tomllib.loads(files["eu27/exports.toml"].decode())["dataset"].startswith("SIMULATED")


def test_a_sample_beyond_a_megabyte_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comext_sample, "MOST_BYTES", 100)
    with pytest.raises(DataRejected, match="a sample of at most 100 bytes"):
        comext_sample.files(sampled(flow()), RATES, {})


def test_every_good_of_the_list_is_a_code_of_both_editions_with_its_reason() -> None:
    from anomaly.reference import nomenclature

    goods = sample_goods.read_all()
    assert goods["hs6"].is_unique().all()
    assert set(goods["kind"]) == set(sample_goods.KINDS)
    assert goods.null_count().sum_horizontal().item() == 0
    for edition in (5, 6):
        assert set(goods["hs6"]) <= set(nomenclature.codes().filter(edition=edition)["code"])


def test_its_placebo_importers_are_placebos_of_the_shipped_scenario() -> None:
    from anomaly.contract.settings import load

    placebos = sample_goods.importers().filter(part="placebo")["iso3"]
    assert {load().role_of(country) for country in placebos} == {"placebo"}
