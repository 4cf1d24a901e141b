"""Limits of a store: what a main may set, and what is sound for a production database.

In: the configuration, read by a main. Out: a frozen `Settings` for `store.open`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All times in seconds."""

    max_units: int = 256
    """Units of one batch."""
    max_rows: int = 1024
    """Rows and journal entries of one batch (a larger unit gets a batch of its own)."""
    max_bytes: int = 1 << 20
    """Bytes of documents in one batch, likewise."""
    max_waiting: int = 4096
    """Units that may wait; one more is refused with `Unavailable`."""
    max_waiting_each: int = 1024
    """Units of one project that may wait, likewise."""
    lock_timeout: float = 4.0
    """How long to wait for the writer lock."""
    statement_timeout: float = 4.0
    silence: float = 0.5
    """How much longer than both a server may say nothing at all before its connection is given up."""
    connect_timeout: float = 2.0
    """How long a connection of the writer or a reader may take to be made."""
    idle_timeout: float = 2.0
    """A holder of the writer lock that is silent for so long is ended by the server."""
    patience: float = 4.0
    """How long a unit waits for a database that does not answer."""
    settling: float = 5.5
    """How old a unit may become while it is looked up whether it was committed."""
    readers: int = 4
    """Connections for reads."""
    references: bool = True
    """Whether SQLite checks references; off while tables are filled in any order."""
    exclusive: bool = True
    """Whether a SQLite file is locked for this process; who only reads may look beside a server."""
