"""What a client asks for in a change set, read by the loaded models.

In: the decoded body. Out: an `Asked` with its changes in the order in which they are done, keys in the places of
names; every problem so far with a JSON pointer into the request. Pure. Called by `engine`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gluon import errors
from gluon.model import types
from gluon.model.wrong import shown
from gluon.objects.journal import Operation
from gluon.proton import editions, ids, registry
from gluon.proton.changesets import names
from gluon.proton.work import MOST
from gluon.spi import store

_MEMBERS = frozenset({"name", "description", "changes"})
_OF_CHANGE = frozenset({"op", "api", "version", "type", "plural", "key", "as", "body", "if_match", "merge"})
_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"').fullmatch
_LARGEST = 10**18
LONGEST = 255
"""Of a set's name; a description has four times as many characters."""


@dataclass(slots=True, kw_only=True)
class Change:
    """One change. `number`: its place in the request; `made_key`: to be the new object's, should it need one of ours;
    `granted`: values that the server itself sets; `given`: attributes that the client does; `uses`: numbers of those that it
    names; `good`: it can be done; if not, all but what stands at
    the places `open` of its body can be judged."""

    number: int
    op: Operation
    resource: registry.Resource
    edition: editions.Edition | None
    name: str
    key: Any
    body: dict[str, Any]
    expected: frozenset[int] | None
    merge: bool
    made_key: str | None = None
    granted: dict[str, Any] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    uses: frozenset[int] = frozenset()
    good: bool = True
    open: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        return f"/changes/{self.number}"

    @property
    def kind(self) -> types.ObjectType:
        """In the version that the client speaks."""
        return (self.edition or self.resource).type

    @property
    def attributes(self) -> Mapping[str, types.Attribute]:
        return self.kind.attributes


@dataclass(slots=True, kw_only=True)
class Asked:
    """`changes` in the order in which they are done; `given`: the request, to be read again."""

    name: str
    description: str
    changes: Sequence[Change]
    problems: list[errors.FieldProblem]
    given: dict[str, Any]


def problem(pointer: str, code: str, message: str, hint: str) -> errors.FieldProblem:
    return errors.FieldProblem(pointer=pointer, code=code, message=message, hint=hint)


def read(body: Mapping[str, Any], known: registry.Registry, keys: Mapping[int, str] | None = None) -> Asked:
    """`keys`: those that a plan gave to new objects, by number. Raises `Invalid` for what is no change set at all."""
    wrong: list[errors.FieldProblem] = []
    for member in body:
        if member not in _MEMBERS:
            hint = f"a change set has {', '.join(sorted(_MEMBERS))}"
            wrong.append(problem(f"/{member[:100]}", "unknown", f"'{member[:100]}' is not known", hint))
    name = _text(body, "name", LONGEST, "", wrong)
    description = _text(body, "description", 4 * LONGEST, "", wrong)
    listed = body.get("changes")
    if not isinstance(listed, list) or not listed:
        wrong.append(problem("/changes", "required", "changes: a list of changes is needed", _HINT))
        raise errors.Invalid(wrong)
    if len(listed) > MOST:
        told = f"{len(listed)} changes are asked for, and one change set has {MOST} at most"
        raise errors.Invalid([problem("/changes", "too_many", told, "split the change set")])
    found = [c for n, one in enumerate(listed) if (c := _change(n, one, known, wrong)) is not None]
    changes = _in_order(found, wrong)
    _give_keys(changes, keys or {}, wrong)
    return Asked(name=name, description=description, changes=changes, problems=wrong, given=dict(body))


_HINT = 'send {"changes": [{"op": "create", "api": …, "type": …, "body": {…}}, …]}'


def _text(
    body: Mapping[str, Any], member: str, most: int, place: str, wrong: list[errors.FieldProblem]
) -> str:
    """A text that may be absent."""
    value = body.get(member)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        told = f"{member}: a text of {most} characters at most is needed"
        wrong.append(problem(f"{place}/{member}", "type", told, "shorten it, or leave it out"))
        return ""
    return value


