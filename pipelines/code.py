"""Which code a job is: a hash of every file it can reach by imports, so that another one's change does not redo it."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS = ("anomaly", "pipelines")
LIBRARIES = ("numpy", "polars", "scikit-learn", "scipy")  # another version of these may give other bytes
NOT_OF_THE_RESULT = ("pipelines.job", "pipelines.log", "pipelines.code")  # how a job is run, not what it makes


def code_version(module: str = "pipelines.run") -> str:
    """The project's version and 12 digits of the hash of all that a module can reach by imports.

    Reached: modules of this project that are imported anywhere in a file, data files beside them, and the versions of
    LIBRARIES.

    Parameters
    ----------
    module : str, optional
        Dotted name; that of all jobs where it is not given.

    Returns
    -------
    str
        Such as 0.1.0+9a1b2c3d4e5f.
    """
    digest = hashlib.sha256()
    for path in sorted({file for name in _reached(module) for file in _files(name)}):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + _content(path))
    for library in LIBRARIES:
        digest.update(f"{library} {metadata.version(library)}".encode())
    return f"{_own_version()}+{digest.hexdigest()[:12]}"


def _own_version() -> str:
    try:
        return metadata.version("anomaly")
    except metadata.PackageNotFoundError:
        return "0"


def _reached(module: str) -> set[str]:
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in reached or name in NOT_OF_THE_RESULT:
            continue
        reached.add(name)
        for path in _files(name):
            if path.suffix == ".py":
                waiting.extend(_imports(path))
    return reached


@functools.cache
def _content(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@functools.cache
def _files(name: str) -> tuple[Path, ...]:
    """The file of a module, or the face of a package, and the data files of its folder; nothing of other names.

    A job that names a package hangs on what its face imports and on the rooms that the job enters, not on all of it; a
    registry's face imports every leaf, so that one is reached whole.
    """
    path = ROOT.joinpath(*name.split("."))
    if name in OURS:
        return ()
    if path.with_suffix(".py").is_file():
        folder = path.parent
        return (path.with_suffix(".py"), *(() if folder.name in OURS else _data(folder)))
    face = path / "__init__.py"
    return (face, *_data(path)) if face.is_file() else ()


@functools.cache
def _data(folder: Path) -> tuple[Path, ...]:
    """Files below a folder that are no code."""
    return tuple(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    )


@functools.cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_named(ast.parse(path.read_text(encoding="utf-8"))))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in OURS and name not in OURS)
