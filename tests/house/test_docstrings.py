"""What numpydoc's linter cannot see: a dataclass names every field under Parameters, in its order."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests import ROOT
from tests.house.imports import modules


def is_record(node: ast.ClassDef) -> bool:
    """Whether a class is a dataclass or a named tuple."""
    marks = [ast.unparse(mark) for mark in (*node.decorator_list, *node.bases)]
    return any(mark.startswith("dataclass") or mark == "NamedTuple" for mark in marks)


def named_parameters(docstring: str) -> list[str]:
    """Names under the heading Parameters, in order; `a, b : type` names two."""
    lines = docstring.splitlines()
    if "Parameters" not in lines:
        return []
    names: list[str] = []
    for line in lines[lines.index("Parameters") + 2 :]:
        if line.startswith("---"):
            return names[:-1]  # the line before was the next heading
        if line and not line.startswith(" "):
            names += line.partition(" : ")[0].split(", ")
    return names


def field_faults(trees: dict[str, ast.Module]) -> Iterator[str]:
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_") or not is_record(node):
                continue
            fields = [
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            ]
            if named_parameters(ast.get_docstring(node) or "") != [name for name in fields if name[0] != "_"]:
                yield f"{module}.{node.name}: Parameters are not {', '.join(fields)}"


def listed(name: str) -> tuple[str, ...]:
    """Folders and files that a variable of the Makefile lists, as dotted names with a dot at the end."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    paths = next(line for line in lines if line.startswith(f"{name} :=")).partition(":=")[2].split()
    return tuple(f"{path.removesuffix('.py').replace('/', '.')}." for path in paths)


def test_a_dataclass_names_every_field_in_its_order():
    folders, not_yet = listed("DOCUMENTED"), listed("NOT_YET")
    trees = {
        name: tree
        for name, tree in modules(ROOT).items()
        if f"{name}.".startswith(folders) and f"{name}." not in not_yet
    }
    assert len(trees) > 20
    assert list(field_faults(trees)) == []


@pytest.mark.parametrize("written", ["left : int", "right : int\nleft : int", "left : int\nright : int\nup : int"])
def test_a_field_that_is_left_out_misplaced_or_unknown_is_found(written):
    lines = "\n".join(f"    {line}" for line in written.splitlines())
    text = f'@dataclass\nclass Both:\n    """Both.\n\n    Parameters\n    ----------\n{lines}\n    """\n    left: int\n    right: int\n'
    assert list(field_faults({"planted": ast.parse(text)}))
