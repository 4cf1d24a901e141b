"""What a list is asked for: filters, order, page, and how much of each object.

In: an object type and the arguments of a URL. Out: a `Query`, or `Invalid` with every argument that means nothing.
Secrets and what is not stored can be asked for in no way. Called by the faces; `lists` answers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_network

import msgspec

from gluon import errors
from gluon.model.types import Attribute, Format, ObjectType
from gluon.particles import queries as facts
from gluon.particles import tables
from gluon.proton import registry
from gluon.spi import store
from gluon.spi.store import Filter, Match, Order
from gluon.values import cidr, ip

MOST = facts.MOST
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII).fullmatch
_TRUTH = {"true": True, "false": False}
_OF_WATCH = frozenset({"watch", "resume"})


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """`fields` empty: all of them. `embed`: references whose objects come with the answer."""

    filters: tuple[Filter, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = MOST
    marker: str | None = None
    fields: tuple[str, ...] = ()
    count: bool = False
    embed: tuple[str, ...] = ()


def parse(resource: registry.Resource, arguments: Iterable[tuple[str, str]]) -> Query:
    """Raises `Invalid` with all problems."""
    reading = _Reading(resource)
    given: dict[str, list[str]] = {}
    for name, value in arguments:
        given.setdefault(name, []).append(value)
    if sum(map(len, given.values())) > facts.VALUES:
        raise errors.Invalid([_wrong(f"more than {facts.VALUES} query arguments", "ask for less at once")])
    for name, values in given.items():
        if name not in facts.WORDS:
            reading.filter(name, values)
    query = Query(
        order=reading.order(given.get("sort_key", []), given.get("sort_dir", [])),
        limit=reading.limit(given.get("limit")),
        marker=reading.once("marker", given.get("marker")),
        fields=reading.names("fields", given.get("fields"), facts.shown),
        count=reading.truth("count", given.get("count")),
        embed=reading.names("embed", given.get("embed"), facts.embedded),
        filters=tuple(reading.filters),
    )
    if reading.problems:
        raise errors.Invalid(reading.problems[:100])
    return query


def too_slow(resource: registry.Resource, asked: Query, *, own: bool) -> errors.Invalid | None:
    """Why a list read more than it may have, where the query is the reason; `own`: of one project."""
    table = tables.table(resource.model, resource.type)
    served = table.served(tables.PROJECT if own else "")
    names = {column: name for name, column in (*resource.records.columns.items(), *facts.TIMES.items())}
    wrong = [names[o.column] for o in asked.order[:1] if o.column not in served]
    for one in asked.filters:
        if one.match is Match.EQUAL and one.column not in served:
            wrong.append(names[one.column])
        elif one.match is not Match.EQUAL and not (one.match is Match.BEGINS and one.column in served):
            wrong.append(f"{names[one.column]}__{one.match.value}")
    if not (wrong or asked.count):
        return None
    known = sorted({names[c] for c in served if c in names}.intersection(facts.filtered(resource.type)))
    said = f"no index serves {', '.join(wrong)}" if wrong else "all of them are counted"
    problem = errors.FieldProblem(
        pointer="",
        code="unserved",
        message=f"the list of {resource.type.plural} takes too long: {said}",
        hint=f"filter (=, __in, __startswith) by one of {', '.join(known)}, or let the model say indexed: true"
        if wrong
        else "leave count out, or filter by less",
    )
    return errors.Invalid([problem])


class _Reading:
    """One query as it is read; `problems` are gathered."""

    def __init__(self, resource: registry.Resource) -> None:
        self._resource = resource
        self.problems: list[errors.FieldProblem] = []
        self.filters: list[Filter] = []

    def filter(self, argument: str, values: Sequence[str]) -> None:
        """`name=`, or `name__<suffix>=`."""
        known = facts.filtered(self._resource.type)
        name, suffix = (argument, Match.EQUAL.value) if argument in known else _split(argument)
        if name not in known:
            self._unknown(argument, name)
            return
        attribute = self._resource.type.attributes.get(name)
        allowed = facts.suffixes(attribute)
        if suffix not in allowed:
            words = ", ".join(f"{name}__{word}" for word in allowed)
            self._add(f"query argument '{argument[:100]}' is not known", f"known for it: {name}, {words}")
            return
        column = self._resource.records.column(name) if attribute else facts.TIMES[name]
        if suffix == facts.IN:
            values = [part for value in values for part in self._parts(name, attribute, value)]
            if len(values) > facts.VALUES:
                self._add(f"'{argument}' has more than {facts.VALUES} values", "ask for less at once")
                return
        match = Match.EQUAL if suffix == facts.IN else Match(suffix)
        try:
            found = [self._value(argument, name, attribute, match, text) for text in values]
        except errors.Invalid as error:
            self.problems += error.problems
            return
        if match is Match.EQUAL:
            self.filters.append(
                Filter(column=column, match=match, values=tuple(v for some in found for v in some))
            )
        else:
            self.filters += [Filter(column=column, match=match, values=(v,)) for some in found for v in some]

    def _parts(self, name: str, attribute: Attribute | None, text: str) -> Sequence[str]:
        """The values of a list; a JSON text has commas of its own, so one that is whole is one value."""
        if attribute is not None and attribute.value_format is Format.JSON:
            with suppress(errors.Invalid):
                self._resource.fields.from_text(name, text)
                return (text,)
        return text.split(",")

    def _value(
        self, argument: str, name: str, attribute: Attribute | None, match: Match, text: str
    ) -> tuple[store.Value, ...]:
        """In normal form; what is empty is null, and the empty text too. Raises `Invalid`."""
        if "\0" in text:
            raise errors.Invalid([_wrong(f"query argument '{argument}' has U+0000", "leave it out")])
        if match in facts.PARTS:
            return (text,)
        is_text = attribute is None or attribute.value_type in facts.TEXTS
        if text == "" and match in facts.BOTH:
            return (None, "") if is_text and attribute is not None else (None,)
        if attribute is None:
            return (_time(argument, text),)
        if match is Match.WITHIN:
            return (_prefix(argument, text),)
        if match in facts.ORDERED and is_text and attribute.value_format is None:
            return (text,)
        try:
            return (self._resource.fields.from_text(name, text),)
        except errors.Invalid as error:
            told = [_wrong(f"query argument '{argument}': {p.message}", p.hint) for p in error.problems]
            raise errors.Invalid(told) from None

    def order(self, keys: Sequence[str], directions: Sequence[str]) -> tuple[Order, ...]:
        if not (keys or directions):
            return ()
        known = facts.sorted_by(self._resource.type)
        names = [name for key in keys for name in key.split(",")]
        ways = [way for direction in directions for way in direction.split(",")]
        wrong = [name for name in names if name not in known]
        if wrong:
            self._add(f"sort_key '{wrong[0][:100]}' is none", f"sort by: {', '.join(known)}")
        elif len(set(names)) < len(names):
            self._add("sort_key names an attribute twice", "name each once")
        elif len(ways) > len(names) or not set(ways) <= {"asc", "desc"}:
            self._add("sort_dir does not fit", "give asc or desc for each sort_key, in their order")
        else:
            ways += ["asc"] * (len(names) - len(ways))
            return tuple(
                Order(column=self._column(name), descending=way == "desc")
                for name, way in zip(names, ways, strict=True)
            )
        return ()

    def _column(self, name: str) -> str:
        return facts.TIMES.get(name) or self._resource.records.column(name)

    def limit(self, given: Sequence[str] | None) -> int:
        text = self.once("limit", given)
        if text is None:
            return MOST
        if not re.fullmatch("[0-9]{1,4}", text, re.ASCII) or int(text) > MOST:
            self._add(f"limit '{text[:40]}' is none", f"a whole number from 0 to {MOST}")
            return MOST
        return int(text)

    def once(self, name: str, given: Sequence[str] | None) -> str | None:
        if given is not None and len(given) > 1:
            self._add(f"query argument '{name}' is given twice", "give it once")
        return given[0] if given else None

    def truth(self, name: str, given: Sequence[str] | None) -> bool:
        text = self.once(name, given)
        if text is not None and text not in _TRUTH:
            self._add(f"{name} is true or false, not '{text[:40]}'", f"say {name}=true")
        return _TRUTH.get(text or "", False)

    def names(
        self, argument: str, given: Sequence[str] | None, all_of: Callable[[ObjectType], tuple[str, ...]]
    ) -> tuple[str, ...]:
        if given is None:
            return ()
        known = all_of(self._resource.type)
        names = tuple(dict.fromkeys(name for one in given for name in one.split(",")))
        wrong = [name for name in names if name not in known]
        if wrong:
            self._add(f"{argument} '{wrong[0][:100]}' is none", f"known here: {', '.join(known) or 'none'}")
        return names

    def _unknown(self, argument: str, name: str) -> None:
        kind = self._resource.type.attributes.get(name)
        said = "is not known" if kind is None or kind.secret else "cannot be filtered by"
        known = f"{', '.join(facts.WORDS)}; filters: {', '.join(facts.filtered(self._resource.type))}, with __ne, __lt and so on"
        watches = kind is None and argument in _OF_WATCH
        hint = "to watch, say watch=true" if watches else f"known here: {known}"
        self._add(f"query argument '{argument[:100]}' {said}", hint)

    def _add(self, text: str, hint: str) -> None:
        self.problems.append(_wrong(text, hint))


def _split(argument: str) -> tuple[str, str]:
    name, _, suffix = argument.rpartition("__")
    return (name, suffix) if name else (argument, "")


def _time(argument: str, text: str) -> str:
    if not _TIME(text):
        raise errors.Invalid(
            [_wrong(f"query argument '{argument}': '{text[:40]}' is no time", "give 2026-01-31T23:59:59")]
        )
    return text if "." not in text else f"{text:0<26}"


def _prefix(argument: str, text: str) -> str:
    try:
        normal = cidr.parse(text) if "/" in text else ip.parse_plain(text)
    except ValueError as error:
        problem = _wrong(f"query argument '{argument}': {error}", "give a prefix such as 192.0.2.0/24")
        raise errors.Invalid([problem]) from None
    return str(ip_network(normal))


def _wrong(text: str, hint: str) -> errors.FieldProblem:
    return errors.FieldProblem(pointer="", code="argument", message=text, hint=hint)
