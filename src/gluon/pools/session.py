"""What a unit does with pools while it decides: take, wish, release, new ranges, drop.

In: a view and supplies. Out: values, and the writes by `flush`. Everything is seen by what follows in the
same session, and by the units behind it once the unit is accepted. Raises `Conflict` and `Invalid`; then
the session is broken and the unit has to be rejected.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gluon.pools import problems
from gluon.pools.rows import Rows
from gluon.pools.state import State, held, new
from gluon.pools.supply import Supply, reads
from gluon.pools.tables import BLOCK, POOL, VALUE
from gluon.spi import store
from gluon.values.space import Part

KEPT = 1024
"""Released values that wait before one of them is given again while there are values never given."""
FORGOTTEN = 256
"""Released values that one take forgets at most while it looks for one of a part."""

_ASKEW = 3600
"""Seconds. A value that is said to rest for so much longer than its pool asks for was released under a clock
that was wrong: it is not kept back."""
_LONGEST = 10 * 365 * 86400


def take_next(
    view: store.View, supply: Supply, holder: str, project: str | None
) -> tuple[int | str, tuple[store.Write, store.Write]] | None:
    """The usual case of `Session.take`, for a unit that does nothing else with this pool: the next value never given.

    The value and what to write; None: it is another case, which needs a session.
    """
    pool = view.get(POOL, supply.id)
    space = supply.space
    if (
        pool is None
        or pool["digest"] != space.digest
        or pool["fresh_height"] >= 0  # type: ignore[operator]
        or pool["queued"] > KEPT  # type: ignore[operator]
        or (position := int(pool["next"])) >= space.size  # type: ignore[arg-type]
    ):
        return None
    value = space.codec.value(space.at(position))
    after = pool.copy()
    after["next"], after["held"] = str(position + 1), pool["held"] + 1  # type: ignore[operator]
    return value, ((VALUE, held(supply.id, str(value), holder, project)), (POOL, after))


class Session:
    """The pools of one unit. `project` is that of the objects which take: only within it are holders named."""

    __slots__ = ("_now", "_project", "_rows", "_states")

    def __init__(self, view: store.View, *, project: str | None = None) -> None:
        self._rows = Rows(view)
        self._now = view.now
        self._project = project
        self._states: dict[str, State] = {}

    def take(self, supply: Supply, holder: str) -> int | str:
        """A free value, as an attribute of the pool's type holds it. Raises `Conflict` (`pool_exhausted`)."""
        state = self._state(supply)
        codec = supply.space.codec
        value = self._rested(state, supply) if state.queued > KEPT else None
        if value is None:
            position = state.take_fresh()
            if position is not None:
                fresh = codec.value(supply.space.at(position))
                state.hold(str(fresh), holder, self._project)
                return fresh
            value = self._rested(state, supply)
        if value is None:
            first = state.first()
            raise problems.exhausted(
                supply, state.held, state.queued, str(first["free_at"]) if first else None
            )
        state.hold(value, holder, self._project)
        return codec.value(codec.number(value))

    def take_of(self, supply: Supply, part: Part, holder: str) -> int | str:
        """A free value of a part of the pool, as if it had been wished for: `next` stays where it is, so that whatever is
        given so can be forgotten. Raises `Conflict` (`pool_exhausted`)."""
        state, space = self._state(supply), supply.space
        position = state.fresh_in(part)
        if position is not None:
            value = space.codec.value(space.at(position))
            state.fresh.mark(position)
            self._trim(state, supply)
        else:
            value = space.codec.value(space.codec.number(self._rested_of(state, supply, part)))
        state.hold(str(value), holder, self._project)
        return value

    def expect(self, pool: str, values: Sequence[object]) -> None:
        """These will be wished for or released: they are read at once."""
        self._rows.view.prefetch(reads(pool, *map(str, values)))

    def wish(
        self, supply: Supply, value: object, holder: str, pointer: str = "", *, listed: bool = False
    ) -> int | str:
        """This very value, also while it rests, or outside of an open pool; its normal form comes back.

        Raises `Invalid` (`pool_outside`, at `pointer`), or `Conflict` (`pool_taken`), also where `holder`
        itself has it: a value has one holder, once. `listed`: as one of several, of which none is given.
        """
        hint = problems.OF_A_LIST if listed else problems.TO_TAKE
        number = supply.space.any(value) if supply.open else supply.space.number(value)
        if number is None:
            raise problems.outside(supply, value, pointer, hint)
        normal = supply.space.codec.value(number)
        state = self._state(supply)
        row = state.value(str(normal))
        if row is not None and row["holder"] is not None:
            mine = row["project"] == self._project
            raise problems.taken(supply, normal, str(row["holder"]) if mine else None, hint)
        self._occupy(state, supply, number, row, holder, self._project)
        return normal

    def adopt(self, supply: Supply, value: object, holder: str, project: str | None) -> str | None:
        """A value that was stored while no pool was asked for it, also outside of the ranges. Who has it, if not `holder`.

        Raises `Invalid` (`pool_outside`) for what is no value of the pool's type.
        """
        number = supply.space.any(value)
        if number is None:
            raise problems.outside(supply, value, "", problems.OF_A_LIST)
        state = self._state(supply)
        row = state.value(str(supply.space.codec.value(number)))
        if row is not None and row["holder"] is not None:
            return str(row["holder"])
        self._occupy(state, supply, number, row, holder, project)
        return None

    def release(self, pool: str, value: object, holder: str, rest: int) -> None:
        """Give a value back; nobody takes it for `rest` seconds. No effect unless `holder` has it."""
        state = self._known(pool)
        if state is None:
            return
        row = state.value(str(value))
        if row is None or row["holder"] != holder:
            return
        state.held -= 1
        if row["outside"]:
            state.outside -= 1
            self._rows.delete(VALUE, pool, str(value))
        else:
            state.enqueue(str(value), self._later(rest))

    def respace(self, supply: Supply, *, strict: bool = True) -> None:
        """The pool has new ranges. Raises `Conflict` (`pool_in_use`) if they leave out a value in use.

        Not `strict`: such values stay with their holders, and vanish when they are released.
        """
        state = self._known(supply.id)
        if state is not None:
            self._adapt(state, supply, strict=strict)

    def drop(self, pool: str) -> None:
        """The pool is no more, nor is anything known of its values."""
        state = self._known(pool)
        if state is None:
            return
        for table, key in ((VALUE, "value"), (BLOCK, "block")):
            for row in self._rows.of_pool(table, key, pool):
                self._rows.delete(table, pool, row[key])
        self._rows.delete(POOL, pool)
        del self._states[pool]

    def flush(self, changes: store.Changes) -> None:
        """Put all writes into the unit's changes: once, at the end."""
        for state in self._states.values():
            state.save()
        self._rows.flush(changes)

    # -- parts --------------------------------------------------------------------------------

    def _occupy(
        self,
        state: State,
        supply: Supply,
        number: int,
        row: store.Row | None,
        holder: str,
        project: str | None,
    ) -> None:
        """Hold a value that nobody has; `row`: what is known of it."""
        normal = str(supply.space.codec.value(number))
        if row is not None:
            state.dequeue(row)
        else:
            position = supply.space.position(number)
            if position is None:
                state.hold_outside(normal, holder, project)
                return
            state.take_ahead(position)
            self._trim(state, supply)
        state.hold(normal, holder, project)

    def _known(self, pool: str) -> State | None:
        state = self._states.get(pool)
        if state is None:
            row = self._rows.get(POOL, pool)
            if row is not None:
                state = self._states[pool] = State(self._rows, row)
        return state

    def _state(self, supply: Supply) -> State:
        state = self._known(supply.id)
        if state is None:
            state = self._states[supply.id] = State(self._rows, new(supply.id, supply.space))
        elif state.digest != supply.space.digest:
            self._adapt(state, supply, strict=False)
        return state

    def _later(self, seconds: float) -> str:
        now = datetime.fromisoformat(self._now)
        return (now + timedelta(seconds=min(max(seconds, 0), _LONGEST))).isoformat(timespec="microseconds")

    def _is_free(self, row: store.Row, supply: Supply) -> bool:
        free_at = str(row["free_at"])
        return free_at <= self._now or free_at > self._later(supply.rest + _ASKEW)

    def _rested(self, state: State, supply: Supply) -> str | None:
        """The value that was released first, if it may be given again."""
        row = state.first()
        if row is None or not self._is_free(row, supply):
            return None
        state.dequeue(row)
        return str(row["value"])

    def _trim(self, state: State, supply: Supply) -> None:
        """Forget one old value that was wished for, so that a space of any size keeps few rows."""
        if state.queued <= KEPT:
            return
        row = state.first()
        if row is None or not self._is_free(row, supply):
            return
        if not self._forget(state, row, _place(supply, row)):
            state.dequeue(row)
            state.enqueue(str(row["value"]), str(row["free_at"]))

    def _forget(self, state: State, row: store.Row, position: int | None) -> bool:
        """As if nobody ever had a released value; False: that cannot be, as those after it were given in their turn."""
        if position is None or position < state.next:
            return False
        state.dequeue(row)
        state.fresh.unmark(position)
        self._rows.delete(VALUE, state.id, row["value"])
        return True

    def _rested_of(self, state: State, supply: Supply, part: Part) -> str:
        """The value of a part that was released first. What stands before it in the queue is forgotten where it can be, so
        that nobody reads it again. Raises `Conflict`."""
        left = FORGOTTEN
        for row in state.waiting():
            if not self._is_free(row, supply):
                break
            position = _place(supply, row)
            if position is not None and part.has(position):
                state.dequeue(row)
                return str(row["value"])
            if left and self._forget(state, row, position):
                left -= 1
        raise problems.exhausted_part(supply, part)

    def _adapt(self, state: State, supply: Supply, *, strict: bool) -> None:
        """Go over to new ranges. What only adds values behind the old ones touches no value's row."""
        space = supply.space
        if state.digest == space.digest:
            return
        if state.outside or not space.begins_with(state.digest, state.size):
            self._order_anew(state, supply, strict=strict)
        state.digest, state.size = space.digest, space.size

    def _order_anew(self, state: State, supply: Supply, *, strict: bool) -> None:
        """Positions have changed: what has a row is marked, all else is still to be given."""
        space = supply.space
        rows = self._rows.of_pool(VALUE, "value", state.id)
        numbers = [(row, space.number(row["value"])) for row in rows]
        kept = [row for row, number in numbers if number is None and row["holder"] is not None]
        if strict and not supply.open and any(not row["outside"] for row in kept):
            left = [row for row in kept if not row["outside"]]
            raise problems.in_use(supply, sorted(left, key=lambda row: str(row["value"])))
        for block in self._rows.of_pool(BLOCK, "block", state.id):
            if state.fresh.owns(str(block["block"])):
                self._rows.delete(BLOCK, state.id, block["block"])
        for row, number in numbers:
            value = str(row["value"])
            if row["holder"] is not None:
                if row["outside"] != (number is None):
                    self._rows.put(VALUE, (state.id, value), {**row, "outside": number is None})
            elif number is None:
                state.dequeue(row)
                self._rows.delete(VALUE, state.id, value)
        positions = (space.position(number) for _, number in numbers if number is not None)
        state.fresh.fill(p for p in positions if p is not None)
        state.next, state.outside = 0, len(kept)


def _place(supply: Supply, row: store.Row) -> int | None:
    """The position of a row's value; None: it has none any more."""
    number = supply.space.any(row["value"])
    return None if number is None else supply.space.position(number)
