"""The embedded simulated world, written as raw files that the real readers read."""

from __future__ import annotations

from pathlib import Path

from anomaly import world


def write_world(raw: Path) -> None:
    """Write the world's files where they are missing or differ; nothing else in the folder is touched."""
    made = world.build()
    for name, content in made.files.items():
        path = raw / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
