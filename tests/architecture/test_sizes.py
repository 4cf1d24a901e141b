"""No file over 400 lines, no function over 60; there is no list of exceptions."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture import tree

CODE = ("src", "tests", "bench", "scripts")
SHELL = [path for path in tree.files() if path.name == "dev" or path.suffix == ".sh"]


@pytest.mark.parametrize("path", [*tree.python(*CODE), *SHELL], ids=str)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(tree.text(path).splitlines()) <= 400


@pytest.mark.parametrize("path", tree.python(*CODE), ids=str)
def test_a_function_has_at_most_60_lines(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(tree.text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {
        f"{node.name}, line {node.lineno}": (node.end_lineno or 0) - node.lineno + 1 for node in functions
    }
    assert {name: length for name, length in lengths.items() if length > 60} == {}


@pytest.mark.parametrize("path", SHELL, ids=str)
def test_a_shell_function_has_at_most_60_lines(path: Path) -> None:
    for match in re.finditer(r"^\w+\(\) [{(]\n(.*?)^[})]", tree.text(path), re.MULTILINE | re.DOTALL):
        assert match[1].count("\n") <= 58, match[0].splitlines()[0]
