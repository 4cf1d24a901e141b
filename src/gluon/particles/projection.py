"""The picture of protons in etcd: journal entries and rows to keys and values.

The value of `/proton/…` is the body as stored plus `revision` and the model's digest (`objects.published`); a port's
without `vif_type` and `vif_details`, which are the arbiter's views and no intent. Of a type with secret
attributes each object has a second key, `/gluon/secret/…`, made from its row: the values, nulls too, and the revision of that
row, by which a reader tells whether they belong to the object that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon.model import describe, types
from gluon.objects import codec, journal, keys, published
from gluon.particles import records, tables
from gluon.spi import projection, store

REVISION = published.REVISION
MODEL = published.MODEL
VALUES = "values"
SECRETS = "secrets"
_VIEWS = (types.Role.VIF_TYPE, types.Role.VIF_DETAILS)


class _Shape:
    """How objects of one type look in etcd."""

    def __init__(self, model: types.Model, object_type: types.ObjectType, url: str) -> None:
        self.api = model.name
        self.type = object_type
        self.records = records.Records(model, object_type)
        self.digest = model.digest
        self.is_port = object_type.kind is types.Kind.PORT
        views = {object_type.role(r) for r in _VIEWS} if self.is_port else ()
        self.hidden = tuple(n for n in object_type.attributes if n in views)
        self._nulls = b"".join(b',"%b":null' % n.encode() for n in self.hidden)
        self._mark = self._nulls.partition(b":")[0][1:]
        self._revision = b',"%b":' % published.name(REVISION, object_type.attributes).encode()
        self._model = b',"%b":%b}' % (
            published.name(MODEL, object_type.attributes).encode(),
            codec.encode(model.digest),
        )
        self._owner = b',"service":%b,"url":%b}' % (codec.encode(self.api), codec.encode(url))
        self.prefix = keys.proton(model.name, object_type.name, "")
        self.key_is_text = (
            object_type.attributes[object_type.key].value_type is not types.AttributeType.INTEGER
        )

    def key(self, key: str) -> str:
        return self.prefix + keys.object_key(key)

    def value(self, document: bytes, revision: int) -> bytes:
        if not self.hidden:
            return b"%b%b%d%b" % (document[:-1], self._revision, revision, self._model)
        # Cut out where they are null, as of each port that was just made. A document has all attributes of its type,
        # so a name that stands there once is none of a member of a value.
        at = document.find(self._nulls)
        if at >= 0 and document.count(self._mark) == 1:
            rest = document[at + len(self._nulls) : -1]
            return b"%b%b%b%d%b" % (document[:at], rest, self._revision, revision, self._model)
        body = codec.decode(document)
        shown = codec.encode({name: body[name] for name in body if name not in self.hidden})
        return b"%b%b%d%b" % (shown[:-1], self._revision, revision, self._model)

    def secret(self, row: store.Row) -> bytes:
        said = {
            VALUES: self.records.secrets(row),
            REVISION: int(row[tables.REVISION] or 0),
            MODEL: self.digest,
        }
        return codec.encode(said)

    def owner(self, project: store.Value) -> bytes:
        return b'{"tenant_id":%b%b' % (codec.encode(project), self._owner)


@dataclass(frozen=True, slots=True)
class _Part:
    """One model's; that it holds the model keeps its identity from being another's."""

    model: types.Model
    shapes: Sequence[_Shape]
    document: bytes


def _none(_model: types.Model) -> Mapping[str, Any]:
    """No other versions."""
    return {}


class ModelProjection:
    """`spi.projection.Projection` for the loaded models; `url` is where users reach the API.

    `forms` says of a model how shims make other versions of its objects; `before`: a projection whose parts serve on,
    where it has the same model.
    """

    def __init__(
        self,
        models: Sequence[types.Model],
        *,
        url: str = "",
        forms: Callable[[types.Model], Mapping[str, Any]] = _none,
        before: ModelProjection | None = None,
    ) -> None:
        known = before.parts if before is not None else {}
        self.parts: Mapping[int, _Part] = {
            id(m): known.get(id(m))
            or _Part(m, [_Shape(m, t, url) for t in m.types.values()], _document(m, forms(m)))
            for m in models
        }
        shapes = [s for part in self.parts.values() for s in part.shapes]
        self._by_name: Mapping[tuple[str, str], _Shape] = {(s.api, s.type.name): s for s in shapes}
        self._secret = {name: s for name, s in self._by_name.items() if s.records.has_secrets}
        self._by_table: Mapping[str, _Shape] = {s.records.table: s for s in shapes}
        self._models = tuple((keys.model(p.model.name), p.document) for p in self.parts.values())

    @property
    def prefixes(self) -> tuple[str, ...]:
        return (keys.PROTON, keys.SECRET, keys.PORT, keys.MODEL)

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self._by_table)

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        shape = self._by_name.get((entry.api, entry.type))
        if shape is None:
            return ()
        key = shape.key(entry.key)
        if entry.new is None:
            gone: list[tuple[str, bytes | None]] = [(key, None)]
            if shape.is_port:
                gone.append((keys.port(entry.key), None))
            return gone
        found: list[tuple[str, bytes | None]] = [(key, shape.value(entry.new, entry.revision))]
        if shape.is_port:
            found.append((keys.port(entry.key), shape.owner(entry.project)))
        return found

    @property
    def parted(self) -> bool:
        return bool(self._secret)

    def apart(self, entry: journal.Entry) -> tuple[str, store.Value] | None:
        shape = self._secret.get((entry.api, entry.type)) if self._secret else None
        if shape is None:
            return None
        return shape.records.table, entry.key if shape.key_is_text else int(entry.key)

    def of_apart(self, entry: journal.Entry, row: store.Row | None) -> Sequence[tuple[str, bytes | None]]:
        shape = self._secret.get((entry.api, entry.type))
        if shape is None:
            return ()
        key = keys.secret(entry.api, entry.type, entry.key)
        return ((key, shape.secret(row) if row is not None and entry.new is not None else None),)

    def made(self, entry: journal.Entry, row: store.Row) -> bool:
        return row[tables.REVISION] == entry.revision

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        shape = self._by_table.get(table)
        if shape is None:
            return ()
        key = str(row[shape.records.key_column])
        revision = int(row[tables.REVISION] or 0)
        found = [(shape.key(key), shape.value(shape.records.document(row), revision))]
        if shape.records.has_secrets:
            found.insert(0, (keys.secret(shape.api, shape.type.name, key), shape.secret(row)))
        if shape.is_port:
            found.append((keys.port(key), shape.owner(row[tables.PROJECT])))
        return found

    def constant(self) -> Sequence[tuple[str, bytes]]:
        return self._models


def _document(model: types.Model, forms: Mapping[str, Any]) -> bytes:
    """With the digest that the objects name, and which attributes of which types are published apart."""
    said: dict[str, Any] = {"forms": forms} if forms else {}
    secret = {t.name: [a.name for a in t.attributes.values() if a.secret] for t in model.types.values()}
    if any(secret.values()):
        said[SECRETS] = {name: found for name, found in secret.items() if found}
    return codec.encode({**describe.describe(model), "digest": model.digest, **said})


class Projections:
    """Several projections side by side (the protons' and the arbiter's)."""

    def __init__(self, *parts: projection.Projection) -> None:
        self._parts = parts

    @property
    def prefixes(self) -> tuple[str, ...]:
        return tuple(p for part in self._parts for p in part.prefixes)

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(t for part in self._parts for t in part.tables)

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        found: list[tuple[str, bytes | None]] = []
        for part in self._parts:
            found += part.of_entry(entry)
        return found

    @property
    def parted(self) -> bool:
        return any(part.parted for part in self._parts)

    def apart(self, entry: journal.Entry) -> tuple[str, store.Value] | None:
        return next((found for part in self._parts if (found := part.apart(entry)) is not None), None)

    def of_apart(self, entry: journal.Entry, row: store.Row | None) -> Sequence[tuple[str, bytes | None]]:
        return [pair for part in self._parts for pair in part.of_apart(entry, row)]

    def made(self, entry: journal.Entry, row: store.Row) -> bool:
        return all(part.made(entry, row) for part in self._parts if part.apart(entry) is not None)

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        return [pair for part in self._parts for pair in part.of_row(table, row)]

    def constant(self) -> Sequence[tuple[str, bytes]]:
        return [pair for part in self._parts for pair in part.constant()]
