"""How a publisher lays out a table of text: marks, names, what must be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Layout:
    """How a publisher's text table is laid out.

    Parameters
    ----------
    separator : str
        The letter between cells.
    quote : str or None
        None where the format has no quotes, so that a quote is a letter like any other.
    required : tuple of str
        Columns that must be there, spelt as in the file, or in lower case with lower_names.
    columns : tuple of str
        Columns to read where they are there; empty reads all.
    lower_names : bool
        Take column names in lower case, for publishers who change their capitals.
    trailing_separator : bool
        Rows may end with exactly one separator more than the header has.
    header_line : int
        Line of the file that has the names, 1 is the first; what is above it is passed over.
    is_loose : bool
        For tables people make: lines of words alone at the end become rows, columns may lack a name.
    renamed : mapping of str to str
        Names as in the file → names as required; after lower_names.
    """

    separator: str = ","
    quote: str | None = '"'
    required: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    lower_names: bool = False
    trailing_separator: bool = False
    header_line: int = 1
    is_loose: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
