"""What was known on a date: the flows published by then, and of the windows they allow the newest. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET, WINDOW_KEY
from anomaly.contract.periods import MONTHS_IN
from anomaly.contract.schema import ROUTE_KEY, is_own_gap
from anomaly.contract.settings import PublicationLag, Settings
from anomaly.flags import naming
from anomaly.indicators import INDICATORS
from anomaly.reference import editions
from anomaly.sources import vintages

_GROUP = ("freq_code", "window_months", "is_from_coalition")
_LABELS = ("value_usd", "value_prior_year_usd", "value_baseline_usd", "is_before_sanctions", "role")


def dates(coverage: pl.DataFrame, settings: Settings) -> list[tuple[str, date]]:
    """The dates of a replay: the last day of every quarter for monthly data, of every year for annual data.

    Monthly data: from the end of the year before the sanctions; annual: from the third year on, since a window needs a
    year before. Both end with the first date by which all is out.

    Parameters
    ----------
    coverage : polars.DataFrame
        The table coverage.
    settings : Settings
        Scenario: sanctions_since, publication_lag_months.

    Returns
    -------
    list of tuple
        (freq_code, as-of date), annual first, in order of time.
    """
    replayed: list[tuple[str, date]] = []
    for freq, step in (("A", 12), ("M", 3), ("Q", 3)):
        reported = coverage.filter(pl.col("freq_code") == freq)
        if reported.is_empty():
            continue
        last_out = reported.select(_month_out(settings.publication_lag_months).max()).item()
        first = reported["ref_date"].min().year * 12 + 36 if freq == "A" else settings.sanctions_since.year * 12  # type: ignore[union-attr]
        replayed += [(freq, _month_end(month)) for month in range(first, last_out + step, step)]
    return replayed


def _month_end(month: int) -> date:
    """Last day of a month counted as year x 12 + its number."""
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _month_out(lags: PublicationLag) -> pl.Expr:
    """Month by whose end a row's period is out, as year x 12 + number."""
    year, month = pl.col("ref_date").dt.year().cast(pl.Int32) * 12, pl.col("ref_date").dt.month().cast(pl.Int32)
    annual, monthly = (
        pl.col("source").replace_strict(by_source, default=by_source.get("other", 0), return_dtype=pl.Int32)
        for by_source in (lags.annual, lags.monthly)
    )
    of_quarter = month + MONTHS_IN["Q"] - 1 + monthly
    of_month = pl.when(pl.col("freq_code") == "Q").then(of_quarter).otherwise(month + monthly)
    return year + pl.when(pl.col("freq_code") == "A").then(12 + annual).otherwise(of_month)


def is_out(as_of: date, settings: Settings) -> pl.Expr:
    """Whether a flow's period was out on a date: the end of the period and the lag of its source are past.

    Parameters
    ----------
    as_of : datetime.date
        The last day of a month.
    settings : Settings
        Scenario: publication_lag_months.

    Returns
    -------
    polars.Expr
        Boolean, over freq_code, ref_date and source.
    """
    return _month_out(settings.publication_lag_months) <= as_of.year * 12 + as_of.month


