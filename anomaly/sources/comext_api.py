"""The answer of Eurostat's Comext API in SDMX-CSV: one row per indicator, joined here to one flow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from anomaly.sources.base import Batch, Context, RawFile, Rule, doubt, doubt_rows, split
from anomaly.sources.comext_forms import WITHHELD, frames
from anomaly.sources.comext_rules import (
    KEY,
    MOST_PLAUSIBLE_EUR,
    MOST_PLAUSIBLE_G,
    NAME,
    in_the_files_words,
    rules,
    with_meaning,
)
from anomaly.sources.reading.amounts import number_rules, to_int
from anomaly.sources.reading.batches import in_batches, once
from anomaly.sources.reading.dollars import in_usd
from anomaly.sources.reading.text import decoded, read_bytes, refused

PART_ROWS = 500_000  # rows held as text at a time
VALUES = ("VALUE_IN_EUROS", "VALUE_EUR")
GRAMS = {"QUANTITY_IN_100KG": 100_000, "QUANTITY_IN_KG": 1_000, "QUANTITY_KG": 1_000}
FOLDED = ("SUPPLEMENTARY_QUANTITY", "QUANTITY_SUPPL_UNIT", "VALUE_NAC")  # other measures of the same flow
_SIX_DIGITS = "DS-059341"  # the only dataset whose most detailed code is HS6
_NAMES = {"period": "TIME_PERIOD", "value": "OBS_VALUE", "weight": "OBS_VALUE"}


def read_api(raw: RawFile, context: Context) -> Iterator[Batch]:
    """The flows of an answer of the API, a row of value and a row of weight joined to one.

    Parameters
    ----------
    raw : RawFile
        SDMX-CSV, TSV or EasyComext's view, perhaps gzipped.
    context : Context
        usd_per["EUR"] and batch_rows.

    Yields
    ------
    Batch
        In the file's order; weights without a value are rejected as `quantity_without_value`.

    Raises
    ------
    DataRejected
        As comext.read says.
    """
    content = read_bytes(raw.path, raw.name, raw.limits, gzipped=raw.path.suffix.lower() == ".gz")
    text = decoded(content, raw.name)
    kept_parts, rejected_parts, hidden_parts, rows_in = [], [], [], 0
    headings: set[tuple[str | None, str | None]] = set()
    for part in frames(text, raw, PART_ROWS):
        rows_in += part.height
        headings.update(part.select("DATAFLOW", "LAST UPDATE").unique().iter_rows())
        dataset = _dataset({flow for flow, _ in headings}, raw)
        meant = _with_amounts(part)
        hidden_parts.append(_withheld(meant, dataset, raw))
        kept, rejected = split(meant, _rules(dataset), NAME, raw.name)
        kept_parts.append(kept.select("row", "indicators", "is_value", *KEY, "is_confidential", "euros", "g"))
        rejected_parts.append(in_the_files_words(rejected, _NAMES))
    if not text.content.endswith(b"\n"):
        came = f"an end such as {text.content[-40:].decode(errors='replace')!r}: the last cell may be cut"
        raise refused(raw.name, "a line end at the end, as Eurostat writes it", came, row=text.content.count(b"\n"))
    flows, alone = _joined(pl.concat(kept_parts), raw.name)
    vintage = raw.vintage or _vintage({update for _, update in headings}, raw)
    release = {"source": pl.lit(NAME), "dataset": pl.lit(dataset), "vintage": pl.lit(vintage)}
    flows = in_usd(flows, context, raw.name, "EUR", "period").with_columns(
        **release, currency=pl.lit("EUR"), is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean)
    )
    rejected = pl.concat([*rejected_parts, alone]).sort("row")
    doubts = _of_withheld(rejected, raw)
    hidden = pl.concat(hidden_parts).unique(maintain_order=True).with_columns(**release)
    for number, batch in enumerate(in_batches(flows, rejected, rows_in, context.batch_rows)):
        yield batch if number else replace(batch, doubts=doubts, withheld=hidden)


def _withheld(meant: pl.DataFrame, dataset: str, raw: RawFile) -> pl.DataFrame:
    """KEY of observations of value that are withheld, in rows that are right otherwise."""
    hidden = meant.filter(pl.col("OBS_VALUE") == WITHHELD, pl.col("indicators").is_in(VALUES), pl.col("freq") == "M")
    return split(hidden, rules(_detailed(dataset)), NAME, raw.name)[0].select(KEY)


def _detailed(dataset: str) -> int:
    return 6 if dataset == _SIX_DIGITS else 8


def _of_withheld(rejected: pl.DataFrame, raw: RawFile) -> pl.DataFrame:
    withheld = rejected.filter(pl.col("rule") == "withheld")
    if withheld.is_empty():
        return doubt_rows([], NAME, raw.name)
    row = doubt(
        "values_not_known",
        "values that are withheld have no figure: where a row is missing it may stand for trade, not for nothing",
        f"{withheld.height:,} cells, the first in row {withheld['row'][0]}",
        "read a fall of these routes as unknown",
    )
    return doubt_rows([row], NAME, raw.name)


def _with_amounts(part: pl.DataFrame) -> pl.DataFrame:
    frame = part.with_columns(pl.col(pl.String).str.strip_chars())
    indicator = pl.col("indicators")
    is_value, is_weight = indicator.is_in(VALUES), indicator.is_in(list(GRAMS))
    frame = frame.with_columns(
        period="TIME_PERIOD",
        is_value=is_value,
        value=pl.when(is_value).then("OBS_VALUE"),
        weight=pl.when(is_weight).then("OBS_VALUE"),
        euros=pl.when(is_value).then(to_int(pl.col("OBS_VALUE"))),
        g=pl.coalesce(
            pl.when(indicator == name).then(to_int(pl.col("OBS_VALUE"), grams, most=MOST_PLAUSIBLE_G))
            for name, grams in GRAMS.items()
        ),
    )
    return with_meaning(frame)


def _rules(dataset: str) -> tuple[Rule, ...]:
    indicator = pl.col("indicators")
    is_known = indicator.is_in([*VALUES, *GRAMS, *FOLDED])
    value_rules = number_rules("value", needed=True, most=MOST_PLAUSIBLE_EUR)
    weight_rules = number_rules("weight", needed=True, most=MOST_PLAUSIBLE_G / 100_000)
    return (
        Rule("unknown_frequency", "freq", ~pl.col("freq").is_in(["M", "A"]).fill_null(value=False), "not M nor A"),
        Rule("unknown_indicator", "indicators", ~is_known.fill_null(value=False), "not an indicator that is known"),
        *rules(_detailed(dataset)),
        Rule(
            "withheld",
            "OBS_VALUE",
            pl.col("OBS_VALUE") == WITHHELD,
            "the publisher withholds the value, or has none",
            is_error=False,
        ),
        Rule("annual_total", "freq", pl.col("freq") == "A", "a year, whose months are what is read", is_error=False),
        *(_only(rule, indicator.is_in(VALUES)) for rule in value_rules),
        *(_only(rule, indicator.is_in(list(GRAMS))) for rule in weight_rules),
    )


def _only(rule: Rule, condition: pl.Expr) -> Rule:
    return Rule(rule.name, rule.column, rule.broken & condition, rule.reason, rule.is_error)


def _joined(kept: pl.DataFrame, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One flow per key from its rows of value and weight, and the rows of weight that have no row of value."""
    amounts = kept.with_columns(
        primary_value_usd=pl.lit(None, dtype=pl.Int64),
        reported_value=pl.coalesce("euros", "g").fill_null(0),
        net_wgt_g="g",
        is_net_wgt_estimated=pl.lit(None, dtype=pl.Boolean),
    )
    measured = amounts.filter(~pl.col("indicators").is_in(FOLDED))
    hint = "the file mixes two extractions; fetch it again"
    single = once(measured, ("is_value", *KEY), "OBS_VALUE", name, hint)
    values = single.filter("is_value").drop("net_wgt_g", "g", "euros")
    weights = single.filter(~pl.col("is_value")).select(*KEY, "net_wgt_g")
    flows = values.join(weights, on=KEY, how="left", maintain_order="left")
    # published weights are rounded; nought beside a value is a weight that is not known
    is_nothing = (pl.col("net_wgt_g") == 0) & (pl.col("reported_value") > 0)
    flows = flows.with_columns(net_wgt_g=pl.when(~is_nothing.fill_null(value=False)).then("net_wgt_g"))
    without = amounts.filter(~pl.col("is_value")).join(values, on=KEY, how="anti", maintain_order="left")
    rule = Rule(
        "quantity_without_value",
        "indicators",
        pl.lit(value=True),
        "a quantity whose value is not in the file",
        is_error=False,
    )
    _, alone = split(without, (rule,), NAME, name)
    return flows, alone


