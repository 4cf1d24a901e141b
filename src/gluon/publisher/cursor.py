"""The cursor: up to where etcd is the picture of the database, and whether that can be true.

In: the value of `/gluon/relay/cursor`, the database's position and its journal rows of that
revision. Out: a `Verdict`. Pure.

    <incarnation>.<revision>.<digest>               relay: all up to `revision` is in etcd
    <incarnation>.<revision>.<digest>.resync-<id>   a resync to `revision` runs, or broke off;
                                                    `part<n>`: only n Txns of a large revision are done
    <incarnation>.<revision>.<digest>.ahead         of some objects a part is of a later revision (`apart`), which
                                                    is still to come

Invariant: a cursor never points into a revision. Without a mark, etcd holds the
projection at `revision`; content and cursor are written in one Txn, so this also holds for an etcd
that went back to an older snapshot of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gluon.objects import codec, journal

NO_ROW = "0"
"""Digest of a revision that has no journal row (a new database, or just after a rebase)."""

PART = "part"
"""Begins the mark of a revision that takes several Txns; whoever finds it left behind resyncs."""

_RESYNC = "resync-"
_AHEAD = ".ahead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`digest` names one journal row of `revision`; `resync` is the id of an unfinished resync; `ahead`: something in
    etcd is of a later revision, and whoever does not know which must resync."""

    incarnation: str
    revision: int
    digest: str
    resync: str = ""
    ahead: bool = False

    def encode(self) -> bytes:
        mark = f".{_RESYNC}{self.resync}" if self.resync else _AHEAD if self.ahead else ""
        return f"{self.incarnation}.{self.revision}.{self.digest}{mark}".encode()


def parse(value: bytes) -> Cursor | None:
    """None if nobody of us wrote it: as good as no cursor."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    ahead = text.endswith(_AHEAD)
    text = text.removesuffix(_AHEAD)
    head, _, last = text.rpartition(".")
    resync = ""
    if last.startswith(_RESYNC):
        resync, text = last.removeprefix(_RESYNC), head
    parts = text.rsplit(".", 2)
    if len(parts) != 3 or not all(parts) or not (parts[1].isascii() and parts[1].isdigit()):
        return None
    return Cursor(incarnation=parts[0], revision=int(parts[1]), digest=parts[2], resync=resync, ahead=ahead)


def digest_of(entry: journal.Entry) -> str:
    """Tells this row from one that another history has at the same revision."""
    identity = (
        *(entry.revision, entry.n, entry.op, entry.api, entry.type, entry.key),
        *(entry.who, entry.request_id, entry.at),
    )
    return codec.digest(codec.encode(identity) + (entry.new or b""))


def at(position: journal.Position, entries: Sequence[journal.Entry]) -> Cursor:
    """The cursor of a position, given the journal rows of its revision."""
    digest = digest_of(entries[-1]) if entries else NO_ROW
    return Cursor(incarnation=position.incarnation, revision=position.revision, digest=digest)


class Verdict(StrEnum):
    """What the relay has to do before it may go on."""

    GO_ON = "go-on"
    RESYNC = "resync"
    NEW_HISTORY = "new-history"
    """Another incarnation: what depends on the order of history is told, then resync."""
    REBASE = "rebase"
    """The database lost what etcd has seen: a new incarnation beyond it, then as NEW_HISTORY."""


def judge(cursor: Cursor | None, entries: Sequence[journal.Entry], position: journal.Position) -> Verdict:
    """`entries` are the journal's of `cursor.revision`, read **before** `position`.

    In that order a row that another leader trims in between is seen as trimmed, not as missing.
    """
    if cursor is None:
        return Verdict.RESYNC
    if cursor.revision > position.revision:
        return Verdict.REBASE
    if cursor.incarnation != position.incarnation:
        return Verdict.NEW_HISTORY
    if entries:
        alike = any(digest_of(entry) == cursor.digest for entry in entries)
        verdict = Verdict.GO_ON if alike else Verdict.REBASE
    elif cursor.digest == NO_ROW and _whole_since(cursor.revision, position):
        verdict = Verdict.GO_ON
    elif _trimmed(cursor.revision, position) or cursor.digest == NO_ROW:
        verdict = Verdict.RESYNC
    else:
        verdict = Verdict.REBASE
    return Verdict.RESYNC if (cursor.resync or cursor.ahead) and verdict is Verdict.GO_ON else verdict


def _whole_since(revision: int, position: journal.Position) -> bool:
    """Does the journal surely hold all after `revision`?"""
    return position.revision == revision or 0 < position.oldest <= revision + 1


def _trimmed(revision: int, position: journal.Position) -> bool:
    return position.oldest == 0 or position.oldest > revision
