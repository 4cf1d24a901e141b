"""Ids of new objects: uuids that begin with the time (RFC 9562 version 7), as text; and digits that nobody can guess.

Rows that are made together lie together in every index that has the key (decision 0012). Invariant: an id sorts after
all that this process made before, whatever the clock does; 62 of its bits are random, drawn for many ids by one call of the
system's source. A process must not be forked after the first call; ours are started anew.
"""

from __future__ import annotations

import os
from time import time

_AT_ONCE = 512
_DIGITS = 16
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The two high bits of a digit replaced by 10, its low bits as drawn."""
_TICKS = 4_096_000.0
"""A second has: 4096 each millisecond."""

_drawn: list[str] = []
_last = 0


def new_id() -> str:
    """A new id: the milliseconds since 1970 in 12 digits, 4096ths of one in 3, then what was drawn."""
    global _last  # noqa: PLW0603  # the order is that of the process
    tick = int(time() * _TICKS)
    if tick <= _last:
        tick = _last + 1
    _last = tick
    if not _drawn:
        _draw()
    t = f"{tick:015x}"
    return f"{t[:8]}-{t[8:12]}-7{t[12:]}-{_drawn.pop()}"


def _draw() -> None:
    digits = os.urandom(_DIGITS // 2 * _AT_ONCE).hex()
    found = (digits[n : n + _DIGITS] for n in range(0, len(digits), _DIGITS))
    _drawn.extend(f"{_VARIANT[d[0]]}{d[1:4]}-{d[4:]}" for d in found)
