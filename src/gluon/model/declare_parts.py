"""The part of `declare` that reads what an object type says beside its attributes: pools, checks, actions, …"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gluon.model import keywords, source
from gluon.model.declare_attributes import Attribute, attributes
from gluon.model.facts import Fact, Reader, is_null, kind
from gluon.model.problems import Mark

Texts = Fact[tuple[Fact[str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """A group of attributes whose values no two objects share. `misread`: as of an attribute."""

    mark: Mark
    misread: bool = False
    attributes: Texts | None = None
    scope: Fact[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    mark: Mark
    misread: bool = False
    rule: Fact[str] | None = None
    message: Fact[str] | None = None
    at: Fact[str] | None = None
    on: Fact[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """`source` is the key `from`."""

    name: str
    mark: Mark
    misread: bool = False
    type: Fact[str] | None = None
    ranges: Texts | None = None
    source: Fact[str] | None = None
    exclude: Texts | None = None
    template: Fact[str] | None = None
    rest: Fact[int] | None = None
    open: Fact[bool] | None = None
    description: Fact[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    name: str
    mark: Mark
    misread: bool = False
    description: Fact[str] | None = None
    hook: Fact[str] | None = None
    takes: Mapping[str, Attribute] = field(default_factory=dict)
    gives: Mapping[str, Attribute] = field(default_factory=dict)


def _items(node: source.Node | None, what: str, like: str, reader: Reader) -> Iterator[source.Node]:
    """The items of a list; nothing and null count as an empty one."""
    if isinstance(node, source.Sequence):
        yield from node.items
    elif node is not None and not is_null(node):
        reader.problems.add(node.mark, f"{what} must be a list, it is {kind(node)}", f"write {like}")


def _facts(node: source.Node, keys: keywords.Keys, what: str, reader: Reader) -> dict[str, Any]:
    before = reader.problems.reports
    facts: dict[str, Any] = {
        key: reader.read(keys.rows[key], value, f"{key} of {what}")
        for key, value in reader.keys(node, keys, what).items()
    }
    return facts | {"misread": reader.problems.reports > before}


def uniques(node: source.Node | None, where: str, reader: Reader) -> tuple[Unique, ...]:
    """The groups of `unique`, each a list of names or a mapping with their scope."""
    found = []
    for item in _items(node, f"unique of {where}", "a list of groups such as [[a, b]]", reader):
        what = f"unique group of {where}"
        if isinstance(item, source.Sequence):
            found.append(Unique(mark=item.mark, attributes=reader.texts(item, what)))
        elif isinstance(item, source.Mapping):
            found.append(Unique(mark=item.mark, **_facts(item, keywords.UNIQUE, what, reader)))
        else:
            hint = f"write [[{item.text}, …]], or unique: true at the attribute" if item.text else ""
            reader.problems.add(item.mark, f"a {what} must be a list of attributes, it is {kind(item)}", hint)
    return tuple(found)


def checks(node: source.Node | None, where: str, reader: Reader) -> tuple[Check, ...]:
    """The rules of an object type."""
    like = "- {rule: …, message: …}"
    found = []
    for number, item in enumerate(_items(node, f"checks of {where}", f"a list: {like}", reader), start=1):
        what = f"check {number} of {where}"
        if isinstance(item, source.Mapping):
            found.append(Check(mark=item.mark, **_facts(item, keywords.CHECK, what, reader)))
        else:
            reader.problems.add(item.mark, f"{what} must be a mapping, it is {kind(item)}", f"write {like}")
    return tuple(found)


def pools(node: source.Node | None, what: str, reader: Reader) -> dict[str, Pool]:
    """Pools by name."""
    found = {}
    for name, value in reader.entries(node, what):
        facts = _facts(value, keywords.POOL, f"pool {name.text}", reader)
        facts["source"] = facts.pop("from", None)
        found[name.text] = Pool(name=name.text, mark=name.mark, **facts)
    return found


def actions(node: source.Node | None, where: str, reader: Reader) -> dict[str, Action]:
    """Actions by name."""
    found = {}
    for name, value in reader.entries(node, f"actions of {where}"):
        what = f"action {name.text} of {where}"
        before = reader.problems.reports
        keys = reader.keys(value, keywords.ACTION, what)
        misread = reader.problems.reports > before
        found[name.text] = Action(
            name=name.text,
            mark=name.mark,
            misread=misread,
            description=reader.text(keys.get("description"), f"description of {what}"),
            hook=reader.text(keys.get("hook"), f"hook of {what}"),
            takes=attributes(keys.get("takes"), f"takes of {what}", reader, nested="member"),
            gives=attributes(keys.get("gives"), f"gives of {what}", reader, nested="member"),
        )
    return found


def named_texts(node: source.Node | None, keys: keywords.Keys, what: str, reader: Reader) -> dict[str, Texts]:
    """A mapping whose values are lists of texts, or one text where the key takes that too."""
    found = {}
    for key, value in reader.keys(node, keys, what).items():
        row = keys.rows[key]
        many = row.reads is keywords.Reads.TEXTS
        fact = (reader.texts if many else reader.one_or_more)(value, what.replace(" of ", f".{key} of ", 1))
        if fact:
            found[key] = fact
    return found


def examples(node: source.Node | None, where: str, reader: Reader) -> tuple[source.Mapping, ...]:
    """Bodies, judged once the types of their attributes are known."""
    found = []
    for item in _items(node, f"examples of {where}", "a list of bodies: - {name: …}", reader):
        if isinstance(item, source.Mapping):
            found.append(item)
        else:
            message = f"an example of {where} must be a body, a mapping; it is {kind(item)}"
            reader.problems.add(item.mark, message, "write - {attribute: value}")
    return tuple(found)


def policies(
    node: source.Node | None, where: str, reader: Reader
) -> tuple[dict[str, Fact[str]], tuple[source.Scalar, ...]]:
    """Rules by what they guard, and the keys: whether 2.0's are actions is known after inheritance only."""
    what = f"policies of {where}"
    entries = reader.entries(node, what)
    found = {}
    for key, value in entries:
        if not reader.new and key.text not in keywords.ACTIONS:
            reader.unknown(key, keywords.ACTIONS, what)
        elif fact := _policy(value, f"policy {key.text} of {where}", reader):
            found[key.text] = fact
    return found, tuple(key for key, _ in entries) if reader.new else ()


def _policy(node: source.Node, what: str, reader: Reader) -> Fact[str] | None:
    if reader.new and isinstance(node, source.Scalar):
        return reader.text(node, what, empty=True)
    role = reader.keys(node, _ROLE, what)
    fact = reader.text(role.get("role"), f"role of {what}", empty=True)
    if fact is None and isinstance(node, source.Mapping) and not node.entries:
        reader.problems.add(node.mark, f"{what} has no role", 'write role: "rule:admin_or_owner"')
    return fact


_ROLE = keywords.Keys(keywords.Key(name="role", since="1.0", about="The rule."))
