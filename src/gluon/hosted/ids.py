"""Whose is it? An id tells, without asking anybody.

Neutron makes its networks' ids at random, which is version 4 of UUIDs and written in their 15th character. Gluon's are made of what
they stand for (`design/neutron.md`), and of another version. Pure.
"""

from __future__ import annotations

import uuid

VERSION = 14
RANDOM, NAMED = "4", "5"
LISTED = (RANDOM, NAMED)
"""Of Neutron's networks, and of services; another is that of the network of a project's ports without a service."""
_LENGTH = 36
_DIGITS = 32
_SERVICES = uuid.UUID("6b1f5d0e-6b64-4f0c-9d2b-37c1a4e2f9b3")
_PORTS = uuid.UUID("c254ca5d-770f-4662-9e38-adbe72f99b6b")
"""Gluon's, for ever."""


def is_listed(network: str) -> bool:
    """Whether lists of networks have it."""
    return network[VERSION] in LISTED


def is_gluons(network: object) -> bool:
    """Of the id of a network or of a subnet."""
    return isinstance(network, str) and len(network) == _LENGTH and network[VERSION] != RANDOM


def of_service(api: str, kind: str, key: object) -> str:
    """The id of the network that a service of a proton is."""
    return str(uuid.uuid5(_SERVICES, f"{api}/{kind}/{key}"))


def of_port(project: str, word: str) -> str:
    """The id of the port that the request of a project with this `Idempotency-Key` makes. Keystone writes projects as 32 digits, Gluon
    keeps them with dashes."""
    try:
        normal = str(uuid.UUID(hex=project)) if len(project) == _DIGITS else project
    except ValueError:
        normal = project
    return str(uuid.uuid5(_PORTS, f"port/{normal}/{word}/0"))
