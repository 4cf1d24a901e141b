"""Whose is it? An id tells, without asking anybody.

Neutron makes its networks' ids at random, which is version 4 of UUIDs and written in their 15th character. Gluon's are made of what
they stand for (`design/neutron.md`), and of another version. Pure.
"""

from __future__ import annotations

VERSION = 14
RANDOM, NAMED = "4", "5"
LISTED = (RANDOM, NAMED)
"""Of Neutron's networks, and of services; another is that of the network of a project's ports without a service."""
_LENGTH = 36


def is_listed(network: str) -> bool:
    """Whether lists of networks have it."""
    return network[VERSION] in LISTED


def is_gluons(network: object) -> bool:
    """Of the id of a network or of a subnet."""
    return isinstance(network, str) and len(network) == _LENGTH and network[VERSION] != RANDOM
