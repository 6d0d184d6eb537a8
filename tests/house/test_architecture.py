"""Who may import whom, who may touch the disk, and what a file may be: parsed from the source, for every file.

A rule that finds nothing proves nothing, so each is shown a planted violation too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from anomaly.flags.types import TYPES
from tests import ROOT
from tests.house.imports import folder_of, imported, modules, targets

# From the ground up; a folder may import those below its floor, a neighbour on its own never. Files of one folder may
# import each other, in one order: no circle.
FLOORS = (
    ("contract",),
    ("reference",),
    ("indicators", "store", "sources", "world", "bilateral"),
    ("features", "fetch"),
    ("supply",),
    ("scores",),
    ("flags",),
    ("evidence", "leakage", "cases"),
    ("stages",),
    ("reports", "query", "backtest"),
    ("pipelines",),
    ("cli",),
    ("notebook",),
)
FLOOR_OF = {folder: number for number, floor in enumerate(FLOORS) for folder in floor}
REGISTRIES = {
    "sources": ("SOURCES", "SOURCE"),
    "indicators": ("INDICATORS", "INDICATOR"),
    "reports": ("REPORTS", "REPORT"),
    "flags.types": ("TYPES", "TYPE"),
    "fetch": ("PUBLISHERS", "PUBLISHER"),
}
# Where a type of flag may stand by its name outside its own file; everybody else asks the registry.
NAMES_A_TYPE = {
    "cases.changes": {"resolved"},  # the word for what became of a case
    "contract.schema_cases": {"resolved"},  # the same
    "flags.resolved": {"resolved"},  # the rule of another time: what was flagged and fell
    "flags.rule": {"new_route"},  # the indicator of that name, a rise of the route itself
    "indicators.new_route": {"new_route"},  # the indicator
    "reference.cases": {"relabel", "backfill"},  # what a published case is judged to be
    "world.china_minerals_2023": {"hub_reexport", "ghost_transit", "new_route", "price_only"},  # what is planted
    "world.russia_2022": {
        "hub_reexport",
        "ghost_transit",
        "new_route",
        "relabel",
        "price_only",
        "second_hop",
    },  # what is planted
    "world.episodes": {
        "hub_reexport",
        "ghost_transit",
        "new_route",
        "relabel",
        "price_only",
        "second_hop",
    },  # what is planted
}

TOUCH_THE_DISK = ("store", "sources", "fetch", "contract.settings", "reference", "cli", "pipelines", "notebook")
DISK = {"glob", "os", "pathlib", "shutil", "socket", "subprocess", "tempfile", "urllib", "fileinput"}
ONLY = {  # library → folders or modules that may import it
    "click": ("cli", "pipelines"),
    "sklearn": ("scores",),
    "scipy": ("features", "scores"),
    "pandas": ("sources.reading.workbooks", "notebook"),
    "filelock": ("store",),
    "structlog": ("pipelines.log",),
    "xlsxwriter": ("reports",),
    "jinja2": ("reports",),
    "py7zr": ("sources",),
    "httpx2": ("fetch.client",),  # the only module that opens connections
}
# The publishers on loopback stand beside the program (decision 0025): it never reaches for them, and they see of it only
# what the world is made of. The network is theirs alone here, and in two files.
LOOPBACK, LOOPBACK_SEES = "loopback", ("world",)
SERVE = {"http", "socket", "socketserver", "ssl", "asyncio"}
SERVES = ("loopback.server", "loopback.sending")
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "shared", "lib"}
MOST_LINES = 350  # docstrings apart, which say each parameter


def is_within(module: str, places: tuple[str, ...]) -> bool:
    """Whether a module is one of these folders or modules, or lies below one."""
    name = f"{module.removeprefix('anomaly.')}."
    return any(name.startswith(f"{place}.") for place in places)


def floor_faults(trees: dict[str, ast.Module]) -> Iterator[str]:
    for module, tree in trees.items():
        folder = folder_of(module)
        if module == "anomaly":
            continue
        if folder not in FLOOR_OF:
            yield f"{module} has no floor: put it into a folder, or give its folder a place in FLOORS"
            continue
        for target in sorted(targets(tree, trees)):
            target_folder = folder_of(target)
            if target_folder != folder and FLOOR_OF.get(target_folder, len(FLOORS)) >= FLOOR_OF[folder]:
                yield f"{module} imports {target}: {target_folder} is not below {folder}"


def registered(trees: dict[str, ast.Module], package: str) -> list[str] | None:
    """The leaves that a package's __init__ names in its tuple, or None where it is no literal tuple."""
    registry, member = REGISTRIES[package]
    for node in trees[f"anomaly.{package}"].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == registry:
            if not isinstance(node.value, ast.Tuple):
                return None
            leaves = [item.value.id for item in node.value.elts if is_member(item, member)]  # type: ignore[attr-defined]
            return leaves if len(leaves) == len(node.value.elts) else None
    return None


