"""The shape of the package: tests mirror it, imports point one way, its root is small, importing it is free."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.standin import REPO

PACKAGE = "reidar_plugin"
TESTS = REPO / "tests"

#: Who may import whom: a package or a module of the root imports only what stands in a line above its own.
LAYERS = (
    ("errors", "structures"),
    ("ranks",),
    ("io",),
    ("host",),
    ("config",),
    ("labels",),
    ("data", "losses", "metrics", "models"),
    ("report",),
    ("checkpoint",),
    ("inference",),
    ("engine", "plugin", "synthped"),
    ("launch",),
    ("__main__", "demo", "mends"),
)

#: Imports against the order that are allowed because they run inside a function, when it is called.
LATE = {
    (
        "reidar_plugin.data.registry",
        "synthped",
    ): "the data set that is drawn; its generator loads when it is asked for",
}

#: Modules with functions or classes, but without a test file of their own.
WITHOUT_TESTS = {
    "reidar_plugin.structures": "named tuples without code: everything that passes a batch on uses them",
    "reidar_plugin.report.page.content": "data classes without code: the pages and what fills them use them",
}

#: Test files that belong to no module of the package.
WHOLE_PROJECT = {
    "tools/test_every_tool.py": "tools/: what holds for each of them",
    "test_configs.py": "configs/: every file loads, says what its paper's row says, and trains a step",
    "test_elsewhere.py": "what tests may not do",
    "test_layout.py": "this file",
    "test_public_names.py": "reidar_plugin/__init__.py: the names that everybody imports",
    "test_promises.py": "docs/promises.md: the tests it names are there",
    "test_readme.py": "README.md and docs/: lines run, links lead somewhere",
    "test_requirements.py": "requirements.lock: what the test set-up installs",
}


@dataclass(frozen=True)
class Module:
    """A module of the package, as its source says."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def part(self) -> str:
        """The package or module directly under the root that it belongs to; empty for the root itself."""
        return self.name.split(".")[1] if "." in self.name else ""

    @property
    def only_passes_on(self) -> bool:
        """Whether it defines nothing of its own: imports under their old path, constants."""
        return not any(
            isinstance(n, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) for n in self.tree.body
        )

    @property
    def is_old_path(self) -> bool:
        """Whether it is nothing but a docstring, imports and ``__all__``."""
        kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
        return (
            not self.is_init and all(isinstance(n, kinds) for n in self.tree.body) and self._lists_names_only
        )

    @property
    def is_init(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def _lists_names_only(self) -> bool:
        targets = [ast.unparse(t) for n in self.tree.body if isinstance(n, ast.Assign) for t in n.targets]
        return targets == ["__all__"]

    def imports(self, *, late: bool) -> set[str]:
        """Modules of the package that it imports: at once, or ``late``, inside a function.

        What only a type checker reads (``if TYPE_CHECKING``) does not count.
        """
        found = set()
        for node, inside in _statements(self.tree):
            if inside == late and isinstance(node, ast.Import | ast.ImportFrom):
                found.update(self._targets(node))
        return {name for name in found if name in modules()}

    def _targets(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            return
        base = node.module or ""
        if node.level:  # relative: one dot is the package that the module is in
            parts = self.name.split(".")
            own = parts if self.is_init else parts[:-1]
            base = ".".join([*own[: len(own) - node.level + 1], *([node.module] if node.module else [])])
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            yield whole if whole in modules() else base


def _statements(node: ast.AST, inside: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes below, and whether each is inside a function."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    for child in ast.iter_child_nodes(node):
        deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, deeper
        yield from _statements(child, deeper)


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted((REPO / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")
        found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


@cache
def sources() -> dict[Path, set[str]]:
    """Names of the modules (and tools) whose tests belong into each folder of tests/."""
    found: dict[Path, set[str]] = {}
    folders = [(REPO / PACKAGE, TESTS), (REPO / "tools", TESTS / "tools")]
    for root, tests in folders:
        for path in root.rglob("*.py"):
            if path.name != "__init__.py":
                found.setdefault(tests / path.parent.relative_to(root), set()).add(path.stem.strip("_"))
    return found


def source_of(test: Path) -> str | None:
    """The module that a test file is named after: ``test_<module>.py`` or ``test_<module>_<topic>.py``."""
    stem = test.stem.removeprefix("test_")
    names = [name for name in sources().get(test.parent, ()) if stem == name or stem.startswith(f"{name}_")]
    return max(names, key=len, default=None)


def test_every_module_has_its_tests() -> None:
    tested = {(test.parent, source_of(test)) for test in TESTS.rglob("test_*.py")}
    missing = []
    for module in modules().values():
        if module.is_init or module.only_passes_on or module.name in WITHOUT_TESTS:
            continue
        folder = TESTS / module.path.parent.relative_to(REPO / PACKAGE)
        name = module.path.stem.strip("_")
        if (folder, name) not in tested:
            missing.append(
                f"{module.path.relative_to(REPO)}: no {(folder / f'test_{name}.py').relative_to(REPO)}"
            )
    assert not missing, f"{len(missing)} modules without tests of their name:\n" + "\n".join(missing)


def test_every_test_file_has_its_source() -> None:
    lost = [
        path.relative_to(TESTS).as_posix()
        for path in sorted(TESTS.rglob("test_*.py"))
        if path.relative_to(TESTS).as_posix() not in WHOLE_PROJECT and source_of(path) is None
    ]
    assert not lost, f"{len(lost)} test files are named after no module beside them:\n" + "\n".join(lost)


def test_exceptions_are_needed() -> None:
    """A line of the lists above that no longer excuses anything is taken out."""
    assert [name for name in WHOLE_PROJECT if not (TESTS / name).is_file() or source_of(TESTS / name)] == []
    assert [name for name in WITHOUT_TESTS if name not in modules() or modules()[name].only_passes_on] == []
    late = {(m.name, modules()[t].part) for m in modules().values() for t in m.imports(late=True)}
    assert [pair for pair in LATE if pair not in late] == []


def test_imports_point_one_way() -> None:
    rank = {part: number for number, layer in enumerate(LAYERS) for part in layer}
    unknown = {module.part for module in modules().values()} - {"", *rank}
    assert not unknown, f"give these a place in LAYERS: {sorted(unknown)}"
    wrong = []
    for module in modules().values():
        if not module.part or module.is_old_path:  # the root imports when called; old paths lead to new ones
            continue
        for late in (False, True):
            for target in module.imports(late=late):
                part = modules()[target].part
                if part in ("", module.part) or (late and (module.name, part) in LATE):
                    continue
                if rank[part] >= rank[module.part]:
                    wrong.append(f"{module.name} imports {target}{' inside a function' if late else ''}")
    assert not wrong, "against the order of LAYERS:\n" + "\n".join(sorted(wrong))


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {module.name: module.imports(late=False) - {PACKAGE} for module in modules().values()}
    assert sum(map(len, graph.values())) > 100  # else the imports were not found
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"a circle of imports: {' <- '.join(error.args[1])}") from None


def test_downloads_alone_reach_a_network() -> None:
    """And what they hand on to gdown; a lock asks for the name of its host."""
    reaching = re.compile(
        r"^\s*(?:import|from) (?:asyncio|ftplib|gdown|http|requests|smtplib|socket|ssl|urllib)\b", re.M
    )
    found = {
        path.relative_to(REPO / PACKAGE).as_posix()
        for path in (REPO / PACKAGE).rglob("*.py")
        if reaching.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"io/download.py", "io/folder_lock.py", "models/weights.py"}


def test_root_is_small() -> None:
    root = sorted(path.name for path in (REPO / PACKAGE).glob("*.py"))
    assert len(root) <= 8, f"at most eight modules at the root of the package, got {root}"


def test_importing_loads_nothing_else() -> None:
    code = (
        f"import sys; before = set(sys.modules); import {PACKAGE}; print(sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    names = {name.split(".")[0] for name in ast.literal_eval(loaded)}
    assert PACKAGE in names
    assert not names & {"torch", "torchvision", "torchreid", "numpy", "yacs", "cv2"}, names
