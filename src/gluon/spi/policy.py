"""Who asks, and may they: asked with the stored object, never with the request's body.

Invariant: what a caller may not read is as good as missing for him, wherever he asks. Called by `proton` in every unit
and every read; `policy` answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from gluon.values import uuid

Target = Mapping[str, Any]
"""A stored object by attribute. `project_id` and `tenant_id` both name its project, whatever its model calls it."""

_DIGITS = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch


def normal_project(name: str) -> str:
    """A project as rows have it: Keystone's 32 digits with dashes, any other name as it is."""
    return uuid.parse(name) if _DIGITS(name) else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated caller. `project` is None for one without a project, and kept in normal form.

    `admin`: he is what the rule `context_is_admin` says, and may do everything. `more`: what else rules may ask about,
    by its name in `oslo.policy`, such as `domain_id` and `system_scope`.
    """

    user: str
    project: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    admin: bool = False
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
    lowered: frozenset[str] = field(init=False, repr=False, compare=False)
    """The roles in lower case, as rules compare them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "lowered", frozenset(role.lower() for role in self.roles))
        if self.project is not None:
            object.__setattr__(self, "project", normal_project(self.project) or None)


class Scope(StrEnum):
    """Of which objects a rule can be true for one caller. Those of no project are everybody's own.

    `OWN_ROWS`: some of the caller's own project; `ROWS`: some of all. Both need the rule asked of each row.
    """

    ALL = "all"
    NOTHING = "nothing"
    OWN = "own project"
    OWN_ROWS = "own project, row by row"
    ROWS = "row by row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What a caller may do to any object of his own project."""

    creates: bool
    unset: frozenset[str]
    """Attributes that he may not set by `create`."""
    hidden: frozenset[str]


class Access(Protocol):
    """The rules of one object type. An admin may do everything."""

    def allows(self, action: str, caller: Caller, target: Target) -> bool:
        """`action`: `create`, `get`, `update`, `delete`, or one of the model. At create the target is the new object."""

    def listed(self, caller: Caller) -> Scope:
        """Which objects lists may show: those that the rules `list` and `get` are both true of."""

    def lists(self, caller: Caller, target: Target) -> bool:
        """The same of one object."""

    @property
    def guards(self) -> bool:
        """Whether there are rules for single attributes: without, nothing is hidden or refused."""

    def hidden(self, caller: Caller, target: Target) -> Collection[str]:
        """Attributes of an object that the caller may not read."""

    def readable(self, attribute: str, caller: Caller) -> Scope:
        """Of which objects he may read an attribute."""

    def scope(self, action: str, caller: Caller, attribute: str = "") -> Scope:
        """Of which objects he may do an action; with an attribute, only what the attribute's own rule says of it."""

    def ruled(self, action: str) -> Collection[str]:
        """Attributes with a rule of their own for `create` or `update`."""

    def own(self, caller: Caller) -> Own | None:
        """None where that is not the same for all of them, or he has no project."""

    def refused(
        self, action: str, attributes: Collection[str], caller: Caller, target: Target
    ) -> Collection[str]:
        """Those of `attributes` that he may not set by `create` or `update`."""


class Policy(Protocol):
    """The rules of all protons. They may be replaced between two calls, never during one."""

    def of(self, api: str, object_type: str) -> Access: ...
