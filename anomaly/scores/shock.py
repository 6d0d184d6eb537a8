"""What a shock of the year does to honest routes, read from control routes: those on which no re-export is possible.

Placebos do not feel a shock of the trade with the targets. Control routes do: the hub got no more of the good, and no other
good of the heading fell, so what rises there is honest. Where more of them rise than chance allows, every p of the window is
raised by as much, and the flags say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]

NO_ROOM_LOG = 0.1  # a tenth more: no supply to speak of
EXPECTED = 0.05  # control routes are counted up to this p
PRIOR_ROUTES = 40  # routes that behave as expected, before any is looked at
WHOLE_FROM = 0.01  # from this p on it is raised by the whole ratio
WINDOWS = 4  # counts of so many windows of one length, up to the window itself


@dataclass(frozen=True, slots=True)
class Controls:
    """Control routes of a window, by whether the direct trade of their good fell (1) or not (0).

    Parameters
    ----------
    unusual : tuple of int
        Those with a p up to EXPECTED.
    routes : tuple of int
        All of them.
    """

    unusual: tuple[int, int]
    routes: tuple[int, int]


def count(p_value: Floats, is_control: Marks, has_fallen: Marks) -> Controls:
    """Control routes of a window.

    Parameters
    ----------
    p_value : array of float, shape (routes,)
        From the route's rise alone.
    is_control, has_fallen : array of bool, shape (routes,)
        Whether a re-export is impossible on it, and whether the direct trade of its good fell.

    Returns
    -------
    Controls
        Their counts.
    """
    is_unusual = is_control & (p_value <= EXPECTED)
    by_class = [
        (int((is_unusual & (has_fallen == is_fallen)).sum()), int((is_control & (has_fallen == is_fallen)).sum()))
        for is_fallen in (False, True)
    ]
    return Controls((by_class[0][0], by_class[1][0]), (by_class[0][1], by_class[1][1]))


def ratios(windows: Sequence[Controls]) -> tuple[float, float]:
    """How many times as many control routes are unusual as chance allows, at least 1.

    Parameters
    ----------
    windows : sequence of Controls
        The window and those before it of the same length; at most WINDOWS.

    Returns
    -------
    tuple of float
        For goods whose direct trade did not fall, and for those whose did; each class counts beside PRIOR_ROUTES that
        behave as all of them do, and these beside as many that behave as expected.
    """
    unusual, routes = (np.sum([getattr(window, name) for window in windows], axis=0) for name in ("unusual", "routes"))
    of_both = (unusual.sum() + EXPECTED * PRIOR_ROUTES) / (EXPECTED * (routes.sum() + PRIOR_ROUTES))
    of_class = (unusual + EXPECTED * PRIOR_ROUTES * of_both) / (EXPECTED * (routes + PRIOR_ROUTES))
    stood, fell = np.maximum(of_class, 1.0)
    return float(stood), float(fell)


def raised(p_value: Floats, ratio: Floats) -> Floats:
    """p after the shock: times the ratio from WHOLE_FROM on, by less below it.

    The excess is that of middling rises. What the hub's supply bounds is hit the less the smaller p is: p times
    ratio^(p/WHOLE_FROM).

    Parameters
    ----------
    p_value : array of float
        Above 0 and at most 1.
    ratio : array of float
        1 or more, that broadcasts with p.

    Returns
    -------
    array of float
        At most 1.
    """
    result: Floats = np.minimum(p_value * ratio ** np.minimum(p_value / WHOLE_FROM, 1.0), 1.0)
    return result
