"""Changes of the code that no test sees: `python -m tests.house.mutants COSMIC-RAY [MODULE …]`, which is `make mutants`.

A copy of the checkout is changed in one place at a time (cosmic-ray) and the tests of that module are run; where they
pass all the same, the change is printed. By hand and never in CI: a module takes minutes.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import ROOT

PROMISED_SHARE = 0.8
SECONDS_A_MUTANT = 120  # a change that never ends is seen, too
# Module of `anomaly` → tests that are to see its changes; those that see most of them in the least time.
SUITES = {
    "reference/editions": ("tests/reference/test_editions.py", "tests/reference/test_families.py"),
    "reference/families": ("tests/reference/test_families.py",),
    "reference/nomenclature": ("tests/reference/test_nomenclature.py",),
    "bilateral/coverage": ("tests/bilateral/test_coverage.py", "tests/bilateral/test_sums_and_extracts.py"),
    "bilateral/known": ("tests/bilateral/test_known.py", "tests/bilateral/test_bilateral.py"),
    "features/windows": ("tests/features/test_windows_plan.py", "tests/features/test_windows_end.py"),
    "scores/calibration": ("tests/scores/test_calibration.py",),
    "scores/shock": ("tests/scores/test_shock.py",),
    "scores/joint": ("tests/scores/test_joint.py",),
    "flags/rule": ("tests/flags/test_rule.py", "tests/flags/test_by_rule.py"),
    "store/commit": ("tests/store/test_store.py", "tests/store/test_damage.py", "tests/store/test_runs.py"),
    "store/runs": ("tests/store/test_runs.py",),
}
# Of every operator the neighbour that is hard to see (< for <=, & for |); the others break at once and only lift the share.
# A decorator that is taken away is a cache here, which changes no result.
KEPT = (
    *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div", "Mod_Mul", "Pow_Mul", "BitAnd_BitOr", "BitOr_BitAnd"),
    *("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "In_NotIn", "NotIn_In", "Is_IsNot", "IsNot_Is"),
)
CONFIGURATION = """[cosmic-ray]
module-path = "anomaly/{module}.py"
timeout = {seconds}
excluded-modules = []
test-command = "{command}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/RemoveDecorator", "core/Replace(?:Binary|Comparison)Operator_(?!(?:{kept})$)"]
"""


@dataclass(frozen=True)
class Tally:
    """What became of the mutants of a module.

    Parameters
    ----------
    killed : int
        Changes that a test saw, or that never ended.
    survived : tuple of str
        The others, each as a diff.
    untried : int
        Changes of which nothing is known, since cosmic-ray could not make them.
    """

    killed: int
    survived: tuple[str, ...]
    untried: int

    @property
    def share(self) -> float:
        """Of those tried; 0 where none was."""
        tried = self.killed + len(self.survived)
        return self.killed / tried if tried else 0.0


Span = tuple[tuple[int, int], tuple[int, int]]


def where_types_stand(source: str) -> list[Span]:
    """Where the types stand in a file: they are never run, so that no test can see a change there.

    Parameters
    ----------
    source : str
        Text of a Python file.

    Returns
    -------
    list of pair of pair of int
        Line (from 1) and column (from 0) of where each begins and ends.
    """
    types: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.arg, ast.AnnAssign)):
            types.append(node.annotation)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            types.append(node.returns)
    return [
        ((annotation.lineno, annotation.col_offset), (annotation.end_lineno or 0, annotation.end_col_offset or 0))
        for annotation in types
        if annotation is not None
    ]


def tally(dump: Iterable[str], unseen: Iterable[Span] = ()) -> Tally:
    """Count the lines of `cosmic-ray dump`: a mutant and its result each; what was filtered out is no mutant.

    Parameters
    ----------
    dump : iterable of str
        JSON, a pair of objects a line; the second is null where the mutant was not tried.
    unseen : iterable of pair of pair of int
        Parts of the file in which a change is no mutant.

    Returns
    -------
    Tally
        Survivors in the order of their diffs.
    """
    spans = list(unseen)
    killed = untried = 0
    survived = []
    for mutant, result in map(json.loads, filter(str.strip, dump)):
        begin = tuple(mutant["mutations"][0]["start_pos"])
        outcome = (result or {}).get("test_outcome")
        if (result or {}).get("worker_outcome") == "skipped" or any(start <= begin < end for start, end in spans):
            continue
        if outcome == "survived":
            survived.append(result["diff"])
        else:
            killed += outcome == "killed"
            untried += outcome != "killed"
    return Tally(killed, tuple(sorted(survived)), untried)


def lines_of(diff: str) -> Iterator[str]:
    """Of a diff, where it begins and which lines came and went."""
    for line in diff.splitlines():
        if line.startswith(("@@", "+", "-")) and not line.startswith(("+++", "---")):
            yield line


def copy_checkout(target: Path) -> None:
    """Copy what git tracks, as it is now: the checkout itself is never changed."""
    shutil.rmtree(target, ignore_errors=True)
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "anomaly", "pipelines", "tests"], cwd=target, check=True)


def try_module(cosmic_ray: Path, module: str, checkout: Path) -> Tally:
    """Change one module in every place, one at a time; an error where its tests fail without any change."""
    tests = " ".join((*SUITES[module], f"anomaly/{module}.py"))
    command = f"{sys.executable} -m pytest -x -p no:cacheprovider -m 'not slow' {tests}"
    name = module.replace("/", "-")
    configuration, session = f"{name}.toml", f"{name}.sqlite"
    text = CONFIGURATION.format(module=module, seconds=SECONDS_A_MUTANT, command=command, kept="|".join(KEPT))
    (checkout / configuration).write_text(text, encoding="utf-8")
    for program, *arguments in (
        ("cosmic-ray", "baseline", configuration),
        ("cosmic-ray", "init", configuration, session),
        ("cr-filter-operators", session, configuration),
        ("cr-filter-pragma", session),
        ("cosmic-ray", "exec", configuration, session),
    ):
        subprocess.run([cosmic_ray.parent / program, *arguments], cwd=checkout, check=True)
    dump = subprocess.run(
        [cosmic_ray, "dump", session], cwd=checkout, check=True, capture_output=True, text=True
    ).stdout
    source = (checkout / "anomaly" / f"{module}.py").read_text(encoding="utf-8")
    return tally(dump.splitlines(), where_types_stand(source))


def main(cosmic_ray: str, *modules: str) -> int:
    """Try the modules named, or all; 1 where the tests see less than the share promised."""
    unknown = [module for module in modules if module not in SUITES]
    if unknown:
        print(f"no tests are named for {', '.join(unknown)}: say any of {', '.join(SUITES)}", file=sys.stderr)
        return 2
    checkout = ROOT / "build" / "mutants" / "checkout"
    copy_checkout(checkout)
    killed = survived = 0
    for module in modules or SUITES:
        if not (checkout / "anomaly" / f"{module}.py").exists():
            print(f"{module}: not there", flush=True)
            continue
        result = try_module(Path(cosmic_ray).absolute(), module, checkout)
        killed, survived = killed + result.killed, survived + len(result.survived)
        for diff in result.survived:
            print(f"{module}: no test sees", *lines_of(diff), sep="\n  ")
        tried = result.killed + len(result.survived)
        print(f"{module}: {result.killed} of {tried} seen ({result.share:.0%}), {result.untried} not tried", flush=True)
    share = Tally(killed, ("",) * survived, 0).share
    print(f"{killed} of {killed + survived} seen ({share:.0%}); promised are {PROMISED_SHARE:.0%}")
    return int(share < PROMISED_SHARE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
