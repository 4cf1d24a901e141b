"""Writers that make, change, bind and delete objects of `net-l3vpn`, each its own, and note every answer.

In: servers, a ledger, a pace. Out: a filled ledger. Each write names the revision it builds on
(If-Match), so that a try whose answer was lost can be told from one that was not done: a repeat of
it is refused, and a look shows its outcome. Used as a context manager by fault tests.
"""

from __future__ import annotations

import math
import random
import threading
import time
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from gluon.testing.crowd import Crowd
from gluon.testing.process import wait_until
from gluon.testing.witness.caller import Answer, Caller, Unanswered
from gluon.testing.witness.ledger import Known, Ledger

V1 = "/proton/net-l3vpn/v1.0"
UNBOUND = {"host_id": "", "device_id": ""}

_OK = (200, 201, 204)


class Writer:
    """One thread with objects of its own."""

    def __init__(self, load: Load, number: int, *, binds: bool) -> None:
        self._load = load
        self._ledger = load.ledger
        self._dice = random.Random(f"{load.seed}-{number}")
        self._binds = binds
        self._number = number
        self._steps = 0
        self._machine = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        self._project = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        self._caller = Caller(
            load.ledger,
            load.servers,
            patience=load.patience,
            limit=load.limit,
            first=number if load.spread else 0,
        )
        self._ports: list[Known] = []
        self._vpns: list[Known] = []
        self._members: list[tuple[Known, Known]] = []

    def run(self) -> None:
        """Until the load ends."""
        try:
            while not self._load.ended():
                self._steps += 1
                try:
                    self._step()
                except Unanswered as error:
                    if not self._load.stopping:
                        self._ledger.complain(f"no answer: {error}")
                if self._load.pause:
                    time.sleep(self._load.pause * self._dice.uniform(0.5, 1.5))
        except Exception as error:  # noqa: BLE001 - a writer that dies makes the test fail, with its words
            self._ledger.complain(f"writer {self._number}: {error!r}")
        finally:
            self._caller.close()

    def _step(self) -> None:
        if len(self._vpns) < 2:
            self._vpns.append(self._create("vpns", {"tenant_id": self._project, "name": "first"}))
        elif self._binds:
            self._bind_step()
        else:
            self._plain_step()

    def _plain_step(self) -> None:
        dice = self._dice.random()
        if len(self._ports) < 3 or dice < 0.35:
            self._ports.append(self._create("ports", self._port()))
        elif dice < 0.65:
            chosen = self._dice.choice(self._ports + self._vpns)
            self._change(chosen, {"name": f"step {self._steps}"})
        elif dice < 0.80:
            self._join()
        elif dice < 0.87 and self._members:
            member, _ = self._dice.choice(self._members)
            self._change(member, {"ipaddress": self._address()})
        elif dice < 0.93 and self._members:
            self._leave(self._dice.choice(self._members))
        else:
            self._delete_port()

    def _bind_step(self) -> None:
        dice = self._dice.random()
        if len(self._ports) < 2 or dice < 0.2:
            self._ports.append(self._create("ports", self._port()))
            return
        port = self._dice.choice(self._ports)
        host = (port.body or {}).get("host_id")
        if not host or dice < 0.6:
            self._bind(port, f"host-{self._dice.randrange(3)}")
        elif dice < 0.75:
            self._change(port, {"name": f"step {self._steps}"})
        elif dice < 0.9:
            self._change(port, UNBOUND)
        elif not port.doubtful and not any(p is port for _, p in self._members):
            self._delete(port)
            self._ports.remove(port)

    # -- what a step does ----------------------------------------------------------------------

    def _port(self) -> dict[str, Any]:
        mac = ":".join(f"{self._dice.randrange(256):02x}" for _ in range(5))
        return {
            "tenant_id": self._project,
            "mac_address": f"fa:{mac}",
            "admin_state_up": True,
            "status": "ACTIVE",
            "vnic_type": "normal",
            "mtu": 1500,
            "vlan_transparency": False,
        }

    def _address(self) -> str:
        return f"10.{self._number}.{self._dice.randrange(256)}.{self._dice.randrange(1, 255)}"

    def _join(self) -> None:
        free = [p for p in self._ports if not any(p is other for _, other in self._members)]
        if not free:
            return
        port, vpn = self._dice.choice(free), self._dice.choice(self._vpns)
        body = {
            "tenant_id": self._project,
            "interface_id": port.key,
            "service_id": vpn.key,
            "ipaddress": self._address(),
            "subnet_prefix": 24,
            "gateway": "10.0.0.1",
        }
        # its interface is its key: one membership for each interface
        known = self._create("vpnbindings", body, key=port.key)
        self._members.append((known, port))

    def _leave(self, member: tuple[Known, Known]) -> None:
        if not member[0].doubtful:
            self._delete(member[0])
            self._members.remove(member)

    def _delete_port(self) -> None:
        taken = {id(port) for _, port in self._members}
        free = [p for p in self._ports if id(p) not in taken and not p.doubtful]
        if len(free) > 1:
            port = self._dice.choice(free)
            self._delete(port)
            self._ports.remove(port)

    # -- writes --------------------------------------------------------------------------------

    def _create(self, plural: str, body: dict[str, Any], key: str = "") -> Known:
        key = key or str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        if plural != "vpnbindings":
            body = {"id": key, **body}
        known = Known(plural=plural, key=key, open=[None, body], doubtful=True)
        self._ledger.add(known)
        answer = self._ask("POST", f"{V1}/{plural}", body)
        if answer.status == 409 and answer.perhaps:
            answer = self._look(known)
        elif answer.status != 201:
            self._refuse(answer, f"create {plural} {key}")
        self._done(known, answer, body, "create")
        known.doubtful = answer.perhaps
        return known

    def _change(self, known: Known, change: dict[str, Any]) -> Answer:
        assert known.body is not None
        after = {**known.body, **change}
        known.open = [known.body, after]
        answer = self._ask("PUT", self._path(known), change, known.revision)
        if answer.status == 412 and answer.perhaps:
            answer = self._look(known)
        elif answer.status != 200:
            self._refuse(answer, f"change {known.plural} {known.key}: {change}")
        self._done(known, answer, after, "change")
        return answer

    def _bind(self, port: Known, host: str) -> None:
        began = time.monotonic()
        wish = {"host_id": host, "device_id": self._machine}
        answer = self._change(port, wish)
        for _ in range(20):
            if isinstance(answer.body, dict) and answer.body.get("vif_type"):
                break
            # the answer that told of the bind was lost: the same wish joins it
            answer = self._ask("PUT", self._path(port), wish, port.revision)
        seconds = time.monotonic() - began
        outcome = str(answer.body.get("vif_type")) if isinstance(answer.body, dict) else "none"
        self._ledger.bound(outcome, seconds)
        if outcome not in ("ovs", "binding_failed"):
            self._ledger.complain(f"bind of {port.key}: {answer}")

    def _delete(self, known: Known) -> None:
        known.open = [known.body, None]
        answer = self._ask("DELETE", self._path(known), revision=known.revision)
        if answer.status != 204 and not (answer.status == 404 and answer.perhaps):
            self._refuse(answer, f"delete {known.plural} {known.key}")
        known.body, known.open = None, []
        self._ledger.answered("delete")

    def _look(self, known: Known) -> Answer:
        """After a try without an answer: its outcome."""
        found = self._ask("GET", self._path(known))
        return Answer(status=found.status, revision=found.revision, body=found.body, perhaps=True)

    def _done(self, known: Known, answer: Answer, body: dict[str, Any], verb: str) -> None:
        """Hold the answer to what was asked for."""
        if answer.status not in _OK:
            self._refuse(answer, f"{verb} {known.plural} {known.key}")
        different = {k: (answer.body.get(k), v) for k, v in body.items() if answer.body.get(k) != v}
        if different:
            self._ledger.complain(f"{verb} of {known.plural} {known.key} answered {different}")
        known.body, known.revision, known.open = body, answer.revision, []
        self._ledger.answered(verb)

    def _refuse(self, answer: Answer, what: str) -> None:
        raise AssertionError(f"{what}: {answer}")

    def _path(self, known: Known) -> str:
        return f"{V1}/{known.plural}/{known.key}"

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, revision: int = 0) -> Answer:
        began = time.monotonic()
        answer = self._caller.ask(method, path, body, revision=revision, give_up=lambda: self._load.stopping)
        if not (body and body.get("host_id")):  # which waits for a shim
            self._ledger.waited(time.monotonic() - began)
        return answer


