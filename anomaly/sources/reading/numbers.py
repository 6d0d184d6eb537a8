"""Numbers as other places write them: which mark is the decimal one is taken from a mapping or proven by the cells.

1.033 alone may be a thousand and thirty-three or one and a bit: such a column is not read until somebody says which.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from anomaly.sources.reading.amounts import to_number

BLANKS = "\u00a0\u202f\u2009 "  # no-break, narrow and thin ones stand between thousands
_GROUPS = r"^-?[0-9]{1,3}([ \u00a0\u202f\u2009'\u2019][0-9]{3})+([.,][0-9]+)?$"
_COMMAS = r"^-?[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}(\.[0-9]+)?$"  # 1,234,567 and India's 12,34,567
_POINTS = r"^-?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?$"
_THREE_AFTER_POINT = r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$"


@dataclass(frozen=True, slots=True)
class Marks:
    """How a column writes its numbers.

    Parameters
    ----------
    decimal : str
        The decimal mark.
    thousands : str
        What stands between thousands; empty where nothing does.
    """

    decimal: str = "."
    thousands: str = ""

    def plain(self, cell: pl.Expr) -> pl.Expr:
        """The cells as "1234.5".

        Parameters
        ----------
        cell : polars.Expr
            String.

        Returns
        -------
        polars.Expr
            String; a cell that does not fit the marks becomes text that is no number.

        Examples
        --------
        >>> cells = pl.Series(["1.234,5", "7", "1.5"])
        >>> pl.select(Marks(",", ".").plain(pl.lit(cells))).to_series().to_list()
        ['1234.5', '7', '1.5?']
        """
        text = cell.str.strip_chars()
        if self.thousands:
            mark = (
                rf"[{BLANKS}]"
                if self.thousands in BLANKS
                else "['\u2019]"
                if self.thousands in "'\u2019"
                else f"\\{self.thousands}"
            )
            point = f"\\{self.decimal}"
            fits = (
                rf"^[-+]?([0-9]{{1,3}}({mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}|[0-9]*)({point}[0-9]+)?([eE][-+]?[0-9]+)?$"
            )
            text = pl.when(text.str.contains(fits)).then(text.str.replace_all(mark, "")).otherwise(text)
        if self.decimal != ".":
            has_point = text.str.contains(".", literal=True)
            swapped = text.str.replace(self.decimal, ".", literal=True)
            text = pl.when(has_point).then(text + "?").otherwise(swapped)
        return text


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the cells of a column show of its decimal mark.

    Parameters
    ----------
    rows : int
        Filled cells.
    points : int
        Cells with a point.
    three_after_point : int
        Of these, those with up to three digits before it and three after.
    whole : int
        Cells without a point.
    example : str
        The first cell that leaves a choice; empty where none does.
    """

    rows: int = 0
    points: int = 0
    three_after_point: int = 0
    whole: int = 0
    example: str = ""

    def __add__(self, further: Evidence) -> Evidence:
        """Both together, the first example kept."""
        return Evidence(
            self.rows + further.rows,
            self.points + further.points,
            self.three_after_point + further.three_after_point,
            self.whole + further.whole,
            self.example or further.example,
        )

    @property
    def is_open(self) -> bool:
        """Whether every point may stand between thousands: three digits after each, and whole numbers or more beside."""
        return 0 < self.points == self.three_after_point and (self.whole > 0 or self.points > 2)


def evidence(cells: pl.Series) -> Evidence:
    """What the points in the cells of a column show, where a point is the decimal mark.

    Parameters
    ----------
    cells : polars.Series
        String; null and blank ones are passed over.

    Returns
    -------
    Evidence
        Of these cells alone; parts of a column are added up.

    Examples
    --------
    >>> evidence(pl.Series(["1.033", "12"])).is_open
    True
    >>> evidence(pl.Series(["1.033", "1.5"])).is_open
    False
    """
    texts = cells.drop_nulls().str.strip_chars()
    texts = texts.filter(texts != "")
    with_point = texts.filter(texts.str.contains(".", literal=True))
    three = with_point.filter(with_point.str.contains(_THREE_AFTER_POINT))
    whole = texts.len() - with_point.len()
    return Evidence(texts.len(), with_point.len(), three.len(), whole, three[0] if three.len() else "")


def marks_of(cells: pl.Series, decimal: str = "", thousands: str = "") -> Marks:
    """The marks of a column: as said, else as its cells prove; a point and nothing where they prove nothing.

    Proof of a comma between thousands is two of them in a cell, or one and a point after it; of a decimal comma, a
    point or blank between thousands before it, or other than three digits after it.

    Parameters
    ----------
    cells : polars.Series
        String; not looked at where a mark is said.
    decimal, thousands : str
        As the mapping says; empty where it is silent.

    Returns
    -------
    Marks
        One for the whole column.

    Examples
    --------
    >>> marks_of(pl.Series(["1,234,567", "12"]))
    Marks(decimal='.', thousands=',')
    >>> marks_of(pl.Series(["12,5", "7"]))
    Marks(decimal=',', thousands='')
    """
    if decimal or thousands:
        return Marks(decimal or ("," if thousands == "." else "."), thousands)
    texts = cells.drop_nulls().str.strip_chars().str.strip_chars(BLANKS)
    odd = texts.filter(to_odd(texts))
    odd = odd.filter(odd.str.contains(r"^-?[0-9][0-9., \u00a0\u202f\u2009'\u2019]*$"))
    if odd.is_empty():
        return Marks()
    between = _blank_between(odd)
    bare = odd.str.replace_all(rf"[{BLANKS}'\u2019]", "") if between else odd
    commas = bare.filter(bare.str.contains(",", literal=True))
    if commas.len() and commas.str.contains(_COMMAS).all() and _proves_thousands(commas):
        return Marks(".", ",")
    points_too = bare.filter(bare.str.contains(".", literal=True))
    is_decimal = commas.str.contains(r"^-?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+$|^-?[0-9]+,([0-9]{1,2}|[0-9]{4,})$")
    if commas.len() and (is_decimal | commas.str.contains(r"^-?[0-9]+,[0-9]{3}$")).all() and is_decimal.any():
        has_points = points_too.str.contains(_POINTS).all() if points_too.len() else True
        return Marks(",", between or ("." if points_too.len() else "")) if has_points else Marks()
    if commas.is_empty() and points_too.len() and points_too.str.contains(r"^-?[0-9]{1,3}(\.[0-9]{3}){2,}$").any():
        plain_points = bare.filter(bare.str.contains(".", literal=True))
        return Marks(",", ".") if plain_points.str.contains(_POINTS).all() else Marks()
    return Marks(".", between) if between and commas.is_empty() else Marks()


def to_odd(texts: pl.Series) -> pl.Series:
    """Whether a text is filled and no plain number.

    Parameters
    ----------
    texts : polars.Series
        String, without blanks at the ends.

    Returns
    -------
    polars.Series
        Boolean.
    """
    return (pl.select(to_number(pl.lit(texts))).to_series().is_null()) & (texts != "")


def _blank_between(odd: pl.Series) -> str:
    """The blank or apostrophe that stands between thousands in every cell that has one; empty where there is none."""
    grouped = odd.filter(odd.str.contains(rf"[{BLANKS}'\u2019]"))
    if grouped.is_empty() or not grouped.str.contains(_GROUPS).all():
        return ""
    return "'" if grouped.str.contains("['\u2019]").any() else " "


def _proves_thousands(commas: pl.Series) -> bool:
    return bool((commas.str.count_matches(",") > 1).any() or commas.str.contains(r",[0-9]{3}\.").any())
