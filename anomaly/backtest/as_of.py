"""What was known on a date: the flows published by then, and of the windows they allow the newest. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB, HUB_TO_TARGET, WINDOW_KEY
from anomaly.contract.schema import ROUTE_KEY, is_own_gap
from anomaly.contract.settings import PublicationLag, Settings
from anomaly.flags import naming
from anomaly.indicators import INDICATORS
from anomaly.reference import editions
from anomaly.sources import vintages

_GROUP = ("freq_code", "window_months", "is_from_coalition")
_LABELS = ("value_usd", "value_prior_year_usd", "value_baseline_usd", "is_before_sanctions", "role")


def dates(coverage: pl.DataFrame, settings: Settings) -> list[tuple[str, date]]:
    """(freq_code, as-of date) of a replay, in order: the last day of a quarter for monthly data, of a year for annual.

    Monthly data: from the end of the year before the sanctions; annual: from the third year on, since a window needs a
    year before. Both end with the first date by which all is out.
    """
    found: list[tuple[str, date]] = []
    for freq, step in (("A", 12), ("M", 3)):
        told = coverage.filter(pl.col("freq_code") == freq)
        if told.is_empty():
            continue
        out = told.select(_out(settings.publication_lag_months).max()).item()
        first = told["ref_date"].min().year * 12 + 36 if freq == "A" else settings.sanctions_since.year * 12  # type: ignore[union-attr]
        found += [(freq, _month_end(month)) for month in range(first, out + step, step)]
    return found


def _month_end(month: int) -> date:
    """Last day of a month counted as year x 12 + its number."""
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _out(lags: PublicationLag) -> pl.Expr:
    """Month by whose end a row's period is out, as year x 12 + number."""
    year, month = pl.col("ref_date").dt.year().cast(pl.Int32) * 12, pl.col("ref_date").dt.month().cast(pl.Int32)
    annual, monthly = (
        pl.col("source").replace_strict(of, default=of.get("other", 0), return_dtype=pl.Int32)
        for of in (lags.annual, lags.monthly)
    )
    return year + pl.when(pl.col("freq_code") == "A").then(12 + annual).otherwise(month + monthly)


def is_out(as_of: date, settings: Settings) -> pl.Expr:
    """Whether a flow's period was out on the last day of a month: end of period and lag of its source are past."""
    return _out(settings.publication_lag_months) <= as_of.year * 12 + as_of.month


def current(flows: pl.LazyFrame, releases: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    """The flows that were current on a date, `is_current` set so.

    flows      schema.Flows, every vintage
    releases   vintages.groups of them without the file

    A release dated later than the date was not there yet, unless it is the first that is held of its rows: what was
    published before it is then taken to have been the same, since nothing else is known.
    """
    key = [*vintages.GROUP, "dataset"]
    digits = pl.col("vintage").str.replace_all("[^0-9]", "")
    is_first = digits == digits.min().over(key)
    is_known = is_first | (digits <= f"{as_of:%Y%m%d}")
    known = releases.filter(is_known)
    if known.height < releases.height:
        flows = flows.join(known.lazy(), on=[*vintages.GROUP, *vintages.RELEASE], how="semi")
    met, contested = vintages.meetings(known), vintages.contested(known)
    if met.is_empty() and contested.is_empty():
        return flows.with_columns(is_current=pl.lit(value=True))
    links = editions.edition_links()
    asked = vintages.asked_for(flows, met, links)
    told = flows.collect(engine="streaming")
    is_replaced = vintages.replaced(told, met, asked)
    disputed = told.filter(~is_replaced).join(contested, on=contested.columns, how="semi")
    return vintages.mark(told, is_replaced, vintages.losers(disputed, links)).lazy()


def newest(inputs: pl.DataFrame, freq: str) -> pl.DataFrame:
    """The newest windows of a frequency that hold routes asked about: freq_code, window_months, leg, window_end, gap.

    inputs   forest_inputs.build

    Each length of window and each leg has its own newest one: hubs may be later than the coalition.
    """
    asked = pl.when("is_from_coalition").then((pl.col("role") == "other") & pl.col("is_measured"))
    return (
        inputs.filter(pl.col("freq_code") == freq, asked.otherwise(pl.col("role") == "target"))
        .group_by(*_GROUP)
        .agg(pl.col("window_end").max())
        .sort(_GROUP)
    )


def of_windows(inputs: pl.DataFrame, windows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The inputs that scoring some windows needs: every row that shares length, leg and baseline gap with one of them.

    The forest of a window is fitted on the placebos of all windows of its group, so that nothing else changes a score.
    """
    of = inputs.filter(is_own_gap(settings.baseline_years)).join(windows, on=windows.columns, how="semi")
    groups = of.select(*_GROUP, "baseline_gap_years").unique()
    return inputs.join(groups, on=groups.columns, how="semi", maintain_order="left")


def routes(
    features: pl.DataFrame, windows: pl.DataFrame, scores: pl.DataFrame, flags: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """Every measured route of the newest windows to the importers asked about and to the placebos.

    Columns: schema.ROUTE_KEY, leg, role, the route's values, every indicator, is_candidate (it has a q, or is flagged by
    rule), is_flagged (with a type that is an alarm), and anomaly_score, anomaly_rank, q_value where it was scored.
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
        .filter(pl.col("is_candidate") | (pl.col("role") == "placebo"))
        .select(
            *key, "leg", *_LABELS, *[one.name for one in INDICATORS], "is_candidate", "is_flagged", "anomaly_score",
            "anomaly_rank", "q_value",
        )
        .sort(*key)
    )  # fmt: skip


def by_window(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The routes of each window and leg in turn."""
    yield from rows.partition_by(*WINDOW_KEY, "leg", maintain_order=True)
