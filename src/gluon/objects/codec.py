"""JSON as bytes: one encoder and one decoder for all that Gluon stores or sends.

`encode` keeps the order of a dict; `canonical` sorts keys (for digests and comparisons).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()
_sorting = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()


def encode(value: Any) -> bytes:
    """JSON text of plain data or Structs, UTF-8, no white space."""
    return _encoder.encode(value)


def canonical(value: Any) -> bytes:
    """JSON text with sorted keys: equal data gives equal bytes."""
    return _sorting.encode(value)


def decode(data: bytes | str) -> Any:
    """Plain data from JSON text. Raises `ValueError` (msgspec's DecodeError is one)."""
    return _decoder.decode(data)


def extend(document: bytes, more: Mapping[str, Any]) -> bytes:
    """Splice members into the encoded object `document` without decoding it."""
    if not more:
        return document
    tail = _encoder.encode(more)
    if document == b"{}":
        return tail
    return document[:-1] + b"," + tail[1:]


def digest(data: bytes) -> str:
    """16 hex digits that tell two texts apart (BLAKE2b)."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()