def _change(
    number: int, one: Any, known: registry.Registry, wrong: list[errors.FieldProblem]
) -> Change | None:
    """One change, None where its type is not known."""
    place, before = f"/changes/{number}", len(wrong)
    if not isinstance(one, dict):
        wrong.append(problem(place, "type", "a change is an object", _HINT))
        return None
    for member in one:
        if member not in _OF_CHANGE:
            hint = f"a change has {', '.join(sorted(_OF_CHANGE))}"
            wrong.append(
                problem(f"{place}/{member[:100]}", "unknown", f"'{member[:100]}' is not known", hint)
            )
    op = one.get("op")
    if op not in ("create", "update", "delete"):
        wrong.append(
            problem(f"{place}/op", "enum", "op: create, update or delete is needed", "say what to do")
        )
    served = _served(one, known, place, wrong)
    name = _name(one, op, place, wrong)
    key = _key(one, op, place, wrong)
    body = one.get("body")
    if op in ("create", "update") and not isinstance(body, dict):
        wrong.append(
            problem(f"{place}/body", "required", f"body: to {op}, an object of attributes is needed", _HINT)
        )
    if op == "delete" and body is not None:
        wrong.append(problem(f"{place}/body", "unknown", "body: a delete has none", "leave it out"))
    expected = _expected(one, op, place, wrong)
    merge = one.get("merge", False)
    if not isinstance(merge, bool) or (merge and op != "update"):
        wrong.append(problem(f"{place}/merge", "type", "merge: true or false, of an update", "leave it out"))
    if served is None or not isinstance(op, str):
        return None
    edition = served if isinstance(served, editions.Edition) else None
    if edition is not None and (edition.why or merge):
        why = edition.why or "only the stored version is merged"
        told = f"version {edition.version.model.version} of {edition.type.name} cannot be changed so: {why}"
        wrong.append(problem(f"{place}/version", "version", told, "leave version out to use the stored one"))
    good = len(wrong) == before
    return Change(
        number=number,
        op=Operation(op) if op in ("create", "update", "delete") else Operation.UPDATE,
        resource=served.resource if isinstance(served, editions.Edition) else served,
        edition=edition,
        name=name,
        key=key,
        body=body if isinstance(body, dict) else {},
        expected=expected,
        merge=merge is True,
        good=good,
    )


def _served(
    one: Mapping[str, Any], known: registry.Registry, place: str, wrong: list[errors.FieldProblem]
) -> registry.Resource | editions.Edition | None:
    """The object type that a change names, in the stored version or in another one."""
    api, version, kind, plural = (one.get(n) for n in ("api", "version", "type", "plural"))
    if not isinstance(api, str) or api not in known.made:
        none = f"api: there is no proton '{shown(api)}'"
        told = "api: the name of a proton is needed" if api is None else none
        wrong.append(problem(f"{place}/api", "proton", told, f"known here: {', '.join(known.made)}"))
        return None
    if (kind is None) == (plural is None) or not isinstance(kind if plural is None else plural, str):
        told = "type: the name of an object type is needed, or instead plural with its name in paths"
        wrong.append(problem(f"{place}/type", "required", told, "give one of the two"))
        return None
    stored: Mapping[str, Any] = {r.type.plural: r for r in known.made[api].values()}
    if version is not None:
        name = (api, f"v{str(version).removeprefix('v')}"[:40])
        if not isinstance(version, str) or not (name in known.by_path or name in known.editions):
            told = f"version: proton {api} has no version '{str(version)[:40]}'"
            wrong.append(problem(f"{place}/version", "version", told, "leave it out to use the stored one"))
            return None
        stored = known.by_path.get(name) or known.editions[name]
    given = str(kind if plural is None else plural)
    found = next(
        (s for s in stored.values() if given == (s.type.plural if kind is None else s.type.name)), None
    )
    if found is None:
        word = "type" if plural is None else "plural"
        offered = ", ".join(s.type.name if plural is None else s.type.plural for s in stored.values())
        told = f"{word}: proton {api} has no '{given[:100]}'"
        wrong.append(problem(f"{place}/{word}", "type", told, f"known here: {offered}"))
    return found


def _name(one: Mapping[str, Any], op: Any, place: str, wrong: list[errors.FieldProblem]) -> str:
    name = one.get("as")
    if name is None:
        return ""
    if op != "create":
        wrong.append(problem(f"{place}/as", "name", "as: only what is created gets a name", "leave it out"))
    elif not isinstance(name, str) or not names.is_name(name):
        told = "as: a name has letters, digits, _, . and -, begins with a letter, and is 64 characters long at most"
        wrong.append(problem(f"{place}/as", "name", told, "take another name"))
    else:
        return name
    return ""


def _key(one: Mapping[str, Any], op: Any, place: str, wrong: list[errors.FieldProblem]) -> Any:
    """A text, or a name for one."""
    key = one.get("key")
    if op == "create":
        if key is not None:
            told = "key: a new object's key stands in its body"
            wrong.append(problem(f"{place}/key", "unknown", told, "put it into the body"))
        return None
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    if names.is_ref(key) or (isinstance(key, str) and key):
        return key
    if op in ("update", "delete"):
        wrong.append(
            problem(f"{place}/key", "required", "key: which object is meant?", "give its key, as in its path")
        )
    return None


