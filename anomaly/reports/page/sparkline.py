"""The chart of one flag: a small static SVG, drawn by hand so that its bytes are few and always the same.

A bar is a period. The window and the same months a year before lie on shaded bands. A period without a
report is a dashed box, never a bar of height 0; a period known to be nothing is a place without a bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from markupsafe import Markup, escape

from anomaly.contract.periods import MONTHS_IN, months_before
from anomaly.reports.amounts import million

PLOT_WIDTH, WIDTH, HEIGHT = 630, 700, 150
TOP, BASE = 26, 126
WIDEST_BAR = 46
LABEL_WIDTH = 36
APART = 66  # between the middles of the two bands' labels, so that neither covers the other
NARROW = 16  # bars narrower than this stand side by side


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn of one flag.

    Parameters
    ----------
    points : tuple of tuple
        (first day of the period, USD or None where it was not reported).
    freq_code : str
        A annual, M monthly.
    window : tuple of datetime.date
        First days of its first and of its last month.
    year_before : tuple of datetime.date
        The same of the window a year before.
    title : str
        What a screen reader says of it.
    """

    points: tuple[tuple[date, int | None], ...]
    freq_code: str
    window: tuple[date, date]
    year_before: tuple[date, date]
    title: str


def periods(chart: Chart) -> list[tuple[date, int | None]]:
    """Every period from the first to the last point, in order; one that has no point is not reported.

    Parameters
    ----------
    chart : Chart
        Its points and freq_code.

    Returns
    -------
    list of tuple
        (first day of the period, USD or None).
    """
    values = dict(chart.points)
    if not values:
        return []
    step = MONTHS_IN[chart.freq_code]
    day, newest_first = max(values), []
    while day >= min(values):
        newest_first.append((day, values.get(day)))
        day = months_before(day, step)
    return newest_first[::-1]


def draw(chart: Chart) -> Markup:
    """The chart as an <svg> that holds nothing but numbers and escaped text.

    Parameters
    ----------
    chart : Chart
        Points in any order.

    Returns
    -------
    markupsafe.Markup
        Empty where there is no point.
    """
    drawn = periods(chart)
    if not drawn:
        return Markup("")
    step = max(1, PLOT_WIDTH // len(drawn))
    highest = max((value or 0 for _, value in drawn), default=0)
    parts = [
        *_bands(drawn, step, chart),
        _gaps(drawn, step),
        *_bars(drawn, step, highest, chart),
        f'<path class="base" d="M0 {BASE}H{step * len(drawn)}"/>',
        f'<text x="{PLOT_WIDTH + 6}" y="{TOP + 8}">{million(highest)}<tspan x="{PLOT_WIDTH + 6}" y="{BASE}">0</tspan></text>',
        _years(drawn, step, chart.freq_code),
    ]
    head = f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}"><title>{escape(chart.title)}</title>'
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 - numbers of ours, and the title escaped above


def _bands(drawn: list[tuple[date, int | None]], step: int, chart: Chart) -> list[str]:
    """The shaded bands with their labels, which stand over the bands' middles or, where that is too close, apart."""
    bands = []
    for kind, label, bounds in (("y", "year before", chart.year_before), ("w", "window", chart.window)):
        inside = [place for place, (day, _) in enumerate(drawn) if _is_in(day, bounds)]
        if inside:
            bands.append((kind, label, inside[0] * step, len(inside) * step))
    middles = [min(max(left + width // 2, LABEL_WIDTH), PLOT_WIDTH - LABEL_WIDTH) for _, _, left, width in bands]
    if len(middles) > 1 and middles[1] - middles[0] < APART:
        middles[0] = max(LABEL_WIDTH, middles[1] - APART)
        middles[1] = max(middles[1], middles[0] + APART)
    return [
        f'{_box(f"band {kind}", left, TOP - 6, width)}<text class="mid {kind}" x="{middle}" y="{TOP - 11}">{label}</text>'
        for (kind, label, left, width), middle in zip(bands, middles, strict=True)
    ]


def _box(kind: str, left: int, top: int, width: int) -> str:
    """A box that stands on the base line."""
    return f'<path class="{kind}" d="M{left} {top}h{width}V{BASE}h-{width}z"/>'


def _gaps(drawn: list[tuple[date, int | None]], step: int) -> str:
    parts, place = [], 0
    for is_gap, run in groupby(drawn, key=lambda point: point[1] is None):
        length = len(list(run))
        if is_gap:
            left, width = place * step + 1, length * step - 2
            parts.append(_box("gap", left, TOP, max(width, 1)))
            if width >= 2 * LABEL_WIDTH:
                middle = left + width // 2
                parts.append(f'<text class="mid n" x="{middle}" y="{(TOP + BASE) // 2}">not reported</text>')
        place += length
    return "".join(parts)


def _bars(drawn: list[tuple[date, int | None]], step: int, highest: int, chart: Chart) -> list[str]:
    """One path per kind of bar. Bars that touch share an outline: a move up or down and a move on for each."""
    gap = 0 if step < NARROW else step - min(WIDEST_BAR, round(step * 0.6))
    paths: dict[str, list[str]] = {"bar": [], "bar y": [], "bar w": []}
    before, height_before = "", 0  # the kind of the bar that this one touches, empty where there is none
    for place, (day, value) in enumerate(drawn):
        height = max(1, round((BASE - TOP) * value / highest)) if value and highest else 0
        kind = "bar w" if _is_in(day, chart.window) else "bar y" if _is_in(day, chart.year_before) else "bar"
        if before and (kind != before or not height):
            paths[before].append(f"V{BASE}")
            before = ""
        if height:
            start = "" if before else f"M{place * step + gap // 2} {BASE}"
            climb = height_before - height if before else -height
            paths[kind].append(f"{start}{f'v{climb}' if climb else ''}h{step - gap}" + (f"V{BASE}" if gap else ""))
            before, height_before = ("" if gap else kind), height
    if before:
        paths[before].append(f"V{BASE}")
    return [f'<path class="{kind}" d="{"".join(moves)}"/>' for kind, moves in paths.items() if moves]


def _is_in(day: date, bounds: tuple[date, date]) -> bool:
    return bounds[0] <= day <= bounds[1]


def _years(drawn: list[tuple[date, int | None]], step: int, freq_code: str) -> str:
    starts = [(place, day.year) for place, (day, _) in enumerate(drawn) if freq_code == "A" or day.month == 1]
    year_width = 12 // MONTHS_IN[freq_code] * step
    years_a_mark = -(-LABEL_WIDTH // year_width)
    shift = step // 2 if freq_code == "A" else 0  # among months the number stands where its year begins
    marks = "".join(
        f'<tspan x="{max(place * step + shift, LABEL_WIDTH // 2)}">{year}</tspan>'
        for place, year in starts[::years_a_mark]
        if place * step + shift <= PLOT_WIDTH
    )
    return f'<text class="mid" y="{BASE + 17}">{marks}</text>' if marks else ""
