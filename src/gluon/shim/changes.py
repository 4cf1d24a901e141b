"""From keys and values in etcd to changes of the world.

In: a key and its value now (None: gone). Out: a `Change`, or None where nothing is new: a
duplicate, another controller's binding, a key of somebody else; of changes `Edits`, as far as `proton` lets the world
have them. A value that cannot be read is logged and leaves what was held. Called by `cache`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from gluon.objects import codec, keys, status
from gluon.shim import secrets, world
from gluon.shim.proton import Proton
from gluon.shim.secrets import Secret
from gluon.spi.backend import Ref, Stored
from gluon.spi.bus import KeyValue

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key's news: an object, its secrets, a wanted binding or a model, by which of them is set."""

    key: str
    mark: tuple[int, int] | None
    ref: Ref | None = None
    stored: Stored | None = None
    host: str = ""
    wanted: status.WantedBinding | None = None
    model: str = ""
    document: Mapping[str, Any] | None = None
    is_secret: bool = False
    secret: Secret | None = None

    @property
    def is_model(self) -> bool:
        return bool(self.model)


@dataclass(slots=True, kw_only=True)
class Edits:
    """What changes make of the world. `refs`: whose affair they are; `turned`: protons of which all is new."""

    objects: dict[Ref, Stored | None] = field(default_factory=dict)
    secrets: dict[Ref, Secret | None] = field(default_factory=dict)
    bindings: list[Change] = field(default_factory=list)
    turned: list[Proton] = field(default_factory=list)
    refs: set[Ref] = field(default_factory=set)


class Held:
    """What is held of etcd, by key, and how it gets into the world."""

    def __init__(self, target: world.MemoryWorld, controller: str, protons: Mapping[str, Proton]) -> None:
        self._world = target
        self._controller = controller
        self._protons = protons
        self._seen: dict[str, dict[str, tuple[int, int]]] = {}
        self.binding_revisions: dict[tuple[str, str, str], int] = {}

    def under(self, prefix: str) -> list[str]:
        """All held keys of a followed prefix."""
        if prefix.startswith(keys.MODEL):
            return [k for k in self._seen.get(_group(prefix), ()) if k == prefix]
        return list(self._seen.get(_group(prefix), ()))

    def read(self, key: str, value: KeyValue | None) -> Change | None:
        """What is new in this; nothing is changed yet."""
        # Another cluster may give another value the same revision: so the value counts too.
        if self._seen.get(_group(key), {}).get(key) == _mark(value):
            return None
        try:
            return self._decode(key, value)
        except ValueError as error:
            log.warning("cannot read a value in etcd, it is left out", key=key, reason=str(error))
            return None

    def take(self, changes: Iterable[Change]) -> Edits:
        """Note them; the world is as it was until `apply`."""
        edits = Edits()
        models: dict[str, list[Mapping[str, Any] | None]] = {}
        objects: dict[str, list[tuple[Ref, Stored | None]]] = {}
        for change in changes:
            group = self._seen.setdefault(_group(change.key), {})
            if change.mark is None:
                group.pop(change.key, None)
            else:
                group[change.key] = change.mark
            if change.is_model:
                models.setdefault(change.model, []).append(change.document)
            elif change.host and change.ref is not None:
                edits.bindings.append(change)
                edits.refs.add(change.ref)
            elif change.is_secret and change.ref is not None:
                edits.secrets[change.ref] = change.secret
                edits.refs.add(self._protons[change.ref.api].shown_ref(change.ref))
            elif change.ref is not None:
                objects.setdefault(change.ref.api, []).append((change.ref, change.stored))
        for api in models.keys() | objects.keys():
            proton = self._protons[api]
            news = proton.take(objects.get(api, ()), models.get(api, ()))
            edits.objects |= news.objects
            edits.refs |= news.objects.keys() | news.unseen
            if news.turned or (proton.refused and api in models):
                edits.turned.append(proton)
        return edits

    def apply(self, edits: Edits) -> None:
        """Put edits into the world."""
        for proton in edits.turned:
            self._turn(proton)
        for ref, stored in edits.objects.items():
            if stored is not None:
                self._world.put(stored)
            else:
                self._world.drop(ref)
        for ref, secret in edits.secrets.items():
            self._world.keep_secret(ref, secret)
        for change in edits.bindings:
            assert change.ref is not None
            self._take_binding(change, change.ref)

    def _decode(self, key: str, value: KeyValue | None) -> Change | None:
        mark = _mark(value)
        if (found := keys.parse_proton(key)) is not None:
            ref = Ref(found.api, found.object_type, found.key)
            body = _document(value.value) if value else None
            stored = world.stored(ref.api, ref.object_type, ref.key, body) if body is not None else None
            return Change(key=key, mark=mark, ref=ref, stored=stored)
        if (found := keys.parse_secret(key)) is not None:
            ref = Ref(found.api, found.object_type, found.key)
            secret = secrets.read(_document(value.value)) if value else None
            return Change(key=key, mark=mark, ref=ref, is_secret=True, secret=secret)
        if (named := keys.parse_binding(key)) is not None:
            wanted = status.decode_binding(value.value) if value else None
            ref = self._world.port_ref(named.api, named.port)
            return Change(key=key, mark=mark, ref=ref, host=named.host, wanted=wanted)
        if key.startswith(keys.MODEL):
            api = keys.text(key.removeprefix(keys.MODEL))
            if api not in self._protons:
                return None  # of a name that begins like one of ours
            document = _document(value.value) if value else None
            return Change(key=key, mark=mark, model=api, document=document)
        return None

    def _take_binding(self, change: Change, ref: Ref) -> None:
        """Only ours: what another controller serves is not there for this one."""
        if change.mark and change.wanted is not None and self._controller in change.wanted.controllers:
            self._world.put_binding(ref.api, ref.key, change.host, change.wanted)
            self.binding_revisions[ref.api, ref.key, change.host] = change.mark[0]
        else:
            self._world.drop_binding(ref.api, ref.key, change.host)
            self.binding_revisions.pop((ref.api, ref.key, change.host), None)

    def _turn(self, proton: Proton) -> None:
        """A model that is gone, or refused, leaves version and names as they were."""
        if proton.model.port_type:
            self._world.name_ports(proton.api, proton.model.port_type)
        if proton.refused:
            return
        self._world.replace(proton.api, proton.all_shown())
        if proton.seen.shown_version:
            self._world.name_version(proton.api, proton.seen.shown_version)


def _mark(value: KeyValue | None) -> tuple[int, int] | None:
    """Tells one value of a key from another."""
    return (value.mod_revision, hash(value.value)) if value else None


def _group(key: str) -> str:
    """The followed prefix that a key belongs to: `/proton/<api>/`, `/gluon/binding/<api>/` or its own."""
    depth = 3 if key.startswith(keys.PROTON) else 4
    return "/".join(key.split("/", depth)[:depth]) + "/" if not key.startswith(keys.MODEL) else keys.MODEL


def _document(data: bytes) -> Mapping[str, Any]:
    document = codec.decode(data)
    if not isinstance(document, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - what is in etcd is a value, not a type
    return document
