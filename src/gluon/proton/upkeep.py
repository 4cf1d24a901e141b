"""What is kept of objects beside their rows: link tables, values of pools, how many each project has.

Called at the end of a unit, when all of its objects are saved; then the rules have the last word. Invariant:
link rows equal what documents say, a usage row equals the number of rows it counts. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.particles import tables
from gluon.proton import hooked, judging, referring, registry, supplies, work
from gluon.proton.tables import QUOTA, USAGE
from gluon.spi import networks, store
from gluon.spi.usage import UNLIMITED
from gluon.values import nouns

_KEY = ("project", "api", "type")
_MOST = 2000
"""Projects of which it is kept what their new objects of a type look at."""
Counted = tuple[str, str]
"""Project (empty: none) and type."""


def reads(
    resource: registry.Resource, values: Mapping[str, Any], project: store.Value
) -> Sequence[store.Lookup]:
    """What a new object of these values will look at, beside what it refers to. The same of many objects is one tuple."""
    if not resource.steering.isdisjoint(values):
        return (*supplies.reads(resource, values), *_counts(resource, project))
    known = resource.usual_reads.get(project)
    if known is None:
        if len(resource.usual_reads) >= _MOST:
            resource.usual_reads.clear()
        known = (*supplies.reads(resource, values), *_counts(resource, project))
        resource.usual_reads[project] = known
    return known


def _counts(resource: registry.Resource, project: store.Value) -> Sequence[store.Lookup]:
    if resource.type.quota is None:
        return ()
    key = (str(project or ""), resource.api, resource.name)
    used = store.Lookup(USAGE, _KEY, key)
    return (used, store.Lookup(QUOTA, _KEY, key)) if project else (used,)


def settle(state: work.Work, main: store.Row | None) -> None:
    """Bring everything kept in line with the objects that the unit touched, and judge them.

    `main`: the row of the object that the body is of. Raises `Conflict` or `Invalid`.
    """
    deltas: dict[Counted, int] = {}
    for touched in state.touched:
        resource = touched.resource
        for reference in resource.links:
            _link(state.changes, reference, touched)
        if resource.pools or (resource.pooled and touched.before is not None):
            session = state.session(touched.row[tables.PROJECT])
            supplies.follow(session, resource, touched.before, touched.after)
        if resource.type.quota is not None:
            _tally(deltas, touched)
    for (project, name), delta in deltas.items():
        if delta:
            count(state.committed, state.changes, state.touched[0].resource.family[name], project, delta)
    judging.judge(state, main)
    hooked.judge(state)


def _tally(deltas: dict[Counted, int], touched: work.Touched) -> None:
    """Count what the project of an object loses and gains by it."""
    for row, step in ((touched.before, -1), (touched.after, 1)):
        if row is not None:
            counted = (str(row[tables.PROJECT] or ""), touched.resource.name)
            deltas[counted] = deltas.get(counted, 0) + step


def _link(changes: store.Changes, reference: referring.Reference, touched: work.Touched) -> None:
    before = _targets(reference, touched.before)
    after = _targets(reference, touched.after)
    owner = touched.row[reference.owner_key]
    for target in before:
        if target not in after:
            changes.delete(reference.link_table, owner, target)
    for target in after:
        if target not in before:
            changes.put(reference.link_table, {tables.OWNER: owner, tables.TARGET: target})


def _targets(reference: referring.Reference, row: store.Row | None) -> dict[store.Value, None]:
    return dict.fromkeys(key for _, key in reference.held(row)) if row is not None else {}


def count(
    view: store.View, changes: store.Changes, resource: registry.Resource, project: str, delta: int
) -> None:
    """`delta` more objects than the view has. Raises `Conflict` where the quota has no place for them.

    A count that was never written is that of the rows, which are few or none then.
    """
    known = view.get(USAGE, project, resource.api, resource.name)
    if known is not None:
        held = int(known["n"] or 0)
    elif project:
        held = len(view.rows(resource.table, (tables.PROJECT,), (project,)))
    else:
        held = 0
    most = limit(view, resource, project) if delta > 0 else None
    if most is not None and held + delta > most:
        whose = f"project '{project}'" if project else "what belongs to no project"
        raise errors.Conflict(
            f"{whose} has {held} of at most {most} objects of type {resource.name}, {delta} more do not fit",
            code="quota",
            hint=f"delete {nouns.a(resource.name)} that is not needed, or ask the operator for a higher quota",
        )
    row: store.Row = {
        "project": project,
        "api": resource.api,
        "type": resource.name,
        "n": max(0, held + delta),
    }
    changes.put(USAGE, row)


def limit(view: store.View, resource: registry.Resource, project: str) -> int | None:
    """How many objects of the type the project may have: what an operator set for it, else what the model says."""
    own = view.get(QUOTA, project, resource.api, resource.name) if project else None
    if own is None:
        return resource.type.quota
    most = int(own["most"] or 0)
    return None if most == UNLIMITED else most


def enter(changes: store.Changes, resource: registry.Resource, key: store.Value) -> None:
    """A new service is a network."""
    changes.put(networks.TABLE.name, networks.row(resource.api, resource.name, key))


def leave(changes: store.Changes, resource: registry.Resource, key: store.Value) -> None:
    """A service that goes is none any more."""
    changes.delete(networks.TABLE.name, networks.network_id(resource.api, resource.name, key))
