"""What imports what, read from the source: the house as a graph."""

from __future__ import annotations

import ast
import functools
from pathlib import Path


def modules(root: Path, folders: tuple[str, ...] = ("anomaly", "pipelines")) -> dict[str, ast.Module]:
    """Dotted name → tree of every file of some folders, by default those of the program."""
    trees = {}
    for path in sorted(path for folder in folders for path in root.glob(f"{folder}/**/*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        trees[name] = _tree(path.read_text(encoding="utf-8"))
    return trees


@functools.cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


@functools.cache
def imported(tree: ast.AST) -> tuple[str, ...]:
    """Every name that a tree imports, anywhere in it, with what is taken from it."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names += (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)
    return tuple(names)


def targets(tree: ast.AST, trees: dict[str, ast.Module]) -> set[str]:
    """The project's own modules that a tree imports; a package is meant where one of its names is taken."""
    modules_imported = set()
    for name in imported(tree):
        while name and name not in trees:
            name = name.rpartition(".")[0]
        modules_imported.add(name)
    return modules_imported - {"", "anomaly"}


def folder_of(module: str) -> str:
    """`sources` of anomaly.sources.baci, `pipelines` of pipelines.flows."""
    return module.removeprefix("anomaly.").split(".")[0]
