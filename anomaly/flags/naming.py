"""Which type a flag is called by, and the types by their name: what others ask of the registry."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import polars as pl

from anomaly.flags import types
from anomaly.flags.types.base import FlagType, Limits
from anomaly.reference.makers import makes

SEVERITIES = ("low", "medium", "high")


def type_of(name: str) -> FlagType:
    """A type by its name; one that is not registered here reads as the plainest does, under its own name.

    Parameters
    ----------
    name : str
        A flag_type.

    Returns
    -------
    FlagType
        Of the registry, or made of its first.
    """
    registered = next((flag_type for flag_type in types.TYPES if flag_type.name == name), None)
    return registered or replace(types.TYPES[0], name=name, words=name.replace("_", " "))


def names() -> list[str]:
    """Names of the registered types, in the registry's order."""
    return [flag_type.name for flag_type in types.TYPES]


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
        One of keys.LEGS.

    Returns
    -------
    polars.Expr
        Boolean over flag_type.
    """
    return _is_any_of(flag_type for flag_type in types.TYPES if flag_type.leg == leg)


def is_alarm() -> pl.Expr:
    """Flags that say that goods may go round, by their flag_type; a type not registered is an alarm."""
    return ~_is_any_of(flag_type for flag_type in types.TYPES if not flag_type.is_alarm)


def has_ended(column: str = "flag_type") -> pl.Expr:
    """Flags whose trade is over, by their type.

    Parameters
    ----------
    column : str
        Where the type stands.

    Returns
    -------
    polars.Expr
        Boolean.
    """
    return _is_any_of((flag_type for flag_type in types.TYPES if flag_type.has_ended), column)


def _is_any_of(flag_types: Iterable[FlagType], column: str = "flag_type") -> pl.Expr:
    return pl.col(column).is_in([flag_type.name for flag_type in flag_types])


def with_flag_type(flagged: pl.DataFrame, listed: Collection[str], limits: Limits) -> pl.DataFrame:
    """Say of flagged routes which type they are called by, and how severe they can be at most.

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
        The rows with is_maker, maker_source and maker_year (reference.makers), `flag_type`, the last type of the registry
        that they show on their leg, and `most_severe`, the lowest of the highest severities of all types that they show.
    """
    goods = pl.Series(sorted(listed), dtype=pl.String).implode()
    name, highest = pl.lit(None, dtype=pl.String), pl.lit(len(SEVERITIES) - 1)
    for flag_type in types.TYPES:
        if flag_type.shows is None or flag_type.beside is None:
            continue
        is_leg = limits.leg() == pl.lit(flag_type.leg)
        is_shown = (is_leg & flag_type.shows & flag_type.beside(limits).is_met).fill_null(value=False)
        name = pl.when(is_shown).then(pl.lit(flag_type.name)).otherwise(name)
        highest = (
            pl.when(is_shown)
            .then(pl.min_horizontal(highest, SEVERITIES.index(flag_type.most_severe)))
            .otherwise(highest)
        )
    return (
        makes(flagged)
        .with_columns(
            is_listed=pl.col("good").is_in(goods),
            is_neighbour_listed=pl.col("neighbour_fell_good").is_in(goods).fill_null(value=False),
        )
        .with_columns(
            flag_type=name,
            most_severe=highest.replace_strict(dict(enumerate(SEVERITIES)), return_dtype=pl.String),
        )
    )
