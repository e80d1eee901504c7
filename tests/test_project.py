"""The project itself: what it depends on, what it ships, and what may not be in a commit."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("streams", "models", "alerts")
FOLDERS = (*PACKAGES, "tools", "tests", "benchmarks", "docs", "deploy", ".ci")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIN = re.compile(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.!]*)(?:  # needed by ([A-Za-z0-9._-]+))?")
# not imported by us, but used by this module
DATA_ONLY = {"psycopg-binary": "psycopg", "tzdata": "zoneinfo"}
# one name of modules, many distributions: those that hold what is imported
SHARED = {"opentelemetry": ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"]}

# Written so that the patterns do not find themselves.
FORBIDDEN = {
    "path of a machine": r"(?<![\w.])/(?:w[o]rk|r[o]ot|h[o]me|U[s]ers)/\w|\b[A-Z]:\\U[s]ers",
    "package registry": r"p[y]pi\.|p[y]thonhosted|ind[e]x-url|find[-]links|trusted[-]host"
    r"|artif[a]ctory|PIP[_](?:INDEX|FIND)",
    "private key": r"-----B[E]GIN [A-Z ]*PRIVATE KEY",
    "access key": r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|glpat-[\w-]{16,}|xox[abps]-[\w-]{10,})",
    "credential in a link": r"https?://[^\s/:@'\"`]+:[^\s/:@'\"`]{6,}@",
}


class Pin:
    """A line of a requirements file."""

    def __init__(self, line: str) -> None:
        found = PIN.fullmatch(line)
        assert found, f"not `name==version` or `name==version  # needed by name`: {line!r}"
        self.written = found[1]
        self.name = canonicalize_name(found[1])
        self.version = found[2]
        self.needed_by = found[3]


def pins(file: str) -> list[Pin]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    return [Pin(line) for line in wanted if line != "-r requirements.txt"]


RUNTIME = pins("requirements.txt")
ALL = RUNTIME + pins("requirements-dev.txt")
DIRECT = [pin for pin in RUNTIME if pin.needed_by is None]
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
EXTRA = [Pin(line) for lines in EXTRAS.values() for line in lines]


def needs(name: str) -> set[str]:
    """Names that an installed distribution requires here, without extras."""
    found = map(Requirement, metadata.requires(name) or [])
    return {
        canonicalize_name(r.name)
        for r in found
        if r.marker is None or r.marker.evaluate({"extra": ""})
    }


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Top-level names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def distributions_imported(*folders: str) -> set[str]:
    modules = {module for path in sources(*folders) for module in imported(path)}
    own = {*PACKAGES, "tools", "tests", "benchmarks", "deploy"}
    outside = modules - sys.stdlib_module_names - own
    known = metadata.packages_distributions()
    assert outside <= known.keys(), f"imported but not installed: {sorted(outside - known.keys())}"
    names = {
        canonicalize_name(name) for module in outside for name in SHARED.get(module, known[module])
    }
    data = {name for name, reader in DATA_ONLY.items() if reader in modules}
    return names | data


# dependencies -------------------------------------------------------------------------------


def test_each_requirement_is_listed_once_and_in_order() -> None:
    assert len({pin.name for pin in ALL}) == len(ALL)
    for file in ("requirements.txt", "requirements-dev.txt"):
        keys = [(pin.needed_by is not None, pin.written.lower()) for pin in pins(file)]
        assert keys == sorted(keys), f"{file}: keep each part in alphabetical order"


def test_build_requirements_are_pinned() -> None:
    for line in PYPROJECT["build-system"]["requires"]:
        assert PIN.fullmatch(line), line


@pytest.mark.parametrize("pin", ALL, ids=lambda pin: pin.name)
def test_pin_is_what_is_installed(pin: Pin) -> None:
    assert metadata.version(pin.name) == pin.version, "run `make setup-dev`"


@pytest.mark.parametrize("pin", [p for p in ALL if p.needed_by], ids=lambda pin: pin.name)
def test_indirect_pin_is_needed_by_what_it_says(pin: Pin) -> None:
    assert pin.name in needs(pin.needed_by)


@pytest.mark.parametrize("listed", [RUNTIME, ALL], ids=["runtime", "dev"])
def test_nothing_that_is_installed_floats(listed: list[Pin]) -> None:
    names = {pin.name for pin in listed}
    floating = {need for pin in listed for need in needs(pin.name)} - names
    assert not floating, "pin these too"


def test_what_runs_imports_the_direct_requirements_and_nothing_else() -> None:
    assert distributions_imported(*PACKAGES) == {pin.name for pin in [*DIRECT, *EXTRA]}


def test_an_extra_is_what_is_tested() -> None:
    tested = {(pin.name, pin.version) for pin in pins("requirements-dev.txt")}
    assert {(pin.name, pin.version) for pin in EXTRA} <= tested


def test_tests_import_only_what_is_pinned() -> None:
    assert distributions_imported("tests", "tools", "benchmarks") <= {pin.name for pin in ALL}


def test_every_requirement_has_its_reason() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.-]+)` \|(.*)\|$", text, re.MULTILINE)
    build = [Pin(line).written for line in PYPROJECT["build-system"]["requires"]]
    assert sorted(name for name, _ in rows) == sorted([*(pin.written for pin in ALL), *build])
    assert all(reason.strip() for _, reason in rows)


# what is shipped ----------------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_data_files_are_shipped(package: str) -> None:
    globs = PYPROJECT["tool"]["setuptools"]["package-data"][package]
    folder = ROOT / package
    data = {
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and not path.name.startswith(".")
    }
    shipped = {path for glob in globs for path in folder.glob(glob) if path.is_file()}
    assert data - shipped == set(), "add them to package-data in pyproject.toml"
    assert all(any(folder.glob(glob)) for glob in globs), "a glob of package-data finds nothing"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    folders = {path.parent for path in sources(package)}
    assert all((folder / "__init__.py").exists() for folder in folders)


def test_every_public_module_says_what_it_is() -> None:
    for path in sources(*PACKAGES, "tools"):
        if path.name == "__init__.py" or not path.name.startswith("_"):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


# what may not be in a commit ----------------------------------------------------------------


def committed() -> Iterator[Path]:
    """Files as a commit would hold them, without asking git, which may not be installed."""
    made = {"__pycache__"}
    top = {".md", ".toml", ".txt", ".cfg"}
    for path in sorted(ROOT.iterdir()):
        if path.is_file() and (path.suffix in top or path.name in ("Makefile", ".gitignore")):
            yield path
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and not made & set(path.parts) and path.suffix != ".pyc":
                yield path


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_private_is_committed(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, what


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("path of a machine", 'open("/' + 'home/amal/x.csv")'),
        ("package registry", "--extra-ind" + "ex-url https://x/simple"),
        ("private key", "-----BEGIN " + "RSA PRIVATE KEY-----"),
        ("access key", "AKIA" + "ABCDEFGHIJKLMNOP"),
        ("credential in a link", "https://me:" + "s3cret@example.com"),
    ],
)
def test_private_things_would_be_found(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line)
