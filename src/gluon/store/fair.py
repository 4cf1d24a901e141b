"""The queue in front of the batches: each project has its turn, however many units another has waiting.

In: units and whose they are. Out: the next batch, by deficit round robin over projects, in the order of arrival for
each. Invariant: the order of what one project sent is kept, and nobody waits for more than a turn of each other
project. No I/O. Called by `writer`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gluon import errors
from gluon.store.deciding import Waiting

_QUANTUM = 16
"""What a project may have of a turn, in rows that its units look up."""


class Fair:
    """`most` units may wait, `each` of one project; what belongs to no project has no bound of its own."""

    __slots__ = ("_credits", "_each", "_first", "_flows", "_most", "_size")

    def __init__(self, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._size = 0
        self._first: deque[Waiting] = deque()
        """Those that had their turn already, and come before all others."""
        self._flows: dict[str, deque[Waiting]] = {}
        """None is empty; the first has the next turn."""
        self._credits: dict[str, int] = {}

    def __len__(self) -> int:
        return self._size

    def check(self, project: str) -> None:
        """Raises `Unavailable` where no more may wait."""
        if self._size >= self._most:
            raise errors.Unavailable("too many requests wait for the database")
        if project and (flow := self._flows.get(project)) is not None and len(flow) >= self._each:
            raise errors.Unavailable("too many requests of this project wait for the database")

    def put(self, one: Waiting, project: str) -> None:
        flow = self._flows.get(project)
        if flow is None:
            self._flows[project] = deque((one,))
        else:
            flow.append(one)
        self._size += 1

    def put_back(self, ones: Sequence[Waiting]) -> None:
        """In front of all that wait, in their order."""
        self._first.extendleft(reversed(ones))
        self._size += len(ones)

    def take(self, most: int) -> list[Waiting]:
        """The next batch; who gave up waiting is left out."""
        batch: list[Waiting] = []
        self._move(self._first, batch, most, None)
        flows, owed = self._flows, self._credits
        while flows and len(batch) < most:
            name = next(iter(flows))
            flow = flows[name]
            alone = len(flows) == 1
            left = self._move(flow, batch, most, None if alone else owed.pop(name, 0) + _QUANTUM)
            del flows[name]
            if flow:
                flows[name] = flow  # behind the others
                if not alone:
                    owed[name] = min(left, 0)
        if not flows:
            owed.clear()
        return batch

    def _move(self, flow: deque[Waiting], batch: list[Waiting], most: int, credit: int | None) -> int:
        """From a flow to the batch as much as its credit lets; what is left of that."""
        room, before = most - len(batch), len(flow)
        left = 1 if credit is None else credit
        while flow and room and left > 0:
            one = flow.popleft()
            if one.answer.done():
                continue
            batch.append(one)
            room -= 1
            if credit is not None:
                left -= len(one.unit.reads) or 1
        self._size -= before - len(flow)
        return left

    def expired(self, limit: float) -> list[Waiting]:
        """Those that wait since before `limit`: they wait no more."""
        found: list[Waiting] = []
        for flow in (self._first, *self._flows.values()):
            while flow and flow[0].since < limit:
                found.append(flow.popleft())
        self._flows = {name: flow for name, flow in self._flows.items() if flow}
        self._size -= len(found)
        return found

    def oldest(self, default: float) -> float:
        """Since when the one waits that waits longest."""
        return min((flow[0].since for flow in (self._first, *self._flows.values()) if flow), default=default)
