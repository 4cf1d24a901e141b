"""Which networks an event of Gluon's watch is about: those of the service that it changes, or that it joins a port to.

In: what Gluon says of its protons (`/gluon/v1/protons`), events. Out: ids of networks, which are made of the place and key of a service
and so need no question. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gluon.hosted import ids

Body = dict[str, Any]

_SERVICE = "service"


class Touched:
    """Of the protons as they were when it was made."""

    def __init__(self, protons: Iterable[Body]) -> None:
        self._naming: dict[tuple[str, str], set[tuple[str, str]]] = {}
        """By proton and type: the attributes that name a service, each with that service's type."""
        self._services: set[tuple[str, str]] = set()
        for proton in protons:
            types: Body = proton["types"]
            services = {name for name, one in types.items() if one["kind"] == _SERVICE}
            self._services.update((proton["name"], name) for name in services)
            for name, one in types.items():
                naming = {
                    (attribute, said["reference"])
                    for attribute, said in one["attributes"].items()
                    if said.get("reference") in services
                }
                self._naming.setdefault((proton["name"], name), set()).update(naming)

    def by(self, event: Body) -> set[str] | None:
        """The networks that an event may have changed; None: its type was not there then."""
        place = event["api"], event["kind"]
        if place not in self._naming:
            return None
        api, kind = place
        found = {ids.of_service(api, kind, event["key"])} if place in self._services else set()
        for state in (event.get("object") or {}, event.get("old") or {}):
            for attribute, service in self._naming[place]:
                if (key := state.get(attribute)) is not None:
                    found.add(ids.of_service(api, service, key))
        return found
