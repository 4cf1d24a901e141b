"""The life of servers on ports of protons, on the host where they were booted."""

from concurrent.futures import ThreadPoolExecutor

from tests.live.nova.cloud import LIMIT, NONE, V1, Cloud


def test_a_server_without_a_nic(cloud: Cloud) -> None:
    server = cloud.boot(NONE)
    assert cloud.interfaces(server) == set()
    cloud.delete(server)


def test_a_server_on_a_port(cloud: Cloud) -> None:
    """It waits until Nova is told that its NIC is plugged: the answer to the bind said DOWN."""
    port = cloud.new_port()
    taken = cloud.taken()
    server = cloud.boot([{"port": port}])
    cloud.until(lambda: cloud.taken() > taken, "Nova's answer to an event")
    cloud.carries(port, server)
    assert cloud.interfaces(server) == {port}
    assert cloud.addresses(server) == {cloud.address_of(port)}
    shown = cloud.port(port)
    assert (shown["device_owner"], shown["binding:vif_type"]) == ("compute:nova", "ovs")
    cloud.delete(server)
    cloud.free(port)


def test_a_member_lists_a_server_with_its_addresses(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    listed = cloud.nova_says("GET", "/servers/detail", token=cloud.member)["servers"]
    (found,) = [one for one in listed if one["id"] == server]
    addresses = [one for some in found["addresses"].values() for one in some]
    assert [one["addr"] for one in addresses] == [cloud.address_of(port)]
    assert addresses[0]["OS-EXT-IPS-MAC:mac_addr"] == cloud.port(port)["mac_address"]
    cloud.delete(server)


def test_ports_of_several_networks_and_one_without_an_address(cloud: Cloud) -> None:
    ports = [cloud.new_port(), cloud.new_port(cloud.new_vpn()), cloud.new_port(bare=True)]
    server = cloud.boot([{"port": port} for port in ports])
    assert cloud.interfaces(server) == set(ports)
    assert cloud.addresses(server) == {cloud.address_of(port) for port in ports[:2]}
    for port in ports:
        cloud.carries(port, server)
    cloud.delete(server)
    for port in ports:
        cloud.free(port)


def test_nova_makes_a_port_with_the_address_that_is_asked_for(cloud: Cloud) -> None:
    network = cloud.network(cloud.new_port())
    server = cloud.boot([{"uuid": network, "fixed_ip": "10.1.0.200"}])
    (port,) = cloud.interfaces(server)
    cloud.carries(port, server)
    assert cloud.address_of(port) == "10.1.0.200"
    cloud.delete(server)
    cloud.gone(port)


def test_many_servers_at_once_by_network(cloud: Cloud) -> None:
    network = cloud.network(cloud.new_port(cloud.new_vpn()))
    addresses = [f"10.1.0.{number}" for number in range(221, 231)]
    with ThreadPoolExecutor(len(addresses)) as pool:
        wanted = [[{"uuid": network, "fixed_ip": address}] for address in addresses]
        servers = list(pool.map(lambda networks: cloud.boot(networks, until=""), wanted))
        ports = []
        for server, address in zip(servers, addresses, strict=True):
            cloud.wait(server, "ACTIVE")
            (port,) = cloud.interfaces(server)
            cloud.carries(port, server)
            assert cloud.addresses(server) == {address}
            ports.append(port)
        list(pool.map(cloud.delete, servers))
    for port in ports:
        cloud.gone(port)


def test_a_network_that_gives_no_addresses_is_no_matter_of_the_host(cloud: Cloud) -> None:
    network = cloud.network(cloud.new_port())
    server = cloud.boot([{"uuid": network}], until="ERROR")
    assert "not rescheduling" in cloud.server(server)["fault"]["message"]
    cloud.delete(server)
    server = cloud.boot(NONE)
    path, body = f"/servers/{server}/os-interface", {"interfaceAttachment": {"net_id": network}}
    answer = cloud.nova_says("POST", path, body, token=cloud.member, wanted=400)
    assert "No fixed IP addresses available" in answer["badRequest"]["message"]
    cloud.delete(server)


def test_nova_makes_a_port_of_a_network_that_gives_addresses(cloud: Cloud) -> None:
    server = cloud.boot([{"uuid": cloud.new_l2_network()}])
    (port,) = cloud.interfaces(server)
    cloud.carries(port, server)
    assert cloud.addresses(server) == {cloud.address_of(port)}
    cloud.delete(server)
    cloud.gone(port)


def test_ports_are_attached_and_detached(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot(NONE)
    path = f"/servers/{server}/os-interface"
    cloud.nova_says("POST", path, {"interfaceAttachment": {"port_id": port}}, token=cloud.member)
    cloud.carries(port, server)
    assert cloud.addresses(server) == {cloud.address_of(port)}
    cloud.nova_says("DELETE", f"{path}/{port}", token=cloud.member, wanted=202)
    cloud.free(port)
    cloud.until(lambda: not cloud.addresses(server), "the end of its address in Nova")
    wanted = {"net_id": cloud.network(port), "fixed_ips": [{"ip_address": "10.1.0.201"}]}
    made = cloud.nova_says("POST", path, {"interfaceAttachment": wanted}, token=cloud.member)
    another = made["interfaceAttachment"]["port_id"]
    cloud.carries(another, server)
    cloud.nova_says("DELETE", f"{path}/{another}", token=cloud.member, wanted=202)
    cloud.gone(another)
    cloud.delete(server)


def test_a_server_is_rebooted_and_rebuilt(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    for action, body in (
        ("reboot", {"type": "SOFT"}),
        ("reboot", {"type": "HARD"}),
        ("rebuild", {"imageRef": cloud.nova.image}),
    ):
        cloud.act(server, action, body)
        cloud.wait(server, "ACTIVE")
        cloud.carries(port, server)
    cloud.delete(server)
    cloud.free(port)


def test_a_shelved_server_keeps_its_port_and_is_nowhere(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    cloud.act(server, "shelve")
    cloud.wait(server, "SHELVED_OFFLOADED")
    shown = cloud.port(port)
    assert (shown["device_id"], shown["binding:host_id"], shown["binding:vif_type"]) == (
        server,
        "",
        "unbound",
    )
    assert cloud.plugged(port) == set()
    cloud.act(server, "unshelve")
    cloud.wait(server, "ACTIVE")
    cloud.carries(port, server)
    cloud.delete(server)
    cloud.free(port)


def test_a_port_that_is_deleted_leaves_its_server(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    cloud.gluon_says("DELETE", f"/v2.0/ports/{port}", token=cloud.member, wanted=204)
    cloud.until(lambda: not cloud.addresses(server), "Nova's detach")
    cloud.until(lambda: not cloud.plugged(port), "the unplug")
    assert cloud.interfaces(server) == set()
    cloud.delete(server)


def test_a_port_is_deleted_while_nova_reads_it(cloud: Cloud) -> None:
    """Nova writes what it read of its ports over what it did meanwhile, and never looks again by itself."""
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    with cloud.relay.holding(b"GET /v2.0/networks/") as waits:  # the last of what it reads
        cloud.tell("network-changed", server, port)
        assert waits.wait(LIMIT)
        cloud.gluon_says("DELETE", f"/v2.0/ports/{port}", token=cloud.member, wanted=204)
        cloud.until(lambda: not cloud.plugged(port), "the unplug")
        before = cloud.listed()
    cloud.until(lambda: cloud.listed() > before, "another look")  # what it had read is written by then
    cloud.until(lambda: not cloud.addresses(server), "Nova's detach")
    assert cloud.interfaces(server) == set()
    cloud.delete(server)


def test_nova_hears_of_another_address(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    cloud.gluon_says("PUT", f"{V1}/vpnbindings/{port}", {"ipaddress": "10.1.0.202"}, token=cloud.member)
    cloud.until(lambda: cloud.addresses(server) == {"10.1.0.202"}, "the new address in Nova")
    cloud.delete(server)


def refusal(cloud: Cloud, port: str, token: str) -> tuple[int, str]:
    wanted = {
        "name": "refused",
        "imageRef": cloud.nova.image,
        "flavorRef": cloud.nova.flavor,
        "networks": [{"port": port}],
    }
    status, answer = cloud.nova.request("POST", "/servers", {"server": wanted}, token=token)
    (fault,) = answer.values()
    return status, str(fault["message"])


def test_a_port_that_cannot_be_used_is_refused_at_once(cloud: Cloud) -> None:
    port = cloud.new_port()
    nobody = "8a8a8a8a-0000-4000-8000-000000000000"
    status, words = refusal(cloud, nobody, cloud.member)
    assert (status, f"Port id {nobody} could not be found" in words) == (400, True), words
    project = cloud.keystone.project()
    stranger = cloud.keystone.token(cloud.keystone.new_user("member", project=project), project_id=project)
    status, words = refusal(cloud, port, stranger)
    assert (status, f"Port id {port} could not be found" in words) == (400, True), words
    server = cloud.boot([{"port": port}])
    status, words = refusal(cloud, port, cloud.member)
    assert (status, f"Port {port} is still in use" in words) == (409, True), words
    cloud.carries(port, server)
    cloud.delete(server)
