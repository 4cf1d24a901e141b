"""The table of keys: what each part of a model file may say, in which version, and how it is read.

`facts` reads nodes by it, `declare` keeps what was read, `language` makes the JSON Schema of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gluon.model.fieldtypes import NEW, OLD, POOLED
from gluon.model.types import HookPoint, OnDelete, Role


class Reads(StrEnum):
    """What a key's value must be."""

    TEXT = "text"
    TEXTS = "texts"
    ONE_OR_MORE = "one or more"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    VALUE = "value"
    PART = "part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. `values`: all that its text may be; `since`: the first version that has it."""

    name: str
    about: str
    reads: Reads = Reads.TEXT
    since: str = NEW
    values: tuple[str, ...] = ()


class Keys:
    """The keys of one part of a model file."""

    def __init__(self, *rows: Key) -> None:
        self.rows: Mapping[str, Key] = {row.name: row for row in rows}
        self._old = {row.name: row for row in rows if row.since == OLD}

    def of(self, version: str) -> Mapping[str, Key]:
        """The keys that a version of the language has."""
        return self._old if version == OLD else self.rows


def _plain(names: Iterable[str], about: str) -> tuple[Key, ...]:
    return tuple(Key(name=name, since=OLD, about=about.format(name)) for name in names)


TOP = Keys(
    Key(name="file_version", since=OLD, about="The version of the language.", values=(OLD, NEW)),
    Key(name="imports", since=OLD, reads=Reads.ONE_OR_MORE, about="Files or folders whose objects and pools are taken in."),
    Key(name="info", since=OLD, reads=Reads.PART, about="Who the model is."),
    Key(name="pools", reads=Reads.PART, about="Supplies of values, one of each for the model."),
    Key(name="versions", reads=Reads.PART, about="Other versions that are served from the same objects, and how they are made of them."),
    Key(name="objects", since=OLD, reads=Reads.PART, about="The object types; those without api are base objects."),
)  # fmt: skip

INFO = Keys(
    Key(name="name", since=OLD, about="The proton's name in URLs."),
    Key(name="version", since=OLD, about="The proton's version in URLs."),
    Key(name="description", since=OLD, about="What the service is."),
    Key(name="author", since=OLD, reads=Reads.PART, about="Who answers for the model."),
)

AUTHOR = Keys(*_plain(("name", "url", "email"), "The author's {}."))

OBJECT = Keys(
    Key(name="api", since=OLD, reads=Reads.PART, about="Makes it a type with a table and URLs."),
    Key(name="extends", since=OLD, about="The base object that it inherits from."),
    Key(name="description", since=OLD, about="What the objects are."),
    Key(name="attributes", since=OLD, reads=Reads.PART, about="Its attributes by name."),
    Key(name="unique", reads=Reads.PART, about="Groups of attributes whose values no two objects share."),
    Key(name="checks", reads=Reads.PART, about="Expressions that must be true of each object."),
    Key(name="pools", reads=Reads.PART, about="Supplies of values, one of each for every object of the type."),
    Key(name="quota", reads=Reads.INTEGER, about="How many objects a project may have by default."),
    Key(name="actions", reads=Reads.PART, about="What can be done to an object beside reading and writing it."),
    Key(name="hooks", reads=Reads.PART, about="Entry points that take part in writes."),
    Key(name="neutron", reads=Reads.PART, about="Which attributes the Neutron face shows as what."),
    Key(name="examples", reads=Reads.VALUE, about="Bodies that pass the type's own checks of values."),
    Key(name="policies", since=OLD, reads=Reads.PART, about="Who may do what, in the language of oslo.policy."),
)  # fmt: skip

API = Keys(
    Key(name="name", since=OLD, about="The singular, used by the command line."),
    Key(name="plural_name", since=OLD, about="The path; by default the name with an s."),
    Key(name="parent", since=OLD, about="The object type whose URL nests this one."),
    Key(name="parent_key", since=OLD, about="The attribute that refers to the parent."),
)

