"""A value that is withheld is unknown and not nothing, from the raw file to the answer, in whatever form it comes."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from anomaly.bilateral import known, sums
from anomaly.cli.commands import main
from anomaly.contract.periods import Window
from anomaly.store.store import Store
from pipelines import bilateral, coverage, families, flows
from pipelines.running import run_jobs

MONTHS = [f"{year}-{month:02}" for year in (2021, 2022) for month in range(1, 7)]
MAPPING = """
classification = "H6"
flow = "X"
period = "%Y-%m"
[columns]
reporter = "from"
partner = "to"
period = "month"
code = "hs"
value = "usd"
[marks]
withheld = ["c"]
"""
COMEXT = (
    "STRUCTURE,STRUCTURE_ID,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS\n"
)
ECB = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE\n"


def own(folder: Path, march: str, name: str = "kaz", top: str = "") -> None:
    """Exports of Kazakhstan to two countries, 100 USD a month to Russia; no row in February 2022, `march` in March."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"KAZ,CHN,{month},854231,7" for month in MONTHS]
    lines += [f"KAZ,RUS,{month},854231,100" for month in MONTHS if month not in ("2022-02", "2022-03")]
    lines += [f"KAZ,RUS,2022-03,854231,{march}"] if march else []
    (folder / f"{name}.csv").write_text("\n".join(["from,to,month,hs,usd", *lines]) + "\n", encoding="utf-8")
    (folder / f"{name}.toml").write_text(top + MAPPING, encoding="utf-8")


def run(root: Path) -> Store:
    jobs = (flows.JOB, families.JOB, coverage.JOB, bilateral.JOB)
    run_jobs(jobs, "bilateral", root / "raw", root / "data", "russia-2022")
    return Store(root / "data")


def values(store: Store, partner: str = "RUS") -> dict[str, int]:
    """What is known of the trade with a partner, by month."""
    trade, covered, scope = (store.read(name) for name in ("bilateral", "coverage", "coverage.scope"))
    filled = sums.fill(trade, known.silences(trade, covered, scope)).filter(importer_iso=partner).sort("ref_date")
    return dict(filled.select(pl.col("ref_date").dt.strftime("%Y-%m"), "value_usd").rows())


def test_a_month_without_a_row_is_nothing_and_one_that_is_withheld_is_unknown(tmp_path: Path) -> None:
    own(tmp_path / "raw", "c")
    store = run(tmp_path)
    by_month = values(store)
    assert by_month["2022-02"] == 0
    assert "2022-03" not in by_month
    assert values(store, "CHN")["2022-03"] == 7
    assert store.read("flows.withheld").select("reporter_iso", "partner_iso", "cmd_code").rows() == [
        ("KAZ", "RUS", "854231")
    ]


def test_a_window_with_a_withheld_month_has_no_sum(tmp_path: Path) -> None:
    own(tmp_path / "raw", "c")
    store = run(tmp_path)
    trade, covered, scope = (store.read(name) for name in ("bilateral", "coverage", "coverage.scope"))
    filled = sums.fill(trade, known.silences(trade, covered, scope))
    half = Window("M", 6, date(2022, 6, 1))
    row = sums.compare(filled, half, (2021,)).filter(importer_iso="RUS").row(0, named=True)
    assert (row["value_usd"], row["value_prior_year_usd"]) == (None, 600)


@pytest.mark.parametrize("order", ["disclosed later", "withheld later"])
def test_the_newest_release_says_whether_a_value_is_withheld(tmp_path: Path, order: str) -> None:
    older, newer = ("c", "55") if order == "disclosed later" else ("55", "c")
    own(tmp_path / "raw" / "a", older, top='dataset = "kaz"\nvintage = "2022-07-01"\n')
    own(tmp_path / "raw" / "b", newer, top='dataset = "kaz"\nvintage = "2022-08-01"\n')
    assert values(run(tmp_path)).get("2022-03") == (55 if order == "disclosed later" else None)


def test_a_national_line_that_is_withheld_leaves_its_six_digits_unknown(tmp_path: Path) -> None:
    own(tmp_path / "raw", "")
    path = tmp_path / "raw" / "kaz.csv"
    path.write_text(path.read_text() + "KAZ,RUS,2022-03,8542310001,9\nKAZ,RUS,2022-03,8542310002,c\n")
    assert "2022-03" not in values(run(tmp_path))


