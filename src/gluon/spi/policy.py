"""Who asks, and may they: asked with the stored object, never with the request's body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated caller. `project` is None for one without a project; `admin` sees everything."""

    user: str
    project: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    admin: bool = False


class Policy(Protocol):
    """The rules of one proton's object types and actions (`create get list update delete`)."""

    def check(self, caller: Caller, action: str, api: str, object_type: str, project: str | None) -> None:
        """Raises `Forbidden`. `project` is the stored object's (at create: the new one's)."""

    def scope(self, caller: Caller, api: str, object_type: str) -> str | None:
        """The project that lists and look-ups are limited to; None: all."""
