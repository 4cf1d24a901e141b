"""What an object's row says of pools: the values that an attribute has of one, and the ranges of those that are its own.

In: attributes, pools and rows. Out: values, holders, texts of ranges. Pure; called by the engines that take values and that change models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gluon.model import types
from gluon.objects import codec
from gluon.particles import records
from gluon.spi import store

_is_path = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*").fullmatch


def holder(object_type: str, key: object, attribute: str) -> str:
    """By which name an attribute of an object holds its values."""
    return f"{object_type}/{key}/{attribute}"


def values(attribute: types.Attribute, held: store.Value) -> list[Any]:
    """All that is `held` in the column of an attribute: one value, or the items of a list."""
    if held is None:
        return []
    found = codec.decode(str(held)) if attribute.type is types.AttributeType.LIST else [held]
    return [one for one in found if one is not None]


def ranges(
    form: records.Records, pool: types.Pool, row: store.Row
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts of what an object's pool gives beside its own ranges, and of what it leaves out."""
    sources = tuple(_at(form, row, pool.source)) if pool.source else ()
    exclude = (e for text in pool.exclude for e in (_at(form, row, text) if _is_path(text) else (text,)))
    return sources, tuple(exclude)


def _at(form: records.Records, row: store.Row, path: str) -> Iterator[str]:
    top, *inner = path.split(".")
    value = row[form.column(top)]
    nested = form.object_type.attributes[top].type in types.NESTED
    yield from _texts(codec.decode(str(value)) if nested and value is not None else value, inner)


def _texts(value: Any, path: list[str]) -> Iterator[str]:
    """The texts at the end of a path that goes through lists and maps by itself."""
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, path)
    elif isinstance(value, dict) and path and path[0] in value:
        yield from _texts(value[path[0]], path[1:])
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item, path)
    else:
        yield str(value)
