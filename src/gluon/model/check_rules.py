"""The part of `check` that judges expressions: their syntax, and their types as far as the attributes are clear."""

from __future__ import annotations

from collections.abc import Mapping

from gluon import expressions
from gluon.expressions.shapes import Shape
from gluon.model import build, check_values, places, resolve, shapes
from gluon.model import declare_parts as parts
from gluon.model.problems import Problems
from gluon.model.types import Attribute


def check(model: resolve.Model, problems: Problems) -> None:
    """Note every rule that cannot be read, or whose types do not fit; each object type in one go."""
    known = _Known(model)
    for base in model.bases.values():
        for number, rule in enumerate(base.declared.checks, start=1):
            _check_rule(rule, f"check {number} of {base.name}", None, problems)
    for object_type in model.types.values():
        if not object_type.checks:
            continue
        roots = shapes.roots_of(known, object_type.name) if object_type.whole else None
        own = len(object_type.checks) - len(object_type.declared.checks)
        for number, rule in enumerate(object_type.checks, start=1):
            name = f"check {number - own}" if number > own else f"inherited check {number}"
            if number > own or _is_readable(rule):
                _check_rule(rule, f"{name} of {object_type.name}", roots, problems)


def _is_readable(rule: parts.Check) -> bool:
    """Whether an inherited rule can be read; that it cannot is told at its base."""
    try:
        expressions.parse(rule.rule.value if rule.rule else "true")
    except expressions.Wrong:
        return False
    return True


class _Known:
    """The attributes of object types as far as they are clear, made once."""

    def __init__(self, model: resolve.Model) -> None:
        self._model = model
        self._made: dict[str, Mapping[str, Attribute | None]] = {}

    def __call__(self, name: str) -> Mapping[str, Attribute | None] | None:
        object_type = self._model.types.get(name)
        if object_type is None or not object_type.whole:
            return None
        if name not in self._made:
            attempt = check_values.attempt
            made = {
                n: attempt(n, a.merged, self._model, key=n == object_type.key)
                for n, a in object_type.attributes.items()
            }
            self._made[name] = {object_type.key: build.implicit_key(object_type.key, self._model), **made}
        return self._made[name]


def _check_rule(rule: parts.Check, where: str, roots: Mapping[str, Shape] | None, problems: Problems) -> None:
    if rule.rule is None:
        return
    try:
        if roots is None:
            expressions.parse(rule.rule.value)
        else:
            expressions.rule(rule.rule.value, roots)
    except expressions.Wrong as wrong:
        scalar = rule.rule.scalar
        mark = places.place(scalar, wrong.offset) if scalar else rule.rule.mark
        problems.add(mark, f"{where}: {wrong.message}", wrong.hint)
