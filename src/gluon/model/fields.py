"""Bodies judged by a model: `compile_fields` makes, once for each object type, what checks bodies.

In: the decoded JSON object of a request. Out: the normal form of each attribute given (what tables
hold and compare) and, where that differs, the form written by the client (what 1.0's answers show); or
`errors.Invalid` with every problem of the body. Called by the proton engine, which fills what is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gluon import errors
from gluon.model import acceptors, nested, quick, strict, wrong
from gluon.model.told import bad_key, missing, no_object, problems_inside, problems_of, read_only, unknown
from gluon.model.types import Attribute, AttributeType, Format, ObjectType
from gluon.model.wrong import MOST_PROBLEMS

_KEPT = frozenset({Format.MAC, Format.IPV6})


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a body holds: `values` in normal form, `written` only where the client wrote another form."""

    values: dict[str, Any]
    written: dict[str, Any]


class Field:
    """One attribute of bodies. `required`: null is refused. `needed`: a body that makes an object has it.

    `keeps`: the written form is shown. `chosen`: a key that clients choose, so it is not empty.
    """

    __slots__ = ("attribute", "chosen", "generated", "keeps", "name", "needed", "parse", "required")

    def __init__(self, attribute: Attribute, *, key: bool, generated: bool) -> None:
        self.attribute = attribute
        self.name = attribute.name
        parse = acceptors.acceptor(attribute)
        self.chosen = key and not generated
        self.parse = _not_empty(parse) if self.chosen else parse
        self.generated = generated
        if attribute.kept:
            self.required = (attribute.required or key) and not generated
            self.needed = self.required
        else:
            self.required = (key or not attribute.nullable) and not generated
            given = attribute.default is not None or attribute.drawn or attribute.read_only
            self.needed = (self.required or attribute.required) and not (generated or given)
        self.keeps = attribute.kept and (
            attribute.value_type is AttributeType.UUID or attribute.value_format in _KEPT
        )

    def accept(self, value: object) -> tuple[Any, Any]:
        """The normal form of `value` and the form to show. Raises `Invalid` with its problems."""
        if value is None:
            normal = None
        else:
            try:
                normal = self.parse(value)
            except acceptors.Wrong as why:
                raise errors.Invalid(problems_of(self.attribute, value, why)) from None
        if normal is None and self.required:
            raise errors.Invalid([missing(self.name)])
        return normal, value if self.keeps and value and normal is not None else normal


