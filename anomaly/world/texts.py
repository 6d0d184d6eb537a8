"""What the formats of the simulated files share: how a month is written, and how bytes are packed."""

from __future__ import annotations

import gzip

from anomaly.world.description import Description


def packed(content: bytes) -> bytes:
    """Bytes as gzip, without the time of packing.

    Parameters
    ----------
    content : bytes
        Anything.

    Returns
    -------
    bytes
        The same for the same content.
    """
    return gzip.compress(content, compresslevel=6, mtime=0)


def month_text(world: Description, form: str) -> dict[int, str]:
    """Every month of a world as text.

    Parameters
    ----------
    world : Description
        Its calendar.
    form : str
        As strftime has it, such as %Y-%m.

    Returns
    -------
    dict of int to str
        By position in the calendar.
    """
    return {position: f"{month:{form}}" for position, month in enumerate(world.calendar)}