def _dataset(dataflows: set[str | None], raw: RawFile) -> str:
    """DS-045409 of "ESTAT:DS-045409(1.0)"."""
    if raw.dataset:
        return raw.dataset
    named = {
        match[1] for flow in dataflows if (match := re.fullmatch(r"(?:\w+:)?(DS-\d{6})(?:\([\d.]+\))?", flow or ""))
    }
    if len(named) == 1 and len(dataflows) == 1:
        return named.pop()
    if not dataflows or dataflows == {None}:
        return raw.path.name.split(".")[0]
    came = ", ".join(sorted(str(flow)[:40] for flow in dataflows))
    raise refused(raw.name, "one dataset such as ESTAT:DS-045409(1.0)", came, column="DATAFLOW")


def _vintage(updates: set[str | None], raw: RawFile) -> str:
    """The day of the last update, 2023-01-13 of "13/01/23" or "13/01/23 23:00:00"; where a form has none, of fetching."""
    if updates == {None}:
        return (raw.fetched_at or "undated")[:10]
    days = []
    for update in updates:
        match = re.fullmatch(r"(\d\d)/(\d\d)/(\d\d)( \d\d:\d\d:\d\d)?", update or "")
        if not match or not (1 <= int(match[1]) <= 31 and 1 <= int(match[2]) <= 12):
            raise refused(raw.name, "a day such as 13/01/23", f"{str(update)[:40]!r}", column="LAST UPDATE")
        days.append(f"20{match[3]}-{match[2]}-{match[1]}")
    return max(days, default="undated")
