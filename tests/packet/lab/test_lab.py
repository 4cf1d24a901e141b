"""The lab itself: packets pass where they should, a missing tool is an error, nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gluon.testing.lab import (
    Capture,
    Lab,
    NameServer,
    OvsInstance,
    RouteReflector,
    ask_name,
    ping,
    unmet_needs,
)
from gluon.testing.process import ProcessFailed, alive, run, wait_until
from gluon.testing.programs import MissingProgram

pytestmark = pytest.mark.packet


def namespaces() -> set[str]:
    return {line.split()[0] for line in run(["ip", "netns", "list"]).splitlines()}


def test_hosts_on_one_segment_reach_each_other_and_nobody_else(lab: Lab) -> None:
    a, b = lab.host("a"), lab.host("b")
    core = lab.segment("core", a, b)
    a.address("eth0", "192.0.2.1/24")
    b.address("eth0", "192.0.2.2/24")
    NameServer(b).start()

    with Capture(core, "p0", "icmp") as capture:
        assert ping(a, "192.0.2.2", count=3)
        capture.wait_for(r"192\.0\.2\.2 > 192\.0\.2\.1: ICMP echo reply")
    assert ask_name(a, "192.0.2.2") == "b"
    assert not ping(a, "192.0.2.3", seconds=0.2)
    assert not ping(a, "198.51.100.1")
    assert not ask_name(a, "192.0.2.2", port=7001)


def test_missing_or_misused_ping_is_an_error_not_a_negative_answer(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = lab.host("a")
    with pytest.raises(ProcessFailed):
        ping(host, "no address")
    monkeypatch.setattr(
        "shutil.which", lambda name, path=None: None if name == "ping" else f"/usr/bin/{name}"
    )
    with pytest.raises(MissingProgram, match="iputils-ping"):
        ping(host, "192.0.2.1")


def test_closing_removes_namespaces_daemons_and_folder(lab: Lab) -> None:
    host = lab.host("a")
    switch = OvsInstance(host)
    switch.start()
    pids, folder = [switch.vswitchd.pid, switch.database.pid], lab.folder

    lab.close()

    assert host.namespace not in namespaces()
    assert not any(alive(pid) for pid in pids)
    assert not folder.exists()


def test_two_labs_with_the_same_names_do_not_meet(lab: Lab) -> None:
    with Lab() as other:
        assert lab.host("a").namespace != other.host("a").namespace
        other.host("a").ip("link", "add", "d0", "type", "bridge")
        assert lab.host("a").devices() == ["lo"]


def test_a_forked_child_never_tears_down(lab: Lab) -> None:
    host = lab.host("a")
    child = os.fork()
    if child == 0:
        lab.close()
        os._exit(0)
    os.waitpid(child, 0)

    assert host.namespace in namespaces()


SCRIPT = """
import sys, time
from gluon.testing.lab import Lab, RouteReflector
with Lab() as lab:
    host = lab.host("a")
    reflector = RouteReflector(host, router_id="192.0.2.9", clients=[])
    reflector.start()
    print(reflector.daemon.pid, host.namespace, lab.folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("signal_name", ["terminate", "kill"])
def test_a_maker_that_ends_leaves_no_daemon_and_the_next_lab_sweeps_up(signal_name: str) -> None:
    if why := unmet_needs("gobgpd"):
        pytest.skip(why)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, env=environment
    ) as maker:
        assert maker.stdout is not None
        pid, namespace, folder = maker.stdout.readline().split()
        getattr(maker, signal_name)()

    wait_until(lambda: not alive(int(pid)), "death of the reflector", limit=10)
    if signal_name == "kill":
        with Lab():
            pass
    assert namespace not in namespaces()
    assert not Path(folder).exists()


@pytest.mark.parametrize("frr", [True, False], ids=["frr", "gobgpd"])
def test_reflector_comes_back_after_kill9(lab: Lab, *, frr: bool) -> None:
    if why := unmet_needs("bgpd" if frr else "gobgpd"):
        pytest.skip(why)
    reflector = RouteReflector(lab.host("r"), router_id="192.0.2.9", clients=[], frr=frr)
    reflector.start()
    reflector.kill9()
    assert not reflector.daemon.running

    reflector.start()

    assert reflector.daemon.running
