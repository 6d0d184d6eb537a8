"""p and q of the routes of a window: families that are tested together, controls of the year, what is small among all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anomaly.contract.settings import Settings
from anomaly.scores import shock
from anomaly.scores.calibration import LEAST_FAMILY, beyond_counts, p_values, p_values_of, q_values, resampled
from anomaly.scores.forest_inputs import PUBLISHED
from anomaly.scores.placebos import Placebos

Matrix = npt.NDArray[np.float64]
BESIDE = "is_beside_run"  # of a row of inputs that stands beside those of the run; where no row does, there is no such column
Counts = npt.NDArray[np.int64]
SIZES_USD = (300_000, 1_000_000, 3_000_000, 10_000_000)  # baseline of a route of the coalition to a hub
ROOM_KNOWN_SHARE = 0.9  # of few placebos: where hardly any is without a known room, they are all there is
LEAST_ALIKE = 100  # placebos of a size
REST_SHARES = (0.1, 0.9)  # of the placebos' rises beyond their counterfactual: four fifths of them lie between


def controls(asked: pl.DataFrame, placebos: pl.DataFrame) -> shock.Controls:
    """Routes on which no re-export is possible; where the supply is not known, those whose good's direct trade stood.

    Parameters
    ----------
    asked : polars.DataFrame
        Routes of a window that are asked about and alike published. A route with BESIDE only asks how it would look in the
        run, and tells nothing of the year.
    placebos : polars.DataFrame
        What they are held against.

    Returns
    -------
    shock.Controls
        None on the coalition's leg.
    """
    if BESIDE in asked.columns:
        asked = asked.filter(~pl.col(BESIDE))
    if asked.is_empty() or asked["is_from_coalition"][0] or placebos.is_empty():
        return shock.Controls((0, 0), (0, 0))
    is_without_room = (pl.col("room_log") < shock.NO_ROOM_LOG) & ~pl.col("is_matched")
    has_stood = pl.col("is_direct_known") & ~pl.col("has_direct_fallen")
    is_control = asked.select(is_without_room.fill_null(has_stood)).to_series().to_numpy()
    p_value = p_values(placebos["rise_score"].to_numpy(), asked["rise_score"].to_numpy())
    return shock.count(p_value, is_control, asked["has_direct_fallen"].to_numpy())


@dataclass(frozen=True, slots=True)
class Family:
    """Routes of a window that are tested together.

    Parameters
    ----------
    routes : polars.DataFrame
        With what scores say of them but q.
    p_value : array of float, shape (routes,)
        Raised by the shock of the year.
    p_drawn : array of float, shape (draws, routes)
        The same against backgrounds drawn again.
    name : str
        For people: publisher, evidence, whether the room is known.
    """

    routes: pl.DataFrame
    p_value: Matrix
    p_drawn: Matrix
    name: str


def of_published(
    asked: pl.DataFrame, placebos: Placebos, ratios: tuple[float, float], settings: Settings
) -> list[Family]:
    """Families of routes that are alike published: those with a known room by rise and room, the others by the rise.

    Where too few placebos have a known room all are judged by the rise, and these two are families all the same.

    Parameters
    ----------
    asked : polars.DataFrame
        Routes of a window that are asked about and alike published, with rise_score and joint_score.
    placebos : Placebos
        What they are held against.
    ratios : tuple of float
        shock.ratios of the window.
    settings : Settings
        Of it calibration.

    Returns
    -------
    list of Family
        One or two.
    """
    has_room = asked["joint_score"].is_not_null()
    with_room = placebos.rows.filter(pl.col("joint_score").is_not_null())
    enough = min(settings.calibration.least_with_room, ROOM_KNOWN_SHARE * placebos.rows.height)
    is_joint = with_room.height >= enough
    cut = (
        (has_room, "joint_score" if is_joint else "rise_score", with_room if is_joint else placebos.rows),
        (~has_room, "rise_score", placebos.rows),
    )
    return [
        _family(asked.filter(is_in), score, null, placebos.kind, ratios, settings)
        for is_in, score, null in cut
        if is_in.any()
    ]


def _family(
    routes: pl.DataFrame,
    score: str,
    null: pl.DataFrame,
    kind: str,
    ratios: tuple[float, float],
    settings: Settings,
) -> Family:
    """p from the placebos, raised by the shock of the year."""
    of_routes, of_null = routes[score].to_numpy(), null[score].to_numpy()
    stood, fell = ratios
    ratio = np.where(routes["has_direct_fallen"].to_numpy(), fell, stood)
    draws = resampled(null.height, settings.calibration.resamples, null.height)
    rest_log = [null["rest_log"].quantile(share, "linear") for share in REST_SHARES]
    name = ", ".join(routes.select(PUBLISHED[:-1]).row(0))
    name += "; rise and room" if score == "joint_score" else "; rise"
    name += f"; room {'unknown' if routes['room_log'][0] is None else 'known'}"
    name += "" if routes["is_wide"][0] else "; no other importers"
    of_family = routes.with_columns(
        evidence_score=pl.Series(of_routes),
        placebos=pl.lit(null.height, dtype=pl.Int64),
        placebo_kind=pl.lit(kind),
        shock_ratio=pl.Series(ratio),
        rest_low_log=pl.col("roughness") * rest_log[0],
        rest_high_log=pl.col("roughness") * rest_log[1],
    )
    once = np.ones((1, null.height), dtype=np.int64)
    finer = np.ones(len(of_routes)) if routes["is_from_coalition"][0] else beyond_counts(of_null, of_routes)
    p_value, p_drawn = (
        shock.raised(_by_size(backgrounds, null, of_null, routes, of_routes) * finer, ratio)
        for backgrounds in (once, draws)
    )
    return Family(of_family, p_value[0], p_drawn, name)


def _by_size(
    backgrounds: Counts, null: pl.DataFrame, of_null: Matrix, routes: pl.DataFrame, of_routes: Matrix
) -> Matrix:
    """p against each background; on the coalition's leg among placebos that were of a size, where these are enough.

    A gap between two reports is the noisier the smaller the trade. The size is the baseline's: the window's own value is part
    of what is asked.
    """
    p_value = p_values_of(backgrounds, of_null, of_routes)
    if not routes["is_from_coalition"][0]:
        return p_value
    band, null_band = (np.searchsorted(SIZES_USD, frame["value_baseline_usd"].fill_null(0)) for frame in (routes, null))
    for size in np.unique(band):
        alike = null_band == size
        if alike.sum() >= LEAST_ALIKE:
            is_size = band == size
            p_value[:, is_size] = p_values_of(backgrounds[:, alike], of_null[alike], of_routes[is_size])
    return p_value


def judged(family: Family, families: Sequence[Family], limit: float) -> pl.DataFrame:
    """q over the family by hypothesis weights, and how stable it is.

    A family of few is tested among all routes of the window, and these without it: what is beside them changes no others.

    Parameters
    ----------
    family : Family
        Of the window.
    families : sequence of Family
        All of the window, this one too.
    limit : float
        q up to which a route is called.

    Returns
    -------
    polars.DataFrame
        The family's routes with evidence_weight of mean 1, p_value, q_value, stability_share and tested_among.
    """
    count, is_small = family.routes.height, family.routes.height < LEAST_FAMILY
    joined = [candidate for candidate in families if is_small and candidate is not family]
    unscaled = np.concatenate([part.routes["evidence_weight"].to_numpy() for part in (family, *joined)])
    hypothesis_weight = unscaled / unscaled.mean()  # numpy's sums are the same in every run, Polars' are not
    p_value = np.concatenate([part.p_value for part in (family, *joined)])
    fixed = np.broadcast_to(p_value[count:], (len(family.p_drawn), len(p_value) - count))
    drawn = q_values(np.concatenate([family.p_drawn, fixed], axis=1), hypothesis_weight)[:, :count]
    return family.routes.with_columns(
        evidence_weight=pl.Series(np.round(hypothesis_weight[:count], 12)),
        p_value=pl.Series(family.p_value),
        q_value=pl.Series(q_values(p_value, hypothesis_weight)[:count]),
        stability_share=pl.Series((drawn <= limit).mean(axis=0)),
        tested_among=pl.lit(f"{family.name}; few, among all of the window" if is_small else family.name),
    )
