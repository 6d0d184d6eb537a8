"""The simulated trade world: raw files in the publishers' own formats, and labels of what was planted in them.

docs/world.md describes it. Pure: the same seed gives the same bytes, and nothing here touches the disk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from anomaly.world.episodes import needed_routes, plant
from anomaly.world.files import files
from anomaly.world.reports import reports
from anomaly.world.trade import simulate
from anomaly.world.variants import STEP_TAIL, vary

# One of the worlds in which the mission's half-year is flagged as a whole, 5 of 50: docs/evaluation.md.
SEED = 42


@dataclass(frozen=True, slots=True)
class World:
    """A simulated world.

    files    bytes by path under a raw folder, in the order of the paths
    labels   one row a planted route: episode_id, kind, exporter_iso, importer_iso, good (HS family), start, end (first
             day of the first and last month), is_evasion, note; an episode of several routes has several rows
    """

    files: dict[str, bytes]
    labels: pl.DataFrame


def build(seed: int = SEED, variant: str = "as_is") -> World:
    """The world of a seed: 2018-01 to 2023-06 by month. The mission's case is in it exactly, whatever the seed.

    variant   a name of variants.VARIANTS; the usual world is the default
    """
    rng = np.random.default_rng(seed)
    trade = simulate(rng, needed_routes(), **({"step_tail": STEP_TAIL[variant]} if variant in STEP_TAIL else {}))
    vary(trade, variant, rng)
    labels = plant(trade, rng)
    return World(files(reports(trade, rng)), labels)
