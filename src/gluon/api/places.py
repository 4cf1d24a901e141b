"""Where a request goes that needs no router: to a resource, or to a face that answers some paths by itself.

In: the segments of a path. Out: a `Place`, kept by the lane for collections. Called by `lane`, which fills it in; read by the server's
short way and by `posts`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol
from urllib.parse import unquote

import msgspec

from gluon.api import message, resources
from gluon.proton import registry

Refusal = Callable[[Exception, Mapping[bytes, bytes], str], message.Reply]
"""Of an error, the request's headers and its id."""


class Posting(Protocol):
    """`posts.Posts`: begins what it can, and says whether it has."""

    def begin(self, asked: Any) -> bool: ...


class Face(Protocol):
    """What answers at paths that are no resource's."""

    @property
    def paths(self) -> Collection[tuple[str, ...]]:
        """Those of collections that it answers without a router."""

    @property
    def posts(self) -> Posting | None:
        """What begins its new objects."""

    async def handle(self, request: message.Request) -> message.Reply:
        """The answer to a request without a query. Raises the errors of `gluon.errors`."""


class Place(msgspec.Struct, frozen=True):
    """The path's segments, what they name (None: the face's), the query."""

    path: tuple[str, ...]
    resource: resources.Served | None
    rest: tuple[str, ...]
    query: bytes
    makes: bool = False
    """A POST makes one object or several, and nothing runs before."""
    source: resources.Resources | None = None
    paths: object = None
    """Those of the source by which it was found."""
    posting: Posting | None = None
    face: Face | None = None

    @property
    def modern(self) -> bool:
        return self.resource is not None and self.resource.modern

    def check(self) -> None:
        """Raises `StaleModel` where models were replaced since."""
        if self.source is not None:
            self.source.check(self.paths)


def makes(resource: resources.Served, rest: tuple[str, ...], query: bytes) -> bool:
    """Whether a POST there makes objects, and nothing runs before."""
    plain = isinstance(resource, registry.Resource) and not resource.before_hooks
    return plain and not rest and not query


def segments(raw: bytes) -> tuple[str, ...]:
    """The decoded segments of a path, without a trailing slash. A `%2F` does not split."""
    text = raw.split(b"?", 1)[0].decode("latin-1")
    parts = text.strip("/").split("/")
    if "%" in text:
        parts = [unquote(p, errors="replace") for p in parts]
    return tuple(parts)
