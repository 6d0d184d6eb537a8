"""The simulated trade world: raw files in the publishers' own formats, and labels of what was planted in them.

docs/world.md describes it. Pure: the same seed gives the same bytes, and nothing here touches the disk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from anomaly.world import china_minerals_2023, russia_2022
from anomaly.world.description import Description
from anomaly.world.episodes import needed_routes, plant
from anomaly.world.files import files
from anomaly.world.reports import reports
from anomaly.world.trade import simulate
from anomaly.world.variants import shift

WORLDS: tuple[Description, ...] = (russia_2022.WORLD, china_minerals_2023.WORLD)  # the first is the demo's


@dataclass(frozen=True, slots=True)
class World:
    """A simulated world.

    Parameters
    ----------
    files : dict of str to bytes
        Raw files by their path under a raw folder, in the order of the paths.
    labels : polars.DataFrame
        A row a planted route: episode_id, kind, exporter_iso, importer_iso, good (HS family), start, end (first day of
        the first and last month), is_evasion, note; an episode of several routes has several rows.
    """

    files: dict[str, bytes]
    labels: pl.DataFrame


def describe(regime: str) -> Description:
    """The world of a regime, or the first of WORLDS where the regime has none of its own.

    Parameters
    ----------
    regime : str
        Such as russia-2022.

    Returns
    -------
    Description
        One of WORLDS.
    """
    return next((world for world in WORLDS if world.name == regime), WORLDS[0])


def build(seed: int | None = None, description: Description = WORLDS[0]) -> World:
    """Invent the trade of a world, plant its episodes, and report it as the publishers would.

    Parameters
    ----------
    seed : int, optional
        By default the description's own. The same seed and description give the same bytes.
    description : Description
        What the world is made of.

    Returns
    -------
    World
        Raw files, and labels of what was planted.

    Examples
    --------
    >>> from anomaly import world
    >>> simulated = world.build(description=world.describe("china-minerals-2023"))
    >>> simulated.labels["kind"][0]
    'hub_reexport'
    """
    published, labels = reported(seed, description)
    return World(files(description, published), labels)


def reported(seed: int | None = None, description: Description = WORLDS[0]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the offices of a world publish, before any publisher puts it into a format.

    Parameters
    ----------
    seed : int, optional
        As of `build`.
    description : Description
        What the world is made of.

    Returns
    -------
    published : polars.DataFrame
        As `reports.reports` gives it: a row a reporter, partner, flow, code and month.
    labels : polars.DataFrame
        Of what was planted, as in World.
    """
    rng = np.random.default_rng(description.seed if seed is None else seed)
    trade = simulate(description, rng, needed_routes(description))
    shift(trade, rng)
    labels = plant(trade, rng)
    return reports(trade, rng), labels
