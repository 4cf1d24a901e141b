"""A port is asked for, and the answer gets lost on its way: what is told to the user is true all the same."""

import json
import subprocess
import uuid
from typing import Any

from gluon.testing.process import wait_until
from gluon.testing.servers import neutron
from tests.live.neutron.conftest import BIND, Site
from tests.live.neutron.way import Lossy

SCRIPT = """
import json, sys, threading
from neutron_lib import exceptions
from oslo_config import cfg
from gluon.hosted import face, settings
url, body = sys.argv[1:]
settings.register()
cfg.CONF([])
cfg.CONF.set_override("url", url, group="gluon")
try:
    print(face.Face().create_port(None, json.loads(body))["id"])
except exceptions.ServiceUnavailable:
    print("unavailable")
for thread in threading.enumerate():
    if thread.name == "gluon-take-back":
        thread.join()
"""
"""Runs in Neutron's environment: what its plugin asks Gluon by."""


MOVES = """
import sys
from oslo_config import cfg
from gluon.hosted import face, settings
url, port, host = sys.argv[1:]
settings.register()
cfg.CONF([])
cfg.CONF.set_override("url", url, group="gluon")
for _ in range(2):
    face.Face().activate(None, port, host)
"""
"""As where Neutron's transaction is tried again, after a deadlock of its database."""


def asked(url: str, body: dict[str, Any]) -> str:
    return run(SCRIPT, url, json.dumps(body))


def run(script: str, *words: str) -> str:
    asks = [str(neutron.PYTHON), "-I", "-c", script, *words]
    done = subprocess.run(asks, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def named(site: Site, name: str) -> list[str]:
    return [port["id"] for port in site.face(f"ports?name={name}")["ports"]]


def test_the_port_is_made_once_and_answered(site: Site) -> None:
    name = uuid.uuid4().hex
    body = {"network_id": site.service(), "name": name, "fixed_ips": [{"ip_address": "10.1.1.20"}]}
    with Lossy(site.gluon.port) as way:
        way.lose = 2
        made = asked(way.url, body)
        assert way.lost == 2
    site.settled()
    assert named(site, name) == [made]


def test_what_is_never_answered_is_taken_back(site: Site) -> None:
    name = uuid.uuid4().hex
    body = {"network_id": site.service(), "name": name, "fixed_ips": [{"ip_address": "10.1.1.21"}]}
    with Lossy(site.gluon.port) as way:
        way.lose = 100
        assert asked(way.url, body) == "unavailable"
        assert way.lost >= 4
    wait_until(lambda: not named(site, name), "the port gone")
    site.settled()
    assert site.neutron("GET", f"ports?name={name}")["ports"] == []


def test_a_port_is_moved_however_often_that_is_asked(site: Site) -> None:
    port = site.port()
    site.shown(f"ports/{port}")
    site.neutron("PUT", f"ports/{port}", {"port": {**BIND, "device_id": str(uuid.uuid4())}})
    wanted = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
    site.neutron("POST", f"ports/{port}/bindings", wanted, wanted=201)
    run(MOVES, f"http://127.0.0.1:{site.gluon.port}", port, "host2")
    both = [("host1", "INACTIVE"), ("host2", "ACTIVE")]
    held = site.face(f"ports/{port}/bindings")["bindings"]
    assert [(one["host"], one["status"]) for one in held] == both
    site.until(lambda: bool(site.seen(port)["binding:host_id"] == "host2"), "the port on its new host")
