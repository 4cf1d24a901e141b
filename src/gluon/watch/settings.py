"""How a feed works: pauses, and what bounds it. A main may change them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Seconds, bytes and counts. `gather`: between two looks while there are commits; `look`: where none of this process
    was heard of, so those of others; `patience`: that a slow client has to take its last word, `farewell`: when the
    server stops."""

    gather: float = 0.04
    look: float = 0.08
    check: float = 1.0
    bookmark: float = 9.0
    heartbeat: float = 14.0
    lifetime: float = 3600.0
    patience: float = 30.0
    farewell: float = 5.0
    idle: float = 30.0
    waiting: int = 1024 * 1024
    watchers: int = 5000
