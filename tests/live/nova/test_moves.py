"""Servers that move between hosts, and hosts to which no port can be bound."""

from typing import Any

from tests.live.nova.cloud import Cloud


def test_a_server_migrates_and_comes_back_if_that_is_wanted(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    for end in ("confirmResize", "revertResize"):
        before = cloud.host(server)
        cloud.act(server, "migrate", admin=True)
        cloud.wait(server, "VERIFY_RESIZE")
        assert cloud.host(server) != before
        cloud.carries(port, server)
        cloud.act(server, end, wanted=204 if end == "confirmResize" else 202)
        cloud.wait(server, "ACTIVE")
        assert (cloud.host(server) == before) == (end == "revertResize")
        cloud.carries(port, server)
    cloud.delete(server)
    cloud.free(port)


def test_a_live_migration_has_two_bindings_for_a_while(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    before = cloud.host(server)
    cloud.act(server, "os-migrateLive", {"host": None, "block_migration": "auto"}, admin=True)
    cloud.until(lambda: cloud.host(server) != before, "the server on the other host")
    cloud.wait(server, "ACTIVE")
    cloud.carries(port, server)
    cloud.bound_once(port, server)
    assert cloud.port(port)["binding:profile"] == {}
    cloud.delete(server)
    cloud.free(port)


def test_a_live_migration_to_a_host_that_refuses_leaves_the_server_alone(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    before = cloud.host(server)
    (target,) = set(cloud.nova.hosts) - {before}
    with cloud.refusing(target):
        cloud.act(server, "os-migrateLive", {"host": None, "block_migration": "auto"}, admin=True)
        cloud.until(lambda: ended(cloud, server), "the end of the migration")
    cloud.wait(server, "ACTIVE")
    assert cloud.host(server) == before
    cloud.carries(port, server)
    cloud.bound_once(port, server)
    cloud.delete(server)
    cloud.free(port)


def ended(cloud: Cloud, server: str) -> bool:
    found: list[Any] = cloud.nova_says("GET", f"/os-migrations?instance_uuid={server}")["migrations"]
    return bool(found) and all(one["status"] in {"error", "failed"} for one in found)


def test_a_server_of_a_dead_host_is_evacuated(cloud: Cloud) -> None:
    port = cloud.new_port()
    server = cloud.boot([{"port": port}])
    before = cloud.host(server)
    cloud.nova.process(before).kill9()
    (cloud.nova.plugs(before) / port).unlink()
    service = service_of(cloud, before)
    try:
        cloud.nova_says("PUT", f"/os-services/{service['id']}", {"forced_down": True})
        cloud.act(server, "evacuate", {}, admin=True, wanted=200)
        cloud.until(lambda: cloud.host(server) != before, "the server on the other host")
        cloud.wait(server, "ACTIVE")
        cloud.carries(port, server)
        cloud.delete(server)
        cloud.free(port)
    finally:
        cloud.nova.start_host(before)
        cloud.nova_says("PUT", f"/os-services/{service['id']}", {"forced_down": False})
        since = str(service_of(cloud, before)["updated_at"])
        cloud.until(lambda: up(cloud, before, since), f"{before} again")


def service_of(cloud: Cloud, host: str) -> dict[str, Any]:
    (found,) = cloud.nova_says("GET", f"/os-services?binary=nova-compute&host={host}")["services"]
    return dict(found)


def up(cloud: Cloud, host: str, since: str) -> bool:
    """By a report of its new life; to force it up counts as one, too."""
    found = service_of(cloud, host)
    return bool(found["state"] == "up" and found["updated_at"] > since)


def test_a_host_that_refuses_leaves_a_server_to_the_next(cloud: Cloud) -> None:
    ballast, refuses = cloud.ballast()
    port = cloud.new_port()
    with cloud.refusing(refuses):
        server = cloud.boot([{"port": port}])
    assert cloud.host(server) == cloud.host(ballast)
    cloud.carries(port, server)
    said = cloud.nova.process(refuses).said(lines=10_000)
    assert f"Binding failed for port {port}" in said
    for one in (server, ballast):
        cloud.delete(one)
    cloud.free(port)


def test_a_port_that_no_host_takes_is_free_afterwards(cloud: Cloud) -> None:
    port = cloud.new_port()
    with cloud.refusing(*cloud.nova.hosts):
        server = cloud.boot([{"port": port}], until="ERROR")
    cloud.free(port)
    cloud.delete(server)
    server = cloud.boot([{"port": port}])
    cloud.carries(port, server)
    cloud.delete(server)
