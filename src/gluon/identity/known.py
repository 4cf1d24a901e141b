"""What a way to identify callers finds out of a token; the border between `gate` and the ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gluon.spi.policy import Caller

LONGEST = 16 * 1024
"""Bytes of a token; Keystone's have some 250, a JWT with many claims some thousands."""

fits = re.compile(rb"[\x21-\x7e]{1,%d}" % LONGEST).fullmatch
"""Whether bytes may be a token at all: what stands in a header without quotes, in printable ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The bearer of a token. `expires`: seconds since 1970, None for never.

    `more` by the names of `oslo.policy`: `user_domain_id`, `domain_id`, `project_domain_id`, `system_scope`, ...
    """

    user: str
    project: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    more: Mapping[str, Any] = field(default_factory=dict)
    expires: float | None = None
    lasting: bool = True
    """False: asked of its way again each time that it is not fresh, also while that is away."""

    def caller(self, more: Mapping[str, Any]) -> Caller:
        """As the rest of Gluon knows him; `more` is what the service adds through which he came."""
        return Caller(user=self.user, project=self.project, roles=self.roles, more={**self.more, **more})


class Way(Protocol):
    """One way to identify callers."""

    @property
    def challenge(self) -> str:
        """Of `WWW-Authenticate`: how to get a token."""

    async def known(self, token: str, *, expired: bool) -> Known | None:
        """The bearer; None for a token that this way does not know. `expired`: also of one whose time is over, if the way
        can tell. Raises `Unauthorized` where no other way need be asked, `Unavailable` where nobody can tell now."""

    async def run(self) -> None:
        """What goes on beside requests; ends when it is cancelled, or at once."""

    async def close(self) -> None:
        """Let go of connections."""
