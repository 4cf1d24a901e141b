"""A file of rules as `oslo.policy` has it: names and rules, in YAML or JSON.

In: the text. Out: sources with their places, or every problem at once. Pure; `cmd` reads the file.
"""

from __future__ import annotations

from gluon import errors
from gluon.model import source
from gluon.model.facts import is_null
from gluon.model.problems import Problems
from gluon.policy.rulebook import Legacy, PolicyError, Source

MAX_RULES = 20_000


def read(text: str, file: str) -> dict[str, Source]:
    """The rules by name; none where the file is empty. Raises `PolicyError`."""
    problems = Problems()
    root = source.parse(text, file, problems)
    _check(problems)
    if root is None or is_null(root):
        return {}
    if not isinstance(root, source.Mapping):
        found = {}
        problems.add(root.mark, "the file must be a mapping of names to rules", 'write "name": "rule"')
    else:
        if len(root.entries) > MAX_RULES:
            problems.add(root.mark, f"there are more than {MAX_RULES} rules")
        found = {
            key.text: Source(rule=_rule(key.text, value, problems), place=_place(key))
            for key, value in root.entries[:MAX_RULES]
        }
    _check(problems)
    return found


def _rule(name: str, node: source.Node, problems: Problems) -> str | Legacy:
    if isinstance(node, source.Scalar):
        if is_null(node):
            problems.add(node.mark, f"rule {name} is empty", 'write "@" for everyone, "!" for nobody')
        return node.text
    if isinstance(node, source.Sequence):
        return [_way(name, item, problems) for item in node.items]
    problems.add(node.mark, f"rule {name} must be a text, or a list of lists of checks")
    return ""


def _way(name: str, node: source.Node, problems: Problems) -> str | list[str]:
    if isinstance(node, source.Scalar) and not is_null(node):
        return node.text
    if isinstance(node, source.Sequence):
        words = [item.text for item in node.items if isinstance(item, source.Scalar) and not is_null(item)]
        if len(words) == len(node.items):
            return words
    problems.add(node.mark, f"rule {name}: a list holds checks, or lists of checks")
    return []


def _place(key: source.Scalar) -> str:
    return f"{key.mark.file}:{key.mark.line}:{key.mark.column}"


def _check(problems: Problems) -> None:
    try:
        problems.raise_found()
    except errors.ModelError as error:
        raise PolicyError([str(problem) for problem in error.problems]) from None
