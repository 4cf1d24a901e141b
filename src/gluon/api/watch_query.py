"""The arguments of watch requests.

In: a request. Out: what is asked for, or `Invalid` with every argument that means nothing. Called by `watch`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from gluon import errors
from gluon.api import message
from gluon.api.query import pairs
from gluon.objects import journal
from gluon.particles import queries as facts
from gluon.proton import query, registry
from gluon.spi import policy, store
from gluon.watch import tokens

T = TypeVar("T")

LAST_SEEN = b"last-event-id"
_OWN = ("watch", "resume")
_LISTS = tuple(word for word in facts.WORDS if word not in _OWN)


class Asked(msgspec.Struct, frozen=True):
    """Where to go on, and all other arguments."""

    since: tokens.Token | None
    rest: Sequence[tuple[str, str]]


class Wide(msgspec.Struct, frozen=True):
    """What is asked of a watch over all; None: no matter which."""

    apis: frozenset[str] | None
    types: frozenset[str] | None
    projects: frozenset[str | None] | None
    ops: frozenset[journal.Operation] | None


def of(request: message.Request) -> Asked:
    """Raises `Invalid`. A browser that comes back says in a header what it saw last; that counts."""
    given = pairs(request)
    resumes = [value for name, value in given if name == "resume"]
    if len(resumes) > 1:
        raise errors.Invalid([_wrong("resume is given twice", "give it once")])
    seen = request.headers.get(LAST_SEEN, b"").decode("latin-1").strip()
    text = seen or (resumes[0] if resumes else "")
    rest = [(name, value) for name, value in given if name not in _OWN]
    return Asked(tokens.parse(text) if text else None, rest)


def filters(resource: registry.Resource, rest: Sequence[tuple[str, str]]) -> tuple[store.Filter, ...]:
    """Those of a list of this type. Raises `Invalid` for what else lists take: a watch has no order and no pages."""
    for name, _ in rest:
        if name in _LISTS:
            raise errors.Invalid(
                [
                    _wrong(
                        f"'{name}' means nothing to a watch", "a watch takes resume, and the filters of lists"
                    )
                ]
            )
    return query.parse(resource, rest).filters


def nothing_more(rest: Sequence[tuple[str, str]]) -> None:
    """Where lists take no arguments. Raises `Invalid`."""
    if rest:
        raise errors.Invalid(
            [_wrong(f"unknown query argument '{rest[0][0][:100]}'", "a watch takes resume here, and no more")]
        )


def wide(rest: Sequence[tuple[str, str]], known: registry.Registry) -> Wide:
    """Raises `Invalid`."""
    given: dict[str, set[str]] = {"api": set(), "type": set(), "project": set(), "op": set()}
    problems: list[errors.FieldProblem] = []
    for name, value in rest:
        if name in given:
            given[name].add(value)
        else:
            problems.append(
                _wrong(
                    f"query argument '{name[:100]}' is not known", f"known: {', '.join((*given, 'resume'))}"
                )
            )
    apis = {m.name for m in known.models}
    for argument, words in (
        ("api", apis),
        ("type", {name for api, name in known.by_name if not given["api"] or api in given["api"]}),
        ("op", {op.value for op in journal.Operation}),
    ):
        problems += [
            _wrong(f"{argument} '{value[:100]}' is none", f"known: {', '.join(sorted(words)) or 'none'}")
            for value in sorted(given[argument] - words)
        ]
    if problems:
        raise errors.Invalid(problems[:100])
    return Wide(
        apis=_some(given["api"]),
        types=_some(given["type"]),
        projects=_some(policy.normal_project(name) for name in given["project"]),
        ops=_some(journal.Operation(op) for op in given["op"]),
    )


def _some(values: Iterable[T]) -> frozenset[T] | None:
    return frozenset(values) or None


def _wrong(text: str, hint: str) -> errors.FieldProblem:
    return errors.FieldProblem(pointer="", code="argument", message=text, hint=hint)
