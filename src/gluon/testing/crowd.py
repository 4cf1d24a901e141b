"""How crowded the machine is while something is measured: what may take longer there than on one with nothing else to do.

Out: `Crowd`. Invariant: a limit is never shorter than what it is on an idle machine. Called by `witness.load` and by tests whose
limits are seconds that somebody was promised.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY = 0.1
_TASKS = Path("/proc/loadavg")


class Crowd:
    """`with Crowd() as crowd: …; assert took < crowd.allows(5)`. It looks how many tasks want a core, ten times a second,
    and how late it comes to look: a virtual machine may have no core at all for a while."""

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._late = 0.0
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def allows(self, seconds: float) -> float:
        """As long as whoever waits for a core has to, if each who wants one has his share, and as the machine stood still."""
        seen = self._seen or [_wanting()]
        return seconds * (1 + sum(seen) / len(seen) / (os.cpu_count() or 1)) + self._late

    def _look(self) -> None:
        due = time.monotonic() + _EVERY
        while not self._over.wait(_EVERY):
            now = time.monotonic()
            self._late += max(0.0, now - due - _EVERY)
            due = now + _EVERY
            self._seen.append(_wanting())

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._looking.join()


def _wanting() -> int:
    """Tasks that run or could."""
    return int(_TASKS.read_text(encoding="ascii").split()[3].split("/")[0])
