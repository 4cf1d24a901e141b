"""The desired state in memory: reads by key and by index."""

from __future__ import annotations

from gluon.objects import status
from gluon.shim import world
from gluon.spi.backend import Ref

API = "net"


def put(target: world.MemoryWorld, key: str, **body: object) -> None:
    target.put(world.stored(API, "Thing", key, {"revision": 3, **body}))


def found(target: world.MemoryWorld, attribute: str, value: object) -> list[str]:
    return [s.ref.key for s in target.where(API, "Thing", attribute, value)]


def test_an_index_follows_changes() -> None:
    target = world.MemoryWorld()
    put(target, "b", color="red")
    assert found(target, "color", "red") == ["b"]
    put(target, "a", color="red")
    put(target, "b", color="blue")
    assert found(target, "color", "red") == ["a"]
    assert found(target, "color", "blue") == ["b"]
    target.drop(Ref(API, "Thing", "a"))
    assert found(target, "color", "red") == []
    assert [s.ref.key for s in target.all(API, "Thing")] == ["b"]


def test_uuids_are_equal_in_any_notation() -> None:
    target = world.MemoryWorld()
    put(target, "a", owner="ABCDEFAB-1111-1111-1111-111111111111")
    assert found(target, "owner", "abcdefab111111111111111111111111") == ["a"]
    assert found(target, "owner", "abcdefab-1111-1111-1111-111111111112") == []


def test_values_that_are_no_text_have_an_index_too() -> None:
    target = world.MemoryWorld()
    put(target, "a", tags=["x", "y"], size=4, none=None)
    assert found(target, "tags", ["x", "y"]) == ["a"]
    assert found(target, "size", 4) == ["a"]
    assert found(target, "none", None) == ["a"]
    assert found(target, "missing", None) == ["a"]


def test_bindings_by_host_and_by_port() -> None:
    target = world.MemoryWorld()
    wanted = status.WantedBinding(epoch=1, revision=1)
    port = Ref(API, "Port", "p1")
    target.put_binding(API, "p1", "h2", wanted)
    target.put_binding(API, "p1", "h1", wanted)
    target.put_binding(API, "p0", "h1", wanted)
    assert [(b.ref.key, b.host) for b in target.bindings(API)] == [("p0", "h1"), ("p1", "h1"), ("p1", "h2")]
    assert [b.ref.key for b in target.bindings(API, "h1")] == ["p0", "p1"]
    assert [b.host for b in target.bindings_of(port)] == ["h1", "h2"]
    assert target.bindings_of(Ref(API, "Interface", "p1")) == []
    target.drop_binding(API, "p1", "h1")
    target.drop_binding(API, "p1", "h1")
    assert target.binding(port, "h1") is None
    assert target.binding(port, "h2") is not None


def test_a_binding_carries_its_port_once_it_is_there() -> None:
    target = world.MemoryWorld()
    target.name_ports(API, "Nic")
    target.put_binding(API, "p1", "h1", status.WantedBinding(epoch=1, revision=1))
    assert next(target.bindings(API)).port is None
    target.put(world.stored(API, "Nic", "p1", {"revision": 9}))
    port = next(target.bindings(API)).port
    assert port is not None
    assert port.revision == 9


def test_every_change_gives_another_version() -> None:
    target = world.MemoryWorld()
    seen = {target.version}
    put(target, "a")
    seen.add(target.version)
    target.drop(Ref(API, "Thing", "a"))
    seen.add(target.version)
    assert len(seen) == 3
