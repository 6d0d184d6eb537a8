"""The backtest for people: the figures side by side, the tables of docs and README, and a chart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from anomaly.backtest.judge import ALL, CHANCE, METHODS, OURS
from anomaly.contract.errors import BadRequest
from anomaly.contract.keys import HUB_TO_TARGET

BEGIN, END = "<!-- backtest: written by `make backtest` -->", "<!-- backtest: end -->"
BOLD = "**"
# measure → what it says, whether more is better; in the order of the page. {kind} is filled in
FIGURES: tuple[tuple[str, str, bool], ...] = (
    ("precision_at_10", "right among the first 10", True),
    ("precision_at_20", "right among the first 20", True),
    ("precision_at_50", "right among the first 50", True),
    ("precision_at_100", "right among the first 100", True),
    ("precision_at_flags", "right among as many as we flag", True),
    ("precision_at_flags_alike", "the same among goods whose direct trade fell alike{kind}", True),
    ("recall_at_flags", "found with as many flags{kind}", True),
    ("recall_at_flags_alike", "found with as many flags among goods that fell alike{kind}", True),
    ("median_months_to_flag", "median months to the first flag", False),
    ("benign_flagged_at_flags", "benign flagged with as many flags{kind}", False),
    ("recall_at_5pct_of_flags", "found where 5 % of the flags are false{kind}", True),
    ("benign_flagged_at_5pct_of_flags", "benign flagged there{kind}", False),
    ("flagged_before_sanctions", "flagged of 1,000 before the measures", False),
    ("placebos_flagged", "flagged of 1,000 placebos", False),
)
PER_1000 = ("flagged_before_sanctions", "placebos_flagged")
COUNTS = ("recall", "benign")  # of a few: told as 12 of 12
BRIEF = (  # the rows of the README
    "precision_at_flags",
    "precision_at_flags_alike",
    "recall_at_flags",
    "median_months_to_flag",
    "benign_flagged_at_flags",
    "recall_at_5pct_of_flags",
    "flagged_before_sanctions",
)
_BY_CHANCE = {False: "precision_of_all", True: "precision_of_all_alike"}  # of all candidates, of those that fell alike
_SHORT = {"hidiroglou_berthelot": "Hidiroglou-Berthelot"}

PANELS = {  # of the chart
    "precision_at_flags": "right, of as many flags",
    "recall_at_5pct_of_flags": "found, 5 % of flags false",
    "benign_flagged_at_flags": "benign flagged",
    "flagged_before_sanctions": "of 1,000 before measures",
}
BAR, GAP, NAMES, PLOT, PANEL_GAP, HEAD = 13, 5, 132, 120, 60, 34


def rows_shown(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of the table backtest that the page is made of: its figures, over all dates and windows together.

    Parameters
    ----------
    table : polars.DataFrame
        schema.Backtest.

    Returns
    -------
    polars.DataFrame
        A part of its rows.
    """
    shown = [*(measure for measure, _, _ in FIGURES), *_BY_CHANCE.values(), "flagged_share", "events_tested"]
    return table.filter(pl.col("as_of") == ALL, pl.col("window_months") == 0, pl.col("measure").is_in(shown))


def summary(table: pl.DataFrame) -> list[dict[str, Any]]:
    """The figures of every method side by side, a row a leg and figure.

    Parameters
    ----------
    table : polars.DataFrame
        schema.Backtest.

    Returns
    -------
    list of dict
        leg, judged_by, figure, and a text a method, empty where it has none. The best of the methods is marked with BOLD on
        either side; several where they are equal.
    """
    rows: list[dict[str, Any]] = []
    figures = rows_shown(table)
    for leg in _legs(figures):
        judges = figures.filter(
            pl.col("leg") == leg, pl.col("measure").is_in(_BY_CHANCE.values()), pl.coalesce("hits", "value") > 0
        )
        for measure, says, is_more_better in FIGURES:
            of_measure = figures.filter(pl.col("leg") == leg, pl.col("measure") == measure).sort("judged_by", "kind")
            if of_measure.filter(pl.col("kind") != "")["kind"].n_unique() == 1:
                of_measure = of_measure.filter(pl.col("kind") == "")  # the only kind is all there is
            for (judged_by, kind), part in of_measure.group_by("judged_by", "kind", maintain_order=True):
                is_precision = measure.startswith("precision")
                by_chance = judges.filter(judged_by=judged_by, measure=_chance_of(measure), kind=kind)
                if is_precision and by_chance.is_empty():
                    continue  # no candidate is right: nothing to be right about
                figure = says.format(kind=f", {kind}" if kind else "")
                figure += f" ({judged_by})" if is_precision and judges["judged_by"].n_unique() > 1 else ""
                cells = _cells(part, measure, is_more_better)
                chance = _text(by_chance.row(0, named=True), measure) if is_precision else ""
                rows.append({"leg": leg, "judged_by": judged_by, "figure": figure, **cells, CHANCE: chance})
    return rows


