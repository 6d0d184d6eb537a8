"""What else could explain a flag, and what the data behind it cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anomaly.flags import naming
from anomaly.indicators.base import change

# Headings of which one piece is worth a route's year: aircraft, ships, rolling stock, reactors, turbines.
LUMPY_HEADINGS = (
    "8401", "8402", "8406", "8411", "8601", "8602", "8603", "8605", "8606", "8801", "8802", "8901", "8902", "8904",
    "8905", "8906", "9305",
)  # fmt: skip
LUMPY = "A single lumpy good: one aircraft, ship or engine makes the whole figure."
SHOCK_SAID = 1.2  # a ratio that is told
PROFILE_Q = 0.20  # above it a country's profile is nothing unusual
ONE_PERIOD_SHARE = 0.9  # of a window's trade in one of its months


def caveats(row: Mapping[str, Any], calibrated: Mapping[str, Any], measures: str) -> list[str]:
    """Sentences, the gravest first. `row` is a row of features; `calibrated` of scores.calibration.

    Parameters
    ----------
    row : mapping
        A row of features.
    calibrated : mapping
        A row of scores.calibration; empty where there is none.
    measures : str
        What the scenario calls what is gone round.

    Returns
    -------
    list of str
        None of them where nothing is to be said.
    """
    sentences = [
        (is_lumpy(row["good"]), LUMPY),
        (has_own_make(row), "The exporter is a large maker of it: what it sells may be of its own make."),
        (
            row["freq_code"] == "M"
            and row["window_months"] >= 3
            and (row["largest_period_share"] or 0) >= ONE_PERIOD_SHARE,
            "Nearly all of the window's trade falls in one month.",
        ),
        (
            row["is_edition_changed"],
            "The reporter changed the edition of the HS between the windows; "
            + ("the good is compared as a family of codes." if row["good"].endswith("+") else "the code is in both."),
        ),
        (
            row["value_basis"] == "import",
            "The figures are the importer's (CIF): the exporter does not report this route.",
        ),
        (row["value_basis"] == "reconciled", "BACI reconciles both sides' reports: who reported what cannot be seen."),
        (
            row["baseline_years"] == "no baseline",
            "The data have no baseline years: growth is against the year before only.",
        ),
        (
            row["baseline_years"] not in ("no baseline",) and row["value_baseline_usd"] is None,
            "The baseline is not known for this route: a baseline year was not reported or uses another edition.",
        ),
        (
            row["elsewhere_usd"] is None,
            "The extract does not show what the exporter sells elsewhere: a rise of all its trade cannot be told apart.",
        ),
        (
            row["coalition_to_hub_usd"] is None,
            f"What the coalition sells to the exporter is not in the data{_because(row, 'hub')}: the upstream leg is unknown.",
        ),
        (
            row["coalition_to_target_usd"] is None,
            f"The coalition's direct trade of the good is not in the data{_because(row, 'target')}.",
        ),
        (
            "not published" in row["coalition_to_hub_compared"],
            f"The coalition's sales to the exporter are compared on {row['coalition_to_hub_compared']}.",
        ),
        (
            "not published" in row["coalition_to_target_compared"],
            f"The coalition's direct sales are compared on {row['coalition_to_target_compared']}.",
        ),
        (
            row["smallest_published_usd"] is not None,
            f"The extract has no value below {row['smallest_published_usd'] or 0:,} USD: what counts as nothing may be a small amount.",
        ),
        (
            has_fallen(row) and not naming.type_of(row["flag_type"]).has_ended,
            f"It fell on the year before ({change(row['value_usd'], row['value_prior_year_usd'])}): only its rise over the "
            "baseline speaks for it.",
        ),
        (
            (row.get("shock_ratio") or 1.0) >= SHOCK_SAID,
            f"Control routes, on which no re-export is possible, rose {row.get('shock_ratio') or 1:.1f} times as often as "
            "chance allows: a shock of the year is in these figures, and p is raised for it.",
        ),
        (
            (row.get("profile_q_value") or 0.0) > PROFILE_Q,
            "Over all the exporter's goods to the importer nothing is unusual (q of its profile "
            f"{row.get('profile_q_value') or 0:.2f}): calls of single routes alone are oftener false.",
        ),
        (
            calibrated.get("placebo_kind") == "none",
            "Too few placebos to judge it: flagged by a rule that is not calibrated.",
        ),
        (
            (row.get("placebo_kind") or calibrated.get("placebo_kind")) == "periods",
            f"The placebos are the same routes before the {measures}: a shock of the year itself is not in them.",
        ),
    ]
    return [sentence for applies, sentence in sentences if applies]


def _because(row: Mapping[str, Any], side: str) -> str:
    """Why a leg is unknown, in brackets, as its column has it; nothing where that says nothing."""
    _, _, reason = row[f"coalition_to_{side}_compared"].partition("unknown: ")
    return f" ({reason})" if reason else ""


def is_lumpy(good: str) -> bool:
    """Whether one piece of the good is worth a route's year.

    Parameters
    ----------
    good : str
        Code or family; its first four digits count.

    Returns
    -------
    bool
        True for the headings of LUMPY_HEADINGS.
    """
    return good[:4] in LUMPY_HEADINGS


def has_own_make(row: Mapping[str, Any]) -> bool:
    """Whether the exporter of a route between hubs is a large maker of the good.

    Parameters
    ----------
    row : mapping
        A flagged row of features with is_maker (reference.makers) and direct_target_iso.

    Returns
    -------
    bool
        False on routes to targets: there a maker's trade is told apart by its type.
    """
    return bool(row.get("is_maker")) and row.get("direct_target_iso") is not None


def has_fallen(row: Mapping[str, Any]) -> bool:
    """Whether a route carries less than a year before.

    Parameters
    ----------
    row : mapping
        value_usd and value_prior_year_usd.

    Returns
    -------
    bool
        False where the year before is unknown.
    """
    prior = row["value_prior_year_usd"]
    return prior is not None and row["value_usd"] < prior


_BENIGN_BY_CHAPTER = (
    (range(1, 25), "a harvest, or food moving by another road"),
    (range(25, 28), "fuel and raw material prices"),
    (range(30, 31), "medicines under licences that {measures} leave open"),
    (range(84, 86), "a new plant of the exporter's own that makes the good"),
    (range(87, 88), "private purchases of cars, and cars of makes the coalition does not produce"),
    (range(88, 90), "delivery or return of a leased aircraft or ship"),
    (range(93, 94), "defence purchases of the exporter itself"),
)


def benign_explanations(good: str, measures: str = "sanctions") -> list[str]:
    """What to rule out before asking anyone, for the good's chapter.

    Parameters
    ----------
    good : str
        A code or family.
    measures : str
        What the scenario calls what is gone round.

    Returns
    -------
    list of str
        Parts of a sentence, those of the chapter first.
    """
    chapter = int(good[:2]) if good[:2].isdecimal() else 0  # a total of all goods has none
    of_chapter = [text.format(measures=measures) for chapters, text in _BENIGN_BY_CHAPTER if chapter in chapters]
    return [
        *of_chapter,
        "own production of the exporter",
        "goods of other origin than the coalition's",
        "a road or port that replaced another, with the same buyer as before",
        "a price that rose while the quantity did not",
    ]
