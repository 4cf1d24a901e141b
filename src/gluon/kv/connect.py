"""Open the bus that the settings name. The only part of this room that the mains know.

In: URLs of etcd, or none. Out: a `Bus`. Invariant: without URLs nothing of protobuf is imported, so
the embedded bus needs no extra.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from gluon.errors import BusError
from gluon.kv.memory import MemoryBus
from gluon.kv.settings import EtcdSettings, parse_addresses
from gluon.spi.bus import Bus

_MAX_OPS = 16
"""Of a Txn in this process, which is 64 writes: requests of the same event loop wait for all of it."""


def connect(
    urls: Sequence[str] | None = None,
    *,
    user: str = "",
    password: str = "",
    ca_file: str = "",
    cert_file: str = "",
    key_file: str = "",
    timeout: float = 5.0,
    progress: float = 10.0,
    max_ops: int = 128,
) -> Bus:
    """The embedded bus without `urls`, else etcd's client; nothing is sent before its first call.

    Call it in the process and event loop that use the bus. Raises `BusError` for a wrong URL, and
    if the extra for etcd is not installed.
    """
    if not urls:
        return MemoryBus(max_ops=min(max_ops, _MAX_OPS), progress=progress)
    settings = EtcdSettings(
        addresses=parse_addresses(urls),
        user=user,
        password=password,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        timeout=timeout,
        progress=progress,
        max_ops=max_ops,
    )
    try:
        etcd = importlib.import_module("gluon.kv.etcd")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "google":
            raise
        raise BusError("etcd needs protobuf, which is not installed: pip install 'gluon[etcd]'") from None
    bus: Bus = etcd.EtcdBus(settings)
    return bus
