"""What one watcher wants to be told, and may be.

In: a `Told`. Out: the event that it is to this watcher, or none. Invariant: an object that is out of sight is never
shown, neither before nor after it was in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from gluon.objects import journal
from gluon.watch.kinds import Body, Kind
from gluon.watch.told import ANY, NONE, Event, Shape, Told

Place = tuple[tuple[str, str] | None, Hashable]
"""Under what a watcher is found: a type (None: all), and a project, or `ANY`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """Objects of a type that are in sight: of these projects (None: of all), and with bodies that match.

    `allows` is asked with an object's project and body; and `hidden`, for attributes that are left out.
    """

    projects: frozenset[str | None] | None = None
    matches: Callable[[Body], bool] | None = None
    allows: Callable[[str | None, Body], bool] | None = None
    hidden: Callable[[str | None, Body], frozenset[str]] | None = None

    def sees(self, told: Told, project: str | None, document: bytes) -> bool:
        if self.projects is not None and project not in self.projects:
            return False
        if self.matches is not None and not self.matches(told.body(document)):
            return False
        return self.allows is None or self.allows(project, told.body(document))


class Interest:
    """`view` says what is in sight of a type, None: nothing; it is asked once for each `Kind`.

    `only`: the one type that is watched, as it was at the beginning; `projects`: of the objects of any type, where that
    is known without looking at each type; `ruled`: the view follows from rules that may be replaced.
    """

    def __init__(
        self,
        shape: Shape,
        view: Callable[[Kind], View | None],
        *,
        only: Kind | None = None,
        ops: frozenset[journal.Operation] | None = None,
        projects: frozenset[Hashable] | None = None,
        ruled: bool = False,
    ) -> None:
        self.shape = shape
        self.ruled = ruled
        self.only = only
        self._projects = projects
        self._view = view
        self._views: dict[Kind, View | None] = {}
        self._ops = ops

    def line(self, told: Told) -> bytes | None:
        """What this watcher is told of a change; None: nothing."""
        event = self.judge(told)
        if event is None:
            return None
        view = self._of(told.kind)
        if view is None or view.hidden is None:
            return told.line(self.shape, event, self.covers(told))
        now = NONE if told.new is None else view.hidden(told.after, told.body(told.new))
        was = NONE if told.old is None else view.hidden(told.before, told.body(told.old))
        return told.line(self.shape, event, self.covers(told), now, was)

    def covers(self, told: Told) -> int:
        """The revision up to which this watcher knows all once it was told."""
        return told.covers(self.only is not None)

    def judge(self, told: Told) -> Event | None:
        """What it is to this watcher."""
        kind = told.kind
        view = self._of(kind)
        if view is None or (self._ops is not None and told.entry.op not in self._ops):
            return None
        now = told.new is not None and view.sees(told, told.after, told.new)
        if told.steady:
            return Event.MODIFIED if now else None
        was = told.old is not None and view.sees(told, told.before, told.old)
        if now:
            return Event.MODIFIED if was else Event.ADDED
        return Event.DELETED if was else None

    def places(self, kinds: Iterable[Kind]) -> frozenset[Place]:
        """Where to look for this watcher, of all the types that there are."""
        if self.only is not None:
            view = self._of(self.only)
            kind = (self.only.api, self.only.name)
            return frozenset((kind, p) for p in _projects(view))
        if self._projects is not None:
            return frozenset((None, p) for p in self._projects)
        return frozenset((None, p) for kind in kinds for p in _projects(self._of(kind)))

    def loses(self, gone: Iterable[Kind]) -> bool:
        """Whether something of what was in sight is not served any more as it was."""
        return any(self._of(kind) is not None for kind in gone)

    def _of(self, kind: Kind) -> View | None:
        if self.only is not None and kind is not self.only:
            return None
        try:
            return self._views[kind]
        except KeyError:
            found = self._views[kind] = self._view(kind)
            return found


def _projects(view: View | None) -> Iterable[Hashable]:
    if view is None:
        return ()
    return (ANY,) if view.projects is None else view.projects
