"""The table of refusals has every code that the source raises, and no other."""

import ast
from collections.abc import Iterator
from pathlib import Path

from gluon.api import errors as answers
from gluon.export import errors_page, refusals
from gluon.model import loader

SOURCE = Path("src/gluon")
OPERATORS = {"upgrading", "repeated", "not_empty", "served"}
"""Told to who runs a command on a database, never over HTTP."""
MAKERS = {"Wrong", "problem", "_problem", "_wrong"}
"""Functions of the source that make a problem, with its code first or second."""


def texts(node: ast.AST) -> Iterator[str]:
    yield from (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def codes(node: ast.AST) -> Iterator[str]:
    """`code="…"`, `code = "…"` of an error, and what is given to those that make problems."""
    if isinstance(node, ast.keyword) and node.arg == "code":
        yield from texts(node.value)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and target.id == "code" and isinstance(node.value, ast.Constant):
            yield from texts(node.value)
    if isinstance(node, ast.Call) and (name := getattr(node.func, "id", getattr(node.func, "attr", ""))):
        for given in node.args[:2] if name in MAKERS else ():
            if isinstance(given, ast.Constant) and str(given.value).replace("_", "").isalpha():
                yield str(given.value)


def raised() -> set[str]:
    found = {code for _, code in answers._PLAIN.values()} | {"internal", "unavailable"}
    for path in SOURCE.rglob("*.py"):
        if path.parts[2] not in {"export", "testing"} and "_pb2" not in path.name:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found |= {code for code in codes(node) if code}
    return found


def test_every_code_of_the_source_is_in_the_table_and_each_row_is_raised() -> None:
    table = [refusal.code for refusal in refusals.table()]
    assert sorted(table) == sorted(raised() - OPERATORS)


def test_the_statuses_are_those_of_the_server() -> None:
    served = {status for _, status, _ in answers.STATUSES} | {404, 405, 406, 415, 500}
    assert {r.status for r in refusals.table()} == served


def test_each_row_is_whole() -> None:
    models = loader.load_shipped()
    for r in refusals.table():
        assert r.when.endswith(".") and r.cure.endswith(".") and r.example, r.code
        for model in models:
            assert all(r.given(model, t) in {True, False} for t in model.types.values())


def test_the_page_has_each_code_where_the_type_of_a_problem_leads() -> None:
    page, text = errors_page.html(), errors_page.markdown()
    for r in refusals.table():
        assert answers.type_of(r.code) == f"/docs/errors#{r.code}"
        assert f'id="{r.code}"' in page and f'<a id="{r.code}">' in text
