"""The load of `instances`: binds ports in turns by the API, while it watches in etcd who writes.

`python -m gluon.testing.instances_load PORT ETCD BINDS PORTS CONNECTIONS FOLDER` writes `FOLDER/done`, a byte a bind, and at the
end `FOLDER/told.json`. Its exit status is 0 however it went: the judge is who reads that.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from gluon.kv.connect import connect
from gluon.objects import keys, status
from gluon.spi.bus import Bus, Synced
from gluon.testing.instances import CONTROLLER, SHARD, Bind, Told

PORTS = "/proton/net-l3vpn/v1.0/ports"
_BRIDGE = "br-"
_PATIENCE = 60.0


class Watcher:
    """All that is written under some keys, in the order of revisions."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.events: list[tuple[int, str, bytes | None]] = []

    async def follow(self, prefix: str) -> None:
        async for item in self._bus.follow(prefix):
            if isinstance(item, Synced):
                self.events += [(kv.mod_revision, kv.key, kv.value) for kv in item.listing.items]
                continue
            for event in item.events:
                value = event.value
                self.events.append(
                    (item.revision, event.key, None)
                    if value is None
                    else (value.mod_revision, event.key, value.value)
                )


def judge(events: list[tuple[int, str, bytes | None]]) -> tuple[list[str], int, list[str]]:
    """What must not be, how many answers were written, and who led in turn."""
    wrong: list[str] = []
    leaders: list[str] = []
    answers: dict[str, dict[str, status.BindingReport]] = {}
    assigned: dict[tuple[str, int], tuple[str, ...]] = {}
    leader, writes = "", 0
    for revision, key, value in sorted(events, key=lambda e: (e[0], e[1])):
        if key == keys.lead(CONTROLLER, SHARD):
            leader = json.loads(value)["instance"] if value is not None else ""
            leaders += [leader] if leader else []
        elif key.startswith(keys.BINDING) and value is not None:
            wanted = status.decode_binding(value)
            before = assigned.setdefault((key, wanted.epoch), wanted.controllers)
            if before != wanted.controllers:
                wrong.append(f"epoch {wanted.epoch} of {key} has {before} and {wanted.controllers}")
        elif key.startswith(keys.STATUS):
            said = status.decode_report(value).bindings if value is not None else {}
            for host, report in said.items():
                if answers.get(key, {}).get(host) == report:
                    continue
                writes += 1
                who = _who(report.vif_details)
                if who != leader:
                    wrong.append(f"revision {revision}: {who} answered {key}, and '{leader}' led")
            answers[key] = said
    return wrong, writes, leaders


def _who(details: dict[str, Any]) -> str:
    return str(details.get("bridge_name", "")).removeprefix(_BRIDGE)


class Load:
    """Ports in turns."""

    def __init__(self, port: int, count: int, folder: Path) -> None:
        self._port = port
        self._left = count
        self._done = (folder / "done").open("ab", buffering=0)
        self.binds: list[Bind] = []
        self.failed: list[str] = []

    def make(self, number: int) -> list[str]:
        """So many new ports."""
        body = {
            "tenant_id": str(uuid.uuid4()), "mac_address": "fa:16:3e:00:00:01", "admin_state_up": True, "status": "ACTIVE",
            "vnic_type": "normal", "mtu": 1500, "vlan_transparency": False,
        }  # fmt: skip
        connection = self._connect()
        return [str(_ask(connection, "POST", PORTS, body)["id"]) for _ in range(number)]

    def run(self, ports: list[str]) -> None:
        """Bind and unbind these until enough was bound; at the end all are bound."""
        connection = self._connect()
        while self._left > 0:
            for port in ports:
                self._left -= 1
                self._bind(connection, port)
                if self._left <= 0:
                    break
                _ask(connection, "PUT", f"{PORTS}/{port}", {"host_id": "", "device_id": ""})
        for port in ports:
            self._bind(connection, port)

    def _bind(self, connection: http.client.HTTPConnection, port: str) -> None:
        """Until it is bound: while nobody leads a bind may reach its deadline."""
        limit = time.time() + _PATIENCE
        while True:
            began = time.time()
            body = _ask(
                connection, "PUT", f"{PORTS}/{port}", {"host_id": SHARD, "device_id": str(uuid.uuid4())}
            )
            if body["vif_type"] == "ovs":
                by = _who(json.loads(body["vif_details"]))
                self.binds.append(Bind(began=began, ended=time.time(), by=by))
                self._done.write(b".")
                return
            self.failed.append(f"{port} after {time.time() - began:.1f} s")
            if time.time() > limit:
                raise TimeoutError(f"port {port} is not bound within {_PATIENCE} s")

    def status(self, port: str) -> str:
        return str(_ask(self._connect(), "GET", f"{PORTS}/{port}/status", None)["status"])

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any) -> dict[str, Any]:
    connection.request(
        method, path, json.dumps(body) if body is not None else None, {"content-type": "application/json"}
    )
    answer = connection.getresponse()
    found = json.loads(answer.read())
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {found}")
    made: dict[str, Any] = found
    return made


async def _ticks() -> AsyncIterator[None]:
    while True:
        yield
        await asyncio.sleep(0.1)


async def main(port: int, url: str, count: int, ports: int, connections: int, folder: Path) -> None:
    bus = connect([url])
    watcher = Watcher(bus)
    watching = [
        asyncio.create_task(watcher.follow(prefix)) for prefix in (keys.LEAD, keys.STATUS, keys.BINDING)
    ]
    load = Load(port, count, folder)
    wrong: list[str] = []
    try:
        made = await asyncio.to_thread(load.make, ports)
        parts = [made[n::connections] for n in range(connections)]
        await asyncio.gather(*(asyncio.to_thread(load.run, part) for part in parts))
        limit = time.time() + _PATIENCE
        async for _ in _ticks():
            waiting = [p for p in made if await asyncio.to_thread(load.status, p) != "ACTIVE"]
            if not waiting or time.time() > limit:
                wrong += [f"port {p} is bound and does not become ACTIVE" for p in waiting]
                break
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        wrong.append(f"the load broke off: {error!r}")
    for task in watching:
        task.cancel()
    await asyncio.wait(watching)
    await bus.close()
    found, writes, leaders = judge(watcher.events)
    told = Told(
        binds=sorted(load.binds, key=lambda b: b.ended),
        failed=load.failed,
        wrong=[*wrong, *found],
        writes=writes,
        leaders=leaders,
    )
    (folder / "told.part").write_bytes(msgspec.json.encode(told))
    (folder / "told.part").rename(folder / "told.json")


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(int(given[0]), given[1], int(given[2]), int(given[3]), int(given[4]), Path(given[5])))