def is_member(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.value, ast.Name)


def defines(tree: ast.Module, name: str) -> bool:
    return any(
        isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        for node in tree.body
    )


def registry_faults(trees: dict[str, ast.Module]) -> Iterator[str]:
    for package, (registry, member) in REGISTRIES.items():
        leaves = registered(trees, package)
        if leaves is None:
            yield f"anomaly.{package}.{registry} is no literal tuple of <file>.{member}"
            continue
        prefix = f"anomaly.{package}."
        for module, tree in trees.items():
            if not module.startswith(prefix):
                continue
            leaf = module.removeprefix(prefix)
            if defines(tree, member) != (leaf in leaves):
                yield f"{module}: {member} and its line in {registry} belong together"
            for target in sorted(targets(tree, trees)):
                if target == prefix.rstrip(".") or (
                    target.startswith(prefix) and target.removeprefix(prefix) in leaves
                ):
                    yield f"{module} imports {target}: only the package's __init__ imports its leaves"


def literals(tree: ast.Module) -> Iterator[str]:
    """Every text of a module but its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)]
    docs = {id(statement.value) for statement in docstrings if isinstance(statement, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def types_named_in(text: str) -> set[str]:
    """Types of flags that a text names; one that is an English word only where the text is nothing else."""
    return {
        flag_type.name
        for flag_type in TYPES
        if (flag_type.name == text or ("_" in flag_type.name and re.search(rf"\b{flag_type.name}\b", text)))
    }


def type_faults(trees: dict[str, ast.Module]) -> Iterator[str]:
    for module, tree in trees.items():
        name = module.removeprefix("anomaly.")
        allowed = NAMES_A_TYPE.get(name, set())
        if name.startswith("flags.types."):
            allowed = {name.rpartition(".")[2]}
        for named in sorted({type_name for text in literals(tree) for type_name in types_named_in(text)} - allowed):
            yield f"{module} names the type {named}: ask anomaly.flags.naming, or add it to NAMES_A_TYPE with its reason"


def library_faults(trees: dict[str, ast.Module]) -> Iterator[str]:
    for module, tree in trees.items():
        libraries = {name.split(".")[0] for name in imported(tree)}
        for library, places in ONLY.items():
            if library in libraries and not is_within(module, places):
                yield f"{module} imports {library}, which is for {', '.join(places) or 'nobody'}"
        if any(name.startswith(".") for name in imported(tree)):
            yield f"{module} imports by dots: say anomaly.… so that grep finds it"


def disk_faults(trees: dict[str, ast.Module]) -> Iterator[str]:
    for module, tree in trees.items():
        if is_within(module, TOUCH_THE_DISK):
            continue
        touched = sorted({name.split(".")[0] for name in imported(tree)} & DISK)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                touched.append("open()")
            if isinstance(node, ast.Attribute):
                is_polars = isinstance(node.value, ast.Name) and node.value.id == "pl"
                if node.attr.startswith("sink_") or (is_polars and node.attr.startswith(("read_", "scan_"))):
                    touched.append(f".{node.attr}")
        yield from (f"{module} touches the disk: {call}" for call in touched)


def cycle_faults(trees: dict[str, ast.Module]) -> Iterator[str]:
    graph = {module: targets(tree, trees) - {module} for module, tree in trees.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> Iterator[str]:
        if module in path:
            yield " → ".join([*path[path.index(module) :], module])
        elif module not in done:
            for target in sorted(graph[module]):
                yield from visit(target, (*path, module))
            done.add(module)

    for module in graph:
        yield from visit(module, ())


def loopback_faults(program: dict[str, ast.Module], loopback: dict[str, ast.Module]) -> Iterator[str]:
    """What breaks the wall between the program and the publishers on loopback."""
    for module, tree in program.items():
        if any(f"{name}.".startswith(f"{LOOPBACK}.") for name in imported(tree)):
            yield f"{module} imports {LOOPBACK}, which is no part of the program"
    for module, tree in loopback.items():
        for name in imported(tree):
            if name.startswith("anomaly.") and not is_within(name, LOOPBACK_SEES):
                yield f"{module} imports {name}: of the program it sees only {', '.join(LOOPBACK_SEES)}"
            if name.startswith(("pipelines", "release", "tests")):
                yield f"{module} imports {name}"
            if name.split(".")[0] in SERVE and module not in SERVES:
                yield f"{module} imports {name}: the network is for {', '.join(SERVES)}"
    yield from cycle_faults(loopback)


def lines_of_code(text: str) -> int:
    """Lines of a file without its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, documented) and ast.get_docstring(node)]
    docstrings = sum((node.body[0].end_lineno or 0) - node.body[0].lineno + 1 for node in nodes)
    return len(text.splitlines()) - docstrings


