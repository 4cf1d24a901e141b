"""The desired state in memory: `spi.backend.World`, changed in place by the cache.

In: decoded objects and wanted bindings. Out: answers by key and by index. Held by one event loop;
readers never see half a change, as nothing here awaits. An index is made when first asked for and
kept up to date from then on. Called by `cache` (writes) and backends (reads).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from gluon.objects import codec, published, status
from gluon.shim.secrets import Secret, Shown, remember
from gluon.spi.backend import PortBinding, Ref, Stored
from gluon.values import uuid

_UUID_LENGTHS = range(32, 46)


class Naming(Protocol):
    """What the world has to know of a proton in etcd."""

    def stored_ref(self, ref: Ref) -> Ref: ...

    def shown_ref(self, ref: Ref) -> Ref: ...

    def shown_secrets(self, ref: Ref, values: Mapping[str, Any]) -> Mapping[str, Any]: ...


def comparable(value: Any) -> Any:
    """What an index files a value under: UUIDs in their usual form, lists and maps as text."""
    if isinstance(value, str):
        if len(value) in _UUID_LENGTHS:
            try:
                return uuid.parse(value)
            except ValueError:
                return value
        return value
    if isinstance(value, (list, dict)):
        return codec.canonical(value)
    return value


class Table:
    """All objects of one object type."""

    __slots__ = ("indexes", "objects", "order")

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self.order: list[str] = []
        self.indexes: dict[str, dict[Any, dict[str, None]]] = {}

    @classmethod
    def of(cls, objects: Iterable[Stored]) -> Table:
        """Many at once."""
        made = cls()
        made.objects = {stored.ref.key: stored for stored in objects}
        made.order = sorted(made.objects)
        return made

    def put(self, stored: Stored) -> None:
        key = stored.ref.key
        before = self.objects.get(key)
        if before is None:
            insort(self.order, key)
        self.objects[key] = stored
        for attribute, index in self.indexes.items():
            if before is not None:
                _unfile(index, before.body.get(attribute), key)
            index.setdefault(comparable(stored.body.get(attribute)), {})[key] = None

    def drop(self, key: str) -> None:
        before = self.objects.pop(key, None)
        if before is None:
            return
        del self.order[bisect_left(self.order, key)]
        for attribute, index in self.indexes.items():
            _unfile(index, before.body.get(attribute), key)

    def where(self, attribute: str, value: Any) -> Sequence[Stored]:
        index = self.indexes.get(attribute)
        if index is None:
            index = {}
            for key, stored in self.objects.items():
                index.setdefault(comparable(stored.body.get(attribute)), {})[key] = None
            self.indexes[attribute] = index
        return [self.objects[key] for key in sorted(index.get(comparable(value), ()))]


def _unfile(index: dict[Any, dict[str, None]], value: Any, key: str) -> None:
    under = comparable(value)
    keys = index[under]
    del keys[key]
    if not keys:
        del index[under]


class MemoryWorld:
    """The desired state as of the latest events. `port_types`: what a proton calls its ports."""

    def __init__(self, protons: Mapping[str, Naming] | None = None) -> None:
        """`protons`: how those are called, and look in etcd, whose secrets are kept."""
        self._types: dict[tuple[str, str], Table] = {}
        self._bindings: dict[str, dict[str, dict[str, status.WantedBinding]]] = {}
        self._by_host: dict[tuple[str, str], set[str]] = {}
        self._port_types: dict[str, str] = {}
        self._model_versions: dict[str, str] = {}
        self._secrets: dict[Ref, Secret] = {}
        self._shown: dict[Ref, tuple[Secret, Stored, Shown]] = {}
        self._protons = protons
        self._version = 0

    @property
    def version(self) -> int:
        return self._version

    def model_version(self, api: str) -> str:
        return self._model_versions.get(api, "")

    def get(self, ref: Ref) -> Stored | None:
        held = self._types.get((ref.api, ref.object_type))
        return held.objects.get(ref.key) if held else None

    def secrets(self, ref: Ref) -> Shown | None:
        proton, stored = (self._protons or {}).get(ref.api), self.get(ref)
        secret = self._secrets.get(proton.stored_ref(ref)) if proton else None
        if proton is None or secret is None or stored is None or not secret.belongs_to(stored):
            return None
        known = self._shown.get(ref)
        if known is None or known[0] is not secret or known[1] is not stored:
            shown = Shown(proton.shown_secrets(ref, secret.values))
            known = self._shown[ref] = (secret, stored, shown)
        return known[2]

    def all(self, api: str, object_type: str) -> Sequence[Stored]:
        held = self._types.get((api, object_type))
        return [held.objects[key] for key in held.order] if held else []

    def where(self, api: str, object_type: str, attribute: str, value: Any) -> Sequence[Stored]:
        held = self._types.get((api, object_type))
        return held.where(attribute, value) if held else []

    def binding(self, ref: Ref, host: str) -> PortBinding | None:
        wanted = self._of_port(ref).get(host)
        return self._port_binding(ref.api, ref.key, host, wanted) if wanted else None

    def bindings(self, api: str, host: str | None = None) -> Iterator[PortBinding]:
        held = self._bindings.get(api, {})
        for port in sorted(held if host is None else self._by_host.get((api, host), ())):
            for at, wanted in sorted(held.get(port, {}).items()):
                if host in {None, at}:
                    yield self._port_binding(api, port, at, wanted)

    def bindings_of(self, ref: Ref) -> Sequence[PortBinding]:
        held = self._of_port(ref)
        return [self._port_binding(ref.api, ref.key, host, wanted) for host, wanted in sorted(held.items())]

    def objects(self) -> Sequence[Stored]:
        """Every object, for a full scan."""
        return [stored for held in self._types.values() for stored in held.objects.values()]

    def port_ref(self, api: str, port: str) -> Ref:
        """A port by its key alone, as keys of bindings name it."""
        return Ref(api, self._port_types.get(api, "Port"), port)

    def put(self, stored: Stored) -> None:
        """Add or replace an object."""
        self._version += 1
        self._types.setdefault((stored.ref.api, stored.ref.object_type), Table()).put(stored)

    def drop(self, ref: Ref) -> None:
        """Remove an object, if it is there."""
        self._version += 1
        held = self._types.get((ref.api, ref.object_type))
        if held:
            held.drop(ref.key)

    def replace(self, api: str, objects: Iterable[Stored]) -> None:
        """Have just these objects of a proton."""
        self._version += 1
        by_type: dict[str, list[Stored]] = {}
        for stored in objects:
            by_type.setdefault(stored.ref.object_type, []).append(stored)
        for kind in [kind for kind in self._types if kind[0] == api]:
            del self._types[kind]
        self._types.update({(api, name): Table.of(held) for name, held in by_type.items()})

    def keep_secret(self, ref: Ref, secret: Secret | None) -> None:
        """Note, or forget, the secret attributes of an object as etcd calls it."""
        self._version += 1
        proton = (self._protons or {}).get(ref.api)
        shown_ref = proton.shown_ref(ref) if proton else ref
        before = self._shown.get(shown_ref)
        if before is not None and (secret is None or secret.values != before[0].values):
            remember(before[2])
        if secret is None:
            self._secrets.pop(ref, None)
            self._shown.pop(shown_ref, None)
        else:
            self._secrets[ref] = secret

    def put_binding(self, api: str, port: str, host: str, wanted: status.WantedBinding) -> None:
        """Add or replace a wanted binding."""
        self._version += 1
        self._bindings.setdefault(api, {}).setdefault(port, {})[host] = wanted
        self._by_host.setdefault((api, host), set()).add(port)

    def drop_binding(self, api: str, port: str, host: str) -> None:
        """Remove a wanted binding, if it is there."""
        self._version += 1
        hosts = self._bindings.get(api, {}).get(port, {})
        if hosts.pop(host, None) is not None:
            self._by_host[api, host].discard(port)
        if not hosts:
            self._bindings.get(api, {}).pop(port, None)

    def name_version(self, api: str, version: str) -> None:
        """Say which version of its model a proton's objects are in; a model that is gone leaves it as it was."""
        self._version += 1
        self._model_versions[api] = version

    def name_ports(self, api: str, object_type: str) -> None:
        """Say what the proton calls its ports (`Port` until told)."""
        self._version += 1
        self._port_types[api] = object_type

    def _of_port(self, ref: Ref) -> Mapping[str, status.WantedBinding]:
        """By host; a default interface has its port's key, but no bindings."""
        if ref.object_type != self._port_types.get(ref.api, "Port"):
            return {}
        return self._bindings.get(ref.api, {}).get(ref.key, {})

    def _port_binding(self, api: str, port: str, host: str, wanted: status.WantedBinding) -> PortBinding:
        ref = self.port_ref(api, port)
        return PortBinding(ref=ref, host=host, wanted=wanted, port=self.get(ref))


def stored(api: str, object_type: str, key: str, body: Mapping[str, Any]) -> Stored:
    """An object as published, from the value of its key in etcd."""
    return Stored(ref=Ref(api, object_type, key), revision=published.revision(body), body=body)
