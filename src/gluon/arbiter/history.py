"""The states that a port's bindings left, the last sixteen, for people who ask why.

In: a binding before and after a unit. Out: the port's row of `gluon_binding_history`, in that unit. Called by `bindings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gluon.arbiter import levels, tables
from gluon.objects import codec
from gluon.spi import store

MOST = 16
_LONGEST = 500
"""Characters of a message that are kept."""


class Left(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A state that a binding was in, from `since` until `until`, and why it is not any more: `reason` of state `next`.

    `next` is empty where the binding went altogether. `answers`: of the controllers, without details of the VIF.
    """

    host: str
    epoch: int
    active: bool
    state: str
    since: str
    until: str
    next: str = ""
    reason: str = ""
    message: str = ""
    controllers: tuple[str, ...] = ()
    answers: dict[str, levels.Answer] = {}


_decoder = msgspec.json.Decoder(tuple[Left, ...])


def read(row: store.Row | None) -> Sequence[Left]:
    """Oldest first."""
    return () if row is None else _decoder.decode(str(row["entries"]))


def note(view: store.View, changes: store.Changes, port: str, left: Left) -> None:
    """One more state that was left."""
    written = (w for t, w in reversed(changes.writes) if t == tables.HISTORY and isinstance(w, dict))
    row = next((w for w in written if w[tables.PORT_ID] == port), None) or view.get(tables.HISTORY, port)
    kept = (*read(row), left)[-MOST:]
    changes.put(tables.HISTORY, {tables.PORT_ID: port, "entries": codec.encode(kept).decode()})


def lookup(port: str) -> store.Lookup:
    """The read of what is known of a port."""
    return store.Lookup(tables.HISTORY, (tables.PORT_ID,), (port,))


def forget(changes: store.Changes, port: str) -> None:
    """The port went."""
    changes.delete(tables.HISTORY, port)


def without_details(answers: Mapping[str, levels.Answer]) -> dict[str, levels.Answer]:
    """What fits into a line."""
    return {
        controller: msgspec.structs.replace(said, vif_details={}, message=said.message[:_LONGEST])
        for controller, said in answers.items()
    }
