"""A road that rose when a measure had closed another: said beside its flag, in order of time and without a cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from anomaly.contract.keys import ROUTE_KEY, WINDOW_KEY
from anomaly.flags import resolved
from anomaly.indicators.base import usd

REASON = "closed_road_usd"
_ROAD = [*WINDOW_KEY, "good", "target"]


def reasons(
    flagged: pl.DataFrame, ended: pl.DataFrame, names: Mapping[str, str]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """For flagged routes the road of another hub to the same target that fell under a measure while they rose.

    The measure bears on the road that fell and lies early enough to be a reason, by `resolved`. The flagged route carries
    more than a year before, most of which lay before the measure; where months show one step of it, that is no earlier than
    the measure. A second hop counts where it leaves the hub whose own road fell: the first stage of a longer one.

    Parameters
    ----------
    flagged : polars.DataFrame
        Rows of features that are flagged: the key, the values, break_month and direct_target_iso.
    ended : polars.DataFrame
        resolved.candidates.
    names : mapping of str to str
        Country to English name.

    Returns
    -------
    dict of tuple to dict
        Window, good, exporter and importer, in the order of keys.ROUTE_KEY → a reason of schema.Flags.
    """
    closed = ended.filter(pl.col("measure").is_not_null())
    if closed.is_empty() or flagged.is_empty():
        return {}
    roads = flagged.filter(pl.col("value_usd") > pl.col("value_prior_year_usd")).select(
        *ROUTE_KEY, "break_month",
        target=pl.coalesce("direct_target_iso", "importer_iso"),
        is_second=pl.col("direct_target_iso").is_not_null(),
    )  # fmt: skip
    fallen = closed.select(
        *WINDOW_KEY, "good", "value_usd", "value_prior_year_usd", "measure", "measure_date",
        target="importer_iso", closed_iso="exporter_iso",
    )  # fmt: skip
    is_same_hub = pl.col("exporter_iso") == pl.col("closed_iso")
    is_in_order = pl.col("break_month").is_null() | (pl.col("break_month") >= pl.col("measure_date").dt.month_start())
    fall = pl.col("value_prior_year_usd") - pl.col("value_usd")
    pairs = (
        roads.join(fallen, on=_ROAD)
        .filter(is_same_hub == pl.col("is_second"), is_in_order)
        .sort(*_ROAD, "exporter_iso", "importer_iso", fall, "closed_iso", descending=[False] * 7 + [True, False])
        .unique(list(ROUTE_KEY), keep="first", maintain_order=True)
    )
    return {tuple(pair[name] for name in ROUTE_KEY): _reason(pair, names) for pair in pairs.to_dicts()}


def _reason(pair: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    hub, target = (names.get(pair[name], pair[name]) for name in ("closed_iso", "target"))
    then, now = pair["value_prior_year_usd"], pair["value_usd"]
    text = (
        f"Another road fell while this one rose: what {hub} itself sold {target} went from {usd(then)} to {usd(now)}. "
        f"{resolved.beside_measure(pair)} Order in time, no cause."
    )
    return {"indicator": REASON, "value": float(then - now), "unit": "usd", "threshold": 1.0, "text": text}
