"""Comparisons the data cannot carry: refused by name, never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.settings import Settings
from anomaly.windows import UNKNOWN, Grid, Marks, Window

REFUSALS = {
    "not_reported": "the reporter published nothing for the window",
    "year_before_not_reported": "the reporter published nothing for the same months a year before",
    "too_few_months": "the reporter published only some months of a window",
    "partial_period": "a period of the windows is far from complete",
    "edition_break": "the reporter changed the HS edition between the windows and the good has no stable family across it",
    "outside_extract": "the extract does not hold the good in one of the windows, or the reporter fell silent on a re-coded good: unknown, not zero",
}


@dataclass(frozen=True, slots=True)
class Breaks:
    """Which goods do not survive which change of HS edition.

    unstable   good, newer_edition: an n:n link, the good is never compared across that change
    tables     older, newer, chapter ('all' or two digits): the changes for which there is a table of links
    """

    unstable: pl.DataFrame
    tables: pl.DataFrame

    def between(self, grid: Grid, at: list[int]) -> tuple[Marks, Marks]:
        """For each route: (is broken, is changed) over the periods at `at`, as its reporter's editions say."""
        count = grid.routes.height
        if not at:
            return np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        edition = grid.edition[at].astype(np.int64)
        highest = edition.max(axis=0)
        lowest = np.where(edition > 0, edition, np.iinfo(np.int64).max).min(axis=0)
        lowest = np.where(highest == 0, 0, lowest)
        changed = highest > lowest
        if not changed.any():
            return changed, changed
        crossed = (1 << (highest + 1)) - (1 << (lowest + 1))
        return changed & ((self._marks(grid) & crossed) != 0), changed

    def _marks(self, grid: Grid) -> npt.NDArray[np.int64]:
        """Per route, a bit for each newer edition that breaks its good."""
        goods = (
            grid.routes.select("good").unique(maintain_order=True).with_columns(chapter=pl.col("good").str.slice(0, 2))
        )
        steps = pl.DataFrame(
            {"older": list(range(9)), "newer": list(range(1, 10))}, schema={"older": pl.Int64, "newer": pl.Int64}
        )
        has_table = pl.any_horizontal(pl.col("tabled").eq("all"), pl.col("tabled").eq(pl.col("chapter")))
        tables = self.tables.select(pl.col("older").cast(pl.Int64), pl.col("newer").cast(pl.Int64), tabled="chapter")
        linked = (
            goods.join(steps, how="cross")
            .join(tables, on=["older", "newer"])
            .filter(has_table)
            .select("good", "newer", is_linked=pl.lit(value=True))
            .unique()
        )
        unstable = self.unstable.select(
            "good", newer=pl.col("newer_edition").cast(pl.Int64), is_unstable=pl.lit(value=True)
        ).unique()
        marks = (
            goods.join(steps, how="cross")
            .join(linked, on=["good", "newer"], how="left")
            .join(unstable, on=["good", "newer"], how="left")
            .with_columns(is_broken=pl.col("is_linked").is_null() | pl.col("is_unstable").is_not_null())
            .group_by("good")
            .agg(marks=(pl.col("is_broken").cast(pl.Int64) * 2 ** pl.col("newer")).sum())
        )
        return grid.routes.join(marks, on="good", how="left", maintain_order="left")["marks"].cast(pl.Int64).to_numpy()


def refusals(grid: Grid, window: Window, compared: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Routes to targets that are large enough and cannot be compared in this window, each with the first reason.

    Columns of schema.Refused. A window computed for several gaps is refused once, for its own gap.
    """
    now = grid.known.index(window.end, window.months) or []
    prior = grid.known.index(window.end, window.months, 1) or []
    seen_now = np.maximum(grid.raw[now], 0).sum(axis=0)
    seen_prior = np.maximum(grid.raw[prior], 0).sum(axis=0)
    largest = np.maximum(seen_now, seen_prior)
    covered_now, covered_prior = grid.covered[now].sum(axis=0), grid.covered[prior].sum(axis=0)
    name = np.select(
        [
            covered_now == 0,
            covered_prior == 0,
            (covered_now < len(now)) | (covered_prior < len(prior)),
            ~(grid.complete[now].all(axis=0) & grid.complete[prior].all(axis=0)),
            compared["is_edition_broken"].to_numpy(),
        ],
        ["not_reported", "year_before_not_reported", "too_few_months", "partial_period", "edition_break"],
        default="outside_extract",
    )
    own_gap = window.gap_years == max(1, window.end.year - max(settings.baseline_years))
    return (
        compared.with_columns(
            refusal=pl.Series(name.astype(str)), largest=pl.Series(largest), covered=pl.Series(covered_now)
        )
        .filter(
            ~pl.col("is_comparable"),
            pl.col("importer_iso").is_in(list(settings.targets.countries)),
            pl.col("largest") >= settings.materiality_usd,
            pl.lit(own_gap),
        )
        .select(
            freq_code=pl.lit(window.freq_code),
            window_months=pl.lit(window.months, dtype=pl.Int16),
            window_end=pl.lit(window.end, dtype=pl.Date),
            good="good",
            exporter_iso="exporter_iso",
            importer_iso="importer_iso",
            refusal="refusal",
            says=pl.col("refusal").replace_strict(REFUSALS),
            value_usd=pl.col("largest").replace(UNKNOWN, None),
        )
    )
