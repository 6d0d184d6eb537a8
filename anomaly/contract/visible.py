"""Letters that do something instead of showing something, written so that they are seen."""

from __future__ import annotations

import re

# What moves a cursor, rings, colours, turns the order of letters round or breaks a line; half letters, which no file can hold.
_ACTS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ufeff\ud800-\udfff]"


def visible(text: str) -> str:
    r"""A text with every control letter, and every letter that turns the order of writing, as its escape.

    Parameters
    ----------
    text : str
        From data, or about them.

    Returns
    -------
    str
        The same but for these; ends of lines and tabs stay. JSON and TOML read the escapes inside their strings as the
        letters they stand for.

    Examples
    --------
    >>> visible("Kazakhstan\x1b[2J\u202e")
    'Kazakhstan\\u001b[2J\\u202e'
    """
    return text if text.isprintable() else re.sub(_ACTS, lambda letter: f"\\u{ord(letter[0]):04x}", text)
