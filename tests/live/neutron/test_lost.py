"""A port is asked for, and the answer gets lost on its way: what is told to the user is true all the same."""

import json
import subprocess
import uuid
from typing import Any

from gluon.testing.process import wait_until
from gluon.testing.servers import neutron
from tests.live.neutron.conftest import Site
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


def asked(url: str, body: dict[str, Any]) -> str:
    words = [str(neutron.PYTHON), "-I", "-c", SCRIPT, url, json.dumps(body)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
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