def _expected(
    one: Mapping[str, Any], op: Any, place: str, wrong: list[errors.FieldProblem]
) -> frozenset[int] | None:
    """The revision that the object must be at."""
    given = one.get("if_match")
    if given is None or given == "*":
        return None
    match = _ETAG(given) if isinstance(given, str) else None
    if op != "create":
        if match is not None:
            return frozenset({int(match[1])})
        if isinstance(given, int) and not isinstance(given, bool) and 0 < given < _LARGEST:
            return frozenset({given})
    told = (
        'if_match: an ETag as it was read is needed, as "\\"17\\"", of an object that is changed or deleted'
    )
    wrong.append(problem(f"{place}/if_match", "if_match", told, "send the etag as it was answered"))
    return None


# -- names ------------------------------------------------------------------------------------


def _in_order(found: Sequence[Change], wrong: list[errors.FieldProblem]) -> list[Change]:
    """What names another one comes after it; all else stays where the request has it."""
    makers: dict[str, int] = {}
    for n, change in enumerate(found):
        if not change.name:
            continue
        if change.name in makers:
            told = f"as: '{change.name}' is the name of {found[makers[change.name]].place} already"
            wrong.append(problem(f"{change.place}/as", "name", told, "give each a name of its own"))
            change.good = False
        else:
            makers[change.name] = n
    before: dict[int, set[int]] = {}
    for n, change in enumerate(found):
        used = before[n] = set()

        def look(pointer: str, name: Any, change: Change = change, used: set[int] = used) -> Any:
            maker = makers.get(name) if isinstance(name, str) else None
            if maker is None:
                told = f"nothing in this change set is made under the name '{shown(name)}'"
                hint = (
                    f"known here: {', '.join(list(makers)[:20])}"
                    if makers
                    else 'name it: {"op": "create", "as": …}'
                )
                wrong.append(problem(change.place + pointer, "name", told, hint))
                change.good = False
            else:
                used.add(maker)
            return None

        names.swapped(change.attributes, change.body, look, "/body")
        if names.is_ref(change.key):
            look("/key", change.key[names.REF])
        change.uses = frozenset(found[m].number for m in used)
    order, left = names.ordered(len(found), before)
    if left:
        ring = [found[n] for n in names.circle(left, before)]
        told = "these are made of each other's keys, in a circle: " + ", ".join(
            c.name or c.place for c in ring
        )
        hint = "create one of them without the reference, and update it in the same change set"
        wrong += [problem(c.place, "circle", told, hint) for c in ring]
    return [found[n] for n in order]


def _give_keys(changes: Sequence[Change], kept: Mapping[int, str], wrong: list[errors.FieldProblem]) -> None:
    """New objects get their keys, and names give way to keys. What names one that is not good is not judged further."""
    keys: dict[str, Any] = {}
    bad: set[int] = {c.number for c in changes if not c.good}

    def key_of(_pointer: str, name: Any) -> Any:
        return keys.get(name)

    for change in changes:
        if change.number in bad or not bad.isdisjoint(change.uses):
            change.good = False
            change.open = _places(change)
            bad.add(change.number)
            continue
        change.body = names.swapped(change.attributes, change.body, key_of)
        if names.is_ref(change.key):
            change.key = str(keys[change.key[names.REF]])
        if change.op is not Operation.CREATE:
            continue
        kind = change.resource.type
        given = change.body.get(change.edition.type.key if change.edition is not None else kind.key)
        if kind.generated_key and given in (None, ""):
            given = kept.get(change.number)
            if given is None:
                given = change.made_key = ids.new_id()
            else:
                change.granted[kind.key] = given
        key = _normal(change.resource, given)
        if key is None:
            bad.add(change.number)
        elif change.name:
            keys[change.name] = key


def _places(change: Change) -> frozenset[str]:
    """Where names stand in a body."""
    found: list[str] = []
    names.swapped(change.attributes, change.body, lambda pointer, _: found.append(pointer))
    return frozenset(found)


def _normal(resource: registry.Resource, given: Any) -> store.Value:
    """A key as others refer to it; one that is none is told where it stands."""
    try:
        key: store.Value = resource.fields.normal(resource.type.key, given)
    except errors.Invalid:
        return None
    return key
