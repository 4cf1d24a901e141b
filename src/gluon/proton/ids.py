"""Ids of new objects, as text: uuids that follow each other (RFC 9562 version 8, whose bits are the maker's).

Rows that are made together lie together in every index that has the key (decision 0012). Invariant: of what one process makes,
no two ids have the same first 11 characters, which name a port's interface on its host (`tap<11 of the id>`); 82 of the other bits
are random, drawn for many ids by one call of the system's source. A process must not be forked after the first call; ours are started anew.
"""

from __future__ import annotations

import os

_AT_ONCE = 512
_DIGITS = 21
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The two high bits of a digit replaced by 10, its low bits as drawn."""
_PLACES = 1 << 40

_drawn: list[str] = []
_last = int.from_bytes(os.urandom(5))


def new_id() -> str:
    """A new id: the place after that of the last one in 10 digits, then what was drawn. A process begins anywhere."""
    global _last  # noqa: PLW0603  # the order is that of the process
    _last = (_last + 1) % _PLACES
    if not _drawn:
        _draw()
    place = f"{_last:010x}"
    return f"{place[:8]}-{place[8:]}{_drawn.pop()}"


def _draw() -> None:
    digits = os.urandom((_DIGITS + 1) // 2 * _AT_ONCE).hex()
    found = (digits[n : n + _DIGITS] for n in range(0, len(digits) - _DIGITS, _DIGITS + 1))
    _drawn.extend(f"{d[:2]}-8{d[2:5]}-{_VARIANT[d[5]]}{d[6:9]}-{d[9:]}" for d in found)