class Load:
    """`with Load(ledger, ports, …) as load:` writers run inside; leaving waits until `writes` were answered.

    `pause` between two writes of a writer, `patience` for one try of a write, `limit` for all tries of it.
    With several servers, writers begin at all of them (`spread`), else at the first; a try that fails moves on.
    """

    def __init__(
        self,
        ledger: Ledger,
        servers: Sequence[int],
        *,
        writes: int = 1000,
        writers: int = 5,
        binders: int = 1,
        pause: float = 0.02,
        patience: float = 20.0,
        limit: float = 90.0,
        spread: bool = True,
        seed: object = 1,
    ) -> None:
        self.ledger = ledger
        self.servers = servers
        self.writes = writes
        self.pause = pause
        self.patience = patience
        self.limit = limit
        self.spread = spread
        self.seed = seed
        self.stopping = False
        self._quota = False
        self._crowd = Crowd()
        self._begun = ledger.count
        self._since, self._until = 0.0, math.inf
        self._writers = [Writer(self, n, binds=n >= writers) for n in range(writers + binders)]
        self._threads = [threading.Thread(target=w.run, daemon=True) for w in self._writers]

    @property
    def done(self) -> int:
        """Writes that this load had answered."""
        return self.ledger.count - self._begun

    @property
    def silence(self) -> float:
        """The longest time without an answer while all writers were at work, in seconds."""
        return self.ledger.silence(self._since, self._until)

    def allows(self, seconds: float) -> float:
        """What was promised for an idle machine, for this one as crowded as it was."""
        return self._crowd.allows(seconds)

    def ended(self) -> bool:
        """Whether a writer has to end: at the end of the context, once enough was answered."""
        if not self._quota or self.done < self.writes:
            return self.stopping
        self._until = min(self._until, time.monotonic())
        return True

    def wait(self, answered: int, *, limit: float = 120.0) -> None:
        """Return once so many writes of this load were answered."""
        wait_until(
            lambda: self.done >= answered or bool(self.ledger.wrong), f"{answered} writes", limit=limit
        )

    def __enter__(self) -> Self:
        self._since = time.monotonic()
        self._crowd.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._quota = True
        self.stopping = kind is not None
        for thread in self._threads:
            thread.join(self.limit + 20)
        self.stopping = True
        for thread in self._threads:
            thread.join(self.patience + 5)
        self._crowd.__exit__(kind, error, trace)
