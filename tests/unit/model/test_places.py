"""A character of an expression is found in the file, however YAML wrote the text."""

from pathlib import Path

import pytest

from gluon import errors
from gluon.model import loader, places, source
from gluon.model.problems import Problems

HEAD = 'file_version: "2.0"\ninfo: {name: m, version: "1"}\nobjects:\n  A:\n    api: {name: a}\n'
ATTRIBUTES = "    attributes: {x: {type: string}}\n    checks:\n"


@pytest.mark.parametrize(
    "written",
    [
        "rule: abc§def",
        "rule: 'abc§def'",
        "rule: 'it''s ''§def'",
        'rule: "abc§def"',
        r'rule: "a\"b\\c\td\x41\u00e9\U0001f600§def"',
        "rule: |\n  abc\n  d§ef\n",
        "rule: |-\n  §abc\n",
        "rule: >\n  abc\n  def §ghi\n  jkl\n",
        "rule: abc\n  def\n  gh§i",
        "rule: 'abc\n  def\n  gh§i'",
        "{rule: [abc, 'd§ef'], x: y}",
        "rule: größe §abc",
    ],
)
def test_a_character_is_found_where_it_was_written(written: str) -> None:
    marker = "§"
    whole = source.parse(written, "f", Problems())
    scalar = next(node for node in _scalars(whole) if marker in node.text)
    offset = scalar.text.index(marker)
    mark = places.place(scalar, offset)
    assert written.split("\n")[mark.line - 1][mark.column - 1] == marker


def _scalars(node: source.Node | None) -> list[source.Scalar]:
    if isinstance(node, source.Scalar):
        return [node]
    if isinstance(node, source.Sequence):
        return [s for item in node.items for s in _scalars(item)]
    return [s for _, value in node.entries for s in _scalars(value)] if node else []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("      - {rule: self.x == 5, message: a}\n", "8:23"),
        ('      - {rule: "self.x == 5", message: a}\n', "8:24"),
        ("      - message: a\n        rule: |\n          self.x != 'a' &&\n          self.x == 5\n", "11:18"),
    ],
)
def test_a_problem_of_an_expression_stands_at_its_character(tmp_path: Path, rule: str, expected: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(HEAD + ATTRIBUTES + rule, encoding="utf-8")
    with pytest.raises(errors.ModelError) as raised:
        loader.load([path])
    (problem,) = raised.value.problems
    assert f"{problem.line}:{problem.column}" == expected, problem
