"""Which raw files there are, and what lies beside them: folders and origin.toml say dataset, vintage and origin."""

from __future__ import annotations

import glob
import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anomaly import sources
from anomaly.contract.errors import DataRejected, SourceUnavailable
from anomaly.sources.base import RawFile
from anomaly.sources.table_mapping import companions

ORIGIN = "origin.toml"
ORIGIN_KEYS = ("url", "licence", "fetched_at", "sha256", "dataset", "vintage")
# how names of pages beside data begin, and of what a desktop leaves in a folder that it has shown
NOT_DATA = ("readme", "simulated.md", "licence", "license", "thumbs.db", "ehthumbs.db", "desktop.ini", "~$")
REFERENCE = "reference"
DEEP = 5  # parts of <source>/<dataset>/<period>/<vintage>/<file>


@dataclass(frozen=True, slots=True)
class Found:
    """A raw file, and the sha256 that its origin.toml says, where it does."""

    raw: RawFile
    told_sha256: str | None


def find(raw: Path) -> list[Found]:
    """The data files under a folder, one file, or what a glob names, sorted by name.

    Raises SourceUnavailable where there are none, DataRejected for an origin.toml that cannot be used.
    """
    root, paths = _walk(raw)
    beside = {path.parent / name for path in paths if path.suffix.lower() == ".toml" for name in companions(path)}
    found = [path for path in paths if path.suffix.lower() != ".toml" and path not in beside]
    if not found:
        hint = "put publishers' files under data/raw/<source>/, or say RAW=<folder, file or glob>"
        raise SourceUnavailable("raw files of a publisher", f"none at {raw}", hint=hint)
    return [_described(path, root) for path in found]


def inputs(raw: Path) -> dict[str, str]:
    """Name of every raw file, and of every TOML that says something about one → sha256. Reads each once."""
    root, paths = _walk(raw)
    return {f"raw/{_name(path, root)}": _sha256(path) for path in paths}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(raw: Path) -> tuple[Path, list[Path]]:
    """The raw folder and the files in it that say something, TOMLs among them, sorted by name."""
    if raw.is_dir():
        root, every = raw, [path for path in raw.rglob("*") if path.is_file()]
    else:
        named = [raw] if raw.is_file() else [Path(name) for name in glob.glob(str(raw), recursive=True)]  # noqa: PTH207
        files = [path for path in named if path.is_file()]
        beside = {toml for path in files for toml in path.parent.glob("*.toml")}
        beside |= {toml.parent / name for toml in beside for name in companions(toml) if (toml.parent / name).is_file()}
        root, every = _root(files), sorted({*files, *beside})
    return root, sorted((path for path in every if _counts(path.relative_to(root))), key=lambda path: _name(path, root))


def _root(files: list[Path]) -> Path:
    """The raw folder that files given by name lie in: above the folder named after a source, else their common one."""
    if not files:
        return Path()
    common = Path(os.path.commonpath([path.parent for path in files]))
    names = {source.name for source in sources.SOURCES}
    above = [folder.parent for folder in (common, *common.parents) if folder.name in names]
    return above[0] if above else common


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _counts(path: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in path.parts)
    return not is_hidden and path.parts[0] != REFERENCE and not path.name.lower().startswith(NOT_DATA)


def _described(path: Path, root: Path) -> Found:
    name = _name(path, root)
    parts = name.split("/")
    is_deep = len(parts) >= DEEP
    origin = _origin(path.parent / ORIGIN, name)
    sha256 = origin.get("sha256")
    raw = RawFile(
        path,
        name,
        dataset=origin.get("dataset") or (parts[1] if is_deep else None),
        vintage=origin.get("vintage") or (parts[3] if is_deep else None),
        url=origin.get("url"),
        fetched_at=origin.get("fetched_at"),
    )
    return Found(raw, sha256.get(path.name) if isinstance(sha256, dict) else sha256)


def _origin(path: Path, name: str) -> dict[str, Any]:
    """What origin.toml beside a file says, dates as text."""
    if not path.is_file():
        return {}
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataRejected(f"an {ORIGIN} in TOML beside {name}", str(error), hint="mend the line named") from error
    unknown = [key for key in told if key not in ORIGIN_KEYS]
    if unknown:
        known = f"its keys are {', '.join(ORIGIN_KEYS)}"
        raise DataRejected(f"an {ORIGIN} as data/raw/README.md shows it beside {name}", ", ".join(unknown), hint=known)
    return {key: value if isinstance(value, dict) else str(value) for key, value in told.items()}
