"""What the code imports is declared, what is declared is used, and what is declared is locked."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from gluon.testing import programs
from tests.architecture import tree

PROJECT = tomllib.loads(tree.text(Path("pyproject.toml")))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# Run as commands by ./dev and scripts/, or loaded by pytest and by the installer.
TOOLS = {"hatchling", "ruff", "mypy", "import-linter", "pytest-asyncio", "pytest-xdist", "grpcio-tools", "uv"}

GUESTS = re.compile(r"src/gluon/(hosted/|testing/servers/(keystone|neutron|nova|placement)_\w+\.py$)")
"""What runs inside of OpenStack's own processes, in environments that have all it imports."""


def normal(name: str) -> str:
    """A distribution's name as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: Iterable[str]) -> set[str]:
    """Names of distributions, without version, extras and our own."""
    found = {normal(re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]) for requirement in requirements}
    return found - {"gluon"}


RUNTIME = names(PROJECT["dependencies"]) | names(
    line for extra, lines in EXTRAS.items() if extra != "dev" for line in lines
)
DEV = names(EXTRAS["dev"])


@cache
def imported(*folders: str) -> set[str]:
    """Names of the distributions that the code below these folders imports, generated stubs included, guests left out."""
    distributions = importlib.metadata.packages_distributions()
    found: set[str] = set()
    for folder in folders:
        for path in (tree.ROOT / folder).rglob("*.py"):
            if GUESTS.search(path.as_posix()):
                continue
            for module in modules_of(ast.parse(path.read_text(encoding="utf-8"))):
                owners = {normal(name) for name in distributions.get(module, [])}
                # Of a name that several share (`opentelemetry`, `google`) those count that are declared, if any is.
                found |= owners & (RUNTIME | DEV) or owners
    return {name for name in found if not name.startswith("types-")} - {"gluon"}


def modules_of(code: ast.Module) -> Iterable[str]:
    for node in tree.statements(code):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_what_the_package_imports_is_declared() -> None:
    assert imported("src") - RUNTIME == set()


def test_what_is_declared_is_imported() -> None:
    # uvicorn finds httptools by its name, and pytest its own plug-in.
    assert RUNTIME - imported("src") - {"httptools", "pytest-asyncio"} == set()


def test_what_the_tests_import_is_declared() -> None:
    assert imported("tests", "scripts", "bench") - RUNTIME - DEV == set()


def test_every_tool_is_used() -> None:
    typed = {name for name in DEV if name.startswith("types-")}
    assert DEV - TOOLS - typed - imported("tests", "scripts", "bench") - imported("src") == set()


def test_the_extra_all_is_the_sum_of_the_others() -> None:
    (line,) = EXTRAS["all"]
    assert set(re.findall(r"\w+", line)) - {"gluon"} == set(EXTRAS) - {"all", "dev", "testing"}


def test_every_dependency_has_its_reason() -> None:
    lines = re.findall(
        r'^    "[A-Za-z][^"]*[><=][^"]*",(.*)$', tree.text(Path("pyproject.toml")), re.MULTILINE
    )
    assert len(lines) >= len(RUNTIME | DEV)
    assert all(line.strip().startswith("# ") for line in lines)


def test_the_lock_holds_every_dependency_with_its_hashes() -> None:
    entries = re.split(r"^(?=\w)", tree.text(Path("requirements.lock")), flags=re.MULTILINE)[1:]
    locked = {entry.partition("==")[0].lower() for entry in entries}
    assert (RUNTIME | DEV) - locked == set()
    assert [entry.partition("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_dev_installs_the_package_of_every_program() -> None:
    # Debian has these at once, or they come with their servers.
    implied = {
        "util-linux",
        "openvswitch-common",
        "postgresql-client",
        "postgresql-contrib",
        "mariadb-client",
    }
    installed = re.findall(r'"([^"$]*)"|\$demo ([^"]*)"', tree.text(Path("scripts/debian.sh")))
    names_installed = {word for pair in installed for text in pair for word in text.split()}
    assert set(programs._PACKAGES.values()) - implied - names_installed == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=tree.ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(path).namelist())


def test_the_wheel_holds_every_file_of_the_package(wheel: set[str]) -> None:
    ours = {path.relative_to("src").as_posix() for path in tree.files() if path.parts[0] == "src"}
    assert ours - wheel == set()