def _chance_of(measure: str) -> str:
    """The measure of chance that stands beside one."""
    return _BY_CHANCE[measure.endswith("_alike")]


def _legs(figures: pl.DataFrame) -> list[str]:
    """Legs with a flag or a candidate, hubs to targets first."""
    return sorted(figures.filter(measure="flagged_share")["leg"].unique(), reverse=True)


def _cells(part: pl.DataFrame, measure: str, is_more_better: bool) -> dict[str, str]:
    rows = {row["method"]: row for row in part.to_dicts()}
    texts = {method: _text(rows[method], measure) if method in rows else "" for method in METHODS}
    valued = [row for row in rows.values() if row["value"] is not None]
    if not valued or len({text for text in texts.values() if text}) < 2:
        return texts
    best = _text((max if is_more_better else min)(valued, key=lambda row: row["value"]), measure)
    return {method: f"{BOLD}{text}{BOLD}" if text == best else text for method, text in texts.items()}


def _text(row: dict[str, Any], measure: str) -> str:
    """A figure for people: 69 %, 12 of 12, 5.0 months, 7.3 of 1,000."""
    value = row["value"]
    if measure.startswith(COUNTS):
        return f"{row['hits']} of {row['out_of']}"
    if value is None:
        return "never" if measure == "median_months_to_flag" else ""
    if measure == "median_months_to_flag":
        return f"{value:.1f}"
    return f"{1000 * value:.1f}" if measure in PER_1000 else f"{100 * value:.0f} %"


def name_of(method: str) -> str:
    """A method's name for people.

    Parameters
    ----------
    method : str
        As in the table.

    Returns
    -------
    str
        In words.

    Examples
    --------
    >>> name_of("plain_forest"), name_of("hidiroglou_berthelot")
    ('plain forest', 'Hidiroglou-Berthelot')
    """
    return _SHORT.get(method, method.replace("_", " "))


def block(table: pl.DataFrame, dates: Sequence[str], chart: str) -> str:
    """All figures for a page of the docs, marks and all: one table a leg.

    Parameters
    ----------
    table : polars.DataFrame
        schema.Backtest.
    dates : sequence of str
        As-of dates of the replay, in order.
    chart : str
        Path of the chart from the page.

    Returns
    -------
    str
        Markdown from BEGIN to END.
    """
    rows = summary(table)
    counted = {row["leg"]: row for row in rows_shown(table).filter(measure="flagged_share", method=OURS).to_dicts()}
    lines = [BEGIN, f"{_tested(table, dates)} The best of a row is in bold.", ""]
    for leg in dict.fromkeys(row["leg"] for row in rows):
        flags = counted[leg]
        heading = f"**{leg[0].upper()}{leg[1:]}**: {flags['hits']:,} flags of {flags['out_of']:,} routes in windows."
        lines += [heading, "", f"| | {' | '.join(name_of(method) for method in (*METHODS, CHANCE))} |"]
        lines.append("|---" * (len(METHODS) + 2) + "|")
        for row in rows:
            if row["leg"] == leg:
                cells = " | ".join(row[method] for method in (*METHODS, CHANCE))
                lines.append(f"| {row['figure']} | {cells} |")
        lines.append("")
    return "\n".join([*lines, f"![The same as a chart]({chart})", END])


def brief(table: pl.DataFrame, dates: Sequence[str], leg: str = HUB_TO_TARGET) -> str:
    """The few rows for the README, marks and all: ours beside the rival that is best in each figure.

    Parameters
    ----------
    table : polars.DataFrame
        schema.Backtest.
    dates : sequence of str
        As-of dates of the replay, in order.
    leg : str, optional
        The leg that is shown.

    Returns
    -------
    str
        Markdown from BEGIN to END.
    """
    judges = [rows_shown(table).filter(measure="events_tested").row(0, named=True)["judged_by"], "nothing"]
    figures = rows_shown(table).filter(pl.col("leg") == leg, pl.col("kind") == "", pl.col("judged_by").is_in(judges))
    chance = {row["measure"]: row for row in figures.filter(judged_by=judges[0]).to_dicts() if row["method"] == CHANCE}
    lines = [BEGIN, _tested(table, dates), "", f"| {leg} | ours | best of {len(METHODS) - 1} rivals |", "|---|---|---|"]
    for measure, says, is_more_better in FIGURES:
        part = figures.filter(measure=measure)
        if measure not in BRIEF or part.filter(method=OURS).is_empty():
            continue
        cells = _cells(part, measure, is_more_better)
        by_chance = (
            f" ({_text(chance[_chance_of(measure)], measure)} by chance)" if measure.startswith("precision") else ""
        )
        rivals = _best_rivals(part, cells, is_more_better)
        lines.append(f"| {says.format(kind='')}{by_chance} | {cells[OURS]} | {rivals} |")
    return "\n".join([*lines, END])


