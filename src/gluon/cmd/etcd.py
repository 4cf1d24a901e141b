"""The bus of the settings, and whether it may be used in the clear."""

from __future__ import annotations

from gluon.cmd import front
from gluon.cmd import settings as config
from gluon.kv import connect
from gluon.kv.settings import parse_addresses
from gluon.spi.bus import Bus


def connect_bus(settings: config.Settings) -> Bus:
    """etcd, or the bus inside the process. Raises `BusError`, or `SettingsError` if it would be in the clear."""
    etcd = settings.etcd
    if etcd.urls and not settings.api.insecure:
        require_private(etcd)
    return connect.connect(
        etcd.urls,
        user=etcd.user,
        password=etcd.password,
        ca_file=etcd.ca_file,
        cert_file=etcd.cert_file,
        key_file=etcd.key_file,
    )


def require_private(etcd: config.Etcd) -> None:
    """TLS and a user are needed unless etcd is on loopback."""
    for address in parse_addresses(etcd.urls):
        host = address.target.rsplit(":", 1)[0].strip("[]")
        if not front.is_loopback(host) and not (address.tls and etcd.user):
            raise config.SettingsError(
                f"etcd at {address.target} is not on loopback: it needs https:// and a user, or --insecure"
            )
