"""The queue in front of the batches: each project has its turn, however many units another has waiting.

In: units and whose they are. Out: the next batch, by deficit round robin over projects, in the order of arrival for
each. A project that had much lately lets those go first that had little, in a batch of their own: so they wait for the rest of one
of its batches, and not for it once more in theirs. Large units, such as loads of many objects, wait apart: each is a batch of its own,
and is followed by batches of the others. Invariant: nobody waits for more than a turn of each other project and of one large unit.
No I/O. Called by `writer`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gluon import errors
from gluon.store.deciding import Waiting

_QUANTUM = 16
"""What a project may have of a turn, in rows that its units look up."""
_EACH = 48
"""Units of one project in a batch while others are active: who comes next waits for this batch."""
_HEAVY = 16
"""And at least of one that had much, while others are active that had little."""
_ACTIVE = 1.0
"""Seconds for which a project counts as active, and after which what it had counts half."""
_TIMES = 8
"""Who had so many times less than another goes first."""
_MUCH = 256.0
"""Rows that its units look up; nobody goes first where no project had so many."""
LARGE = 128
"""A unit that looks up more rows is large."""
_PER_BATCH = 48
"""Rows of a large unit for which the others have a batch before the next large one."""
_LULL = 0.02
"""Seconds after which others who sent nothing are not about to: clients that were just answered ask again at once."""
_HELD = 0.3
"""Seconds after a large unit in which the next one waits also while nobody else does."""


class Fair:
    """`most` units may wait, `each` of one project; what belongs to no project has no bound of its own."""

    __slots__ = (
        "_changed",
        "_credits",
        "_each",
        "_first",
        "_flows",
        "_halved",
        "_hurried",
        "_large",
        "_last",
        "_lately",
        "_latest",
        "_little",
        "_most",
        "_much",
        "_newest",
        "_pause",
        "_size",
        "_until",
        "_waived",
    )

    def __init__(self, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._size = 0
        self._first: deque[Waiting] = deque()
        """Those that had their turn already, and come before all others."""
        self._flows: dict[str, deque[Waiting]] = {}
        """None is empty; the first has the next turn."""
        self._credits: dict[str, int] = {}
        self._large: dict[str, deque[Waiting]] = {}
        """As `_flows`, of large units."""
        self._pause = 0.0
        """Batches until the next large unit, while others wait or are about to."""
        self._latest = float("-inf")
        """When the last one came that is not large."""
        self._until = float("inf")
        """Until when a large unit waits for others that are about to come."""
        self._last = ""
        self._changed = self._newest = 0.0
        """When the last unit came that was of another project than the one before; when the last one came."""
        self._lately: dict[str, float] = {}
        """Rows of those in batches, lately."""
        self._much = self._little = self._halved = 0.0
        """What the project had that had most; who had less than that goes first; when all that was halved."""
        self._hurried = False
        """One came who goes first."""
        self._waived = False
        """The batch before was of such alone, while others waited."""

    def __len__(self) -> int:
        return self._size

    def check(self, project: str) -> None:
        """Raises `Unavailable` where no more may wait."""
        if self._size >= self._most:
            raise errors.Unavailable("too many requests wait for the database")
        if project and (flow := self._flows.get(project)) is not None and len(flow) >= self._each:
            raise errors.Unavailable("too many requests of this project wait for the database")
        if self._large and project and len(self._large.get(project, ())) >= self._each:
            raise errors.Unavailable("too many requests of this project wait for the database")

    def put(self, one: Waiting, project: str) -> None:
        if len(one.unit.reads) <= LARGE:
            flows, self._latest = self._flows, one.since
        else:
            flows = self._large
        flow = flows.get(project)
        if flow is None:
            flows[project] = deque((one,))
        else:
            flow.append(one)
        self._newest = one.since
        if project and project != self._last:  # what the server does for itself makes no batch small
            self._last, self._changed = project, one.since
        if project and self._lately.get(project, 0.0) < self._little:
            self._hurried = True
        self._size += 1

    def put_back(self, ones: Sequence[Waiting]) -> None:
        """In front of all that wait, in their order."""
        self._first.extendleft(reversed(ones))
        self._size += len(ones)

    @property
    def hurried(self) -> bool:
        """Whether one waits who goes first: he need not wait until enough others do."""
        return self._hurried and not self._waived

    @property
    def waived(self) -> bool:
        """Whether the batch before was of those who go first, while others waited."""
        return self._waived

    def lull(self, now: float) -> float:
        """Seconds to wait for others to come, as only large units do and it is not their turn yet."""
        if self._pause <= 0 or self._first or self._flows or not self._large:
            return 0.0
        self._until = min(self._until, now + _HELD)
        return max(0.0, min(self._latest + _LULL, self._until) - now)

    def even(self) -> bool:
        """Whether the next batch is none of a large unit."""
        return not self._large or bool(self._first) or (self._pause > 0 and bool(self._flows))

    def take(self, most: int, *, halves: bool = False) -> list[Waiting]:
        """The next batch; who gave up waiting is left out. `halves`: this one and the next are what is usually one."""
        batch: list[Waiting] = []
        self._move(self._first, batch, most, None)
        flows, owed = self._flows, self._credits
        if self._large and not batch and (self._pause <= 0 or not flows):
            return self._take_large()
        self._fade()
        aside = {} if batch else self._aside(most)
        if not aside:
            self._pause -= 0.5 if halves else 1
        active = self._newest - self._changed < _ACTIVE
        had: dict[str, int] = {}
        full: dict[str, deque[Waiting]] = {}
        while flows and len(batch) < most:
            name = next(iter(flows))
            flow = flows[name]
            alone = len(flows) == 1 and not full
            before, so_far = len(batch), had.get(name, 0)
            each = self._each_of(name, so_far + len(flow)) if active else most
            credit = None if alone else owed.pop(name, 0) + _QUANTUM
            left = self._move(flow, batch, min(most, before + each - so_far), credit)
            had[name] = so_far + len(batch) - before
            rows = sum([len(one.unit.reads) or 1 for one in batch[before:]])
            self._lately[name] = much = self._lately.get(name, 0.0) + rows
            self._much = max(self._much, much)
            del flows[name]
            if flow:  # behind the others
                (flows if had[name] < each else full)[name] = flow
                if not alone:
                    owed[name] = min(left, 0)
        flows.update(full)
        if aside:  # their turn is next
            behind = dict(flows)
            flows.clear()
            flows.update(aside)
            flows.update(behind)
        if not flows:
            owed.clear()
        self._little = self._much / _TIMES if self._much >= _MUCH else 0.0
        return batch

    def _aside(self, most: int) -> dict[str, deque[Waiting]]:
        """Who waits and lets others go first, never twice in a row."""
        flows, little = self._flows, self._little
        self._hurried = False
        self._waived, waived = False, self._waived
        if waived or not 1 < len(flows) <= most:
            return {}
        many = [name for name in flows if self._lately.get(name, 0.0) >= little]
        if len(many) == len(flows) or not any(flows.keys() - many):
            return {}
        self._waived = True
        return {name: flows.pop(name) for name in many}

    def _each_of(self, name: str, waiting: int) -> int:
        """Of a heavy one half of what waits: what has piled up comes in several batches, and as many units come through."""
        heavy = 0 < self._little <= self._lately.get(name, 0.0)
        return min(_EACH, max(_HEAVY, waiting // 2)) if heavy else _EACH

    def _fade(self) -> None:
        """Who had much long ago is as others."""
        ago = self._newest - self._halved
        if ago >= _ACTIVE:
            share = 0.5 ** min(64.0, ago / _ACTIVE)
            self._lately = {name: rows * share for name, rows in self._lately.items() if rows * share >= 1}
            self._much, self._halved = self._much * share, self._newest

    def _take_large(self) -> list[Waiting]:
        """One large unit, of each project in turn."""
        name = next(iter(self._large))
        flow = self._large.pop(name)
        one = flow.popleft()
        self._size -= 1
        if flow:
            self._large[name] = flow
        if one.answer.done():
            return []
        self._pause, self._until = len(one.unit.reads) // _PER_BATCH, float("inf")
        return [one]

    def drain(self) -> list[Waiting]:
        """All that wait."""
        found = [one for flow in self._all() for one in flow]
        self._first.clear()
        self._flows.clear()
        self._large.clear()
        self._size = 0
        return found

    def _all(self) -> list[deque[Waiting]]:
        return [self._first, *self._flows.values(), *self._large.values()]

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
        for flow in self._all():
            while flow and flow[0].since < limit:
                found.append(flow.popleft())
        self._flows = {name: flow for name, flow in self._flows.items() if flow}
        self._large = {name: flow for name, flow in self._large.items() if flow}
        self._size -= len(found)
        return found

    def oldest(self, default: float) -> float:
        """Since when the one waits that waits longest."""
        return min((flow[0].since for flow in self._all() if flow), default=default)
