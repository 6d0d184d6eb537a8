"""What two runs wrote, compared byte by byte: `python -m tests.house.outputs BEFORE AFTER`, two folders of processed data.

Parts of tables are compared as they are. Documents name the code and the versions they were made by: those names, which
are hashes, are taken out of both before they are compared.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from io import BytesIO
from pathlib import Path

NAMES_OF_VERSIONS = re.compile(rb"\b[0-9a-f]{12,64}\b")


def parts(data: Path) -> dict[str, bytes]:
    """Bytes of every part of every table's current version, by table and path within it."""
    held = {}
    for pointer in sorted(data.glob("*/CURRENT.json")):
        version = pointer.parent / json.loads(pointer.read_bytes())["version"]
        for path in sorted(version.rglob("*.parquet")):
            held[f"{pointer.parent.name}/{path.relative_to(version).as_posix()}"] = path.read_bytes()
    return held


def documents(data: Path) -> dict[str, bytes]:
    """Bytes of the newest report's documents, without the names of versions."""
    return {path.name: _without_versions(path) for path in sorted((data / "reports" / "latest").glob("*"))}


def _without_versions(path: Path) -> bytes:
    text = path.read_bytes()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(BytesIO(text)) as book:
            text = b"".join(book.read(name) for name in sorted(book.namelist()))
    return NAMES_OF_VERSIONS.sub(b"-", text)


def compared(before: Path, after: Path) -> list[tuple[str, str]]:
    """A row a file of either run: its name, and `same`, `differs`, `gone` or `new`."""
    rows = []
    for read in (parts, documents):
        old, new = read(before), read(after)
        for name in sorted(old.keys() | new.keys()):
            if name not in new:
                rows.append((name, "gone"))
            elif name not in old:
                rows.append((name, "new"))
            else:
                rows.append((name, "same" if old[name] == new[name] else "differs"))
    return rows


if __name__ == "__main__":
    rows = compared(Path(sys.argv[1]), Path(sys.argv[2]))
    for name, verdict in rows:
        print(f"{verdict:8} {name}")
    unchanged = sum(verdict == "same" for _, verdict in rows)
    print(f"{unchanged} of {len(rows)} the same")
    sys.exit(unchanged != len(rows))
