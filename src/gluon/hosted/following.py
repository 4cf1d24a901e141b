"""A thread that keeps the shadows as Gluon's objects are: all of them when it begins, then what is told by Gluon's watch.

In: the process-wide face. Out: rows (`shadows`). One of a host works; the others wait for its lock, to follow it when it dies. Level-triggered: an
event says only what to look at, and what is written is what Gluon has then. So two hosts at once do the same twice, and
whatever was missed is put right by the next look at everything. Started by `driver` in each API process.
"""

from __future__ import annotations

import fcntl
import queue
import random
import threading
import time
from pathlib import Path
from typing import Any

from neutron_lib import context as contexts
from neutron_lib import exceptions
from neutron_lib.plugins import directory
from oslo_config import cfg
from oslo_log import log

from gluon.client.http import ClientError
from gluon.hosted import ids as ids_of
from gluon.hosted import said, shadows
from gluon.hosted.face import Body, Face

LOG = log.getLogger(__name__)

_LOCK_SECONDS = 2.0
_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0)
_LATER_SECONDS = 1.0
"""A port that was just made is mostly one whose row another thread is about to write."""
_REFERENCES = ("id", "port_id", "interface_id")


class Following:
    """`start()` once; a daemon's thread, which ends with its process."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._known: dict[str, list[str]] = {}
        """Networks that have rows, each with its subnets."""
        self._bodies: dict[str, tuple[Body, list[Body]]] = {}
        """As they were last written."""
        self._later: dict[str, float] = {}

    def start(self) -> None:
        threading.Thread(target=self._run, name="gluon-shadows", daemon=True).start()

    # -- the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        place = Path(cfg.CONF.oslo_concurrency.lock_path or cfg.CONF.state_path or ".") / "gluon-shadows.lock"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(_LOCK_SECONDS)
                    continue
                break
            LOG.info("this process keeps the rows of Gluon's networks and ports")
            self._work()

    def _work(self) -> None:
        tries = 0
        while True:
            try:
                self._follow()
                tries = 0
            except (ClientError, exceptions.NeutronException) as error:
                LOG.warning("Gluon's networks and ports are not followed at the moment: %s", error)
            except Exception:
                # Of the database, or of a driver: the next look at everything begins anew.
                LOG.exception("the rows of Gluon's networks and ports were not written")
            pause = _AGAIN_SECONDS[min(tries, len(_AGAIN_SECONDS) - 1)]
            tries += 1
            time.sleep(pause * random.uniform(0.7, 1.0))

    def _follow(self) -> None:
        """Until the watch ends. It begins before everything is looked at, so nothing lies between."""
        told: queue.SimpleQueue[Body | Exception] = queue.SimpleQueue()
        over = threading.Event()
        threading.Thread(target=self._listen, args=(told, over), name="gluon-watch", daemon=True).start()
        try:
            self._work_off(told)
        finally:
            over.set()

    def _work_off(self, told: queue.SimpleQueue[Body | Exception]) -> None:
        looked = False
        self._later.clear()
        while True:
            events = _drained(told, _LATER_SECONDS / 4 if self._later else None)
            if not looked:
                self.look_at_all()
                looked = True
            news = [event for event in events if event["type"] not in ("BOOKMARK", "ERROR")]
            now = time.monotonic()
            due = [port for port, when in self._later.items() if when <= now]
            if news or due:
                self.look_at(news, due)
            if any(event["type"] == "ERROR" for event in events):
                return

    def _listen(self, told: queue.SimpleQueue[Body | Exception], over: threading.Event) -> None:
        """While one thing is looked at, more may be told: it is looked at together then."""
        try:
            for event in self._face.watch():
                if over.is_set():
                    return
                told.put(event)
            told.put(ClientError("the watch ended"))
        except Exception as error:  # noqa: BLE001 - whoever takes it says what it was
            told.put(error)

    # -- looking -------------------------------------------------------------------------------------

    def look_at_all(self) -> None:
        """Page by page: of all ports only the ids are kept."""
        context = _context()
        for stranger in shadows.strangers(context):
            LOG.error(
                "network %s has the id of a network of Gluon: its ports are taken for Gluon's", stranger
            )
        self._known = shadows.networks(context)
        self._bodies.clear()
        listed = self._look_at_networks()
        used: set[str] = set()
        left = shadows.ports(context)
        for page in self._face.pages("ports"):
            left.difference_update(body["id"] for body in page)
            used.update(body["network_id"] for body in page)
            self._put_ports(page)
        for stray in left:
            _tried(shadows.remove_port, directory.get_plugin(), _context(), stray)
        self._forget_networks(listed | used)

    def look_at(self, events: list[Body], due: list[str]) -> None:
        """What these events may have changed, and those ports of which it was too early to say."""
        ids: dict[str, None] = dict.fromkeys(due)
        for event in events:
            ids[event["key"]] = None
            for state in (event.get("object"), event.get("old")):
                ids.update((str(state[name]), None) for name in _REFERENCES if state and state.get(name))
        listed = self._look_at_networks() if any(event["kind"] != "Port" for event in events) else None
        wanted = list(ids)
        here = shadows.which(_context(), wanted)
        found = {body["id"]: body for body in self._face.some("ports", wanted)}
        for port in found:
            if port not in here and port not in due:
                self._later[port] = time.monotonic() + _LATER_SECONDS
            else:
                self._later.pop(port, None)
        self._put_ports([body for port, body in found.items() if port not in self._later])
        for port in here.difference(found):
            _tried(shadows.remove_port, directory.get_plugin(), _context(), port)
        for port in due:
            self._later.pop(port, None)
        if listed is not None:
            self._forget_networks(listed | {one for one in self._known if not ids_of.is_listed(one)})

    def _put_ports(self, bodies: list[Body]) -> None:
        plugin = directory.get_plugin()
        for network in dict.fromkeys(body["network_id"] for body in bodies):
            if network not in self._known:
                self._put_unlisted(network)
        here = shadows.shown(plugin, _context(), [body["id"] for body in bodies])
        for body in bodies:
            _tried(shadows.put_port, plugin, _context(), here.get(body["id"]), body)

    def _look_at_networks(self) -> set[str]:
        """The ids of those that a list has. Only what is not as it was last time is compared with rows."""
        subnets: dict[str, list[Body]] = {}
        listed: set[str] = set()
        for page in self._face.pages("subnets"):
            for subnet in page:
                subnets.setdefault(subnet["network_id"], []).append(subnet)
        for page in self._face.pages("networks"):
            for body in page:
                listed.add(body["id"])
                self._put_network(body, subnets.get(body["id"], []))
        return listed

    def _put_unlisted(self, network: str) -> None:
        """One that no list has, of a project's ports that are in no service; or one made a moment ago."""
        for body in self._face.some("networks", [network]):
            self._put_network(body, self._face.some("subnets", body["subnets"]))

    def _put_network(self, body: Body, subnets: list[Body]) -> None:
        if self._bodies.get(body["id"]) == (body, subnets):
            return
        written = _tried(shadows.put_network, directory.get_plugin(), _context(), body)
        for subnet in subnets:
            written = _tried(shadows.put_subnet, _context(), subnet) and written
        wanted = [subnet["id"] for subnet in subnets]
        for held in self._known.get(body["id"], ()):
            if held not in wanted:
                _tried(shadows.remove_subnet, _context(), held)
        self._known[body["id"]] = wanted
        if written:
            self._bodies[body["id"]] = (body, subnets)

    def _forget_networks(self, wanted: set[str]) -> None:
        for stray in set(self._known) - wanted:
            if _tried(shadows.remove_network, _context(), stray):
                del self._known[stray]
                self._bodies.pop(stray, None)


def _context() -> Any:
    made = contexts.get_admin_context()
    said.follow(made)
    return made


def _tried(work: Any, *arguments: Any) -> bool:
    """One object that cannot be written does not stop the others."""
    try:
        work(*arguments)
    except exceptions.NotFound as error:
        LOG.debug("%s: %s, by somebody else", work.__name__, error)
    except Exception:
        LOG.exception("%s failed for %s", work.__name__, arguments[-1])
        return False
    return True


def _drained(told: queue.SimpleQueue[Body | Exception], seconds: float | None) -> list[Body]:
    """One event at least, or none after so long. Raises what ended the watch, once all before it was taken."""
    found: list[Body] = []
    while not found or not told.empty():
        try:
            event = told.get(timeout=seconds)
        except queue.Empty:
            return found
        if isinstance(event, Exception):
            if found:
                told.put(event)
                return found
            raise event
        found.append(event)
    return found
