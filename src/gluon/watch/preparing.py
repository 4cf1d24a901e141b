"""From journal entries to what watchers are told.

In: entries of whole revisions. Out: a `Told` for each change of an object of a type that is served, in their order.
What shims report of one object is told once for several reports in a row, with the object as it is now: no entry has
that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from gluon.objects import codec, journal, keys
from gluon.watch.kinds import Kind, Kinds, Present
from gluon.watch.told import Told

_STATUS = "Status"
"""Entries under `journal.GLUON` of what shims report; their key begins with proton, type and key of the object."""


class _About(msgspec.Struct, frozen=True, gc=False):
    """An entry, and the object that it is about."""

    entry: journal.Entry
    kind: Kind
    key: str

    @property
    def reported(self) -> bool:
        return self.entry.api == journal.GLUON


async def prepare(entries: Sequence[journal.Entry], kinds: Kinds, token: Callable[[int], str]) -> list[Told]:
    """`token` of a revision up to which all was told."""
    abouts = [about for entry in entries if (about := _about(entry, kinds)) is not None]
    last = {(a.kind, a.key): a for a in abouts if a.reported}
    abouts = [a for a in abouts if not a.reported or last[a.kind, a.key] is a]
    present = await _present(list(last), kinds)
    words = await _words(abouts, kinds)
    ends: dict[tuple[int, Kind | None], _About] = {}
    for about in abouts:
        ends[about.entry.revision, None] = ends[about.entry.revision, about.kind] = about
    told: list[Told] = []
    for about in abouts:
        entry, kind = about.entry, about.kind
        old, new, project = entry.old, entry.new, entry.project
        if about.reported:
            now = present.get((kind, about.key))
            if now is None:
                continue  # gone since, as a later entry says
            old, new, project = None, now.document, now.project
        elif kind.computed is not None:
            new = _with(new, kind.computed, words.get((kind, about.key)))
        told.append(
            Told(
                entry,
                kind,
                key=about.key,
                old=old,
                new=new,
                project=project,
                token=token,
                whole=ends[entry.revision, None] is about,
                last=ends[entry.revision, kind] is about,
                steady=about.reported,
            )
        )
    return told


def _about(entry: journal.Entry, kinds: Kinds) -> _About | None:
    if entry.api != journal.GLUON:
        kind = kinds.find(entry.api, entry.type)
        return None if kind is None else _About(entry, kind, entry.key)
    parts = [keys.text(part) for part in entry.key.split("/")]
    if entry.type != _STATUS or len(parts) < 3:
        return None
    kind = kinds.find(parts[0], parts[1])
    return None if kind is None else _About(entry, kind, parts[2])


Subject = tuple[Kind, str]


async def _present(subjects: Sequence[Subject], kinds: Kinds) -> Mapping[Subject, Present]:
    found: dict[Subject, Present] = {}
    for kind in {kind for kind, _ in subjects}:
        of_kind = await kinds.present(kind, [key for k, key in subjects if k is kind])
        found |= {(kind, key): there for key, there in of_kind.items()}
    return found


async def _words(abouts: Sequence[_About], kinds: Kinds) -> Mapping[Subject, str | None]:
    """What the bodies show as the operational status, of types that show it."""
    wanted: dict[Kind, dict[str, int]] = {}
    for about in abouts:
        if about.kind.computed is not None and not about.reported and about.entry.new is not None:
            wanted.setdefault(about.kind, {})[about.key] = about.entry.revision
    found: dict[Subject, str | None] = {}
    for kind, objects in wanted.items():
        words = await kinds.words(kind, list(objects.items()))
        found |= {(kind, key): word for key, word in zip(objects, words, strict=True)}
    return found


def _with(document: bytes | None, attribute: str, word: str | None) -> bytes | None:
    if document is None or word is None:
        return document
    return codec.encode({**codec.decode(document), attribute: word})
