"""What a pool refuses, in words. Codes are stable: `pool_exhausted`, `pool_taken`, `pool_outside`, `pool_in_use`."""

from __future__ import annotations

from collections.abc import Sequence

from gluon import errors
from gluon.pools.supply import Supply
from gluon.spi import store
from gluon.values.space import Part

TO_TAKE = "leave the value out to take a free one"
OF_A_LIST = "leave the value out of the list, or give another"
NAMED = 5
"""How many values an error names."""


def exhausted(supply: Supply, held: int, resting: int, free_at: str | None) -> errors.Conflict:
    size = supply.space.size
    if not size:
        return errors.Conflict(
            f"{supply.name} has no values: it has no ranges",
            code="pool_exhausted",
            hint="give the pool ranges, or give a value",
        )
    wait = f"; the first of them is free at {free_at}Z" if free_at else ""
    return errors.Conflict(
        f"{supply.name} is exhausted: of {size} values {held} are in use and {resting} rest after use{wait}",
        code="pool_exhausted",
        hint="delete what is not needed, or give the pool more ranges",
    )


def exhausted_part(supply: Supply, part: Part) -> errors.Conflict:
    return errors.Conflict(
        f"{supply.name} has nothing left of {part.name}: each value is in use, or rests after use",
        code="pool_exhausted",
        hint="delete what is not needed, or give the pool more ranges",
    )


def taken(supply: Supply, value: object, holder: str | None, hint: str) -> errors.Conflict:
    """`holder`: None where the caller may not know it."""
    by = f" by {holder}" if holder else ""
    return errors.Conflict(
        f"{value} of {supply.name} is in use{by}",
        code="pool_taken",
        hint=hint,
    )


def outside(supply: Supply, value: object, pointer: str, hint: str) -> errors.Invalid:
    problem = errors.FieldProblem(
        pointer=pointer,
        code="pool_outside",
        message=f"{value} is not a value of {supply.name}, which has {supply.space}",
        hint=hint,
    )
    return errors.Invalid([problem])


def in_use(supply: Supply, rows: Sequence[store.Row]) -> errors.Conflict:
    """Values that the new ranges leave out."""
    names = [str(row["value"]) for row in rows[:NAMED]]
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return errors.Conflict(
        f"{supply.name} must keep {', '.join(names)}{more}: in use, and not in {supply.space}",
        code="pool_in_use",
        hint="release these values first, or keep them in the ranges",
    )
