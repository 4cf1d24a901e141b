"""Secret attributes in a shim: what `/gluon/secret/…` says, and how it is kept out of logs and replies.

In: values of these keys, texts that go out. Out: `Secret`, `Shown` (what a backend is given), `wipe`. Invariant: neither
shows a value when it is printed. Called by `changes`, `world` and `calls`.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gluon.objects import published, status
from gluon.spi.backend import Stored

_SHORTEST = 4
"""Shorter values are too like any other text to be looked for."""
_WIPED = "…"

_known: weakref.WeakSet[Shown] = weakref.WeakSet()
"""All that backends of this process were given and that holds."""
_past: dict[frozenset[str], None] = {}
"""Words of what held before, the oldest first: rows of it are removed after it is gone, which may fail."""
_MOST_PAST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """The secret attributes of one object, as stored. `revision` and `model`: of the object that they belong to."""

    revision: int
    model: str
    values: Mapping[str, Any] = field(repr=False)

    def belongs_to(self, stored: Stored) -> bool:
        """The two keys are written in one Txn, but of a newer row: and they are read one after the other."""
        return self.revision == stored.revision and self.model == published.digest(stored.body)


class Shown(Mapping[str, Any]):
    """Secret attributes by name, with a face that may be printed."""

    __slots__ = ("__weakref__", "_values", "words")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self.words = frozenset(form for word in _words(self._values) for form in _forms(word))
        _known.add(self)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<secret: {', '.join(self._values)}>"


def read(document: Mapping[str, Any]) -> Secret:
    """Raises `ValueError` for what is no such value, without a word of it."""
    revision, model, values = (document.get(name) for name in ("revision", "model", "values"))
    if not isinstance(revision, int) or not isinstance(model, str) or not isinstance(values, dict):
        raise ValueError("no secret attributes")  # noqa: TRY004 - what is in etcd is a value, not a type
    return Secret(revision=revision, model=model, values=values)


def remember(shown: Shown) -> None:
    """It was given, and is another now or gone."""
    _past.pop(shown.words, None)
    _past[shown.words] = None
    if len(_past) > _MOST_PAST:
        del _past[next(iter(_past))]


def wipe(text: str) -> str:
    """`text` without any secret that a backend was given, plain or quoted."""
    if not text or not (_known or _past):
        return text
    given = (*(shown.words for shown in list(_known)), *_past)
    found = {word for words in given for word in words if word in text}
    for word in sorted(found, key=len, reverse=True):  # one may be a part of another
        text = text.replace(word, _WIPED)
    return text


def wiped(conditions: tuple[status.Condition, ...]) -> tuple[status.Condition, ...]:
    """The same of what a backend says of an object."""
    if not (_known or _past) or not any(c.message for c in conditions):
        return conditions
    return tuple(msgspec.structs.replace(c, message=wipe(c.message)) if c.message else c for c in conditions)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _SHORTEST:
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) >= _SHORTEST:
        yield str(value)


def _forms(word: str) -> Iterator[str]:
    """A text with and without white space around it, as it is and as Python (by itself, or among other quotes) and JSON write it."""
    for text in {word, word.strip()}:
        if len(text) >= _SHORTEST:
            yield text
            yield from (repr(text)[1:-1], repr(text + '"')[1:-2])
            yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
