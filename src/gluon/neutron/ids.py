"""Ids of networks without a service, and of subnets: made of what they stand for, so they never change.

In: a proton and a project, or a network and a prefix. Out: UUIDs as text. Pure.
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable
from functools import lru_cache

from gluon.spi.policy import normal_project

_SPACE = uuid.UUID("c254ca5d-770f-4662-9e38-adbe72f99b6b")
_NOBODY = 0
"""In the place of the project where a port has none."""

HALF = 18
"""Characters of a subnet's id that are its network's."""


@lru_cache(maxsize=4096)
def _mask(api: str) -> int:
    return uuid.uuid5(_SPACE, api).int


@lru_cache(maxsize=65536)
def plain_network(api: str, project: str | None) -> str:
    """The network of a project's ports that are in no service of a proton. It can be turned back, so no table is
    needed for it; nobody chooses the id of his project, so nobody chooses this one."""
    try:
        number = uuid.UUID(project).int if project else _NOBODY
    except ValueError:
        number = uuid.uuid5(_SPACE, str(project)).int
    return str(uuid.UUID(int=number ^ _mask(api)))


def project_of(network: str, api: str) -> str | None:
    """The project whose plain network of a proton this would be; None: that of ports without a project. Raises
    `ValueError` for what no network is called."""
    given = uuid.UUID(network)
    if str(given) != network:
        raise ValueError(f"{network} is not how the id of a network is written")
    number = given.int ^ _mask(api)
    return str(uuid.UUID(int=number)) if number != _NOBODY else None


def of_word(project: str | None, word: str, number: int) -> str:
    """The id of the port that a request of this project with this `Idempotency-Key` makes: so it is known without an answer. Nobody
    can choose an id by it. `number`: its place in the request."""
    return str(uuid.uuid5(_SPACE, f"port/{normal_project(project or '')}/{word}/{number}"))


@lru_cache(maxsize=65536)
def subnet(network: str, cidr: str) -> str:
    """The first half says which network, so that it is found by a range of ids."""
    tail = uuid.uuid5(_SPACE, cidr).hex
    return f"{network[:HALF]}-{tail[:4]}-{tail[4:16]}"


@lru_cache(maxsize=65536)
def shown_project(project: Hashable) -> str:
    """A project as Keystone writes it and Nova compares it: 32 digits. No project is no text."""
    if project is None:
        return ""
    try:
        return uuid.UUID(str(project)).hex
    except ValueError:
        return str(project)


@lru_cache(maxsize=65536)
def stored_project(given: str) -> str:
    """The same as rows have it."""
    return normal_project(given)
