"""Every room says what it is, and every way into the program leads somewhere."""

import configparser
import importlib.metadata
import importlib.util
import io
import os
import re
import shutil
import subprocess
import tokenize
import tomllib
from pathlib import Path

from tests.architecture import tree

PACKAGE = Path("src/gluon")
MODULES = tree.python("src")


def test_a_module_begins_with_what_it_is() -> None:
    without = [str(path) for path in MODULES if _first_token(tree.text(path)) != tokenize.STRING]
    assert without == [], "no docstring at its head"


def _first_token(text: str) -> int:
    """Of its code: comments and empty lines may come before."""
    kinds = (token.type for token in tokenize.generate_tokens(io.StringIO(text).readline))
    return next(kind for kind in kinds if kind not in (tokenize.COMMENT, tokenize.NL))


def test_a_folder_of_code_is_a_package() -> None:
    for folder in sorted({path.parent for path in MODULES}):
        holds_stubs_only = all("_pb2" in path.name for path in (tree.ROOT / folder).glob("*.py"))
        assert holds_stubs_only or (tree.ROOT / folder / "__init__.py").is_file(), folder


def test_every_room_has_its_layer() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(tree.ROOT / ".importlinter")
    layers = contracts["importlinter:contract:layers"]["layers"]
    rooms = {
        path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for path in MODULES
        if path.parent != Path("src")
    }
    assert rooms - {"__init__"} <= set(re.findall(r"\w+", layers))
    in_brackets = set(re.findall(r"\((\w+)\)", layers))
    assert rooms & in_brackets == set(), "a room that exists needs no brackets"


def test_every_entry_point_leads_somewhere() -> None:
    project = tomllib.loads(tree.text(Path("pyproject.toml")))["project"]
    expected = set(project["scripts"])
    for group in project["entry-points"].values():
        expected |= set(group)
    points = importlib.metadata.distribution("gluon").entry_points
    assert {point.name for point in points} == expected
    for point in points:
        if point.group.startswith("neutron."):  # only Neutron's processes can load them
            source = importlib.util.find_spec(point.module)
            assert source is not None
            assert source.origin is not None
            assert f"class {point.attr}(" in Path(source.origin).read_text(encoding="utf-8")
        else:
            assert callable(point.load()), point.name


def test_the_readme_shows_the_two_commands() -> None:
    readme = tree.text(Path("README.md"))
    assert "./dev demo" in readme
    assert "./dev test" in readme


def test_ci_runs_the_command_of_the_readme_and_every_live_suite() -> None:
    runs = re.findall(r"^run \w+ \d+ (.*)$", tree.text(Path(".ci/run")), re.MULTILINE)
    live = sorted(
        path.name for path in (tree.ROOT / "tests/live").iterdir() if (path / "conftest.py").is_file()
    )
    assert runs == ["test", *(f"test --live {name}" for name in live)]


def test_ci_fails_if_any_suite_does(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(tree.ROOT / ".ci/run", tmp_path / ".ci/run")
    dev = tmp_path / "dev"
    dev.write_text(
        '#!/bin/sh\necho "FAILED of $*"\necho "=== 1 passed in 1.00s ($*) ==="\n[ "$*" != "$BAD" ]\n'
    )
    dev.chmod(0o755)
    suites = ["test --live neutron", "test --live nova", "test"]
    for bad in ("nothing", *suites):
        done = subprocess.run(
            [tmp_path / ".ci/run"],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "BAD": bad},
        )
        assert done.returncode == (bad != "nothing")
        told = [
            line
            for suite in suites
            for line in (
                f"./dev {suite}: status {int(suite == bad)}",
                f"FAILED of {suite}",
                f"=== 1 passed in 1.00s ({suite}) ===",
            )
        ]
        assert done.stdout.splitlines()[-len(told) :] == told
