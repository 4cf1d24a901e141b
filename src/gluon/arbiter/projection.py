"""The wanted port bindings in etcd: `spi.projection.Projection` for the arbiter's table."""

from __future__ import annotations

from collections.abc import Sequence

from gluon.arbiter import bindings, tables
from gluon.objects import journal, keys
from gluon.spi import store


class BindingProjection:
    """Bindings that shims have to know: those in state Binding or Bound with a controller."""

    prefixes = (keys.BINDING,)
    tables = (tables.BINDING,)

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        if entry.api != journal.GLUON or entry.type != journal.BINDING:
            return ()
        return ((keys.BINDING + entry.key, entry.new),)

    parted = False

    def apart(self, entry: journal.Entry) -> None:
        return None

    def of_apart(self, entry: journal.Entry, row: store.Row | None) -> Sequence[tuple[str, bytes | None]]:
        return ()

    def made(self, entry: journal.Entry, row: store.Row) -> bool:
        return True

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        if table != tables.BINDING:
            return ()
        binding = bindings.read(row)
        return ((keys.BINDING + binding.entry_key, binding.wanted()),) if binding.published else ()

    def constant(self) -> Sequence[tuple[str, bytes]]:
        return ()