COMMON = Keys(
    Key(name="type", since=OLD, about="A type of the language, or the name of an object type."),
    Key(name="description", since=OLD, about="What the value means."),
    Key(name="required", since=OLD, reads=Reads.BOOLEAN, about="Must be given, unless it has a default or a pool."),
    Key(name="nullable", reads=Reads.BOOLEAN, about="Whether null may be stored; by default unless required or with a default."),
    Key(name="default", reads=Reads.VALUE, about="The value where a body gives none."),
    Key(name="immutable", reads=Reads.BOOLEAN, about="Fixed once it has a value."),
    Key(name="read_only", reads=Reads.BOOLEAN, about="Written by the server only."),
    Key(name="secret", reads=Reads.BOOLEAN, about="Taken and used, never shown."),
    Key(name="unique", about="No two objects have the same value: true within a project, global among all.", values=("true", "false", "project", "global")),
    Key(name="indexed", reads=Reads.BOOLEAN, about="Lists are filtered and sorted by it at the same cost however many objects there are; each write costs a little more."),
    Key(name="role", about="What the attribute means to the engines.", values=tuple(role.value for role in Role)),
    Key(name="primary", since=OLD, reads=Reads.BOOLEAN, about="The key of the object, which stands in its URL."),
    Key(name="example", reads=Reads.VALUE, about="A value for documents and tests."),
    Key(name="renamed_from", about="The name that the attribute had in the version before."),
    Key(name="policies", reads=Reads.PART, about="Who may read it and who may set it, beside the policies of the object type."),
)  # fmt: skip
"""Keys of every attribute of an object type."""

ATTRIBUTE_POLICIES = Keys(
    Key(name="get", about="The rule for reading it; bodies leave it out where it is false."),
    Key(
        name="set",
        about="The rule for giving it, at create or later, another value than it would have without.",
    ),
)

OF_TYPES = Keys(
    Key(name="length", since=OLD, reads=Reads.INTEGER, about="The most characters; 255 where nothing is said."),
    Key(name="min_length", reads=Reads.INTEGER, about="The fewest characters."),
    Key(name="pattern", about="A regular expression that must match all of the text."),
    Key(name="values", since=OLD, reads=Reads.TEXTS, about="The texts that an enum takes."),
    Key(name="format", since=OLD, about="The form of a text."),
    Key(name="min", since=OLD, reads=Reads.NUMBER, about="The least value."),
    Key(name="max", since=OLD, reads=Reads.NUMBER, about="The greatest value."),
    Key(name="items", reads=Reads.PART, about="What each item of the list or value of the map is."),
    Key(name="min_items", reads=Reads.INTEGER, about="The fewest items."),
    Key(name="max_items", reads=Reads.INTEGER, about="The most items; 1,000 where nothing is said."),
    Key(name="unique_items", reads=Reads.BOOLEAN, about="No two items are the same."),
    Key(name="attributes", reads=Reads.PART, about="The members of the object."),
    Key(name="on_delete", about="What happens here when the object referred to is deleted.", values=tuple(o.value for o in OnDelete)),
    Key(name="listed_as", about="The path under the object referred to that lists these objects."),
    Key(name="pool", about="Where a value comes from that the body leaves out: pool, or reference.pool. Of a list: where each item must be free."),
)  # fmt: skip
"""Keys that belong to some types only; `fieldtypes` says which."""

ATTRIBUTE = Keys(*COMMON.rows.values(), *OF_TYPES.rows.values())

MEMBER = ("type", "description", "required", "nullable", "default", "example")
"""Common keys of a member of a nested object, and of what actions take and give."""

ITEM = ("type", "description", "nullable", "example")
"""Common keys of the items of a list or map."""

UNIQUE = Keys(
    Key(name="attributes", reads=Reads.TEXTS, about="The attributes of the group."),
    Key(name="scope", about="Among which objects.", values=("project", "global")),
)

CHECK = Keys(
    Key(name="rule", about="The expression that must be true."),
    Key(name="message", about="What is said where it is not."),
    Key(name="at", about="The attribute to blame."),
    Key(name="on", about="write: not judged when an object referred to changes.", values=("write",)),
)

