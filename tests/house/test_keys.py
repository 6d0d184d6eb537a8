"""The keys that tables share, and the legs, are spelled out in contract/keys.py and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from anomaly.contract import keys
from tests import ROOT
from tests.house.imports import modules

HOME = "anomaly.contract.keys"
KEYS = (keys.ROUTE, keys.WINDOW_KEY)


def named(node: ast.AST) -> list[str | None]:
    """The texts of a display or of a call's arguments in their order, None for anything else; of a dict its typed keys."""
    items: list[ast.expr | None] = []
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        items = [*node.elts]
    elif isinstance(node, ast.Call):
        items = [*node.args]
    elif isinstance(node, ast.Dict):
        items = [key if is_type(value) else None for key, value in zip(node.keys, node.values, strict=True)]
    return [item.value if isinstance(item, ast.Constant) and isinstance(item.value, str) else None for item in items]


def is_type(node: ast.expr) -> bool:
    """A type of Polars, such as a schema has."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pl"


def spelled(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Every place but their home at which a key stands in its order, or alone in another, or a leg is written."""
    for module, tree in trees.items():
        if module == HOME:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in keys.LEGS:
                yield f"{module}:{node.lineno}: a leg is written out: {node.value}"
            names = named(node)
            for key in KEYS:
                runs = [tuple(names[at : at + len(key)]) for at in range(len(names))]
                if key in runs or sorted(map(str, names)) == sorted(key):
                    yield f"{module}:{node.lineno}: {', '.join(key)} are spelled out"  # type: ignore[attr-defined]


def test_no_key_and_no_leg_is_spelled_out_outside_its_home() -> None:
    assert list(spelled(modules(ROOT))) == []


@pytest.mark.parametrize(
    "text",
    [
        'KEY = ("freq_code", "window_months", "window_end")',
        'KEY = ["freq_code", "window_months", "window_end", "leg"]',
        'rows.select("flag_id", "good", "exporter_iso", "importer_iso")',
        '_ROUTE = ("exporter_iso", "importer_iso", "good")',
        'TYPES = {"freq_code": pl.String, "window_months": pl.Int16, "window_end": pl.Date}',
        'leg = "hub to target"',
        'rows.filter(leg="coalition to hub")',
    ],
)
def test_a_key_that_is_spelled_out_is_found(text: str) -> None:
    assert len(list(spelled({"anomaly.somewhere": ast.parse(text)}))) == 1
    assert list(spelled({HOME: ast.parse(text)})) == []


@pytest.mark.parametrize(
    "text",
    [
        'rows.sort("window_end", "window_months", "freq_code", "baseline_gap_years")',
        'row = {"good": names.gather(good), "exporter_iso": one, "importer_iso": other}',
        'says = f"coalition to hub {side}, where both report"',
        "KEY = (*WINDOW_KEY, *ROUTE)",
    ],
)
def test_an_order_of_its_own_and_values_by_name_are_no_key(text: str) -> None:
    assert list(spelled({"anomaly.somewhere": ast.parse(text)})) == []
