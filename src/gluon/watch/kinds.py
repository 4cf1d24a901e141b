"""What watching has to know of object types and their present state. Implemented by who knows models, `api.watching`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """An object type as it is served. Another object after its model was replaced.

    `project_of`: the project that a decoded body names; None where objects stay in that of their entry. `computed`:
    the attribute that shows the operational status, which no entry has, or None.
    """

    api: str
    name: str
    plural: str
    version: str
    project_of: Callable[[Body], str | None] | None = None
    computed: str | None = None


class Present(msgspec.Struct, frozen=True):
    """An object as it is now: its body as JSON, its project."""

    document: bytes
    project: str | None


class Kinds(Protocol):
    """The object types that are served now."""

    @property
    def models(self) -> str:
        """A digest of all models; another one after each change of them."""

    @property
    def rules(self) -> object:
        """Another object after the rules of who may see what were replaced."""

    def find(self, api: str, name: str) -> Kind | None: ...

    def all(self) -> Iterable[Kind]: ...

    async def renew(self) -> None:
        """Let it be of the models that the database has."""

    async def words(self, kind: Kind, objects: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        """The operational status that a body shows, of each object by key and revision."""

    async def present(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, Present]:
        """The objects of these keys that there are."""
