"""What was published against a flag: that its case is contested, with both sides, or that its trade is honest or a maker's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from anomaly.contract.keys import COALITION, ROUTE_KEY
from anomaly.contract.settings import Settings
from anomaly.reference.cases import CLAIMS_AGAINST, CONTESTED, about
from anomaly.reference.statements import members


def beside(flags: pl.DataFrame, cases: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Flags with a caveat more for each published case that disagrees with them.

    Nothing else of a flag changes: a case is no input. One of a member of the coalition is also about the legs of the
    coalition as one exporter.

    Parameters
    ----------
    flags : polars.DataFrame
        Rows of schema.Flags.
    cases : polars.DataFrame
        cases.read, or some of its rows.
    settings : Settings
        Scenario: coalition.

    Returns
    -------
    polars.DataFrame
        The flags, order kept; caveats of cases after their own, in the order of the cases.
    """
    against = cases.filter(pl.col("judgement").is_in(list(CLAIMS_AGAINST)))
    if flags.is_empty() or against.is_empty():
        return flags
    coalition = settings.coalition.countries
    exporters = [_with_coalition(countries, coalition) for countries in against["exporters"]]
    against = against.with_columns(exporters=pl.Series(exporters, dtype=pl.List(pl.String)))
    texts = pl.DataFrame(
        [(case["case_id"], sentence(case)) for case in against.to_dicts()],
        schema={"case_id": pl.String, "text": pl.String},
        orient="row",
    )
    key = list(ROUTE_KEY)
    of_routes = (
        about(flags, against)
        .join(texts, on="case_id", how="left", maintain_order="left")
        .group_by(key, maintain_order=True)
        .agg(said_against="text")
    )
    caveats = pl.concat_list(pl.col("caveats").fill_null([]), pl.col("said_against").fill_null([]))
    return (
        flags.join(of_routes, on=key, how="left", maintain_order="left")
        .with_columns(caveats=pl.when(pl.col("said_against").is_not_null()).then(caveats).otherwise("caveats"))
        .drop("said_against")
    )


def _with_coalition(countries: Sequence[str], coalition: Sequence[str]) -> list[str]:
    """The exporters of a case, and the coalition as one where a member of it is among them."""
    is_member = bool(set(members(countries)) & set(coalition))
    return [*countries, COALITION] if is_member else list(countries)


def sentence(case: Mapping[str, Any]) -> str:
    """What a published case says against a flag.

    Parameters
    ----------
    case : mapping of str to Any
        A row of cases.read.

    Returns
    -------
    str
        Who said what of which goods and months, with the other side of what is contested.
    """
    months = "" if case["period"] is None else f", {case['period'].replace(':', ' to ')}"
    goods_named = f"{case['goods_named'].partition(';')[0]}{months} ({case['source']})"
    if case["judgement"] == CONTESTED:
        return f"Contested: {goods_named}. One side: {case['says']}. The other: {case['says_otherwise']}."
    return f"Published as {CLAIMS_AGAINST[case['judgement']]}: {goods_named}: {case['says']}."
