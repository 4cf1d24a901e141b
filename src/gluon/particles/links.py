"""References inside lists, maps and objects: found in a value, and taken out of it.

In: a `types.Link` and the value of its attribute as plain data. Out: pointers and keys, or a new value; the
one given is never changed. `tables.link_table` has the rows that these make.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from gluon.model import types

EVERY = "*"


def targets(link: types.Link, value: Any) -> Iterator[tuple[str, Any]]:
    """Each key that the value refers to at the link's path, with a JSON pointer to it."""
    return _walk(link.path[1:], value, f"/{_escaped(link.top)}")


def _walk(path: tuple[str, ...], value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if value is None:
        return
    if not path:
        yield pointer, value
    elif path[0] != EVERY:
        yield from _walk(path[1:], value.get(path[0]), f"{pointer}/{_escaped(path[0])}")
    else:
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _walk(path[1:], item, f"{pointer}/{_escaped(str(name))}")


def without(link: types.Link, value: Any, gone: Collection[Any]) -> Any:
    """The value after references to `gone` are unset: items leave their list or map, members become null."""
    return _without(link.path[1:], value, gone)


def _without(path: tuple[str, ...], value: Any, gone: Collection[Any]) -> Any:
    if value is None:
        return None
    if not path:
        return None if value in gone else value
    if path[0] != EVERY:
        return {**value, path[0]: _without(path[1:], value.get(path[0]), gone)}
    if isinstance(value, dict):
        kept = {name: _without(path[1:], item, gone) for name, item in value.items()}
        return {n: v for n, v in kept.items() if v is not None or value[n] is None}
    items = [(item, _without(path[1:], item, gone)) for item in value]
    return [new for old, new in items if new is not None or old is None]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