def test_a_missing_month_in_sums_from_january_on_is_unknown_and_so_is_the_next(tmp_path: Path) -> None:
    own(tmp_path / "raw", "", top="cumulative = true\n")
    sums_so_far = [f"KAZ,{to},2022-0{month},854231,{100 * month}" for month in range(1, 7) for to in ("RUS", "CHN")]
    lines = ["from,to,month,hs,usd", *(line for line in sums_so_far if ",RUS,2022-03" not in line)]
    (tmp_path / "raw" / "kaz.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert values(run(tmp_path)) == {"2022-01": 100, "2022-02": 100, "2022-05": 100, "2022-06": 100}


def comext(folder: Path, form: str) -> None:
    """Exports of Austria: nothing said of February 2022, March withheld."""
    folder.mkdir(parents=True)
    key = "M,AT,{},87032319,2,VALUE_IN_EUROS"
    cells = {
        "KG": {month: "100" for month in MONTHS if month != "2022-02"} | {"2022-03": ""},
        "CN": dict.fromkeys(MONTHS, "7"),
    }
    if form == "csv":
        lines = [
            f"dataflow,ESTAT:DS-045409(1.0),{key.format(to)},{month},{value},{'' if value else 'c'},"
            for to, row in cells.items() for month, value in row.items()
        ]  # fmt: skip
        (folder / "x.csv").write_text(COMEXT + "\n".join(lines) + "\n", encoding="utf-8")
        return
    header = "freq,reporter,partner,product,flow,indicators\\TIME_PERIOD\t" + "\t".join(MONTHS)
    rows = [
        "\t".join([key.format(to), *(row.get(month, ":") or ": c" for month in MONTHS)]) for to, row in cells.items()
    ]
    (folder / "x.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_what_eurostat_withholds_is_unknown(tmp_path: Path, form: str) -> None:
    comext(tmp_path / "raw" / "comext", form)
    (tmp_path / "raw" / "ecb").mkdir()
    rates = [f"EXR.M.USD.EUR.SP00.A,M,USD,EUR,SP00,A,{month},1.0" for month in MONTHS]
    (tmp_path / "raw" / "ecb" / "EXR_M_EUR_SP00_A.csv").write_text(ECB + "\n".join(rates) + "\n", encoding="utf-8")
    by_month = values(run(tmp_path), "KGZ")
    assert by_month["2022-02"] == 0
    assert "2022-03" not in by_month


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("withheld")
    own(root / "raw", "c")
    run(root)
    return root / "data"


def ask(data: Path, *words: str) -> Any:
    result = CliRunner().invoke(main, [*words, "--data", str(data)])
    assert result.exit_code == 0, result.output
    return result


ROUTE = ("854231", "--exporter", "KAZ", "--importer", "RUS")


def test_a_series_prints_withheld_and_not_nought(answered: Path) -> None:
    lines = {
        line.split()[0]: line for line in ask(answered, "series", "854231", "KAZ", "RUS").stdout.splitlines() if line
    }
    assert "withheld" in lines["2022-03"]
    assert "withheld" not in lines["2022-02"]
    rows = json.loads(ask(answered, "series", "854231", "KAZ", "RUS", "--format", "json").stdout)
    by_month = {row["period"]: (row["export_value_fob_usd"], row["withheld"]) for row in rows}
    assert (by_month["2022-02"], by_month["2022-03"], by_month["2022-04"]) == ((0, None), (None, "export"), (100, None))


def test_a_query_says_that_a_value_is_withheld(answered: Path) -> None:
    result = ask(answered, "query", *ROUTE, "--period", "2022H1", "--format", "json")
    assert "withheld in 1 periods from 2022-03 to 2022-03" in result.stderr
    assert [row["value_usd"] for row in json.loads(result.stdout)] == [None]
    assert (
        "withheld"
        not in ask(answered, "query", "854231", "--exporter", "KAZ", "--importer", "CHN", "--period", "2022H1").stderr
    )
