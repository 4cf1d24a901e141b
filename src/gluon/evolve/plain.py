"""Frozen dataclasses as plain data, and back, by their declarations alone.

In: a dataclass of the model. Out: what JSON takes, without facts at their default; the class is said where a
declaration allows several. Pure. Used by `stored`, and by `diff` to compare what was read with what was loaded.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

_CLASS = "$"


def plain(value: Any) -> Any:
    """Only dictionaries, lists, texts, numbers, booleans and null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found: dict[str, Any] = {_CLASS: type(value).__name__}
        for name, default in _defaults(type(value)).items():
            fact = getattr(value, name)
            if fact != default:
                found[name] = plain(fact)
        return found
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, frozenset)):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def same(one: Any, other: Any) -> bool:
    """Whether two facts say the same: a list that was read is the tuple that was loaded."""
    return bool(one == other) or plain(one) == plain(other)


def made(value: Any, hint: Any) -> Any:
    """A value of the declared type. Raises `ValueError`, `TypeError`."""
    if value is None or hint is Any:
        return value
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return made(value, _chosen(value, inner))
    if origin is tuple:
        return tuple(made(item, inner[0]) for item in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {made(key, inner[0]): made(item, inner[1]) for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        known = _hints(hint)
        return hint(**{name: made(item, known[name]) for name, item in value.items() if name in known})
    return hint(value) if isinstance(hint, type) and issubclass(hint, Enum) else value


def _chosen(value: Any, choices: tuple[Any, ...]) -> Any:
    classes = [c for c in choices if dataclasses.is_dataclass(c)]
    if not classes:
        return next((c for c in choices if c is not type(None)), Any) if len(choices) == 2 else Any
    if len(classes) == 1:
        return classes[0]
    return next(c for c in classes if getattr(c, "__name__", "") == value[_CLASS])


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """Every field with its default; one without has a default that nothing equals."""
    found = {}
    for field in dataclasses.fields(kind):
        if field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
        else:
            found[field.name] = field.default
    return found
