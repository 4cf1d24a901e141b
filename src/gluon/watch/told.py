"""A journal entry as watchers are told of it, and the lines that say so.

In: an entry, its `Kind`. Out: lines, each made once for all watchers of a shape. Invariant: a line has what both its
objects show; who may see only one of them is told that it came or went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from gluon.objects import codec, journal
from gluon.watch.kinds import Body, Kind

ANY = object()
"""Stands for all projects."""
NONE: frozenset[str] = frozenset()


class Event(StrEnum):
    """The words of Kubernetes. An object that enters or leaves what a watcher sees is ADDED or DELETED."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    ERROR = "ERROR"


class Shape:
    """How events are written: for which version of a type, as lines of JSON or as server-sent events.

    `turn` makes the body there of a stored one; `words` replace `version`, `kind` and `plural`.
    """

    __slots__ = ("sse", "turn", "words")

    def __init__(
        self,
        *,
        sse: bool = False,
        turn: Callable[[Body], dict[str, Any]] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        self.sse = sse
        self.turn = turn
        self.words = words or {}

    def line(self, event: Event, token: str | None, text: bytes) -> bytes:
        """One event; `text` is JSON without a line's end."""
        if not self.sse:
            return text + b"\n"
        head = b"id: %s\n" % token.encode() if token else b""
        return b"%sevent: %s\ndata: %s\n\n" % (head, event.encode(), text)

    def document(self, stored: bytes) -> bytes:
        return stored if self.turn is None else codec.encode(self.turn(codec.decode(stored)))


LINES = Shape()
SSE = Shape(sse=True)


class Told:
    """One change of one object. `steady`: of its status alone, so that it is in sight before if it is after."""

    __slots__ = (
        "_bodies",
        "_covers",
        "_lines",
        "_token",
        "after",
        "before",
        "entry",
        "key",
        "kind",
        "new",
        "number",
        "old",
        "steady",
    )

    def __init__(
        self,
        entry: journal.Entry,
        kind: Kind,
        *,
        key: str,
        old: bytes | None,
        new: bytes | None,
        project: str | None,
        token: Callable[[int], str],
        whole: bool,
        last: bool,
        steady: bool = False,
    ) -> None:
        """`project` of the object now. `whole`: no other change of the same unit follows; `last`: none of this kind."""
        self.entry, self.kind, self.old, self.new, self.steady = entry, kind, old, new, steady
        self.key, self._token = key, token
        self._covers = (
            entry.revision if whole else entry.revision - 1,
            entry.revision if last else entry.revision - 1,
        )
        self.number = -1
        self._bodies: dict[bytes, Body] = {}
        self._lines: dict[tuple[Shape, Event, int, frozenset[str], frozenset[str]], bytes] = {}
        self.after = self.before = project
        if kind.project_of is not None and old is not None and new is not None:
            self.before = kind.project_of(self.body(old))

    @property
    def revision(self) -> int:
        return self.entry.revision

    def covers(self, alone: bool) -> int:
        """The revision up to which nothing is missing after this, for who watches this kind alone, or others too."""
        return self._covers[alone]

    @property
    def size(self) -> int:
        """Bytes that it keeps in memory, about: its documents, and the lines made of them."""
        return 1024 + 3 * (len(self.old or b"") + len(self.new or b""))

    def body(self, document: bytes) -> Body:
        """Decoded once."""
        found = self._bodies.get(document)
        if found is None:
            found = self._bodies[document] = codec.decode(document)
        return found

    def line(
        self,
        shape: Shape,
        event: Event,
        covers: int,
        hidden: frozenset[str] = NONE,
        hidden_old: frozenset[str] = NONE,
    ) -> bytes | None:
        """With the token of `covers`. Without the attributes that are `hidden` in the object now, and in the one before; None where nothing is left
        that changed."""
        key = (shape, event, covers, hidden, hidden_old)
        found = self._lines.get(key)
        if found is None:
            found = self._lines[key] = self._written(*key)
        return found or None

    def _written(
        self, shape: Shape, event: Event, covers: int, hidden: frozenset[str], hidden_old: frozenset[str]
    ) -> bytes:
        entry, kind, token = self.entry, self.kind, self._token(covers)
        deleted = event is Event.DELETED
        shown = self._shown(self.old if deleted else self.new, hidden_old if deleted else hidden)
        members: dict[str, Any] = {
            "type": event,
            "api": kind.api,
            "version": kind.version,
            "kind": kind.name,
            "plural": kind.plural,
            **shape.words,
            "key": self.key,
            "op": entry.op,
            "cause": "intent" if entry.intent else "status",
            "at": entry.at,
            "revision": entry.revision,
            "resume": token,
            "object": msgspec.Raw(shape.document(shown)),
        }
        if event is Event.MODIFIED and self.old is not None:
            before = self._shown(self.old, hidden_old)
            if (hidden or hidden_old) and _alike(before, shown):
                return b""
            members["old"] = msgspec.Raw(shape.document(before))
        return shape.line(event, token, codec.encode(members))

    def _shown(self, document: bytes | None, hidden: frozenset[str]) -> bytes:
        assert document is not None
        if not hidden:
            return document
        return codec.encode(
            {name: value for name, value in self.body(document).items() if name not in hidden}
        )


def _alike(one: bytes, other: bytes) -> bool:
    """But for the time of the change."""
    first, second = codec.decode(one), codec.decode(other)
    return {**first, "updated_at": None} == {**second, "updated_at": None}


def bookmark(shape: Shape, token: str, revision: int) -> bytes:
    """Nothing is missing up to here."""
    members = {"type": Event.BOOKMARK, "revision": revision, "resume": token}
    return shape.line(Event.BOOKMARK, token, codec.encode(members))


def error(shape: Shape, code: str, detail: str, token: str | None) -> bytes:
    """The last line of a stream: why it ends, and where to go on; without a token: list again."""
    members = {"type": Event.ERROR, "code": code, "detail": detail}
    if token is not None:
        members["resume"] = token
    return shape.line(Event.ERROR, token, codec.encode(members))
