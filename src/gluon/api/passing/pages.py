"""A page of rows as it is answered, and links to those beside it.

In: rows, and how the page was asked for. Out: bytes. There are links where Neutron would make some; beside the marker, which is the id of one
row, they say where the page ended in the other list, so that who follows them compares nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from gluon.api.passing.merging import Row
from gluon.api.passing.query import BESIDE, Query
from gluon.objects import codec

OF_THE_BODY = frozenset({b"content-type", b"content-length", b"etag", b"last-modified"})
_DROPPED = ("marker", "page_reverse", BESIDE)


class _Named(msgspec.Struct):
    id: str = ""


_ID = msgspec.json.Decoder(_Named)


def id_of(raw: msgspec.Raw) -> str:
    """Of an encoded row; empty where it was not asked for."""
    return _ID.decode(raw).id


class Begun(msgspec.Struct, frozen=True):
    """Where a page in an order began: as it was asked for, and Neutron's marker."""

    marker: str | None
    beside: str | None
    theirs: str | None


def after(rows: Sequence[Row], id: str) -> list[Row] | None:
    """What follows a row; None: it is not there."""
    place = next((n for n, row in enumerate(rows) if row.id == id), None)
    return None if place is None else list(rows[place + 1 :])


def links(
    place: str, query: Query, rows: Sequence[Row], begun: Begun | None, *, more: bool
) -> list[dict[str, str]]:
    """To the pages after and before; `more`: Neutron gives shorter pages than it is asked for."""
    if query.limit is None or not rows:
        return []
    full = more or len(rows) >= query.limit
    found = []
    left = [pair for pair in query.pairs if pair[0] not in _DROPPED]
    if (full or query.reverse) and rows[-1].id:
        text = urlencode([*left, *_marked(rows, -1, begun, ours_known=not query.reverse)])
        found.append({"rel": "next", "href": f"{place}?{text}"})
    if (full or not query.reverse) and rows[0].id:
        marks = _marked(rows, 0, begun, ours_known=query.reverse)
        text = urlencode([*left, *marks, ("page_reverse", "True")])
        found.append({"rel": "previous", "href": f"{place}?{text}"})
    return found


def _marked(rows: Sequence[Row], end: int, begun: Begun | None, *, ours_known: bool) -> list[tuple[str, str]]:
    """The row at an end, and the one of the other list that is nearest to it."""
    row = rows[end]
    found = [("marker", row.id)]
    if begun is None:
        return found
    inward = rows if end == 0 else rows[::-1]
    other = next((one.id for one in inward if one.ours != row.ours), None)
    if other is None and ours_known:
        other = _began(begun, ours=not row.ours)
    return found if other is None else [*found, (BESIDE, other)]


def _began(begun: Begun, *, ours: bool) -> str | None:
    """Where one of the lists was when a page began in the same direction; empty: at its first row."""
    if begun.marker is None:
        return ""
    if not ours:
        return begun.theirs or ""
    if begun.theirs == begun.marker:
        return begun.beside
    return begun.marker


def encoded(kind: str, rows: Sequence[Row], linked: list[dict[str, str]]) -> bytes:
    parts: list[Any] = [
        b'{"',
        kind.encode("ascii"),
        b'": [',
        b", ".join(bytes(row.shown) for row in rows),
        b"]",
    ]
    if linked:
        parts += [b', "', kind.encode("ascii"), b'_links": ', codec.encode(linked)]
    return b"".join((*parts, b"}"))
