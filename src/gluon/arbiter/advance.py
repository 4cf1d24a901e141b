"""A look at one binding that is under way: controllers came or went, or its time is over.

In: what is known now of its controllers and of the bus. Out: the binding with its next candidates, failed, or unbound. Called by
`binder`, for whoever waits, and by the leader's sweep for bindings that nobody waits for.
"""

from __future__ import annotations

from collections.abc import Collection

from gluon.arbiter import assign, bindings, levels, steps, tables
from gluon.proton import registry
from gluon.spi import store


class Advance(steps.Step):
    """Look again at one binding: a controller came or went, or the deadline passed."""

    __slots__ = ("_epoch", "_gone", "_host", "_port", "_unreachable")

    def __init__(
        self,
        known: registry.Registry,
        assigner: assign.Assigner,
        *,
        api: str,
        object_type: str,
        port: str,
        host: str,
        unreachable: str = "",
        gone: Collection[str] = (),
        epoch: int = 0,
    ) -> None:
        """`unreachable`: why no answer could have arrived (the bus is down), for the reason. `gone`: controllers of the
        bind of this epoch that went away."""
        self._port, self._host, self._unreachable = port, host, unreachable
        self._gone, self._epoch = frozenset(gone), epoch
        super().__init__(known, assigner, steps.reads_of_port(known, api, object_type, port))

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        row = view.get(tables.BINDING, self._port, self._host)
        if row is None:
            return changes
        binding = bindings.read(row)
        changes.result = binding
        late = 0 < binding.deadline <= bindings.seconds(view.now)
        if binding.state is bindings.State.UNBINDING and late:
            self._store(view, changes, binding, steps.cleared(binding, view.now))
        elif binding.state is bindings.State.BINDING:
            self._look(view, changes, binding, late)
        return changes

    def _look(self, view: store.View, changes: store.Changes, binding: bindings.Binding, late: bool) -> None:
        missing = levels.missing(binding.controllers, binding.answers)
        gone = {c for c in binding.controllers if c in self._gone and binding.epoch == self._epoch}
        if not binding.controllers:
            begun = self._assigner.begin(binding, epoch=bindings.epoch_of(view), now=view.now)
            if begun.controllers:
                self._store(view, changes, binding, begun)
            elif late:
                self._store(
                    view, changes, binding, steps.failed(begun, begun.reason, begun.message, view.now)
                )
        elif late and self._unreachable:
            self._store(
                view, changes, binding, steps.failed(binding, "PublisherDown", self._unreachable, view.now)
            )
        elif late:
            why = "Timeout", f"{', '.join(missing)} did not answer in time"
            self._next(view, changes, binding, dict.fromkeys(missing, why))
        elif gone:
            names = [c for c in binding.controllers if c in gone]
            why = "ControllerGone", f"{', '.join(names)} went away before it answered"
            self._next(view, changes, binding, dict.fromkeys(names, why))
