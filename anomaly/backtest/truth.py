"""What is known to be true of a route in a window: planted episodes, dated goods lists, published cases. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from anomaly.contract.periods import first_month
from anomaly.contract.schema import ROUTE_KEY
from anomaly.reference import editions
from anomaly.reference.countries import EU27

OUT_OF_TIME = "out_of_time"  # the route has an episode, but not in this window
NOTHING = "nothing"  # no episode was planted on the route
IS_EVASION = {"rise": True, "gap": True, "not_a_hub": False, "fall": None}  # of the kinds of published cases
_ROUTE = ("exporter_iso", "importer_iso", "good")
_NO_LABELS = pl.DataFrame(
    schema={
        **dict.fromkeys(("episode_id", "kind", *_ROUTE), pl.String),
        "start": pl.Date, "end": pl.Date, "is_evasion": pl.Boolean,
    }
)  # fmt: skip


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
    episodes = labels.select(*_ROUTE, "kind", "start", "end", label_is_evasion="is_evasion")
    numbered = routes.with_row_index("_row")
    is_active = (pl.col("start") <= pl.col("window_end")) & (pl.col("end") >= first_month())
    labelled = (
        numbered.select("_row", "window_end", "window_months", *_ROUTE)
        .join(episodes, on=_ROUTE, how="inner")
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
    event = pl.concat_str("episode_id", *_ROUTE, separator=" ")
    episodes = labels.select(*_ROUTE, "kind", "start", "end", "is_evasion", event_id=event)
    return (
        routes.select(ROUTE_KEY)
        .unique(maintain_order=True)
        .join(episodes, on=_ROUTE, how="inner", maintain_order="left_right")
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
        cases.read(); one without goods is about every good, one without exporters or importers about everyone.

    Returns
    -------
    polars.DataFrame
        schema.ROUTE_KEY, kind, start, is_evasion, event_id. `is_evasion` is true for a rise or a gap, false for a rise that
        has another reason, and null for a fall: its routes may have been flagged with right before.
    """
    goods = routes["good"].unique().sort().to_list()
    events = [of_labels(routes.head(0), _NO_LABELS)]
    for case in cases.to_dicts():
        in_time = pl.lit(value=True)
        if case["start"] is not None:
            in_time = (pl.col("window_end") >= case["start"]) & (first_month() <= case["end"])
        about = routes.filter(
            in_time,
            _is_one_of("exporter_iso", case["exporters"]),
            _is_one_of("importer_iso", case["importers"]),
            pl.col("good").is_in(goods_of(case["goods"], goods)) if case["goods"] else pl.lit(value=True),
        )
        windows = about.select(ROUTE_KEY).unique(maintain_order=True)
        events.append(
            windows.select(
                *events[0].columns[: len(ROUTE_KEY)],
                kind=pl.lit(case["kind"]),
                start=pl.lit(case["start"], dtype=pl.Date),
                is_evasion=pl.lit(IS_EVASION[case["kind"]], dtype=pl.Boolean),
                event_id=pl.lit(case["case_id"]),
            )
        )
    return pl.concat([part.select(events[0].columns) for part in events])


def _is_one_of(column: str, countries: Sequence[str]) -> pl.Expr:
    if not countries:
        return pl.lit(value=True)
    members = [iso3 for country in countries for iso3 in (EU27 if country == "EU27" else (country,))]
    return pl.col(column).is_in(members)


def goods_of(prefixes: Sequence[str], goods: Sequence[str]) -> list[str]:
    """Of some goods those with a code that begins with one asked for.

    Parameters
    ----------
    prefixes : sequence of str
        Beginnings of HS codes, or whole ones.
    goods : sequence of str
        Codes and families.

    Returns
    -------
    list of str
        Of `goods`, order kept; a family where a member of it begins so.

    Examples
    --------
    >>> goods_of(["8703", "851713"], ["851712+", "870323", "901380"])
    ['851712+', '870323']
    """
    return [
        good for good in goods if any(code.startswith(tuple(prefixes)) for code in (good, *editions.good_members(good)))
    ]
