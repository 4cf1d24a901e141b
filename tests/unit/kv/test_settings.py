"""Addresses of etcd, and which bus they open."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence

import pytest

from gluon.errors import BusError
from gluon.kv.connect import connect
from gluon.kv.memory import MemoryBus
from gluon.kv.settings import Address, EtcdSettings, parse_address, parse_addresses


@pytest.mark.parametrize(
    ("url", "target", "tls"),
    [
        ("http://host:1234", "host:1234", False),
        ("https://host:1234/", "host:1234", True),
        ("host:1234", "host:1234", False),
        ("host", "host:2379", False),
        (" http://10.0.0.1 ", "10.0.0.1:2379", False),
        ("https://[::1]:99", "[::1]:99", True),
    ],
)
def test_an_address(url: str, target: str, tls: bool) -> None:
    assert parse_address(url) == Address(target=target, tls=tls)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host/path",
        "http://u:p@host",
        "http://[::1",
        "h:70000",
    ],
)
def test_a_wrong_address_is_named(url: str) -> None:
    with pytest.raises(BusError, match="is no address of etcd"):
        parse_address(url)


@pytest.mark.parametrize(
    "urls", [["http://a,https://b:1"], ["http://a", "https://b:1"], ["a", "https://b:1,a,"]]
)
def test_several_addresses(urls: Sequence[str]) -> None:
    assert parse_addresses(urls) == (Address(target="a:2379"), Address(target="b:1", tls=True))


def test_a_list_without_an_address_is_refused() -> None:
    with pytest.raises(BusError, match="no address"):
        parse_addresses([" , "])


def test_the_password_is_in_no_repr() -> None:
    settings = EtcdSettings(addresses=parse_addresses(["a"]), user="u", password="geheim")
    assert "geheim" not in repr(settings)


@pytest.mark.parametrize("urls", [None, [], ()])
def test_without_urls_the_bus_is_in_memory(urls: Sequence[str] | None) -> None:
    assert isinstance(connect(urls), MemoryBus)


def test_the_embedded_bus_loads_no_protobuf() -> None:
    program = (
        "import sys; from gluon.kv.connect import connect; connect();"
        "sys.exit(any(name.split('.')[0] in {'grpc', 'google'} for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_protobuf_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError("No module named 'google'", name="google")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BusError, match=r"pip install 'gluon\[etcd\]'"):
        connect(["http://a"])


def test_a_defect_of_our_own_is_not_taken_for_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError("No module named 'gluon.kv.nothing'", name="gluon.kv.nothing")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError):
        connect(["http://a"])
