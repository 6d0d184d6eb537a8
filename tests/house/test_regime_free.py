"""Another regime is another file: no code names a country or a year of one, and a planted name is found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

# A regime's own places are its scenario, its simulated world and the reference facts; else each name has its reason.
OWN_PLACES = ("anomaly/world/russia_2022.py", "anomaly/world/china_minerals_2023.py", "anomaly/world/places.py")
EXCUSED = {
    "anomaly/cli/examples.py": {"RUS"},  # how a question is typed, on the world that `make` simulates
    "anomaly/contract/scenario.py": {"russia-2022"},  # the scenario that is taken where none is said
    "anomaly/indicators/surge_log.py": {"RUS"},  # the source of a threshold, as documents cite it
    "anomaly/reference/editions.py": {"2017", "2022"},  # years in which an edition of the HS came into force
}
NAMES = re.compile(r"\b(RUS|BLR|Russia|Belarus|russia-2022|china-minerals-2023)\b")
YEARS = range(2013, 2031)


def constants(tree: ast.AST) -> Iterator[ast.Constant]:
    """Texts and numbers of the code; docstrings say things to people who read it."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings)


def faults(root: Path) -> list[str]:
    """file: name, of every country, regime or year that the code of one regime would name."""
    faulty_lines = []
    for path in sorted([*root.glob("anomaly/**/*.py"), *root.glob("pipelines/**/*.py")]):
        file = path.relative_to(root).as_posix()
        if file not in OWN_PLACES:
            named = {name for node in constants(ast.parse(path.read_text(encoding="utf-8"))) for name in names(node)}
            faulty_lines += [f"{file}: {name}" for name in sorted(named - EXCUSED.get(file, set()))]
    return faulty_lines


def names(node: ast.Constant) -> list[str]:
    if isinstance(node.value, str):
        return NAMES.findall(node.value)
    is_year = isinstance(node.value, int) and node.value in YEARS
    return [str(node.value)] if is_year else []


def test_no_code_names_a_country_or_a_year_of_a_regime() -> None:
    assert faults(ROOT) == []


@pytest.mark.parametrize(
    "text",
    ['X = ("RUS", "BLR")\n', "YEARS = (2019, 2020)\n", 'def f(name="russia-2022"): ...\n', "x = f'to {1} Russia'\n"],
)
def test_a_planted_name_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "anomaly").mkdir()
    (tmp_path / "anomaly" / "code.py").write_text(text, encoding="utf-8")
    assert faults(tmp_path)
