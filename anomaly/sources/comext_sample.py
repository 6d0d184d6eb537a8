"""Comext's flows → a small sample: what the EU as one reporter exported, by month and six digits, as a table of one's own.

Sums over members at six digits are what may be passed on freely: Eurostat excepts Austria's figures at eight digits.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from anomaly.contract.errors import DataRejected
from anomaly.reference import sample_goods
from anomaly.reference.countries import EU27

EU = "EUR"  # the EU as one reporter, a group of the table of countries
MOST_BYTES = 1_000_000
_KEY = ["reporter_iso", "partner_iso", "ref_date", "cmd_code"]
_RELEASE = ["dataset", "vintage"]
COLUMNS = ("reporter", "partner", "month", "code", "value_eur")


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample, and what its sums are of.

    Parameters
    ----------
    table : polars.DataFrame
        COLUMNS, sorted: reporter EU27, partner by three letters, month as 2022-07, six digits, whole euros.
    members : tuple of str
        Whose exports were added up.
    datasets, vintages : tuple of str
        Of the releases that were taken.
    """

    table: pl.DataFrame
    members: tuple[str, ...]
    datasets: tuple[str, ...]
    vintages: tuple[str, ...]

    @property
    def months(self) -> str:
        """First and last month in words."""
        return f"{self.table['month'].min()!s} to {self.table['month'].max()!s}"


def wanted(goods: pl.Series) -> pl.Expr:
    """Flows that the sample is summed of.

    Parameters
    ----------
    goods : polars.Series
        Codes of six digits.

    Returns
    -------
    polars.Expr
        A condition on the columns of a reader's flows. A withheld product has letters in its code and is none of them.
    """
    importers = sample_goods.importers()
    first, last = importers["first_month"].min(), importers["last_month"].max()
    return (
        (pl.col("flow_code") == "X")
        & pl.col("reporter_iso").is_in(list(EU27))
        & pl.col("partner_iso").is_in(importers["iso3"].implode())
        & pl.col("ref_date").is_between(first, last)
        & pl.col("cmd_code").str.contains(r"^[0-9]{6}([0-9]{2})?$")
        & pl.col("cmd_code").str.slice(0, 6).is_in(goods.implode())
    )


def build(flows: pl.DataFrame) -> Sample:
    """Members' exports added up at six digits.

    Parameters
    ----------
    flows : polars.DataFrame
        Rows of readers, `wanted` ones: _KEY, dataset, vintage, reported_value in whole euros.

    Returns
    -------
    Sample
        Of each member, partner and month the newest release alone, each of its codes once.

    Raises
    ------
    DataRejected
        Where one release says a code twice, differently.
    """
    once = flows.select(*_KEY, *_RELEASE, "reported_value").unique()
    clash = once.filter(pl.len().over(*_KEY, *_RELEASE) > 1).sort(_KEY)
    if clash.height:
        came = ", ".join(str(value) for value in clash.row(0))
        hint = "take one of the two files out of the folder"
        raise DataRejected("one value for a code in one release", came, count=clash.height, hint=hint)
    newest = (
        once.select(*_KEY[:3], *_RELEASE)
        .unique()
        .sort(*_KEY[:3], "vintage", "dataset")
        .unique(_KEY[:3], keep="last", maintain_order=True)
    )
    taken = once.join(newest, on=[*_KEY[:3], *_RELEASE], how="semi")
    table = (
        taken.group_by(
            partner="partner_iso",
            month=pl.col("ref_date").dt.strftime("%Y-%m"),
            code=pl.col("cmd_code").str.slice(0, 6),
        )
        .agg(value_eur=pl.col("reported_value").sum())
        .with_columns(reporter=pl.lit("EU27"))
        .select(COLUMNS)
        .sort(COLUMNS[:-1])
    )
    members, datasets, vintages = (
        tuple(str(name) for name in newest[column].unique().sort()) for column in ("reporter_iso", "dataset", "vintage")
    )
    return Sample(table, members, datasets, vintages)


def files(sample: Sample, usd_per_euro: pl.DataFrame, made_from: Mapping[str, str]) -> dict[str, bytes]:
    """The sample as raw files: the sums, the rates of their months, and where both come from.

    Parameters
    ----------
    sample : Sample
        Not empty.
    usd_per_euro : polars.DataFrame
        month, usd_per_unit, as Context has them.
    made_from : mapping of str to str
        Name of each raw file used → its sha256.

    Returns
    -------
    dict of str to bytes
        Name below the raw folder → content, the same for the same input.

    Raises
    ------
    DataRejected
        Where they are more than MOST_BYTES.
    """
    months = sample.table["month"].unique()
    rates = usd_per_euro.with_columns(month=pl.col("month").dt.strftime("%Y-%m")).filter(
        pl.col("month").is_in(months.implode())
    )
    contents = {
        "eu27/exports.csv.gz": gzip.compress(sample.table.write_csv().encode(), compresslevel=9, mtime=0),
        "eu27/exports.toml": _mapping(sample).encode(),
        "eu27/origin.toml": _origin(sample, made_from).encode(),
        "ecb/EXR_USD.csv": _rates(rates).encode(),
        "ecb/origin.toml": _ORIGIN_OF_RATES.encode(),
    }
    size = sum(len(content) for content in contents.values())
    if size > MOST_BYTES:
        raise DataRejected(f"a sample of at most {MOST_BYTES:,} bytes", f"{size:,}", hint="take goods out of its list")
    return contents


def _name(sample: Sample) -> str:
    simulated = "SIMULATED-" if any("SIMULATED" in name for name in sample.datasets) else ""
    return f"{simulated}Comext-EU27-six-digits"


def _mapping(sample: Sample) -> str:
    return f"""dataset = "{_name(sample)}"
vintage = "{max(sample.vintages)}"
countries = "iso3"
period = "%Y-%m"
flow = "X"
reexports = "within"
classification = "CN by year"

[columns]
reporter = "reporter"
partner = "partner"
period = "month"
code = "code"
value = "value_eur"

[country]
EU27 = "{EU}"  # the members as one reporter

[value]
currency = "EUR"
"""


def _origin(sample: Sample, made_from: Mapping[str, str]) -> str:
    of_files = "\n".join(f'"{name}" = "{sha256}"' for name, sha256 in sorted(made_from.items()))
    return f"""publisher = "Eurostat, Comext: {", ".join(sample.datasets)}"
url = "https://ec.europa.eu/eurostat/web/international-trade-in-goods/database"
licence = "Eurostat's copyright notice and Commission Decision 2011/833/EU: re-use, also commercial, when the source is named and changes are said"
fetched_at = "{max(sample.vintages)}"
changes = "Taken out of the files named below: exports of {len(sample.members)} members, added up to one reporter and to six digits, {sample.months}, of the goods of anomaly/reference/sample_goods.csv; weights and withheld products are left out. Members: {", ".join(sample.members)}"

[made_from]
{of_files}
"""


def _rates(rates: pl.DataFrame) -> str:
    lines = ["KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE"]
    lines += [f"EXR.M.USD.EUR.SP00.A,M,USD,EUR,SP00,A,{month},{rate}" for month, rate in rates.select("month", "usd_per_unit").sort("month").iter_rows()]  # fmt: skip
    return "\n".join(lines) + "\n"


_ORIGIN_OF_RATES = """publisher = "European Central Bank: euro reference rates, monthly means"
url = "https://data.ecb.europa.eu/data/datasets/EXR"
licence = "free re-use when the source is named"
changes = "Only the months of the sample, and only the US dollar"
"""
