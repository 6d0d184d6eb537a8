"""Which type a flag is called by, and the types by their name: what others ask of the registry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import polars as pl

from anomaly.contract.keys import COALITION_TO_HUB
from anomaly.flags import types
from anomaly.flags.types.base import FlagType, Limits

SEVERITIES = ("low", "medium", "high")


def type_of(name: str) -> FlagType:
    """A type by its name; one that is not registered here is told as the plainest is, under its own name.

    Parameters
    ----------
    name : str
        A flag_type.

    Returns
    -------
    FlagType
        Of the registry, or made of its first.
    """
    registered = next((one for one in types.TYPES if one.name == name), None)
    return registered or replace(types.TYPES[0], name=name, words=name.replace("_", " "))


def next_steps(name: str, exporter: str, importer: str, good: str, measures: str = "sanctions") -> list[str]:
    """The questions to ask next about a flag of this type, with the names of its countries and its good put in.

    Parameters
    ----------
    name : str
        A flag_type.
    exporter, importer, good : str
        Their names for people.
    measures : str
        What the scenario calls what is gone round.

    Returns
    -------
    list of str
        Two or three questions.
    """
    names = {"exporter": exporter, "importer": importer, "good": good, "measures": measures}
    return [step.format(**names) for step in type_of(name).next_steps]


def is_on(leg: str) -> pl.Expr:
    """Flags of the types of a leg, by their flag_type.

    Parameters
    ----------
    leg : str
        COALITION_TO_HUB or HUB_TO_TARGET.

    Returns
    -------
    polars.Expr
        Boolean over flag_type.
    """
    return _is_one_of([one for one in types.TYPES if one.leg == leg])


def is_alarm() -> pl.Expr:
    """Flags that say that goods may go round, by their flag_type; a type not registered is an alarm."""
    return ~_is_one_of([one for one in types.TYPES if not one.is_alarm])


def has_ended() -> pl.Expr:
    """Flags whose trade is over, by their flag_type."""
    return _is_one_of([one for one in types.TYPES if one.has_ended])


def _is_one_of(meant: Collection[FlagType]) -> pl.Expr:
    return pl.col("flag_type").is_in([one.name for one in meant])


def called(flagged: pl.DataFrame, listed: Collection[str], limits: Limits) -> pl.DataFrame:
    """Flagged routes with flag_type and most_severe.

    Parameters
    ----------
    flagged : polars.DataFrame
        Rows of rule.beside_scores that are flags.
    listed : collection of str
        Goods of the scenario's lists: they name a type and have no part in the score.
    limits : Limits
        Of the scenario.

    Returns
    -------
    polars.DataFrame
        The rows with `flag_type`, the last type of the registry that they show on their leg, and `most_severe`, the lowest
        of the highest severities of all types that they show.
    """
    goods = pl.Series(sorted(listed), dtype=pl.String).implode()
    flag_type, highest = pl.lit(None, dtype=pl.String), pl.lit(len(SEVERITIES) - 1)
    for one in types.TYPES:
        if one.shows is None or one.beside is None:
            continue
        is_leg = limits.is_from_coalition() == pl.lit(one.leg == COALITION_TO_HUB)
        is_shown = (is_leg & one.shows & one.beside(limits).is_met).fill_null(value=False)
        flag_type = pl.when(is_shown).then(pl.lit(one.name)).otherwise(flag_type)
        highest = (
            pl.when(is_shown).then(pl.min_horizontal(highest, SEVERITIES.index(one.most_severe))).otherwise(highest)
        )
    return flagged.with_columns(
        is_listed=pl.col("good").is_in(goods),
        is_neighbour_listed=pl.col("neighbour_fell_good").is_in(goods).fill_null(value=False),
    ).with_columns(
        flag_type=flag_type,
        most_severe=highest.replace_strict(dict(enumerate(SEVERITIES)), return_dtype=pl.String),
    )
