"""Random uuids (RFC 9562 version 4) as text, many to one call of the system's source of randomness.

Called for each new object and each request. A process must not be forked after the first call; ours
are started anew.
"""

from __future__ import annotations

import os

_AT_ONCE = 256
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The two high bits of a digit replaced by 10, its low bits as drawn."""

_drawn: list[str] = []


def new_id() -> str:
    """A new id."""
    if not _drawn:
        digits = os.urandom(16 * _AT_ONCE).hex()
        _drawn.extend(digits[n : n + 32] for n in range(0, len(digits), 32))
    d = _drawn.pop()
    return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-{_VARIANT[d[16]]}{d[17:20]}-{d[20:]}"
