"""The journal's entries: outbox, events, audit and history in one.

Entries of one unit share its `revision`; `n` orders them inside it. Revisions grow in the order
of commits, with gaps. `old`/`new` are JSON texts of the object as stored (None: did not exist /
no longer exists).

Drafts and entries are Structs: thousands are made a second, and a frozen dataclass of so many fields
costs over ten times as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

GLUON = "gluon"
"""The `api` of Gluon's own entries; no proton may be called so."""

BINDING = "Binding"
"""Entry type (under `GLUON`) of a wanted port binding; its key is `<api>/<port>/<host>` of `binding_key`."""

MODEL = "Model"
"""Entry type (under `GLUON`) of a loaded model; its key is the proton's name."""


class Operation(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a unit wants in the journal; the store adds revision, n, who, request id and time."""

    op: Operation
    api: str
    type: str
    key: str
    project: str | None
    intent: bool
    old: bytes | None
    new: bytes | None


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of the journal. `at` is UTC, ISO 8601 with microseconds, no zone."""

    revision: int
    n: int
    op: Operation
    api: str
    type: str
    key: str
    project: str | None
    who: str
    request_id: str
    intent: bool
    old: bytes | None
    new: bytes | None
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a database is: its incarnation, the newest committed revision, the oldest in the journal.

    `revision` is 0 for a new database; `oldest` is 0 while the journal is empty.
    """

    incarnation: str
    revision: int
    oldest: int
