"""JSON as bytes: one encoder and one decoder for all that Gluon stores or sends.

`encode` keeps the order of a dict; `canonical` sorts keys (for digests and comparisons).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

_sorting = msgspec.json.Encoder(order="sorted")

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""JSON text of plain data or Structs, UTF-8, no white space."""

decode: Callable[[bytes | str], Any] = msgspec.json.Decoder().decode
"""Plain data from JSON text. Raises `ValueError` (msgspec's DecodeError is one)."""


def canonical(value: Any) -> bytes:
    """JSON text with sorted keys: equal data gives equal bytes."""
    return _sorting.encode(value)


def extend(document: bytes, more: Mapping[str, Any]) -> bytes:
    """Splice members into the encoded object `document` without decoding it."""
    if not more:
        return document
    tail = encode(more)
    if document == b"{}":
        return tail
    return document[:-1] + b"," + tail[1:]


def digest(data: bytes) -> str:
    """16 hex digits that tell two texts apart (BLAKE2b)."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()
