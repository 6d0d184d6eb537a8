"""What is known to be true of a route in a window: planted episodes, dated goods lists, published cases. Pure."""

from __future__ import annotations

import polars as pl

from anomaly.contract.keys import ROUTE
from anomaly.contract.periods import first_month
from anomaly.contract.schema import ROUTE_KEY
from anomaly.reference.cases import about

OUT_OF_TIME = "out_of_time"  # the route has an episode, but not in this window
NOTHING = "nothing"  # no episode was planted on the route


def planted(routes: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Add to routes in windows what was planted on them in the simulated world.

    Parameters
    ----------
    routes : polars.DataFrame
        schema.ROUTE_KEY and anything else.
    labels : polars.DataFrame
        world.World.labels: kind, exporter_iso, importer_iso, good, start, end, is_evasion.

    Returns
    -------
    polars.DataFrame
        The routes, order kept, with `planted` and `is_evasion`. `planted` is the kind of the episode that is active in a
        month of the window at least, one of evasion before a benign one; OUT_OF_TIME where the route's episodes lie before
        or after the window; else NOTHING. `is_evasion` is true for an active episode of evasion only: a flag on any other
        route or window is a false one.
    """
    episodes = labels.select(*ROUTE, "kind", "start", "end", label_is_evasion="is_evasion")
    numbered = routes.with_row_index("_row")
    is_active = (pl.col("start") <= pl.col("window_end")) & (pl.col("end") >= first_month())
    labelled = (
        numbered.select("_row", "window_end", "window_months", *ROUTE)
        .join(episodes, on=ROUTE, how="inner")
        .with_columns(is_active=is_active)
        .sort("_row", "is_active", "label_is_evasion", "kind", descending=[False, True, True, False])
        .unique("_row", keep="first", maintain_order=True)
        .select(
            "_row",
            is_evasion=pl.col("is_active") & pl.col("label_is_evasion"),
            planted=pl.when("is_active").then("kind").otherwise(pl.lit(OUT_OF_TIME)),
        )
    )
    return (
        numbered.join(labelled, on="_row", how="left", maintain_order="left")
        .with_columns(pl.col("is_evasion").fill_null(value=False), pl.col("planted").fill_null(NOTHING))
        .drop("_row")
    )


def of_labels(routes: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """The routes in windows that a planted episode is active in.

    Parameters
    ----------
    routes : polars.DataFrame
        schema.ROUTE_KEY and anything else.
    labels : polars.DataFrame
        world.World.labels.

    Returns
    -------
    polars.DataFrame
        schema.ROUTE_KEY, kind, start, is_evasion, event_id; an episode of several routes is several events, one a label.
    """
    event = pl.concat_str("episode_id", "exporter_iso", "importer_iso", "good", separator=" ")
    episodes = labels.select(*ROUTE, "kind", "start", "end", "is_evasion", event_id=event)
    return (
        routes.select(ROUTE_KEY)
        .unique(maintain_order=True)
        .join(episodes, on=ROUTE, how="inner", maintain_order="left_right")
        .filter(pl.col("start") <= pl.col("window_end"), pl.col("end") >= first_month())
        .drop("end")
    )


def listed(routes: pl.DataFrame, lists: pl.DataFrame, *, is_dated: bool) -> pl.Series:
    """Whether a route's good is on a list: as it was on the route's `as_of`, or at any time.

    Parameters
    ----------
    routes : polars.DataFrame
        good (HS family), as_of.
    lists : polars.DataFrame
        good (HS family), valid_from (null: always), valid_to (null: still; the first day it is not valid).
    is_dated : bool
        Whether only what was valid on `as_of` counts.

    Returns
    -------
    polars.Series
        Boolean, in the order of the routes.
    """
    numbered = routes.select("good", "as_of").with_row_index("_row")
    entries = numbered.join(lists.select("good", "valid_from", "valid_to"), on="good", how="inner")
    if is_dated:
        entries = entries.filter(
            pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("as_of")),
            pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("as_of")),
        )
    return numbered.select(pl.col("_row").is_in(entries["_row"].unique().implode())).to_series()


def of_cases(routes: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """The routes in windows that a published case is about.

    A window is about a case where a month of it lies in the case's period.

    Parameters
    ----------
    routes : polars.DataFrame
        schema.ROUTE_KEY and anything else.
    cases : polars.DataFrame
        cases.read, or some of it; one without goods is about every good, one without exporters or importers about everyone.

    Returns
    -------
    polars.DataFrame
        schema.ROUTE_KEY, kind, start, is_evasion, event_id. `is_evasion` is null where a case is no label, so that a flag on
        it is neither right nor wrong: contested ones, what was stopped, and sums of goods that no code names.
    """
    facts = cases.select("case_id", "kind", "start", "is_evasion")
    return (
        about(routes, cases)
        .join(facts, on="case_id", how="left", maintain_order="left")
        .rename({"case_id": "event_id"})
        .select(*ROUTE_KEY, "kind", "start", "is_evasion", "event_id")
    )
