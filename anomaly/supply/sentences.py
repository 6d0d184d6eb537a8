"""What a window of the leg was read from and held against, in words a person understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from anomaly.contract.settings import Settings
from anomaly.supply.rise import Spell


def months_of(first: date, last: date) -> str:
    """A run of months: June-November 2022, or November 2021 to April 2022.

    Examples
    --------
    >>> from datetime import date
    >>> months_of(date(2022, 6, 1), date(2022, 11, 1))
    'June-November 2022'
    >>> months_of(date(2021, 11, 1), date(2022, 4, 1))
    'November 2021 to April 2022'
    """
    if first == last:
        return f"{first:%B %Y}"
    if first.year == last.year:
        return f"{first:%B}-{last:%B %Y}"
    return f"{first:%B %Y} to {last:%B %Y}"


def compared_with(months: Sequence[date], spell: Spell) -> str:
    """The windows that a rise is held against, the latest first."""
    return " and ".join(months_of(months[end + 1 - spell.months], months[end]) for end in spell.before)


def calibration(row: Mapping[str, Any], settings: Settings) -> str:
    """What stands beside a window's calls. `row` is one of SupplyCalibration."""
    parts = [
        f"{row['legs']:,} legs to hubs are material; the coalition's direct trade of the good fell in {row['tested']:,}.",
        f"{row['called']:,} are called: one test within q {settings.supply.q_limit / 2:g}.",
        _window_sentence(row),
        _date_sentence(row),
        _controls(row),
    ]
    if row["year_before_tested"]:
        parts.append(
            f"In the same months of the last year before the measure {row['year_before_called']:,} of "
            f"{row['year_before_tested']:,} legs would have been called by the window test."
        )
    if row["members_left_out"]:
        parts.append(f"Left out, since too much of their trade is not reported: {', '.join(row['members_left_out'])}.")
    return " ".join(parts)


def _window_sentence(row: Mapping[str, Any]) -> str:
    kinds = [
        f"{count:,} {name}"
        for count, name in (
            (row["placebo_importers"], "legs to countries that are no detour, in the same window"),
            (row["placebo_periods"], "legs of the hubs in windows before the measure"),
        )
        if count
    ]
    if not kinds:
        return "No window test: too few placebos."
    return f"Window test, against {' and '.join(kinds)}: it calls or confirms {row['called_by_window']:,}."


def _date_sentence(row: Mapping[str, Any]) -> str:
    if not row["dates_since"] or not row["dates_before"]:
        return "No date test: the months do not reach far enough before or beyond the measure."
    pseudo = (
        f" Of {row['pseudo_dates']} dates before the measure, taken for one, none calls more than {row['pseudo_calls']:,}."
        if row["pseudo_dates"]
        else ""
    )
    return (
        f"Date test, on the months since {row['months_read_since']:%B %Y}: {row['steps_since']:,} legs step up at one of "
        f"{row['dates_since']} dates since the measure and {row['steps_before']:,} at one of {row['dates_before']} before; "
        f"it calls or confirms {row['called_by_date']:,}.{pseudo}"
    )


def _controls(row: Mapping[str, Any]) -> str:
    if not row["controls"]:
        return "No goods whose direct trade stood to compare with."
    return (
        f"Of {row['controls']:,} legs of goods whose direct trade stood, {row['controls_called']:,} would have been called: "
        "at most that part of the calls may be a boom of the year."
    )


def hub(row: Mapping[str, Any]) -> str:
    """What stands beside a hub's calls in a window. `row` is one of SupplyHubs."""
    parts = [
        f"{row['called']:,} of {row['tested']:,} legs called, {row['controls_called']:,} of {row['controls']:,} controls."
    ]
    dose = row["dose_response"]
    if dose is not None:
        fits = (
            "what fell more directly rose more here" if dose > 0 else "what fell more directly did not rise more here"
        )
        parts.append(f"Dose and response: {dose:+.2f}, {fits} (chance {row['dose_response_p']:.2g}).")
    if row["is_boom_possible"]:
        parts.append("A boom of the hub cannot be told from diversion here.")
    return " ".join(parts)
