"""The embedded simulated world, written as raw files that the real readers read."""

from __future__ import annotations

from pathlib import Path

from anomaly import world


def world_of(regime: str) -> str:
    """The regime whose simulated world shows this one: its own, or the first where it has none.

    Parameters
    ----------
    regime : str
        Name of a scenario's regime of measures.

    Returns
    -------
    str
        A regime that has a simulated world.
    """
    return world.describe(regime).name


def write_world(raw: Path, regime: str) -> None:
    """Write the files of a regime's world where they are missing or differ; nothing else in the folder is touched.

    Parameters
    ----------
    raw : Path
        The raw folder; made where it is missing.
    regime : str
        Name of a scenario's regime; the first world is written where it has none.
    """
    simulated = world.build(description=world.describe(regime))
    for name, content in simulated.files.items():
        path = raw / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
