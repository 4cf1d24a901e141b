"""The rows of Gluon's networks and subnets, kept as Gluon has them.

In: the process-wide face; which networks to look at. Out: rows (`shadows`). What was written is remembered, so that only what is
another since is compared with rows. Used by the thread that follows Gluon.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from neutron_lib import context as contexts
from neutron_lib import exceptions
from neutron_lib.plugins import directory
from oslo_log import log

from gluon.hosted import ids as ids_of
from gluon.hosted import said, shadows
from gluon.hosted.face import Body, Face
from gluon.hosted.touched import Touched

LOG = log.getLogger(__name__)

_MOST = 200
"""Networks that are asked for by their ids; of more, all are."""


class Mirror:
    """Of one thread."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._known: dict[str, list[str]] = {}
        """Networks that have rows, each with its subnets."""
        self._bodies: dict[str, tuple[Body, list[Body]]] = {}
        """As they were last written."""
        self._touched = Touched(())
        self._gone: set[str] = set()

    def look_at_all(self) -> set[str]:
        """The ids of those that a list has. `forget_all_but` them, once no port uses the others."""
        context = own_context()
        for stranger in shadows.strangers(context):
            LOG.error(
                "network %s has the id of a network of Gluon: its ports are taken for Gluon's", stranger
            )
        self._known = shadows.networks(context)
        self._bodies.clear()
        self._touched = Touched(self._face.protons())
        return self._look_at_listed()

    def look_at(self, events: Iterable[Body]) -> set[str]:
        """Those that these events may have changed. The answer: which of them are gone, `forget` them."""
        wanted: set[str] = set()
        for event in events:
            found = self._touched.by(event)
            if found is None or len(wanted) > _MOST:
                return self._look_at_every()
            wanted |= found
        return wanted - self.put(wanted)

    def _look_at_every(self) -> set[str]:
        self._touched = Touched(self._face.protons())
        listed = self._look_at_listed()
        return {one for one in self._known if ids_of.is_listed(one)} - listed

    def _look_at_listed(self) -> set[str]:
        subnets: dict[str, list[Body]] = {}
        listed: set[str] = set()
        for page in self._face.pages("subnets"):
            for subnet in page:
                subnets.setdefault(subnet["network_id"], []).append(subnet)
        for page in self._face.pages("networks"):
            for body in page:
                listed.add(body["id"])
                self._put(body, subnets.get(body["id"], []))
        return listed

    def put_missing(self, wanted: Iterable[str]) -> None:
        """What ports are in has a row before them: one that no list has, or that was made a moment ago."""
        self.put([one for one in dict.fromkeys(wanted) if one not in self._known])

    def put(self, wanted: Collection[str]) -> set[str]:
        """As Gluon has them now. Those of them that there are."""
        bodies = self._face.some("networks", list(wanted)) if wanted else []
        named = [subnet for body in bodies for subnet in body["subnets"]]
        subnets: dict[str, list[Body]] = {}
        for subnet in self._face.some("subnets", named) if named else ():
            subnets.setdefault(subnet["network_id"], []).append(subnet)
        for body in bodies:
            self._put(body, subnets.get(body["id"], []))
        return {body["id"] for body in bodies}

    def _put(self, body: Body, subnets: list[Body]) -> None:
        self._gone.discard(body["id"])
        if self._bodies.get(body["id"]) == (body, subnets):
            return
        written = tried(shadows.put_network, directory.get_plugin(), own_context(), body)
        for subnet in subnets:
            written = tried(shadows.put_subnet, own_context(), subnet) and written
        wanted = [subnet["id"] for subnet in subnets]
        for held in self._known.get(body["id"], ()):
            if held not in wanted:
                tried(shadows.remove_subnet, own_context(), held)
        self._known[body["id"]] = wanted
        if written:
            self._bodies[body["id"]] = (body, subnets)

    def forget_all_but(self, wanted: set[str]) -> None:
        self.forget(set(self._known) - wanted)

    def forget(self, gone: Iterable[str]) -> None:
        """Their rows. Of those that ports are still in, the next time."""
        self._gone |= {one for one in gone if one in self._known}
        for stray in list(self._gone):
            if tried(shadows.remove_network, own_context(), stray):
                self._gone.discard(stray)
                self._known.pop(stray, None)
                self._bodies.pop(stray, None)


def own_context() -> Any:
    """Of what only copies what Gluon has. It is the thread's from now on, too: `endings` looks there, and what Neutron puts there is
    another one, of which this is a copy."""
    made = contexts.get_admin_context()
    said.follow(made)
    made.update_store()
    return made


def tried(work: Any, *arguments: Any) -> bool:
    """One object that cannot be written does not stop the others."""
    try:
        work(*arguments)
    except exceptions.NotFound as error:
        LOG.debug("%s: %s, by somebody else", work.__name__, error)
    except exceptions.InUse as error:
        LOG.debug("%s: %s", work.__name__, error)
        return False
    except Exception:
        LOG.exception("%s failed for %s", work.__name__, arguments[-1])
        return False
    return True
