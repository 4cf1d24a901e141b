"""The life of servers on ports of an L3VPN."""

from tests.live.nova.cloud import NONE, Cloud


def test_a_server_without_a_nic(cloud: Cloud) -> None:
    server = cloud.boot(NONE)
    assert cloud.interfaces(server) == set()
    cloud.delete(server)


def test_a_server_on_a_port(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    cloud.carries(port, server)
    assert cloud.interfaces(server) == {port}
    assert cloud.addresses(server) == {cloud.address_of(port)}
    shown = cloud.port(port)
    assert shown["device_owner"].startswith("compute:")
    assert shown["binding:vif_type"] == "ovs"
    cloud.delete(server)
    cloud.free(port)
