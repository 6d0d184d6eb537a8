"""A route is a row and a period a column: dense values of a chunk of whole goods.

The grid of a chunk is a matrix periods x routes of whole USD with -1 for unknown. Absence becomes 0 only where
`bilateral.known` says so; windows, lags and baselines are then sums of columns, and sums over reporters are sums into a
table goods x countries. Names are numbers inside, so that nothing is hashed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from anomaly.contract.keys import ROUTE, SERIES_KEY
from anomaly.features.cells import UNKNOWN
from anomaly.features.marks import (
    Amounts,
    Editions,
    Ids,
    Known,
    Marks,
    can_say,
    importers_say,
    rows_of,
    take_out_moved,
)

COLUMNS = (  # of bilateral that are used
    *SERIES_KEY, "ref_date", "source", "dataset", "value_basis", "value_usd",
    "import_value_cif_usd", "net_wgt_g",
)  # fmt: skip
_KIND = ["source", "dataset", "value_basis"]


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers in the grids of a chunk stand for.

    Parameters
    ----------
    goods, countries : polars.Series
        Sorted, each once.
    kinds : polars.DataFrame
        source, dataset and value_basis of routes.
    sources : list of str
        Sorted, each once.
    source_of_kind : array of int, shape (kinds,)
        The place of each kind's source in `sources`.
    """

    goods: pl.Series
    countries: pl.Series
    kinds: pl.DataFrame
    sources: list[str]
    source_of_kind: Ids

    @property
    def cells(self) -> int:
        """Size of a table goods x countries."""
        return self.goods.len() * self.countries.len()

    def are_recoded(self) -> Marks:
        """For each good whether it stands for several codes."""
        return self.goods.str.ends_with("+").to_numpy()

    def are(self, countries: Sequence[str]) -> Marks:
        """Which of the chunk's countries belong to a group.

        Parameters
        ----------
        countries : sequence of str
            The group.

        Returns
        -------
        array of bool, shape (countries,)
            In the order of `countries`.
        """
        return self.countries.is_in(list(countries)).to_numpy()


@dataclass(frozen=True, slots=True)
class Grid:
    """One chunk of whole goods at one frequency; routes are sorted by good, exporter and importer.

    Parameters
    ----------
    known : Known
        Who reported what.
    names : Names
        What the numbers stand for.
    good, exporter, importer, kind : array of int, shape (routes,)
        Places of each route's in `names`.
    into, out_of : array of int, shape (routes,)
        Each route's cell in a table goods x countries, by its importer and by its exporter.
    reporter : array of int, shape (routes,)
        Row in known's marks of the side whose report the value is.
    value : array of int, shape (periods, routes)
        USD, UNKNOWN where nobody can say.
    raw : array of int, shape (periods, routes)
        USD as reported, UNKNOWN where there is no row.
    weight : array of int, shape (periods, routes)
        Grams, UNKNOWN where there is no row or no weight.
    exported, imported : array of int, shape (periods, routes), or None
        USD as each side says, UNKNOWN where it cannot; None where no importer reports.
    importer_edition : array of int, shape (periods, routes), or None
        HS edition of the importer's report; 0 where there is none.
    """

    known: Known
    names: Names
    good: Ids
    exporter: Ids
    importer: Ids
    kind: Ids
    into: Ids
    out_of: Ids
    reporter: Ids
    value: Amounts
    raw: Amounts
    weight: Amounts
    exported: Amounts | None
    imported: Amounts | None
    importer_edition: Editions | None


def lay(chunk: pl.DataFrame, known: dict[str, Known], also: Sequence[str] = ()) -> dict[str, Grid]:
    """Spread a chunk of bilateral over the periods of each of its frequencies.

    Parameters
    ----------
    chunk : polars.DataFrame
        COLUMNS of bilateral, whole goods, sorted by its key.
    known : dict of str to Known
        By frequency.
    also : sequence of str, optional
        Countries that are among the names even where no row has them: what nobody sold them may be known to be nothing.

    Returns
    -------
    dict of str to Grid
        A grid a frequency that the chunk has rows of.
    """
    is_single_frequency = bool((chunk["freq_code"] == chunk["freq_code"][0]).all())
    parts = (
        {chunk["freq_code"][0]: chunk}
        if is_single_frequency
        else {freq: part for freq in known if (part := chunk.filter(pl.col("freq_code") == freq)).height}
    )
    firsts = {freq: _first_of_route(part) for freq, part in parts.items()}
    routes = {freq: parts[freq].select(*ROUTE, *_KIND).filter(first) for freq, first in firsts.items()}
    names = _names(list(routes.values()), also)
    return {freq: _laid(part, firsts[freq], routes[freq], names, known[freq]) for freq, part in parts.items()}


