"""The thread that keeps Neutron's rows looks at Gluon while users change ports: what they see stays as they made it."""

import uuid
from collections.abc import Iterator

import pytest

from gluon.testing.product import GluonServer
from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.conftest import BIND, FREE, Databases, Site
from tests.live.neutron.way import Holding

Followed = tuple[Site, Holding]


@pytest.fixture(scope="module")
def followed(databases: Databases) -> Iterator[Followed]:
    """Neutron hears of Gluon by a way on which answers wait."""
    with GluonServer("up") as gluon, Holding(gluon.port) as way:
        settings = {"gluon": {"url": way.url}}
        with NeutronServer(database=databases(), plugin="gluon", settings=settings) as front:
            yield Site(front, gluon), way


def bound(site: Site) -> str:
    port = site.port()
    site.shown(f"ports/{port}")
    bind(site, port)
    site.settled()
    return port


def bind(site: Site, port: str) -> None:
    site.neutron("PUT", f"ports/{port}", {"port": {**BIND, "device_id": str(uuid.uuid4())}})


def free(site: Site, port: str) -> None:
    site.neutron("PUT", f"ports/{port}", {"port": FREE})


def test_what_is_written_while_a_changed_port_is_looked_at_stays(followed: Followed) -> None:
    """Gluon's answer waits, so it is the older one. By the next look all that came of it is written."""
    site, way = followed
    port = bound(site)
    with way.holds():
        assert site.gluon.request("PUT", f"/v2.0/ports/{port}", {"port": {"name": "seen"}})[0] == 200
        way.turn()
        free(site, port)
        way.turn()
        assert site.seen(port)["binding:host_id"] == ""
        bind(site, port)
        way.turn()
        assert site.seen(port)["binding:host_id"] == "host1"
        site.neutron("DELETE", f"ports/{port}", wanted=204)
        way.turn()
        site.neutron("GET", f"ports/{port}", wanted=404)


def test_what_is_written_while_all_ports_are_looked_at_stays(followed: Followed) -> None:
    """As after a watch that ended. Whichever look it is, and however many there are."""
    site, way = followed
    port = bound(site)
    site.gluon.daemon.kill9()
    with way.holds():
        site.gluon.start()
        way.turn()
        for _ in range(3):
            free(site, port)
            way.turn()
            assert site.seen(port)["binding:host_id"] == ""
            bind(site, port)
            way.turn()
            assert site.seen(port)["binding:host_id"] == "host1"
    site.settled()
    assert site.seen(port)["binding:host_id"] == "host1"
