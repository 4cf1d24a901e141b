"""Code of a service's own, run when its objects change: what it is given and what it may do.

A model names hooks, a Python package offers them as entry points of the group `gluon.hooks`. A change
that is refused raises an error of `gluon.errors` (`Invalid`, `Conflict`, `Forbidden`), whose words
reach the client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from gluon.objects import journal

GROUP = "gluon.hooks"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One object before and after a change, as bodies of the stored version; None where there is none.

    `revision` is 0 until the change is committed. Secret attributes read as null. `dry_run`: the client only wants
    to know what would happen, so a `before` hook must not change anything elsewhere.
    """

    op: journal.Operation
    api: str
    type: str
    key: str
    project: str | None
    who: str
    request_id: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    revision: int = 0
    dry_run: bool = False


class Reader(Protocol):
    """Other objects of the same proton, as a `before` hook or an action may read them."""

    async def get(self, object_type: str, key: str) -> Mapping[str, Any] | None:
        """The object's body, or None. That it was read is kept: the change holds only if it stays so."""


Look = Callable[[str, str], Mapping[str, Any] | None]
"""The same for a `check`, inside the decision: (object type, key) to body."""

Check = Callable[[Subject, Look], None]
"""Pure: no I/O, nothing kept. Raises to refuse. May be called more than once for one change."""

Before = Callable[[Subject, Reader], Awaitable[Mapping[str, Any] | None]]
"""May do I/O, before the database is locked. Returns attributes to set, judged like a client's. Raises to refuse."""

After = Callable[[Subject], Awaitable[None]]
"""Called for every committed change in order, at least once, also after a crash; told apart by `revision`.
Raises `TryLater` or anything else to be called again with growing pauses, `GiveUp` to be skipped."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an action did: `answer` is what the client gets, `changes` are attributes to set in the object,
    read-only ones too."""

    answer: Mapping[str, Any]
    changes: Mapping[str, Any] = {}


Act = Callable[[Subject, Mapping[str, Any], Reader], Awaitable[Outcome]]
"""An action: the object in `old`, what the client sent. Raises to refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """An `after` hook and the object types, as (api, type), whose changes it follows."""

    name: str
    types: frozenset[tuple[str, str]]
    code: After