def current(flows: pl.LazyFrame, releases: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    """The flows that were current on a date.

    A release dated later than the date was not there yet, unless it is the first that is held of its rows: what was
    published before it is then taken to have been the same, since nothing else is known.

    Parameters
    ----------
    flows : polars.LazyFrame
        schema.Flows, every vintage.
    releases : polars.DataFrame
        vintages.groups of them without the file.
    as_of : datetime.date
        The date whose knowledge is asked for.

    Returns
    -------
    polars.LazyFrame
        The flows of the releases that were there, `is_current` set as it was then.
    """
    key = [*vintages.GROUP, "dataset"]
    digits = pl.col("vintage").str.replace_all("[^0-9]", "")
    is_first = digits == digits.min().over(key)
    day = digits.str.slice(0, 8)  # what was fetched has its time behind it
    is_published = is_first | (day <= f"{as_of:%Y%m%d}")
    published = releases.filter(is_published)
    if published.height < releases.height:
        flows = flows.join(published.lazy(), on=[*vintages.GROUP, *vintages.RELEASE], how="semi")
    met, contested = vintages.meetings(published), vintages.contested(published)
    if met.is_empty() and contested.is_empty():
        return flows.with_columns(is_current=pl.lit(value=True))
    links = editions.edition_links()
    asked_codes = vintages.asked_for(flows, met, links)
    rows = flows.collect(engine="streaming")
    is_replaced = vintages.replaced(rows, met, asked_codes)
    disputed = rows.filter(~is_replaced).join(contested, on=contested.columns, how="semi")
    return vintages.mark(rows, is_replaced, vintages.losers(disputed, links)).lazy()


def newest(inputs: pl.DataFrame, freq: str) -> pl.DataFrame:
    """The newest windows of a frequency that hold routes asked about.

    Each length of window and each leg has its own newest one: hubs may be later than the coalition.

    Parameters
    ----------
    inputs : polars.DataFrame
        forest_inputs.build.
    freq : str
        A annual, M monthly.

    Returns
    -------
    polars.DataFrame
        freq_code, window_months, is_from_coalition, window_end.
    """
    is_asked = pl.when("is_from_coalition").then((pl.col("role") == "other") & pl.col("is_measured"))
    return (
        inputs.filter(pl.col("freq_code") == freq, is_asked.otherwise(pl.col("role") == "target"))
        .group_by(*_GROUP)
        .agg(pl.col("window_end").max())
        .sort(_GROUP)
    )


def of_windows(inputs: pl.DataFrame, windows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The inputs that scoring some windows needs: every row that shares length, leg and baseline gap with one of them.

    The forest of a window is fitted on the placebos of all windows of its group, so that nothing else changes a score.

    Parameters
    ----------
    inputs : polars.DataFrame
        forest_inputs.build.
    windows : polars.DataFrame
        `newest`.
    settings : Settings
        Scenario: baseline_years.

    Returns
    -------
    polars.DataFrame
        Rows of `inputs`, order kept.
    """
    newest_rows = inputs.filter(is_own_gap(settings.baseline_years)).join(windows, on=windows.columns, how="semi")
    groups = newest_rows.select(*_GROUP, "baseline_gap_years").unique()
    return inputs.join(groups, on=groups.columns, how="semi", maintain_order="left")


def routes(
    features: pl.DataFrame, windows: pl.DataFrame, scores: pl.DataFrame, flags: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """Every measured route of the newest windows to the importers asked about and to the placebos.

    Parameters
    ----------
    features : polars.DataFrame
        The table features.
    windows : polars.DataFrame
        `newest`.
    scores : polars.DataFrame
        The table scores.
    flags : polars.DataFrame
        The table flags.
    settings : Settings
        Scenario: coalition, baseline_years.

    Returns
    -------
    polars.DataFrame
        schema.ROUTE_KEY, leg, role, the route's values, every indicator, is_candidate (it has a q, or is flagged by rule),
        is_flagged (with a type that is an alarm), and anomaly_score, anomaly_rank, q_value, null where it was not scored.
    """
    key, coalition = list(ROUTE_KEY), list(settings.coalition.countries)
    is_from_coalition = pl.col("exporter_iso").is_in(coalition)
    scored = scores.select(*key, "anomaly_score", "anomaly_rank", "q_value")
    alarms = flags.filter(naming.is_alarm())
    flagged = alarms.select(*key, is_flagged=pl.lit(value=True))
    return (
        features.filter(is_own_gap(settings.baseline_years))
        .with_columns(
            is_from_coalition=is_from_coalition,
            leg=pl.when(is_from_coalition).then(pl.lit(COALITION_TO_HUB)).otherwise(pl.lit(HUB_TO_TARGET)),
        )
        .join(windows, on=windows.columns, how="semi")
        .join(scored, on=key, how="left")
        .join(flagged, on=key, how="left")
        .with_columns(pl.col("is_flagged").fill_null(value=False))
        .with_columns(is_candidate=pl.col("q_value").is_not_null() | pl.col("is_flagged"))
        .filter((pl.col("is_candidate") & (is_from_coalition | (pl.col("role") == "target"))) | (pl.col("role") == "placebo"))
        .select(
            *key, "leg", *_LABELS, *[indicator.name for indicator in INDICATORS], "is_candidate", "is_flagged", "anomaly_score",
            "anomaly_rank", "q_value",
        )
        .sort(*key)
    )  # fmt: skip


def by_window(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The routes of each window and leg in turn.

    Parameters
    ----------
    rows : polars.DataFrame
        `routes`.

    Yields
    ------
    polars.DataFrame
        Rows of one frequency, length, end and leg, order kept.
    """
    yield from rows.partition_by(*WINDOW_KEY, "leg", maintain_order=True)
