"""The demo without packets: `gluon up`, embedded, with the fake backend that computes who reaches whom."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gluon.testing import demo_case as case
from gluon.testing.process import NotReady, wait_until
from gluon.testing.product import GluonServer


def run(*, keep: bool) -> None:
    """Raises `DemoFailed`, or `GluonError` if it could not run."""
    with GluonServer("up") as server:
        print("One process: API, SQLite, a bus inside the process, the fake backend for hosts A and B.")
        client = case.Client(server)
        made = case.make(client)
        print("Made with protonclient: VPN Blue and VPN Red, with the same addresses.\n")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda m: case.bind(client, m, made.ports[m.name]), case.MACHINES))
        names = {port["id"]: name for name, port in made.ports.items()}
        found: dict[str, dict[str, str]] = {}

        def complete() -> bool:
            for machine in case.MACHINES:
                found[machine.name] = _reached(server, made.ports[machine.name]["id"], names)
            return not _wrong(found)

        try:
            wait_until(complete, "the fake backend to program all", limit=10, every=0.1)
        except NotReady:
            complete()
        wrong = case.matrix(lambda m, a: found[m.name].get(a, ""))
        if wrong:
            raise case.DemoFailed("; ".join(wrong))
        if keep:
            case.say_ids(server, made)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _wrong(found: dict[str, dict[str, str]]) -> bool:
    return any(
        found[m.name].get(a, "") != case.expected(m, a)
        for m in case.MACHINES
        for a in {n.address for n in case.MACHINES}
    )


def _reached(server: GluonServer, port: str, names: dict[str, str]) -> dict[str, str]:
    """Address to machine, as the port's condition `Reaches` says."""
    path = f"/proton/{case.API}/v1.0/ports/{port}/status"
    standing: dict[str, Any] = server.request("GET", path)[1]
    said = next((c["message"] for c in standing["conditions"] if c["type"] == "Reaches"), "")
    pairs = (entry.split(" ", 1) for entry in said.split(", ") if entry)
    return {address: names.get(key, key) for address, key in pairs}