class Fields:
    """All attributes of one object type, compiled.

    `defaults`: the normal form of each default; `filled` puts them in. `needed`: what a body that makes an
    object must hold. `immutable` and `read_only` are for who knows the stored object; see `refuse_fixed`.
    """

    def __init__(self, object_type: ObjectType) -> None:
        self.object_type = object_type
        self._fields = {
            name: Field(
                a,
                key=name == object_type.key,
                generated=_is_made(object_type, a),
            )
            for name, a in object_type.attributes.items()
        }
        fields = self._fields.values()
        # What the loop of `check` needs of each field, in one look-up; of most only how to parse it.
        self._plain = {
            f.name: f.parse
            for f in fields
            if not (f.generated or f.keeps or (f.attribute.reference and f.attribute.kept))
        }
        self._table = {f.name: (f.parse, f.required, f.generated, f.keeps) for f in fields}
        self.needed = tuple(f.name for f in fields if f.needed)
        self._needed_set = frozenset(self.needed)
        self._key = self._fields[object_type.key]
        self.defaults: Mapping[str, Any] = MappingProxyType(
            {f.name: f.parse(f.attribute.default) for f in fields if f.attribute.default is not None}
        )
        self._nested_defaults = {n: d for n, d in self.defaults.items() if isinstance(d, list | dict)}
        self._flat_defaults = {n: d for n, d in self.defaults.items() if n not in self._nested_defaults}
        self.immutable = frozenset(f.name for f in fields if f.attribute.immutable)
        self.read_only = frozenset(f.name for f in fields if f.attribute.read_only)
        self.secret = frozenset(f.name for f in fields if f.attribute.secret)
        self._entries = {f.name: _entry(f) for f in fields}

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def check(self, body: Mapping[str, Any], *, partial: bool, key_given: bool = False) -> Checked:
        """The attributes that `body` gives, judged.

        `partial`: absent attributes stay as they are, so none is missing. `key_given`: the key comes
        from elsewhere. A key that the server makes may be absent, null or empty, and is then not
        among the values. Raises `Invalid` with every problem (100 at most).
        """
        if type(body) is dict:
            # a good body is told at one look
            values = quick.settle(self._entries, body)
            if values is not None and (
                partial
                or (
                    values.keys() >= self._needed_set
                    and (not self.read_only or self.read_only.isdisjoint(values))
                )
            ):
                return Checked(values=values, written=_NOTHING)
        return self.judge(body, partial=partial, key_given=key_given)

    def judge(self, body: Mapping[str, Any], *, partial: bool, key_given: bool = False) -> Checked:
        """As `check`, attribute by attribute."""
        values: dict[str, Any] = {}
        written: dict[str, Any] = {}
        problems: list[errors.FieldProblem] = []
        table = self._table
        if type(body) is not dict and not isinstance(body, Mapping):
            raise errors.Invalid([no_object(body)])
        for name, value in body.items():
            if value is not None and (simple := self._plain.get(name)) is not None:
                try:
                    values[name] = simple(value)
                except acceptors.Wrong as why:
                    problems += problems_of(self._fields[name].attribute, value, why)
                continue
            entry = table.get(name)
            if entry is None:
                problems.append(unknown(self.object_type, name, value))
                if len(problems) >= MOST_PROBLEMS:
                    break
                continue
            parse, required, generated, keeps = entry
            try:
                normal = parse(value) if value is not None else None
            except acceptors.Wrong as why:
                problems += problems_of(self._fields[name].attribute, value, why)
                continue
            if normal is None and required:
                problems.append(missing(name))
            elif normal or not generated:
                values[name] = normal
                if keeps and normal and normal != value:
                    written[name] = value
        if not partial:
            if not body.keys() >= self._needed_set:
                absent = [name for name in self.needed if name not in body]
                problems += [missing(n) for n in absent if not (key_given and n == self._key.name)]
            if self.read_only:
                problems += self._set_by_the_server(values)
        if problems:
            raise errors.Invalid(problems[:MOST_PROBLEMS])
        return Checked(values=values, written=written)

    def filled(self, values: dict[str, Any]) -> dict[str, Any]:
        """`values` and the defaults of absent attributes, as data of their own."""
        whole = {**self._flat_defaults, **values}
        for name, default in self._nested_defaults.items():
            if name not in values:
                whole[name] = nested.copy(default)
        return whole

    def refuse_fixed(self, stored: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Immutable and read-only attributes keep the stored value: raises `Invalid` with all that do not.

        Both sides in normal form. An immutable attribute that is null may be given its value once.
        """
        problems = []
        for name in given.keys() & (self.immutable | self.read_only):
            before, after = stored.get(name), given[name]
            if before == after or (name not in self.read_only and before is None):
                continue
            problems.append(read_only(self._fields[name].attribute, after))
        if problems:
            raise errors.Invalid(sorted(problems, key=lambda problem: problem.pointer))

    def _set_by_the_server(self, values: Mapping[str, Any]) -> list[errors.FieldProblem]:
        """What a body that makes an object says of attributes that are not its own to set."""
        return [
            read_only(self._fields[name].attribute, values[name])
            for name in self._fields
            if name in self.read_only and values.get(name) not in (None, self.defaults.get(name))
        ]

    def key(self, text: str) -> Any:
        """The normal form of a key as a path gives it. Raises `Invalid` where it can be none."""
        try:
            normal = self._key.parse(self._from_text(self._key, text))
        except acceptors.Wrong as why:
            raise errors.Invalid([bad_key(self._key.attribute, text, why)]) from None
        if normal in {None, ""}:
            raise errors.Invalid([missing(self._key.name)])
        return normal

    def normal(self, name: str, value: object) -> Any:
        """The normal form of one attribute's value. Raises `Invalid`."""
        return self._fields[name].accept(value)[0]

    def from_text(self, name: str, text: str) -> Any:
        """The normal form of a value as a URL gives it. Raises `Invalid`."""
        field = self._fields[name]
        return field.accept(self._from_text(field, text))[0]

    @staticmethod
    def _from_text(field: Field, text: str) -> object:
        return text if field.attribute.kept else strict.from_text(field.attribute, text)


_NOTHING: dict[str, Any] = {}
"""What was written otherwise: nobody changes it."""


def _entry(field: Field) -> quick.Entry:
    """How to tell a value at a look. What is shown in the form that was given, and a key that may be left out or
    chosen, are judged in full unless they are normal."""
    if not field.attribute.kept:
        return quick.asked(_or_null(field)) if field.chosen else quick.entry(field.attribute, _or_null(field))
    if field.chosen:
        return quick.asked(_in_full)
    accept = _in_full if field.keeps or field.generated else _or_null(field)
    return quick.kept_entry(field.attribute, accept)


def _in_full(_value: Any) -> Any:
    raise wrong.Absent("")


def _or_null(field: Field) -> acceptors.Acceptor:
    """The acceptor, with an answer for null. What a key that is to be made may be is not decided here."""
    parse, null = field.parse, not (field.required or field.generated)

    def accept(value: Any) -> Any:
        if value is None and null:
            return None
        if value is None:
            raise wrong.Absent(f"give {field.name}")
        return parse(value)

    return accept


def compile_fields(object_type: ObjectType) -> Fields:
    """What checks bodies of `object_type`."""
    return Fields(object_type)


def compile_members(members: Mapping[str, Attribute]) -> Callable[[Any], dict[str, Any]]:
    """What judges a body of these attributes alone (an action's); it raises `Invalid` with every problem."""
    whole = Attribute(
        name="the body",
        type=AttributeType.OBJECT,
        value_type=AttributeType.OBJECT,
        members=members,
        kept=False,
    )
    accept = acceptors.acceptor(whole)

    def judge(body: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = accept(body)
        except wrong.Wrong as why:
            raise errors.Invalid(problems_inside(members, body, why)) from None
        return found

    return judge


def _is_made(object_type: ObjectType, attribute: Attribute) -> bool:
    """Whether the server makes this key where a body gives none; 1.0 even makes up one that refers to an object."""
    is_key = attribute.name == object_type.key and object_type.generated_key
    return is_key and (attribute.kept or not attribute.reference)


def _not_empty(accept: acceptors.Acceptor) -> acceptors.Acceptor:
    """For keys that clients choose: they stand in URLs, where an empty one is none."""

    def accept_key(value: Any) -> Any:
        if value == "":
            raise acceptors.Wrong(
                "required", "is no key", hint="a key is not empty", why="Mandatory field missing."
            )
        return accept(value)

    return accept_key
