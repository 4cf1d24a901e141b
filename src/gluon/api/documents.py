"""What the server says of its protons in the words of others: made once a model, then kept.

In: a model. Out: the bytes of its OpenAPI document. Called by `routes`.
"""

from __future__ import annotations

from functools import lru_cache

from gluon.export import openapi as exported
from gluon.model import types
from gluon.objects import codec


class _Asked:
    """A model as a key of the cache: by what it says."""

    __slots__ = ("model",)

    def __init__(self, model: types.Model) -> None:
        self.model = model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and other.model.digest == self.model.digest

    def __hash__(self) -> int:
        return hash(self.model.digest)


@lru_cache(maxsize=64)
def _openapi(asked: _Asked) -> bytes:
    return codec.encode(exported.document(asked.model))


def openapi(model: types.Model) -> bytes:
    """The OpenAPI document of a model."""
    return _openapi(_Asked(model))
