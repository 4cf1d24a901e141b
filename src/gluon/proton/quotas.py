"""How many objects projects may have: what operators set in the place of the model's quotas, and what is used.

In: a project, limits by proton and type. Out: limits and use of all types with a quota. Units count with what is set here
from their next decision on (`upkeep`). Lower than what there is already: nothing goes, nothing more is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.particles import tables
from gluon.proton import registry
from gluon.proton.tables import QUOTA, USAGE
from gluon.spi import store
from gluon.spi.usage import UNLIMITED

MOST = 2**31 - 1
_LONGEST = 64
_PROJECT = re.compile(rf"[^\x00-\x20\x7f-\xa0]{{1,{_LONGEST}}}")
"""The ids of projects that quotas are for, also in the document."""

Limits = Mapping[tuple[str, str], int | None]
"""By proton and type; None: as the model says."""


class _Set:
    """The unit of a change: each of `limits`, or all that were set where it is None."""

    __slots__ = ("_limits", "_project", "reads", "request_id", "who")

    def __init__(self, project: str, limits: Limits | None, who: str, request_id: str) -> None:
        self._project = project
        self._limits = limits
        self.who, self.request_id = who, request_id
        self.reads: Sequence[store.Lookup] = ()

    def decide(self, view: store.Batch) -> store.Changes:
        changes = store.Changes()
        if self._limits is None:
            for own in view.rows(QUOTA, ("project",), (self._project,)):
                changes.delete(QUOTA, own["project"], own["api"], own["type"])
            return changes
        for (api, name), most in self._limits.items():
            if most is None:
                changes.delete(QUOTA, self._project, api, name)
            else:
                row: store.Row = {"project": self._project, "api": api, "type": name, "most": most}
                changes.put(QUOTA, row)
        return changes


class Quotas:
    """Those of all protons that are served."""

    def __init__(self, database: store.Store, known: Callable[[], registry.Registry]) -> None:
        self._store = database
        self._known = known

    def _limited(self) -> dict[tuple[str, str], registry.Resource]:
        return {key: r for key, r in sorted(self._known().by_name.items()) if r.type.quota is not None}

    async def show(self, project: str) -> dict[str, Any]:
        """Of each type with a quota: `limit` (-1: none), `used`, and `default`, which the model says. Raises `Invalid`."""
        _check_project(project)
        of_project = (("project", project),)
        own = await self._store.select(store.Select(table=QUOTA, equals=of_project))
        used = await self._store.select(store.Select(table=USAGE, equals=of_project))
        limits = {(str(r["api"]), str(r["type"])): int(r["most"] or 0) for r in own}
        counts = {(str(r["api"]), str(r["type"])): int(r["n"] or 0) for r in used}
        found: dict[str, dict[str, Any]] = {}
        for (api, name), resource in self._limited().items():
            n = counts.get((api, name))
            if n is None:  # never counted: that of the rows
                rows = store.Select(table=resource.table, equals=((tables.PROJECT, project),))
                n = await self._store.count(rows)
            quota = resource.type.quota
            limit = limits.get((api, name), quota)
            found.setdefault(api, {})[name] = {"limit": limit, "used": n, "default": quota}
        return {"project": project, "quotas": found}

    async def change(self, project: str, asked: Any, who: str, request_id: str) -> None:
        """Set what is given, `{proton: {type: number}}`; null: as the model says. Raises `Invalid`."""
        _check_project(project)
        await self._store.submit(_Set(project, self._read(asked), who, request_id))

    async def forget(self, project: str, who: str, request_id: str) -> None:
        """All as the models say."""
        _check_project(project)
        await self._store.submit(_Set(project, None, who, request_id))

    def _read(self, asked: Any) -> Limits:
        known = self._limited()
        wrong: list[errors.FieldProblem] = []
        found: dict[tuple[str, str], int | None] = {}
        if not isinstance(asked, Mapping):
            raise errors.Invalid([_problem("type", "", "quotas is no object", _FORM)])
        for api, types in asked.items():
            if not isinstance(types, Mapping):
                wrong.append(_problem("type", f"/{_part(api)}", f"{api} is no object of types", _FORM))
                continue
            for name, most in types.items():
                pointer = f"/{_part(api)}/{_part(name)}"
                if (api, name) not in known:
                    hint = "those with one: " + (", ".join(f"{a} {t}" for a, t in known) or "none")
                    message = f"{api} has no type {name} with a quota"
                    wrong.append(_problem("unknown", pointer, message, hint))
                elif most is not None and (type(most) is not int or not UNLIMITED <= most <= MOST):
                    message = f"{api} {name}: {most!r} is no number from -1 to {MOST}"
                    wrong.append(_problem("range", pointer, message, "-1 is no limit; null is the model's"))
                else:
                    found[api, name] = most
        if wrong:
            raise errors.Invalid(wrong[:100])
        return found


_FORM = 'write {"quotas": {"net-l2": {"Port": 500}}}'


def _check_project(project: str) -> None:
    if not _PROJECT.fullmatch(project):
        hint = f"1 to {_LONGEST} characters, no spaces or control characters"
        raise errors.Invalid(
            [_problem("format", "", f"{project[:100]!r} is no id of a project", hint, place="")]
        )


def _part(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _problem(
    code: str, pointer: str, message: str, hint: str, *, place: str = "/quotas"
) -> errors.FieldProblem:
    return errors.FieldProblem(pointer=place + pointer, code=code, message=message[:500], hint=hint)
