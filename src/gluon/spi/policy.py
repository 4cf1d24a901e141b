"""Who asks, and may they: asked with the stored object, never with the request's body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated caller. `project` is None for one without a project; `admin` sees everything.

    `more`: what else rules may ask about, by its name in `oslo.policy`, such as `domain_id` and `system_scope`.
    """

    user: str
    project: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    admin: bool = False
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)


class Policy(Protocol):
    """The rules of one proton's object types and actions (`create get list update delete`)."""

    def check(self, caller: Caller, action: str, api: str, object_type: str, project: str | None) -> None:
        """Raises `Forbidden`. `project` is the stored object's (at create: the new one's)."""

    def scope(self, caller: Caller, api: str, object_type: str) -> str | None:
        """The project that lists and look-ups are limited to; None: all."""
