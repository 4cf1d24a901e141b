"""Protons of running servers: how soon a load, replace or retire is everywhere, while 64 clients write all they can."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import load
from bench.measure import Figure, Plan, at_most, median
from bench.site import Gluon, kept_in
from gluon.model.find import CATALOG
from gluon.testing.process import run as run_program
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer, GluonShim

_WITHIN = 2.0
_NAME = "net-life"
_PATH = f"/proton/{_NAME}/v2.0/networks"
_ADMIN = "/gluon/v1/protons"
_STEPS = ("load", "replace", "retire")


def run(plan: Plan) -> Sequence[Figure]:
    """Two servers with two workers each, a shim, clients at one of the servers; every step is asked of the other."""
    answers: dict[str, list[float]] = {step: [] for step in _STEPS}
    everywhere: list[float] = []
    with (
        kept_in(plan.database) as (database, etcd),
        tempfile.TemporaryDirectory(prefix="gluon-bench-") as folder,
    ):
        words = ("server", "--workers", "2", "--database", database, "--etcd", etcd)
        with (
            GluonServer(*words) as one,
            GluonServer(*words) as two,
            GluonShim("--backend", "fake", "--host", "*", "--etcd", etcd),
            _clients(one) as clients,
        ):
            for _ in range(plan.rounds):
                for step in _STEPS:
                    answers[step].append(_step(Gluon(two), step))
                    began = time.monotonic()
                    _settled((one, two), 404 if step == "retire" else 200)
                    everywhere.append(time.monotonic() - began)
            typed = _typed(two, Path(folder))
        failed = clients.failed
    every = [seconds for each in answers.values() for seconds in each]
    return [
        *(at_most(f"{step} answered", answers[step], "s", _WITHIN) for step in _STEPS),
        at_most("slowest of them", [max(every)], "s", _WITHIN),
        median("after the answer, until every process was seen to follow", everywhere, "s"),
        median("gluon proton load as a command", [typed], "s"),
        median("requests of the clients meanwhile", [clients.requests], ""),
        at_most("requests failed", [failed], "", 0),
    ]


def _step(server: Gluon, step: str) -> float:
    """Seconds until the answer, which must name no process as late."""
    text = _text(colour=step == "replace")
    began = time.monotonic()
    if step == "retire":
        done = server.ask("DELETE", f"{_ADMIN}/{_NAME}?force=true")
    elif step == "replace":
        done = server.ask("PUT", f"{_ADMIN}/{_NAME}", {"files": {"api.yaml": text}})
    else:
        done = server.ask("POST", _ADMIN, {"files": {"api.yaml": text}})
    seconds = time.monotonic() - began
    if done["late"]:
        raise RuntimeError(f"{step}: late after {seconds:.1f} s: {done['late']}")
    return seconds


def _text(*, colour: bool) -> str:
    text = (
        (CATALOG / "net-l2" / "api.yaml")
        .read_text(encoding="utf-8")
        .replace("name: net-l2", f"name: {_NAME}")
    )
    return (
        text.replace("\n    attributes:\n", "\n    attributes:\n      colour: {type: string}\n", 1)
        if colour
        else text
    )


def _typed(server: GluonServer, folder: Path) -> float:
    """The same from a shell, with the start of the command."""
    (folder / "api.yaml").write_text(_text(colour=False), encoding="utf-8")
    words = ["-m", "gluon.cmd.main", "proton", "load", str(folder), "--port", str(server.port)]
    began = time.monotonic()
    run_program([sys.executable, *words], limit=60)
    return time.monotonic() - began


def _settled(servers: Sequence[GluonServer], status: int) -> None:
    """Whichever worker answers."""
    wait_until(
        lambda: {s.request("GET", _PATH)[0] for s in servers for _ in range(6)} == {status},
        f"{status} of every process",
        limit=20,
    )


class _Clients:
    """wrk, again and again in short runs, so that it can end; what fails in a run is counted by it."""

    def __init__(self, server: GluonServer) -> None:
        self._url = server.url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.requests = 0
        self.failed = 0

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self.requests > 0, "clients are at work", limit=30)

    def end(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            seen = load.drive(self._url, load.create_script(), 1.0, strict=False)
            self.requests += seen.requests
            self.failed += seen.failed


@contextmanager
def _clients(server: GluonServer) -> Iterator[_Clients]:
    clients = _Clients(server)
    clients.start()
    try:
        yield clients
    finally:
        clients.end()