def _first_of_route(part: pl.DataFrame) -> pl.Series:
    is_next = pl.any_horizontal(*[pl.col(column) != pl.col(column).shift(1) for column in ROUTE])
    return part.select(is_next.fill_null(value=True)).to_series()


def _names(routes: Sequence[pl.DataFrame], also: Sequence[str]) -> Names:
    good = pl.concat([of_freq["good"].unique() for of_freq in routes]).unique().sort()
    sides = [pl.Series("also", also, dtype=pl.String)]
    sides += [of_freq[column].unique() for of_freq in routes for column in ("exporter_iso", "importer_iso")]
    kinds = pl.concat([of_freq.select(_KIND).unique() for of_freq in routes]).unique().sort(_KIND)
    sources = kinds["source"].unique().sort()
    countries = pl.concat(side.alias("country") for side in sides).unique().sort()
    return Names(good, countries, kinds, sources.to_list(), _numbers(kinds["source"], sources))


def _numbers(texts: pl.Series, names: pl.Series) -> Ids:
    return texts.cast(pl.Enum(names)).to_physical().cast(pl.Int64).to_numpy()


def _laid(part: pl.DataFrame, first: pl.Series, routes: pl.DataFrame, names: Names, known: Known) -> Grid:
    good = _numbers(routes["good"], names.goods)
    exporter = _numbers(routes["exporter_iso"], names.countries)
    importer = _numbers(routes["importer_iso"], names.countries)
    kind = _kinds_of(routes, names)
    is_import = (names.kinds["value_basis"] == "import").to_numpy()[kind]
    side, partner = np.where(is_import, importer, exporter), np.where(is_import, exporter, importer)
    reporter, held, dealt = _rows_in_marks(names, known, kind, side, partner, good)
    days = pl.Series(known.periods, dtype=pl.Date).to_physical().to_numpy()
    period = np.searchsorted(days, part["ref_date"].to_physical().to_numpy())
    at = period * len(good) + np.cumsum(first.to_numpy()) - 1

    def spread(column: str) -> Amounts:
        cells = np.full((len(days), len(good)), UNKNOWN, dtype=np.int64)
        cells.reshape(-1)[at] = part[column].fill_null(UNKNOWN).to_numpy()
        return cells

    raw = spread("value_usd")
    says = can_say(known, reporter, held, dealt)
    dataset = names.kinds.select(pl.struct("source", "dataset").rank("dense").cast(pl.Int64)).to_series().to_numpy()
    speaker = (dataset[kind] * names.goods.len() + good) * names.countries.len() + side
    take_out_moved(says, raw, names.are_recoded()[good], speaker, known)
    value = np.where(says, np.maximum(raw, 0), UNKNOWN)
    exported = imported = importer_edition = None
    if part["import_value_cif_usd"].null_count() < part.height:
        exported = np.where(is_import, UNKNOWN, value)
        imported, importer_edition = _as_importers_say(
            spread("import_value_cif_usd"), (good, exporter, importer), names, known
        )
    into, out_of = good * names.countries.len() + importer, good * names.countries.len() + exporter
    weight = spread("net_wgt_g")
    return Grid(
        known, names, good, exporter, importer, kind, into, out_of, reporter, value, raw, weight,
        exported, imported, importer_edition,
    )  # fmt: skip


def _kinds_of(routes: pl.DataFrame, names: Names) -> Ids:
    if names.kinds.height == 1:
        return np.zeros(routes.height, dtype=np.int64)
    numbered = names.kinds.with_row_index("kind")
    kind = routes.join(numbered, on=_KIND, how="left", maintain_order="left")["kind"]
    return kind.cast(pl.Int64).to_numpy()


def _rows_in_marks(names: Names, known: Known, kind: Ids, side: Ids, partner: Ids, good: Ids) -> tuple[Ids, Ids, Ids]:
    """Rows of each route in known's marks of reporters, goods and partners; the row of nothing where there is none."""
    rows = [
        rows_of(known, (source, dataset, "M" if basis == "import" else "X"), names.goods, names.countries)
        for source, dataset, basis in names.kinds.iter_rows()
    ]
    reporters, held, dealt = (np.stack(of_kinds) for of_kinds in zip(*rows, strict=True))
    return reporters[kind, side], held[kind, good], dealt[kind, partner]


def _as_importers_say(
    raw: Amounts, route: tuple[Ids, Ids, Ids], names: Names, known: Known
) -> tuple[Amounts, Editions]:
    """Importers' reports, UNKNOWN where they cannot speak, and the editions they are in."""
    good, _, importer = route
    speaker = good * names.countries.len() + importer
    says, edition = importers_say(known, raw, names.goods, names.countries, route, speaker)
    return np.where(says, np.maximum(raw, 0), UNKNOWN), edition
