"""bilateral → the coalition's sales as one exporter: a leg is a row and a month a column, direct trade beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.features import cells
from anomaly.features.cells import UNKNOWN
from anomaly.features.grid import Grid, lay
from anomaly.features.marks import Amounts, Ids, Marks
from anomaly.features.refusals import edition_bits
from anomaly.supply.reporting import Span

HUB, PLACEBO = "other", "placebo"  # roles of importers that are asked about, and that cannot be a detour


@dataclass(frozen=True, slots=True)
class Legs:
    """What the coalition sells to each country, good by good, in whole USD by month; UNKNOWN where nobody can say.

    Parameters
    ----------
    months : tuple of date
        First days, consecutive.
    goods, importers : polars.Series
        Names, each once, sorted.
    is_hub : array of bool, shape (importers,)
        Asked about; the others are placebos.
    targets : tuple of str
        Names of the targets, sorted.
    good, importer : array of int, shape (legs,)
        Of each leg, numbers in `goods` and `importers`.
    value : array of int, shape (legs, months)
        What the leg carried.
    direct : array of int, shape (goods, targets, months)
        What went to each target.
    broken_at : array of bool, shape (goods, months)
        An edition of the HS begins that the good does not survive.
    born_at : array of int, shape (goods,)
        The first month in which a dataset of the coalition's holds the good.
    edition_at : array of bool, shape (months,)
        The members' edition changes.
    """

    months: tuple[date, ...]
    goods: pl.Series
    importers: pl.Series
    is_hub: Marks
    targets: tuple[str, ...]
    good: Ids
    importer: Ids
    value: Amounts
    direct: Amounts
    broken_at: Marks
    born_at: Ids
    edition_at: Marks

    def position(self, month: date) -> int:
        """Place of a month in `months`, also before the first (negative) and after the last.

        Parameters
        ----------
        month : date
            First day of a month.

        Returns
        -------
        int
            0 for the first.
        """
        first = self.months[0]
        return (month.year - first.year) * 12 + month.month - first.month


def legs(
    chunk: pl.DataFrame,
    spans: Sequence[Span],
    broken: pl.DataFrame,
    least_usd: int,
    settings: Settings,
    roles: Sequence[str] = (HUB, PLACEBO),
) -> list[Legs | None]:
    """The legs of a chunk of whole goods, once for each span: its members, its months.

    Parameters
    ----------
    chunk : polars.DataFrame
        bilateral, whole goods, sorted by good, frequency, exporter, importer and period.
    spans : sequence of Span
        `reporting.spans`: months and members.
    broken : polars.DataFrame
        families.broken: changes of HS edition across which a good is never compared.
    least_usd : int
        Legs that never carried so much in any window of `supply.window_months` are left out.
    settings : Settings
        Scenario: coalition, targets, roles of countries, supply.window_months.
    roles : sequence of str, optional
        Of the importers, beside the targets.

    Returns
    -------
    list of Legs or None
        None where the coalition sells none of these goods to anyone asked about, to a placebo or to a target.
    """
    role = {country: settings.role_of(country) for country in chunk["importer_iso"].unique()}
    importers = [country for country, name in role.items() if name in ("target", *roles)]
    of_coalition = pl.col("exporter_iso").is_in(list(settings.coalition.countries))
    sold = chunk.filter(pl.col("freq_code") == "M", of_coalition, pl.col("importer_iso").is_in(importers))
    if sold.is_empty() or not spans:
        return [None] * len(spans)
    grid = lay(sold, {"M": spans[0].covered})["M"]
    is_hub = np.array([role.get(country) == HUB for country in grid.names.countries])
    return [_legs(grid, span, is_hub, broken, least_usd, settings) for span in spans]


def _legs(grid: Grid, span: Span, is_hub: Marks, broken: pl.DataFrame, least_usd: int, settings: Settings) -> Legs:
    names = grid.names
    value, born_at = _summed(grid, span)
    by_cell = value.reshape(names.goods.len(), names.countries.len(), len(span.months))
    targets = tuple(sorted(settings.targets.countries))
    at = {name: number for number, name in enumerate(names.countries)}
    # what has no row anywhere is nothing where the good is held
    nowhere = np.where((by_cell >= 0).any(axis=1), 0, UNKNOWN)
    direct = np.stack([by_cell[:, at[target]] if target in at else nowhere for target in targets], axis=1)
    direct = np.where(direct >= 0, direct, nowhere[:, None])
    is_target = np.tile(names.are(targets), names.goods.len())
    cell = np.flatnonzero(~is_target & (_most(value, settings.supply.window_months) >= max(least_usd, 1)))
    broken_at, edition_at = _breaks(span, broken, names.goods)
    count = names.countries.len()
    return Legs(
        span.months, names.goods, names.countries, is_hub, targets, cell // count, cell % count, value[cell], direct,
        broken_at, born_at, edition_at,
    )  # fmt: skip


def _summed(grid: Grid, span: Span) -> tuple[Amounts, Ids]:
    """Cells of good and importer x months, sums of the members that are known in every month in which anyone is.

    And the first month in which each good is known, len(months) where never.
    """
    is_kept = np.zeros(span.covered.reporters.height + 1, dtype=np.bool_)
    is_kept[list(span.kept)] = True
    value = grid.value[span.first : span.last + 1]
    route = np.flatnonzero(is_kept[grid.reporter])
    size, countries = grid.names.cells, grid.names.countries.len()
    is_known = np.stack([cells.present(grid.into[route[month[route] >= 0]], size) for month in value])
    lacks = (is_known[:, grid.into[route]] & (value[:, route] < 0)).any(axis=0)
    route = route[~lacks]
    sums = np.stack([cells.add_up(np.maximum(month[route], 0), grid.into[route], size) for month in value])
    is_known = np.stack([cells.present(grid.into[route[month[route] >= 0]], size) for month in value])
    of_good = is_known.reshape(len(value), -1, countries).any(axis=2)
    born_at = np.where(of_good.any(axis=0), of_good.argmax(axis=0), len(value))
    return np.where(is_known, sums, UNKNOWN).T, born_at


def _most(value: Amounts, months: int) -> Amounts:
    """The most that each row carried in any run of so many months."""
    run = np.cumsum(np.pad(np.maximum(value, 0), ((0, 0), (1, 0))), axis=1)
    width = min(months, value.shape[1])
    most: Amounts = (run[:, width:] - run[:, :-width]).max(axis=1)
    return most


def _breaks(span: Span, broken: pl.DataFrame, goods: pl.Series) -> tuple[Marks, Marks]:
    """Months in which the members begin an edition that a good does not survive, and in which they begin any."""
    edition = span.covered.edition[sorted(span.kept), span.first : span.last + 1].astype(np.int64)
    newest = np.maximum.accumulate(edition.max(axis=0, initial=0))
    begins = np.concatenate([[False], newest[1:] > newest[:-1]])
    bits = edition_bits(broken, goods)
    is_broken = np.zeros((goods.len(), len(newest)), dtype=np.bool_)
    for month in np.flatnonzero(begins):
        crossed = (1 << (newest[month] + 1)) - (1 << (newest[month - 1] + 1))
        is_broken[:, month] = (bits & crossed) != 0
    return is_broken, begins


def joined(parts: Iterable[Legs | None]) -> Legs | None:
    """The legs of several chunks as one.

    Parameters
    ----------
    parts : sequence of Legs or None
        Of the same span; a good is in one of them only.

    Returns
    -------
    Legs or None
        Goods in the order of the parts, importers sorted; None where no part has legs.
    """
    present = [part for part in parts if part is not None]
    if not present:
        return None
    importers = pl.concat([part.importers for part in present]).unique().sort()
    at = {name: number for number, name in enumerate(importers)}
    is_hub = np.zeros(len(at), dtype=np.bool_)
    for part in present:
        is_hub[[at[name] for name in part.importers]] = part.is_hub
    starts = np.cumsum([0, *[part.goods.len() for part in present]])
    return Legs(
        present[0].months,
        pl.concat([part.goods for part in present]),
        importers,
        is_hub,
        present[0].targets,
        np.concatenate([part.good + start for part, start in zip(present, starts, strict=False)]),
        np.concatenate([np.array([at[name] for name in part.importers])[part.importer] for part in present]),
        np.concatenate([part.value for part in present]),
        np.concatenate([part.direct for part in present]),
        np.concatenate([part.broken_at for part in present]),
        np.concatenate([part.born_at for part in present]),
        present[0].edition_at,
    )
