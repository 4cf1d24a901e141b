"""Several units as one: all of them, or none.

In: units in their order. Out: one unit that does what each of them does where it sees those before it; its
result is the list of theirs. A refusal says of which unit it is. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gluon import errors
from gluon.spi import store


class Together:
    """A `spi.store.Several`."""

    __slots__ = ("parts", "reads", "request_id", "who")

    def __init__(self, parts: Sequence[store.Unit], *, who: str, request_id: str) -> None:
        self.who, self.request_id = who, request_id
        self.parts = parts
        self.reads: Sequence[store.Lookup] = [lookup for unit in parts for lookup in unit.reads]

    def decide(self, view: store.Batch) -> store.Changes:
        together = store.Changes(result=[])
        for changes in view.in_turn(self.parts):
            together.writes += changes.writes
            together.entries += changes.entries
            together.result.append(changes.result)
        return together


class Many(Together):
    """`places`: a JSON pointer for each unit, to put before those of its problems."""

    __slots__ = ()

    def __init__(
        self, units: Sequence[store.Unit], places: Sequence[str], *, who: str, request_id: str
    ) -> None:
        parts = [_Placed(unit, place) for unit, place in zip(units, places, strict=True)]
        super().__init__(parts, who=who, request_id=request_id)


class Retold:
    """A unit whose refusals are told in other words."""

    __slots__ = ("_unit", "reads", "request_id", "who")

    def __init__(self, unit: store.Unit) -> None:
        self._unit = unit
        self.reads, self.who, self.request_id = unit.reads, unit.who, unit.request_id

    def decide(self, view: store.Batch) -> store.Changes:
        try:
            return self._unit.decide(view)
        except errors.Rejected as refusal:
            raise self.told(refusal) from None

    def told(self, refusal: errors.Rejected) -> errors.Rejected:
        """The same in other words."""
        return refusal


class _Placed(Retold):
    """They say where in the request it stands."""

    __slots__ = ("_place",)

    def __init__(self, unit: store.Unit, place: str) -> None:
        super().__init__(unit)
        self._place = place

    def told(self, refusal: errors.Rejected) -> errors.Rejected:
        return placed(refusal, self._place)


def placed(refusal: errors.Rejected, place: str) -> errors.Rejected:
    """The same refusal, of the part of the body at `place`."""
    if isinstance(refusal, errors.Invalid):
        return errors.Invalid(moved(refusal.problems, place))
    if isinstance(refusal, errors.Forbidden) and refusal.problems:
        told = moved(refusal.problems, place)
        return errors.Forbidden(f"{place}: {refusal}", problems=told, code=refusal.code, hint=refusal.hint)
    return type(refusal)(f"{place}: {refusal}", code=refusal.code, hint=refusal.hint)


def moved(problems: Sequence[errors.FieldProblem], place: str) -> list[errors.FieldProblem]:
    """Problems of a part of the body, told as of the whole."""
    return [replace(p, pointer=place + p.pointer) for p in problems]
