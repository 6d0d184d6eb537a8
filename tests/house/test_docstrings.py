"""What numpydoc's linter cannot see: a dataclass names every field, and the examples in docstrings are true."""

from __future__ import annotations

import ast
import doctest
import importlib
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


def field_faults(known: dict[str, ast.Module]) -> Iterator[str]:
    for module, tree in known.items():
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


def documented() -> tuple[str, ...]:
    """The folders of the Makefile's DOCUMENTED, as modules."""
    line = next(
        line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if line.startswith("DOCUMENTED")
    )
    return tuple(folder.replace("/", ".") for folder in line.partition(":=")[2].split())


def test_a_dataclass_names_every_field_in_its_order():
    folders = documented()
    known = {
        name: tree for name, tree in modules(ROOT).items() if f"{name}.".startswith(tuple(f"{one}." for one in folders))
    }
    assert len(known) > 20
    assert list(field_faults(known)) == []


@pytest.mark.parametrize("written", ["left : int", "right : int\nleft : int", "left : int\nright : int\nup : int"])
def test_a_field_that_is_left_out_misplaced_or_unknown_is_found(written):
    lines = "\n".join(f"    {line}" for line in written.splitlines())
    text = f'@dataclass\nclass Both:\n    """Both.\n\n    Parameters\n    ----------\n{lines}\n    """\n    left: int\n    right: int\n'
    assert list(field_faults({"planted": ast.parse(text)}))


def with_examples() -> list[str]:
    return [name for name, tree in modules(ROOT).items() if ">>> " in ast.unparse(tree)]


@pytest.mark.parametrize("module", with_examples())
def test_the_examples_in_docstrings_are_true(module):
    outcome = doctest.testmod(importlib.import_module(module))
    assert outcome.attempted
    assert outcome.failed == 0
