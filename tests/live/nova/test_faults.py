"""What one of the parts does not live to see, Nova is told all the same: a server that waits for its NIC boots."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.live.nova.cloud import Cloud


@contextmanager
def without_gluon(cloud: Cloud) -> Iterator[None]:
    cloud.gluon.daemon.kill9()
    yield
    cloud.gluon.start()


@contextmanager
def without_etcd(cloud: Cloud) -> Iterator[None]:
    """Until Gluon knows that it is away."""
    cloud.etcd.kill9()
    yield
    cloud.until(lambda: cloud.measured("gluon_etcd_up") == 0, "Gluon's word that etcd is away")
    cloud.etcd.start()


@contextmanager
def without_nova(cloud: Cloud) -> Iterator[None]:
    """Until Gluon has tried in vain to tell its API."""
    api = cloud.nova.process("api")
    retries = cloud.measured("gluon_nova_retries_total")
    api.kill9()
    yield
    cloud.until(lambda: cloud.measured("gluon_nova_retries_total") > retries, "an event in vain")
    api.start()
    cloud.until(lambda: "serving" in api.said(lines=10_000), "Nova's API")


@contextmanager
def without_keystone(cloud: Cloud) -> Iterator[None]:
    """Until Gluon has told Nova, or tried in vain: both may keep tokens that they know."""

    def told() -> float:
        return cloud.plugs_told() + cloud.measured("gluon_nova_retries_total")

    before = told()
    cloud.keystone.kill9()
    yield
    cloud.until(lambda: told() > before, "an event without Keystone")
    cloud.keystone.start()


FAULTS = (without_gluon, without_etcd, without_nova, without_keystone)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_a_server_gets_its_event(
    cloud: Cloud, fault: Callable[[Cloud], AbstractContextManager[None]]
) -> None:
    """Its NIC is plugged while one of the parts is away."""
    port = cloud.new_port()
    with cloud.held(port) as (server, plug):
        assert (cloud.port(port)["status"], cloud.server(server)["status"]) == ("DOWN", "BUILD")
        with fault(cloud):
            plug()
    cloud.wait(server, "ACTIVE")
    cloud.carries(port, server)
    cloud.delete(server)
    cloud.free(port)
