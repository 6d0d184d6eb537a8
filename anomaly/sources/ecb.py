"""The European Central Bank's reference rates, as monthly means: how euros and others become US dollars.

docs/sources/ecb.md says which series are taken.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from anomaly.sources.base import FLOW_COLUMNS, REJECTED_COLUMNS, Batch, Context, RawFile, Source
from anomaly.sources.reading.amounts import to_number
from anomaly.sources.reading.layout import Layout
from anomaly.sources.reading.tables import text_csv_batches
from anomaly.sources.reading.text import decoded, read_bytes, refused

COLUMNS = ("FREQ", "CURRENCY", "CURRENCY_DENOM", "EXR_TYPE", "EXR_SUFFIX", "TIME_PERIOD", "OBS_VALUE")
# units per EUR that have a place in this world; the euro's own history lies well within (0.83 to 1.60 USD)
PLAUSIBLE = {"USD": (0.5, 2.5), "GBP": (0.4, 1.5), "JPY": (50.0, 400.0)}
PLAUSIBLE_OTHERS = (1e-3, 1e7)
MOST_STEP = 1.25  # the euro has never moved by a quarter against these three from one month to the next


def claims(raw: RawFile) -> bool:
    """Whether the file is the ECB's: an EXR table by its name.

    Parameters
    ----------
    raw : RawFile
        Only its name is looked at: EXR….csv.

    Returns
    -------
    bool
        True where `rates` shall read it.
    """
    return raw.path.name.upper().startswith("EXR") and raw.path.suffix.lower() == ".csv"


def read(raw: RawFile, context: Context) -> Iterator[Batch]:
    """No flows: the file is of rates. It is checked all the same.

    Parameters
    ----------
    raw : RawFile
        An EXR table.
    context : Context
        Not needed.

    Yields
    ------
    Batch
        One, without rows.

    Raises
    ------
    DataRejected
        As `rates`.
    """
    rates(raw)
    yield Batch(pl.DataFrame(schema=FLOW_COLUMNS), pl.DataFrame(schema=REJECTED_COLUMNS), rows_in=0)


def rates(raw: RawFile) -> dict[str, pl.DataFrame]:
    """What one unit of each currency was worth in US dollars, month by month.

    Parameters
    ----------
    raw : RawFile
        An EXR table (csvdata); the monthly means M.….EUR.SP00.A in it are taken, other series are passed over.

    Returns
    -------
    dict of str to polars.DataFrame
        Currency → month (Date, its first day), usd_per_unit (Float64), of EUR and every other currency in the file
        but USD; months sorted.

    Raises
    ------
    DataRejected
        Naming file, row and column, for a file that is not whole, a cell that is no month or rate, a rate outside
        PLAUSIBLE, a month told twice, a step beyond MOST_STEP, and a file without USD.
    """
    text = decoded(read_bytes(raw.path, raw.name, raw.limits, gzipped=False), raw.name)
    layout = Layout(required=COLUMNS, columns=COLUMNS)
    table = pl.concat(text_csv_batches(text, raw.name, layout))
    monthly = table.with_columns(pl.col(pl.String).str.strip_chars()).filter(
        (pl.col("FREQ") == "M")
        & (pl.col("CURRENCY_DENOM") == "EUR")
        & (pl.col("EXR_TYPE") == "SP00")
        & (pl.col("EXR_SUFFIX") == "A")
    )
    if not (monthly["CURRENCY"] == "USD").any():
        hint = "ask the ECB for EXR/M.USD.EUR.SP00.A, format csvdata"
        raise refused(raw.name, "the monthly mean of USD per EUR", "no such series", column="CURRENCY", hint=hint)
    per_eur = _checked(monthly, raw.name)
    usd = per_eur.filter(pl.col("currency") == "USD").select("month", usd="per_eur")
    beside_usd = per_eur.join(usd, on="month").sort("currency", "month")
    frames = {"EUR": usd.sort("month").rename({"usd": "usd_per_unit"})}
    for currency in beside_usd["currency"].unique().sort():
        if currency != "USD":
            of_currency = beside_usd.filter(pl.col("currency") == currency)
            frames[currency] = of_currency.select("month", usd_per_unit=pl.col("usd") / pl.col("per_eur"))
    return frames


def _checked(monthly: pl.DataFrame, name: str) -> pl.DataFrame:
    """row, currency, month, per_eur, once every cell of it is believable."""
    is_month = pl.col("TIME_PERIOD").str.contains(r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$")
    frame = monthly.select(
        "row",
        "TIME_PERIOD",
        "OBS_VALUE",
        "CURRENCY",
        currency="CURRENCY",
        month=pl.when(is_month).then(pl.col("TIME_PERIOD") + "-01").str.to_date("%Y-%m-%d", strict=False),
        per_eur=to_number(pl.col("OBS_VALUE")),
    )
    low, high = (
        pl.col("currency").replace_strict(
            {code: bound[at] for code, bound in PLAUSIBLE.items()}, default=bound_of_others
        )
        for at, bound_of_others in enumerate(PLAUSIBLE_OTHERS)
    )
    is_code = pl.col("currency").str.contains(r"^[A-Z]{3}$").fill_null(value=False)
    before, month_before = (
        pl.col(column).shift(1).over("currency", order_by="month") for column in ("per_eur", "month")
    )
    step = pl.max_horizontal(pl.col("per_eur") / before, before / pl.col("per_eur"))
    is_next = month_before == pl.col("month").dt.offset_by("-1mo")
    faults = (
        ("CURRENCY", ~is_code, "a currency such as USD"),
        ("TIME_PERIOD", pl.col("month").is_null(), "a month such as 2022-07"),
        ("OBS_VALUE", pl.col("per_eur").is_null(), "a rate"),
        ("OBS_VALUE", ~pl.col("per_eur").is_between(low, high), "a rate that is possible, in units per EUR"),
        ("TIME_PERIOD", pl.struct("currency", "month").is_duplicated(), "each month of a currency once"),
        (
            "OBS_VALUE",
            pl.col("currency").is_in(list(PLAUSIBLE)) & is_next & (step > MOST_STEP),
            "a rate near the one of the month before",
        ),
    )
    for column, is_fault, expected in faults:
        bad = frame.filter(is_fault).sort("row")
        if bad.height:
            first = bad.row(0, named=True)
            came = f"{first[column]!r}; {bad.height:,} such rows in all"
            raise refused(name, expected, came, row=first["row"], column=column)
    return frame.select("row", "currency", "month", "per_eur")


SOURCE = Source(
    name="ecb",
    title="ECB reference rates: EXR monthly means",
    publisher="European Central Bank",
    licence="free of charge, source to be stated",
    url="https://data.ecb.europa.eu/data/datasets/EXR",
    claims=claims,
    read=read,
    precedence=99,
    rates=rates,
)
