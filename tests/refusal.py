"""What a parser says of what it refuses."""

from __future__ import annotations

from collections.abc import Callable

from anomaly.contract.errors import BadRequest


def refusal(read: Callable[[str], object], text: str) -> str:
    """The message a text is refused with; empty where it is understood."""
    try:
        read(text)
    except BadRequest as error:
        return str(error)
    return ""
