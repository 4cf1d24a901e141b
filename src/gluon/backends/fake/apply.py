"""Writes a delta into the fake's data plane, one fact at a time: additions first, removals last.

In: a delta, a plane. Raises `TryLater` where the plane fails, with the facts before it written.
"""

from __future__ import annotations

from gluon.backends.fake.actual import Plane
from gluon.backends.fake.desired import Place, Vrf
from gluon.errors import TryLater
from gluon.spi.backend import Delta

_ORDER = (Place, Vrf)


def write(delta: Delta, plane: Plane) -> None:
    """Places and VRFs come before the routes and stations in them, and go after them."""
    plane.check()
    facts = {**delta.make, **delta.change}
    for key in sorted(facts, key=lambda k: (not isinstance(facts[k], _ORDER), k)):
        _step(plane)
        plane.facts[key] = facts[key]
    for key in sorted(delta.remove, key=lambda k: (isinstance(delta.remove[k], _ORDER), k)):
        _step(plane)
        plane.facts.pop(key, None)


def _step(plane: Plane) -> None:
    if plane.writes_left is not None:
        if plane.writes_left <= 0:
            raise TryLater("the fake data plane does not take more")
        plane.writes_left -= 1
    plane.writes += 1