POOL = Keys(
    Key(name="type", about="The type of the values.", values=POOLED),
    Key(name="ranges", reads=Reads.TEXTS, about="low-high, single values, or prefixes."),
    Key(name="from", about="The path of the attribute whose prefixes or ranges are the supply."),
    Key(name="exclude", reads=Reads.TEXTS, about="Ranges that are not given, or paths of attributes that hold such."),
    Key(name="template", about="Makes a text of a number, which stands for {}."),
    Key(name="rest", reads=Reads.INTEGER, about="Seconds before a released value is given again; 30 where nothing is said."),
    Key(name="open", reads=Reads.BOOLEAN, about="Whether a body may give a value outside of the supply, too, which is nobody else's then."),
    Key(name="description", about="What the values are for."),
)  # fmt: skip

ACTION = Keys(
    Key(name="description", about="What the action does."),
    Key(name="hook", about="The entry point that does it."),
    Key(name="takes", reads=Reads.PART, about="The attributes of its body."),
    Key(name="gives", reads=Reads.PART, about="The attributes of its answer."),
)

VERSION = Keys(
    Key(name="deprecated", about="The date since when clients should leave the version."),
    Key(name="sunset", about="The date when the version may be gone."),
    Key(name="types", reads=Reads.PART, about="Its object types; those not named are the same here."),
)

VERSION_TYPE = Keys(
    Key(name="is", about="What the object type is called here."),
    Key(name="attributes", reads=Reads.PART, about="Its attributes; those not named are the same here."),
)

ORIGIN = Keys(
    Key(name="is", about="The attribute here."),
    Key(name="values", reads=Reads.PART, about="Texts of an enum there, and what they are here."),
    Key(name="join", reads=Reads.TEXTS, about="Attributes here whose texts together are the value there."),
    Key(name="split", about="The attribute here of whose text the value there is a part."),
    Key(name="part", reads=Reads.INTEGER, about="Which part, from 0; the last one is all that is left."),
    Key(name="by", about="What stands between the parts."),
    Key(name="fixed", reads=Reads.VALUE, about="The value there of what does not exist here."),
)

HOOKS = Keys(
    *(Key(name=point.value, reads=Reads.TEXTS, about=f"Entry points called {when}.") for point, when in (
        (HookPoint.CHECK, "inside the decision; they do no I/O"),
        (HookPoint.BEFORE, "before the decision; they may do I/O"),
        (HookPoint.AFTER, "after the commit, again until they succeed"),
    ))
)  # fmt: skip

NEUTRON = Keys(
    *(
        Key(name=name, reads=Reads.ONE_OR_MORE, about=f"The attributes shown as the network's {what}.")
        for name, what in (
            ("name", "name"), ("mtu", "MTU"), ("subnets", "subnets"), ("gateway", "gateway"),
            ("dns", "DNS servers"), ("port_security", "port security"),
        )
    )
)  # fmt: skip

ACTIONS = ("create", "delete", "get", "list", "update")
"""What every object type can do; policies are named after them."""

MEANT: Mapping[str, str] = {
    "max_length": "length", "maxLength": "length", "maxlength": "length", "properties": "attributes",
    "fields": "attributes", "members": "attributes", "enum": "values", "choices": "values", "regex": "pattern",
    "ref": "type", "reference": "type", "optional": "required", "mandatory": "required", "null": "nullable",
    "key": "primary", "readonly": "read_only", "writable": "read_only", "constraints": "checks", "rules": "checks",
    "check": "checks", "validations": "checks", "cascade": "on_delete", "unique_together": "unique",
    "condition": "rule", "expression": "rule", "error": "message", "range": "ranges", "url": "imports",
    "back_reference": "listed_as", "backref": "listed_as", "template_string": "template",
    "minimum": "min", "maximum": "max", "ge": "min", "le": "max", "plural": "api", "singular": "api",
}  # fmt: skip
"""Words that other languages have for a key."""
