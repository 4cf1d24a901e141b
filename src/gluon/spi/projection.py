"""How stored things look in etcd: what the publisher needs to know, and nothing of their meaning.

What the journal must not hold (secrets) is *apart*: the publisher reads the row that has it, and asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gluon.objects import journal
from gluon.spi import store


class Projection(Protocol):
    """Pure. For the same state `of_row` gives, byte by byte, what the last `of_entry` gave."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The key prefixes in etcd that the publisher owns: what is under them and not wanted goes."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that have something in etcd."""

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        """Keys and their new values (None: gone) after an intent entry."""

    @property
    def parted(self) -> bool:
        """Whether any object has a part that is apart."""

    def apart(self, entry: journal.Entry) -> tuple[str, store.Value] | None:
        """Table and key of the row that has the part of the object that its entry has not; None: there is no such part."""

    def of_apart(self, entry: journal.Entry, row: store.Row | None) -> Sequence[tuple[str, bytes | None]]:
        """That part after the entry. The row was read later than the entry, and may be newer or gone."""

    def made(self, entry: journal.Entry, row: store.Row) -> bool:
        """Whether it was this entry that made the row as it is."""

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        """Keys and values that exist because of a row."""

    def constant(self) -> Sequence[tuple[str, bytes]]:
        """Keys and values that do not come from rows (the loaded models)."""