def _best_rivals(part: pl.DataFrame, cells: dict[str, str], is_more_better: bool) -> str:
    """The best figure that a rival has, and whose it is: 77 %, plain forest."""
    rivals = part.filter(pl.col("method") != OURS, pl.col("value").is_not_null()).sort(
        "value", descending=is_more_better
    )
    if rivals.is_empty():
        return ""
    best = cells[rivals["method"][0]]
    names = [name_of(method) for method in METHODS if method != OURS and cells[method] == best]
    return f"{best}, {' and '.join(names) if len(names) <= 2 else f'{len(names)} of them'}"


def _tested(table: pl.DataFrame, dates: Sequence[str]) -> str:
    """When was asked, and of how many events of evasion anything can be seen."""
    tested = rows_shown(table).filter(measure="events_tested").row(0, named=True)
    events = f"{tested['hits']} of {tested['out_of']} events of evasion ({tested['judged_by']}) are in the data"
    dates_shown = dates[0] if len(dates) == 1 else f"{len(dates)} dates from {dates[0]} to {dates[-1]}"
    return f"As of {dates_shown}: {events}."


def put(page: str, block: str) -> str:
    """The page with what stands between the marks replaced.

    Parameters
    ----------
    page : str
        With BEGIN and END in it.
    block : str
        Of `block` or `brief`, marks and all.

    Returns
    -------
    str
        The page.

    Raises
    ------
    BadRequest
        Where it has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadRequest(f"a page with the marks {BEGIN} and {END}", "none of them", hint="add the two lines")
    return f"{before}{block}{after}"


def draw(table: pl.DataFrame, leg: str = HUB_TO_TARGET) -> str:
    """A chart as SVG: a panel a figure, a bar a method, ours dark; over all dates.

    Parameters
    ----------
    table : polars.DataFrame
        schema.Backtest.
    leg : str, optional
        The leg that is drawn.

    Returns
    -------
    str
        One <svg>.
    """
    figures = rows_shown(table).filter(pl.col("leg") == leg, pl.col("kind") == "")
    names = "".join(
        f'<text class="n{" o" if method == OURS else ""}" x="{NAMES - 8}" y="{_top(at) + BAR - 3}">{escape(name_of(method))}</text>'
        for at, method in enumerate(METHODS)
    )
    panels = [_panel(figures.filter(measure=measure), measure, at) for at, measure in enumerate(PANELS)]
    width, height = NAMES + len(PANELS) * (PLOT + PANEL_GAP), _top(len(METHODS)) + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11"><title>The backtest beside the rivals</title><style>{_STYLE}</style>'
        f"{names}{''.join(panels)}</svg>\n"
    )


_STYLE = (
    "text{fill:#444}.n{text-anchor:end}.o{font-weight:bold}.t{font-weight:bold}path{fill:#b9c2cc}.b{fill:#1f4e79}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}.b{fill:#7ab3e6}path{fill:#566}}"
)


def _top(at: int) -> int:
    return HEAD + at * (BAR + GAP)


def _panel(part: pl.DataFrame, measure: str, at: int) -> str:
    """Bars of one figure from nothing to its largest value, a share to 1."""
    left = NAMES + at * (PLOT + PANEL_GAP)
    is_more_better = next(better for name, _, better in FIGURES if name == measure)
    rows = {row["method"]: row for row in part.unique("method", keep="first", maintain_order=True).to_dicts()}
    largest = max((row["value"] or 0.0 for row in rows.values()), default=0.0)
    largest = largest if measure in PER_1000 else 1.0
    better = "more is better" if is_more_better else "less is better"
    bars = [f'<text class="t" x="{left}" y="12">{_wrapped(PANELS[measure], left, better)}</text>']
    for place, method in enumerate(METHODS):
        row = rows.get(method)
        if row is None:
            continue
        length = round(PLOT * (row["value"] or 0.0) / largest) if largest else 0
        kind = ' class="b"' if method == OURS else ""
        if length:
            bars.append(f'<path{kind} d="M{left} {_top(place)}h{length}v{BAR}h-{length}z"/>')
        bars.append(f'<text x="{left + length + 4}" y="{_top(place) + BAR - 3}">{_text(row, measure)}</text>')
    return "".join(bars)


def _wrapped(says: str, left: int, better: str) -> str:
    return f'{escape(says)}<tspan x="{left}" dy="13" font-weight="normal">{better}</tspan>'
