"""What everybody's trade explains of a route's rise, and by what the rest was judged: what `anomaly explain` shows of the score."""

from __future__ import annotations

import math
from typing import Any

from anomaly.indicators import excess_usd

Row = dict[str, Any]

JUDGED = (
    "evidence_score", "evidence_weight", "p_value", "q_value", "stability_share", "tested_among", "placebos", "placebo_kind",
    "room_log", "step_log", "roughness", "shock_ratio",
)  # fmt: skip


def counterfactual(row: Row, score: Row | None, floor_usd: int) -> Row:
    """What the route would have come to with the rise that is everybody's, and how far it stands above that.

    Parameters
    ----------
    row : dict
        A row of features by column.
    score : dict or None
        Its row of scores; None where it was not scored, and no interval is known.
    floor_usd : int
        The scenario's floor.

    Returns
    -------
    dict
        counterfactual_usd, excess_usd, and excess_low_usd to excess_high_usd, between which four fifths of the placebos' own
        rises put it; counterfactual_rise_log, unexplained_rise_log, and says in words. None is unknown.
    """
    rests = {name: score and score.get(name) for name in ("rest_low_log", "rest_high_log")}
    low, high = excess_usd.between(row | rests, floor_usd)
    excess, is_known = row["excess_usd"], row["counterfactual_usd"] is not None
    return {
        "counterfactual_usd": row["counterfactual_usd"],
        "excess_usd": None if excess is None else round(excess),
        "excess_low_usd": low,
        "excess_high_usd": high,
        "counterfactual_rise_log": row["counterfactual_rise_log"],
        "unexplained_rise_log": row["unexplained_rise_log"],
        "says": excess_usd.explained(row) if is_known else "the baseline is not known: nothing to begin from",
    }


def effects(row: Row) -> list[Row]:
    """Each effect of everybody's rise, with what it was read from.

    Parameters
    ----------
    row : dict
        A row of features by column.

    Returns
    -------
    list of dict
        effect, read_from, rise_percent over the baseline (None where too few peers are known), peers (None where it is a
        sum and no median) and is_taken_off: of the two medians only the larger is, and none that fell.
    """
    of_good, of_pair = row["good_importer_rise_log"], row["exporter_importer_rise_log"]
    shared = max(of_good or 0.0, of_pair or 0.0, 0.0)
    elsewhere = (row["counterfactual_rise_log"] or 0.0) - shared
    medians = (
        ("good and importer", "the good's other sellers to the importer", of_good, row["good_importer_peers"]),
        (
            "exporter and importer",
            "the exporter's other goods to the importer",
            of_pair,
            row["exporter_importer_peers"],
        ),
    )
    return [
        {
            "effect": "exporter and good",
            "read_from": "the exporter's sales to everybody else, of the good or of all goods",
            "rise_percent": _percent(elsewhere),
            "peers": None,
            "is_taken_off": elsewhere > 0,
        },
        *[
            {
                "effect": effect,
                "read_from": read_from,
                "rise_percent": None if rise is None else _percent(rise),
                "peers": peers,
                "is_taken_off": rise is not None and 0 < rise == shared,
            }
            for effect, read_from, rise, peers in medians
        ],
    ]


def _percent(rise_log: float) -> float:
    return round(100 * math.expm1(rise_log), 1)


def judged(row: Row, score: Row | None, is_from_coalition: bool, placebos_are: str) -> list[str]:
    """By what a route was judged, in sentences.

    Parameters
    ----------
    row : dict
        A row of features by column.
    score : dict or None
        Its row of scores.
    is_from_coalition : bool
        Whether it is a leg of the coalition, which is judged by other inputs.
    placebos_are : str
        The placebos of the window in words (calibration.says); empty where they are not known.

    Returns
    -------
    list of str
        Empty where the route has no p.
    """
    if score is None or score["p_value"] is None:
        return []
    placebos = f"{score['placebos']:,} placebos" + (f": {placebos_are}" if placebos_are else "")
    with_routes = f"q is reckoned with the routes of the window that are alike: {score['tested_among']}."
    if is_from_coalition:
        return [
            "Judged by the mean of two ranks: of the forest and of the mirror gap's shift.",
            f"Held against {placebos}.",
            with_routes,
        ]
    hub = row["exporter_iso"]
    room = score["room_log"]
    is_joint = "rise and room" in (score["tested_among"] or "")
    return [
        f"What the coalition sells {hub} of the good is not in the data: the rise alone judges."
        if room is None
        else f"On what {hub} got more of the good the route could have come to {math.exp(room):,.1f} times what it was; "
        + (
            "rise and room judge together."
            if is_joint
            else "too few placebos have a known room, and the rise alone judges."
        ),
        _dated(score.get("step_log")),
        f"Honest trade with the targets was {score['roughness']:,.2f} times as rough as with placebo importers; the rise is "
        "divided by it.",
        f"Control routes, on which nothing can be re-exported, rose {score['shock_ratio']:,.2f} times as often as chance "
        "allows; p is raised for it."
        if score["shock_ratio"] > 1
        else "Control routes rose no more often than chance allows.",
        f"Held against {placebos}.",
        with_routes,
    ]


def _dated(step_log: float | None) -> str:
    if step_log is None:
        return "No step is asked for (annual figures, too few months, or a second hop): the whole rise counts, whenever it began."
    if step_log == 0:
        return "No step of its months since the measures stands out beyond everybody's rise: the rise counts half."
    return (
        f"Its months stepped up to {math.exp(step_log):,.1f} times since the measures, beyond everybody's rise; what of the "
        "rise that does not carry counts half."
    )
