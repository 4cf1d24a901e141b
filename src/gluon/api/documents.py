"""What the server says of its protons in the words of others: made once a model, then kept.

In: a model, and the registry that serves it. Out: the bytes of its OpenAPI document. Called by `routes`. What writes
documents is loaded when the first is asked for: most processes never are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gluon.model import types
from gluon.objects import codec
from gluon.proton import registry

if TYPE_CHECKING:
    from gluon.export.openapi import Edition


class _Asked:
    """A model and how it is served, as a key of the cache: a model is what it says."""

    __slots__ = ("edition", "key", "model")

    def __init__(self, model: types.Model, edition: Edition | None) -> None:
        self.model = model
        self.edition = edition
        self.key = (model.digest, edition)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=64)
def _openapi(asked: _Asked) -> bytes:
    from gluon.export import openapi

    return codec.encode(openapi.document(asked.model, asked.edition))


@lru_cache(maxsize=1)
def own() -> bytes:
    """The OpenAPI document of what is no proton's."""
    from importlib import metadata

    from gluon.export import own

    return codec.encode(own.document(metadata.version("gluon")))


def openapi(model: types.Model, known: registry.Registry) -> bytes:
    """The OpenAPI document of a model, of a version that is not stored too."""
    from gluon.export.openapi import Edition

    served = known.editions.get((model.name, f"v{model.version}"))
    edition = None
    if served:
        edition = Edition(
            deprecated=any(e.version.deprecated for e in served.values()),
            read_only=frozenset(e.type.name for e in served.values() if e.why),
        )
    return _openapi(_Asked(model, edition))
