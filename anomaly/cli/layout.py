"""How rows stand on a screen: as one table where it fits, else with short amounts, else each row as lines.

No number is ever cut and no column left out. Texts in, text out.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import NamedTuple

_GAP = "  "
_COLON = ":\1 "
_PERCENT = "\0%"  # no place to fold
_LEAST_OF_TEXT = 12  # letters; a text is not folded into a narrower column
_NARROW = 80  # letters of a line where a terminal does not say
_INDENT = "    "


class Column(NamedTuple):
    """A column as people see it.

    Parameters
    ----------
    heading : str
        Its name.
    texts : tuple of str
        A cell a row.
    short_texts : tuple of str
        The same with short amounts.
    is_number : bool
        Whether it stands to the right and is never folded.
    """

    heading: str
    texts: tuple[str, ...]
    short_texts: tuple[str, ...]
    is_number: bool


def width_of_screen() -> int | None:
    """How many letters a line of stdout holds.

    Returns
    -------
    int or None
        COLUMNS where it is set, else the terminal's; None where stdout is no terminal: then no line is too long.
    """
    columns = os.environ.get("COLUMNS", "")
    is_set = columns.isdecimal() and int(columns) > 0
    if not is_set and not sys.stdout.isatty():
        return None
    if is_set:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _NARROW
    except (OSError, ValueError):
        return _NARROW


def folded(text: str, width: int | None, indent: str = "") -> str:
    """A sentence on as many lines as it needs.

    Parameters
    ----------
    text : str
        Of one or more lines.
    width : int or None
        Letters of a line; None is any number.
    indent : str, optional
        Before every line but the first.

    Returns
    -------
    str
        The same words; one that is longer than a line is not broken.
    """
    if width is None:
        return text
    import textwrap  # a pipe does without it

    lines = text.replace(" %", _PERCENT).split("\n")
    fold = textwrap.TextWrapper(
        max(width, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    folded_lines = [fold.fill(line) if len(line) > width else line for line in lines]
    return "\n".join(folded_lines).replace(_PERCENT, " %")


def laid_out(columns: Sequence[Column], width: int | None) -> str:
    """Rows as text that is no wider than the screen.

    Parameters
    ----------
    columns : sequence of Column
        In order; the first of them say which row it is.
    width : int or None
        Letters of a line; None is any number.

    Returns
    -------
    str
        One table; where that is too wide, one with short amounts and folded headings; then what is the same in all rows
        above it, and texts on lines of their own under each row, the last first; then each row as lines of its own.
    """
    table = _table([[column.heading] for column in columns], columns, [])
    if width is None or _is_within(table, width):
        return table
    short = [column._replace(texts=column.short_texts) for column in columns]
    as_short = _fitted(short, [], width)
    if as_short is not None:
        return as_short
    same = [column for column in short if len(column.texts) > 1 and len(set(column.texts)) == 1]
    above = folded("; ".join(f"{column.heading} {column.texts[0] or 'none'}" for column in same), width)
    beside: list[Column] = [column for column in short if column not in same]
    below: list[Column] = []
    while beside:
        fitted = _fitted(beside, below, width)
        if fitted is not None:
            return f"{above}\n\n{fitted}" if above else fitted
        at = next((at for at in range(len(beside) - 1, 0, -1) if not beside[at].is_number), None)
        if at is None:
            break
        below.insert(0, beside.pop(at))
    return _records(columns, width)


def _is_within(text: str, width: int) -> bool:
    return all(len(line) <= width for line in text.split("\n"))


def _fitted(beside: Sequence[Column], below: Sequence[Column], width: int) -> str | None:
    """A table with folded headings and, as far as it has to be, folded texts; None where it is too wide all the same."""
    headings = [column.heading.split() for column in beside]
    widest = [max(map(len, [*words, *column.texts])) for words, column in zip(headings, beside, strict=True)]
    too_much = sum(widest) + len(_GAP) * (len(beside) - 1) - width
    cells = list(beside)
    for at in sorted(range(len(beside)), key=lambda at: -widest[at]):
        column = beside[at]
        if too_much <= 0:
            break
        if column.is_number:
            continue
        longest_word = max((len(word) for text in column.texts for word in _folds(text).split()), default=0)
        least = max(longest_word, min(widest[at], max(_LEAST_OF_TEXT, widest[at] // 2)))
        narrow = max(least, widest[at] - too_much)
        if narrow < widest[at]:
            too_much -= widest[at] - narrow
            cells[at] = column._replace(texts=tuple(_folded_cell(text, narrow) for text in column.texts))
    table = _table(
        [_heading(words, column) for words, column in zip(headings, cells, strict=True)], cells, below, width
    )
    return table if too_much <= 0 else None


def _folds(text: str) -> str:
    """A text with a space wherever a line may end: a range of periods may end one after its colon."""
    return re.sub(r"(?<=[0-9]):(?=[0-9])", _COLON, text)


def _folded_cell(text: str, width: int) -> str:
    import textwrap

    lines = textwrap.wrap(_folds(text), width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line.replace(_COLON, ":").replace(_COLON[:-1], ":") for line in lines)


def _heading(words: Sequence[str], column: Column) -> list[str]:
    """A heading's words on as many lines as its cells' width asks for."""
    import textwrap

    cell_width = max((len(line) for text in column.texts for line in text.split("\n")), default=0)
    return textwrap.wrap(" ".join(words), max(cell_width, *map(len, words))) if words else [""]


def _table(
    headings: Sequence[Sequence[str]], columns: Sequence[Column], below: Sequence[Column], width: int | None = None
) -> str:
    cells = [[text.split("\n") for text in column.texts] for column in columns]
    widths = [
        max(map(len, [*heading, *(line for lines in texts for line in lines)]))
        for heading, texts in zip(headings, cells, strict=True)
    ]
    are_numbers = [column.is_number for column in columns]
    depth = max(map(len, headings), default=1)
    above = [[""] * (depth - len(heading)) + list(heading) for heading in headings]
    lines = [*_lines(above, widths, are_numbers), *_lines([["-" * width_] for width_ in widths], widths, are_numbers)]
    for at in range(len(columns[0].texts) if columns else 0):
        lines += _lines([texts[at] for texts in cells], widths, are_numbers)
        said = [f"{column.heading} {column.texts[at]}" for column in below if column.texts[at]]
        lines += [folded(f"{_INDENT}{sentence}", width, _INDENT) for sentence in said]
    return "\n".join(lines)


def _lines(cells: Sequence[Sequence[str]], widths: Sequence[int], are_numbers: Sequence[bool]) -> list[str]:
    """One row, as many lines as its deepest cell has."""
    depth = max(map(len, cells), default=0)
    full = [[*lines, *[""] * (depth - len(lines))] for lines in cells]
    return [
        _GAP.join(
            lines[at].rjust(width) if is_number else lines[at].ljust(width)
            for lines, width, is_number in zip(full, widths, are_numbers, strict=True)
        ).rstrip()
        for at in range(depth)
    ]


def _records(columns: Sequence[Column], width: int) -> str:
    """Each row as lines, a name and a value each, an empty line between rows."""
    names = max((len(column.heading) for column in columns), default=0)
    indent = " " * (names + len(_GAP))
    return "\n\n".join(
        "\n".join(
            folded(f"{column.heading:<{names}}{_GAP}{column.texts[at]}".rstrip(), width, indent) for column in columns
        )
        for at in range(len(columns[0].texts) if columns else 0)
    )
