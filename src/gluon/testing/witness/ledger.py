"""What was answered: for each object the state that must be there, and when answers came.

In: outcomes of writes. Out: `Known` objects, figures, what no server may say (`wrong`). Invariant:
an object is written by one writer only, so its last answered state is its state. Filled by `load`,
read by `judge`.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Known:
    """One object. `body`: the attributes as last answered, None for deleted.

    `open`: the state that a write without a known outcome may have made, if there is one.
    `doubtful`: a create of it may still be on its way, so nobody deletes it.
    """

    plural: str
    key: str
    body: dict[str, Any] | None = None
    revision: int = 0
    open: list[dict[str, Any] | None] = field(default_factory=list)
    doubtful: bool = False


class Ledger:
    """Shared by all writers of one test."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[tuple[str, str], Known] = {}
        self._answers: list[float] = []
        self.verbs: Counter[str] = Counter()
        self.repeats: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.binds: Counter[str] = Counter()
        self.slowest_bind = 0.0
        self.slowest_write = 0.0

    def add(self, known: Known) -> None:
        """A new object, perhaps with an outcome that is not known."""
        with self._guard:
            self._known[known.plural, known.key] = known

    def objects(self) -> list[Known]:
        with self._guard:
            return list(self._known.values())

    def replace(self, objects: Iterable[Known]) -> None:
        """The database went back: this is what must be there."""
        with self._guard:
            self._known = {(k.plural, k.key): k for k in objects}

    def answered(self, verb: str) -> None:
        """A write was answered with 2xx."""
        with self._guard:
            self._answers.append(time.monotonic())
            self.verbs[verb] += 1

    def bound(self, outcome: str, seconds: float) -> None:
        """A bind was answered: `Bound`, or the reason why not."""
        with self._guard:
            self.binds[outcome] += 1
            self.slowest_bind = max(self.slowest_bind, seconds)

    def waited(self, seconds: float) -> None:
        """What is no bind was answered, after all its tries."""
        with self._guard:
            self.slowest_write = max(self.slowest_write, seconds)

    def repeated(self, why: str) -> None:
        """A write has to be tried again."""
        with self._guard:
            self.repeats[why] += 1

    def complain(self, what: str) -> None:
        """An answer that must not be."""
        with self._guard:
            self.wrong.append(what)

    @property
    def count(self) -> int:
        """Answered writes."""
        return len(self._answers)

    def silence(self, since: float = 0.0, until: float = math.inf) -> float:
        """The longest time without an answered write, in seconds."""
        with self._guard:
            moments = [m for m in sorted(self._answers) if since <= m <= until]
        return max((b - a for a, b in itertools.pairwise(moments)), default=0.0)

    def summary(self) -> dict[str, Any]:
        """Figures for a test's output."""
        return {
            "answered": self.count,
            "verbs": dict(self.verbs),
            "repeats": dict(self.repeats),
            "binds": dict(self.binds),
            "slowest bind": round(self.slowest_bind, 2),
            "slowest write": round(self.slowest_write, 2),
        }
