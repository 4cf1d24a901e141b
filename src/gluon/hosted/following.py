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
from collections.abc import Collection
from pathlib import Path

from neutron import policy
from neutron_lib import context as contexts
from neutron_lib import exceptions
from neutron_lib.plugins import directory
from oslo_config import cfg
from oslo_log import log

from gluon.client.http import ClientError
from gluon.hosted import shadows
from gluon.hosted.face import Body, Face
from gluon.hosted.mirror import Mirror, own_context, tried

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
        self._networks = Mirror(face)
        self._later: dict[str, float] = {}

    def start(self) -> None:
        # Neutron reads its rules when somebody first asks for them, without a lock: while this thread did so, whoever sent the
        # first request could be told that there is no such port.
        policy.init()
        contexts.get_admin_context()
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
                LOG.info("the rows of Gluon's networks and ports are as Gluon has them")
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
        """Page by page: of all ports only the ids are kept. What is written is asked for after the rows are read."""
        listed = self._networks.look_at_all()
        used: set[str] = set()
        left = shadows.ports(own_context())
        for page in self._face.pages("ports", "&fields=id"):
            wanted = [body["id"] for body in page]
            left.difference_update(wanted)
            shown, bodies = self._rows_and_bodies(wanted, wanted)
            used.update(body["network_id"] for body in bodies)
            self._put_ports(bodies, shown)
        for stray in left:
            tried(shadows.remove_port, directory.get_plugin(), own_context(), stray)
        self._networks.forget_all_but(listed | used)

    def look_at(self, events: list[Body], due: list[str]) -> None:
        """What these events may have changed, and those ports of which it was too early to say."""
        ids: dict[str, None] = dict.fromkeys(due)
        for event in events:
            ids[event["key"]] = None
            for state in (event.get("object"), event.get("old")):
                ids.update((str(state[name]), None) for name in _REFERENCES if state and state.get(name))
        gone = self._networks.look_at(events)
        wanted = list(ids)
        here = shadows.which(own_context(), wanted)
        shown, bodies = self._rows_and_bodies(list(here), wanted)
        found = {body["id"]: body for body in bodies}
        for port in found:
            if port not in here and port not in due:
                self._later[port] = time.monotonic() + _LATER_SECONDS
            else:
                self._later.pop(port, None)
        self._put_ports([body for port, body in found.items() if port not in self._later], shown, due)
        for port in here.difference(found):
            tried(shadows.remove_port, directory.get_plugin(), own_context(), port)
        for port in due:
            self._later.pop(port, None)
        self._networks.forget(gone)

    def _rows_and_bodies(self, here: list[str], wanted: list[str]) -> tuple[dict[str, Body], list[Body]]:
        """Ports as Neutron shows them, and then as Gluon has them: of what a request writes in between, a row that was read later would
        be taken for what Gluon has changed."""
        shown = shadows.shown(directory.get_plugin(), own_context(), here)
        return shown, self._face.some("ports", wanted)

    def _put_ports(self, bodies: list[Body], here: dict[str, Body], due: Collection[str] = ()) -> None:
        """`here`: those of them that Neutron shows."""
        plugin = directory.get_plugin()
        self._networks.put_missing(body["network_id"] for body in bodies)
        spares = shadows.spares(own_context(), list(here), bound=True) if here else {}
        for body in bodies:
            port, shown = body["id"], here.get(body["id"])
            if shown is not None and shown.get("binding:host_id") != body["binding:host_id"]:
                spare, whole = shadows.spare_hosts(own_context(), port), "binding:host_id" in shown
                # Mostly it is a request that activates one, and is about to write that.
                if (spare or not whole) and port not in due:
                    self._later[port] = time.monotonic() + _LATER_SECONDS
                    continue
                if not whole:
                    tried(shadows.give_binding, own_context(), port)
                    shown = shadows.shown(plugin, own_context(), [port]).get(port, shown)
                if spare:
                    tried(self._align_bindings, shown, spare, body["binding:host_id"], port)
            elif port in spares:
                tried(self._end_spares, spares[port], port)
            tried(shadows.put_port, plugin, own_context(), shown, body)

    def _end_spares(self, spare: set[str], port: str) -> None:
        """Those that Gluon has no more, as a port that is bound to yet another host has none."""
        for gone in spare - self._face.bound_hosts(port):
            directory.get_plugin().delete_port_binding(own_context(), gone, port)

    def _align_bindings(self, shown: Body, spare: set[str], host: str, port: str) -> None:
        """Gluon has another one carry the traffic, perhaps one that Neutron knows as spare, and may have ended some."""
        plugin = directory.get_plugin()
        kept = self._face.bound_hosts(port)
        if host in spare:
            try:
                plugin.activate(own_context(), host, port)
                spare = (spare - {host}) | {shown["binding:host_id"]}
            except exceptions.BadRequest as error:
                # Of what is no machine's. The port is bound anew, for which the spare one would be in the way.
                LOG.debug("port %s: %s", port, error)
                kept -= {host}
        for gone in spare - kept:
            plugin.delete_port_binding(own_context(), gone, port)


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
