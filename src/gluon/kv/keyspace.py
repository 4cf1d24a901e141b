"""The keys of the embedded bus at its newest revision, ordered.

In: single operations and the revision they happen at. Out: the events they make. Invariant:
`_keys` has exactly the keys of `_values`. No `await`, no clock. Used by `memory`.
"""

from __future__ import annotations

from gluon.kv.ordered import Ordered
from gluon.spi.bus import Compare, Delete, Event, KeyValue, Put


class Keyspace:
    def __init__(self) -> None:
        self._values: dict[str, KeyValue] = {}
        self._keys = Ordered()
        self.size = 0

    def get(self, key: str) -> KeyValue | None:
        return self._values.get(key)

    def with_prefix(self, prefix: str) -> list[KeyValue]:
        return [self._values[key] for key in self._keys.prefixed(prefix)]

    def holds(self, compare: Compare) -> bool:
        current = self._values.get(compare.key)
        if compare.value is not None:
            return current is not None and current.value == compare.value
        if compare.create_revision is not None:
            return (current.create_revision if current else 0) == compare.create_revision
        return (current.mod_revision if current else 0) == compare.mod_revision

    def put(self, put: Put, revision: int) -> tuple[Event, KeyValue | None]:
        """Returns the event and what was there before."""
        old = self._values.get(put.key)
        new = KeyValue(
            key=put.key,
            value=put.value,
            create_revision=old.create_revision if old else revision,
            mod_revision=revision,
            lease=put.lease,
        )
        if old is None:
            self._keys.add(put.key)
            self.size += len(put.key) + len(put.value)
        else:
            self.size += len(put.value) - len(old.value)
        self._values[put.key] = new
        return Event(key=put.key, value=new), old

    def delete(self, delete: Delete) -> list[KeyValue]:
        """Returns what was there before, in the order of keys."""
        if delete.prefix:
            keys = self._keys.prefixed(delete.key)
        else:
            keys = [delete.key] if delete.key in self._values else []
        gone = [self._values.pop(key) for key in keys]
        for key in keys:
            self._keys.remove(key)
        self.size -= sum(len(one.key) + len(one.value) for one in gone)
        return gone
