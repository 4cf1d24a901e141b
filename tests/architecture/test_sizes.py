"""No file over 400 lines, no function over 60; there is no list of exceptions."""

import ast
import re

from tests.architecture import tree

CODE = ("src", "tests", "bench", "scripts")
SHELL = [path for path in tree.files() if path.name == "dev" or path.suffix == ".sh"]


def test_a_file_has_at_most_400_lines() -> None:
    lengths = {str(path): len(tree.text(path).splitlines()) for path in [*tree.python(*CODE), *SHELL]}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_a_function_has_at_most_60_lines() -> None:
    lengths = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in tree.python(*CODE)
        for node in tree.statements(ast.parse(tree.text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_a_shell_function_has_at_most_60_lines() -> None:
    for path in SHELL:
        for match in re.finditer(r"^\w+\(\) [{(]\n(.*?)^[})]", tree.text(path), re.MULTILINE | re.DOTALL):
            assert match[1].count("\n") <= 58, f"{path}: {match[0].splitlines()[0]}"