def file_faults(root: Path) -> Iterator[str]:
    for path in sorted(
        path
        for folder in ("anomaly", "pipelines", "loopback", "benchmarks", "tests")
        for path in root.glob(f"{folder}/**/*.py")
    ):
        name = path.relative_to(root).as_posix()
        if path.stem in VAGUE:
            yield f"{name}: a name that says nothing"
        lines = lines_of_code(path.read_text(encoding="utf-8"))
        if lines > MOST_LINES and not name.startswith("tests/"):
            yield f"{name}: {lines} lines without docstrings, at most {MOST_LINES}"


RULES = {
    "floors": floor_faults,
    "registries": registry_faults,
    "libraries": library_faults,
    "disk": disk_faults,
    "cycles": cycle_faults,
    "types": type_faults,
}


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_rules(rule):
    assert list(RULES[rule](modules(ROOT))) == []


def test_the_program_and_the_publishers_on_loopback_stand_apart():
    loopback = modules(ROOT, (LOOPBACK,))
    assert set(SERVES) < set(loopback)
    assert list(loopback_faults(modules(ROOT), loopback)) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("anomaly/flags/flags.py", "def late():\n    from loopback.server import serving\n"),
        ("pipelines/flows.py", "import loopback\n"),
        ("loopback/one.py", "from anomaly.sources import base\n"),
        ("loopback/one.py", "from pipelines import flows\n"),
        ("loopback/one.py", "from http.server import BaseHTTPRequestHandler\n"),
        ("loopback/one.py", "import loopback.two\n"),
    ],
)
def test_a_planted_breach_of_the_wall_is_found(tmp_path, name, text):
    root = small_house(
        tmp_path, {"loopback/__init__.py": "", "loopback/two.py": "from loopback import one\n", name: text}
    )
    (root / "loopback/one.py").touch()
    assert list(loopback_faults(modules(root), modules(root, (LOOPBACK,))))


def test_no_file_is_vague_or_too_long():
    assert list(file_faults(ROOT)) == []


def test_no_template_names_a_type_of_flag():
    templates = sorted(ROOT.glob("anomaly/reports/templates/*"))
    assert templates
    assert {path.name: types_named_in(path.read_text(encoding="utf-8")) for path in templates} == {
        path.name: set() for path in templates
    }


def test_a_place_that_may_name_a_type_still_does():
    trees = modules(ROOT)
    for module, names in NAMES_A_TYPE.items():
        assert {name for text in literals(trees[f"anomaly.{module}"]) for name in types_named_in(text)} == names


def test_every_job_stands_in_one_explicit_tuple():
    tree = modules(ROOT)["pipelines.run"]
    jobs = [node for node in tree.body if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "JOBS"]
    assert len(jobs) == 1
    assert isinstance(jobs[0].value, ast.Tuple)
    assert all(is_member(item, "JOB") for item in jobs[0].value.elts)
    named = [item.value.id for item in jobs[0].value.elts]  # type: ignore[attr-defined]
    own = {
        name.removeprefix("pipelines.")
        for name, source in modules(ROOT).items()
        if name.startswith("pipelines.") and defines(source, "JOB")
    }
    assert sorted(named) == sorted(own)


