"""One batch on its way: its units, and what is known of them if all goes wrong.

Invariant: nobody is told "not written" of what may be. No I/O. Called by `batches`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from gluon import errors
from gluon.spi import store
from gluon.store import driver
from gluon.store.deciding import Deciding, Waiting
from gluon.store.overlay import Plan

CONFLICTS = {
    driver.Kind.TAKEN: "a value that must be unique is taken already",
    driver.Kind.REFERRED: "something refers to this object, or it refers to something that does not exist",
}


class Attempt:
    """`decided`: there is nothing left of that, and `plan` is what to write. `sent`: the batch may be committed from then on. `reading`:
    it is read for and decided while the one before is written."""

    __slots__ = ("decided", "deciding", "plan", "reading", "sent", "session", "units", "writing")

    def __init__(self, units: list[Waiting] | None = None) -> None:
        self.units: list[Waiting] = units or []
        self.session: driver.Session | None = None
        self.deciding: Deciding | None = None
        self.decided = False
        self.reading: Awaitable[None] | None = None
        self.plan: Plan | None = None
        self.sent = False
        self.writing: Awaitable[None] | None = None

    def abandon(self, refusal: Exception) -> int:
        """Answer who has no answer: `refusal`, where surely nothing was written. How many outcomes stay unknown."""
        count = unsettled(self.deciding) if self.sent and self.deciding is not None else 0
        fail(self.units, refusal)
        return count


def unsettled(deciding: Deciding) -> int:
    """Answer the units of a batch of which nobody knows whether it was committed; how many wrote something."""
    count = 0
    for one, outcome in deciding.answers:
        if one.answer.done():
            continue
        if isinstance(outcome, store.Committed) and outcome.revision:
            count += 1
            one.answer.set_exception(errors.OutcomeUnknown("the database did not say whether it was written"))
        else:
            # It wrote nothing, but it was decided beside units that may not have either.
            one.answer.set_exception(errors.Unavailable("the database does not answer"))
    return count


def fail(units: Iterable[Waiting], error: Exception) -> None:
    for one in units:
        if not one.answer.done():
            one.answer.set_exception(error)