def small_house(root: Path, planted: dict[str, str]) -> Path:
    """A house of a few files that keeps every rule, and what is planted in it."""
    files = {
        "anomaly/__init__.py": "",
        "anomaly/contract/errors.py": "import math\n",
        "anomaly/contract/schema.py": "from anomaly.contract.errors import AnomalyError\n",
        "anomaly/contract/settings.py": "from pathlib import Path\n",
        "anomaly/reference/goods.py": "from anomaly.contract import errors\n",
        "anomaly/store/store.py": "import os\nfrom anomaly.contract import schema\n",
        "anomaly/bilateral/coverage.py": "from anomaly.contract import schema\n",
        "anomaly/flags/flags.py": "from anomaly.bilateral import coverage\n",
        "anomaly/cli/commands.py": "import click\n",
        "pipelines/__init__.py": "",
        "pipelines/flows.py": "from anomaly.store import store\nimport pathlib\n",
    }
    for folder in {name.rpartition("/")[0] for name in files}:
        files.setdefault(f"{folder}/__init__.py", "")
    for package, (registry, member) in REGISTRIES.items():
        folder = f"anomaly/{package.replace('.', '/')}"
        files[f"{folder}/__init__.py"] = (
            f"from anomaly.{package} import one\n{registry}: tuple[object, ...] = (one.{member},)\n"
        )
        files[f"{folder}/base.py"] = ""
        files[f"{folder}/one.py"] = f"from anomaly.{package} import base\n{member} = 1\n"
    for name, text in {**files, **planted}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_house_that_keeps_the_rules_has_no_fault(tmp_path):
    trees = modules(small_house(tmp_path, {}))
    assert [fault for rule in RULES.values() for fault in rule(trees)] == []


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        ("floors", "anomaly/contract/errors.py", "from anomaly.reference import goods\n"),
        ("floors", "anomaly/contract/schema.py", "def late():\n    from anomaly.store.store import Store\n"),
        ("floors", "anomaly/bilateral/coverage.py", "import anomaly.store.store\n"),
        ("floors", "anomaly/bilateral/coverage.py", "from anomaly.sources.base import RawFile\n"),
        ("floors", "anomaly/sources/one.py", "from anomaly.reports import base\nSOURCE = 1\n"),
        ("floors", "anomaly/flags/flags.py", "from anomaly.cli import commands\n"),
        ("floors", "anomaly/flags/flags.py", "from pipelines import flows\n"),
        ("floors", "pipelines/flows.py", "from anomaly.cli import commands\n"),
        ("floors", "anomaly/nowhere.py", ""),
        ("floors", "anomaly/new_folder/new.py", ""),
        ("registries", "anomaly/sources/two.py", "from anomaly.sources import one\n"),
        ("registries", "anomaly/sources/two.py", "from anomaly.sources import SOURCES\n"),
        ("registries", "anomaly/indicators/two.py", "INDICATOR = 2\n"),
        ("registries", "anomaly/reports/__init__.py", "REPORTS = [1]\n"),
        (
            "registries",
            "anomaly/reports/__init__.py",
            "from x import find\nREPORTS: tuple[object, ...] = tuple(find())\n",
        ),
        ("registries", "anomaly/flags/types/two.py", "TYPE = 2\n"),
        ("types", "anomaly/reports/one.py", "REPORT = 1\nIS_GHOST = 'ghost_transit'\n"),
        ("types", "anomaly/contract/schema.py", "MEANING = 'hub_reexport, ghost_transit or another'\n"),
        ("types", "anomaly/flags/flags.py", "def late(row):\n    return row['flag_type'] == 'resolved'\n"),
        ("types", "anomaly/flags/types/hub_reexport.py", "OTHER = 'relabel'\n"),
        ("types", "anomaly/flags/resolved.py", "OTHER = 'ghost_transit'\n"),
        ("libraries", "anomaly/bilateral/coverage.py", "import sklearn.ensemble\n"),
        ("libraries", "anomaly/store/store.py", "def late():\n    import pandas as pd\n"),
        ("libraries", "anomaly/flags/flags.py", "from click import echo\n"),
        ("libraries", "anomaly/flags/flags.py", "from . import coverage\n"),
        ("libraries", "pipelines/flows.py", "import pandas\n"),
        ("libraries", "anomaly/fetch/one.py", "import httpx2\nPUBLISHER = 1\n"),
        ("disk", "anomaly/bilateral/coverage.py", "from pathlib import Path\n"),
        ("disk", "anomaly/contract/errors.py", "from pathlib import Path\n"),
        ("disk", "anomaly/flags/flags.py", "def late():\n    return open('x')\n"),
        ("disk", "anomaly/reports/one.py", "import polars as pl\npl.read_csv('x')\nREPORT = 1\n"),
        ("disk", "anomaly/flags/flags.py", "lazy.sink_parquet('x')\n"),
        ("cycles", "anomaly/sources/base.py", "def late():\n    from anomaly.sources import one\n"),
        ("cycles", "anomaly/contract/errors.py", "from anomaly.contract import schema\n"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, rule, name, text):
    assert list(RULES[rule](modules(small_house(tmp_path, {name: text}))))


@pytest.mark.parametrize(
    "planted", [{"anomaly/utils.py": ""}, {"anomaly/flags/flags.py": "x = 1\n" * (MOST_LINES + 1)}]
)
def test_a_planted_file_that_is_vague_or_too_long_is_found(tmp_path, planted):
    assert list(file_faults(small_house(tmp_path, planted)))
