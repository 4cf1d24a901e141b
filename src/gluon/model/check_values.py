"""The part of `check` that judges values: defaults and examples, by the acceptor of their attribute.

Nested values are judged from inside out, so that a problem stands where the wrong item does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from gluon.model import acceptors, build, nodes, resolve, source
from gluon.model.declare_attributes import Attribute
from gluon.model.facts import is_null, kind
from gluon.model.fieldtypes import NEW, WORDS
from gluon.model.problems import Problems, suggest
from gluon.model.types import Attribute as Made
from gluon.model.types import AttributeType


def check_attribute(
    name: str, merged: Attribute, where: str, model: resolve.Model, problems: Problems
) -> None:
    """Note where the default or the example of an attribute is no value of it."""
    facts = {"default": merged.default, "example": merged.example}
    if not any(facts.values()):
        return
    made = attempt(name, merged, model, valued=False)
    for key, fact in facts.items():
        if made and fact and not is_null(fact.value):
            check_value(fact.value, made, f"{where}: the {key}", problems)


def attempt(
    name: str, merged: Attribute, model: resolve.Model, *, key: bool = False, valued: bool = True
) -> Made | None:
    """The attribute as it will be, or None where a fact of it or of the key that it refers to is not clear."""
    if not _is_whole(merged, model) or _circular(merged, model):
        return None
    try:
        return build.attribute(name, merged, model, key=key, valued=valued)
    except ValueError:  # noted where the fact is judged
        return None


def _is_whole(merged: Attribute, model: resolve.Model) -> bool:
    """Whether all that makes it an attribute was understood; what was not is noted."""
    if merged.misread or merged.type is None:
        return False
    name = merged.type.value
    if name in model.types:
        return True
    if name not in WORDS[NEW]:
        return False
    if name == AttributeType.OBJECT:
        return bool(merged.attributes) and all(
            _is_whole(m, model) for m in (merged.attributes or {}).values()
        )
    return not WORDS[NEW][name].nested or (merged.items is not None and _is_whole(merged.items, model))


def _circular(merged: Attribute, model: resolve.Model) -> bool:
    """Whether following keys through references never ends."""
    seen: set[str] = set()
    facts = merged
    while facts.type and facts.type.value in model.types:
        if facts.type.value in seen:
            return True
        seen.add(facts.type.value)
        target = model.types[facts.type.value]
        if target.key not in target.attributes:
            return False
        facts = target.attributes[target.key].merged
    return facts.type is None


def check_value(node: source.Node, attribute: Made, where: str, problems: Problems) -> None:
    """Note where `node` is no value of `attribute`."""
    before = problems.reports
    if is_null(node):
        if not attribute.nullable:
            problems.add(node.mark, f"{where} is null, and {attribute.name} is not nullable", "leave it out")
        return
    if attribute.type is AttributeType.OBJECT and isinstance(node, source.Mapping):
        check_members(node, attribute.members, where, problems)
    elif attribute.items and isinstance(node, source.Mapping) and attribute.type is AttributeType.MAP:
        for key, value in node.entries:
            check_value(value, attribute.items, f"{where}, {key.text!r}", problems)
    elif attribute.items and isinstance(node, source.Sequence) and attribute.type is AttributeType.LIST:
        for number, item in enumerate(node.items, start=1):
            check_value(item, attribute.items, f"{where}, item {number},", problems)
    if problems.reports == before:
        _accept(node, attribute, where, problems)


def _accept(node: source.Node, attribute: Made, where: str, problems: Problems) -> None:
    try:
        value = nodes.value_of(node, attribute)
        acceptors.acceptor(attribute)(value)
    except nodes.Unclear as unclear:
        problems.add(unclear.mark, f"{where} {unclear.message}", unclear.hint)
    except acceptors.Wrong as wrong:
        problems.add(node.mark, f"{where} {_shown(node)} {wrong.rule}", wrong.hint)
    except ValueError:  # the attribute takes nothing, its pattern for example cannot be read; that is noted
        return


def _shown(node: source.Node) -> str:
    return repr(node.text[:60]) if isinstance(node, source.Scalar) else f"({kind(node)})"


def check_members(
    node: source.Mapping, members: Mapping[str, Made], where: str, problems: Problems, *, key: str = ""
) -> None:
    """Note members that are unknown, missing or wrong; one named `key` may be missing."""
    given = set()
    for name, value in node.entries:
        given.add(name.text)
        member = members.get(name.text)
        if member is None:
            message = f"{where} has the unknown attribute {name.text!r}"
            problems.add(name.mark, message, suggest(name.text, members))
        else:
            check_value(value, member, f"{where}: {name.text}", problems)
    for absent, member in members.items():
        has_value = member.default is not None or member.drawn
        if absent not in given and absent != key and (member.required or member.primary) and not has_value:
            problems.add(node.mark, f"{where} lacks {absent}, which is required", f"give {absent}")


def check_examples(
    object_type: resolve.ObjectType, where: str, model: resolve.Model, problems: Problems
) -> None:
    """Note where an example of an object type is no body that it takes."""
    if not object_type.declared.examples:
        return
    before = problems.reports
    made = {name: attempt(name, a.merged, model) for name, a in object_type.attributes.items()}
    if problems.reports != before or not object_type.whole or not all(made.values()):
        return
    members = {name: attribute for name, attribute in made.items() if attribute}
    key = members.get(object_type.key)
    generated = key is None or key.type is AttributeType.UUID
    if key:
        members[object_type.key] = dataclasses.replace(key, primary=True)
    for number, example in enumerate(object_type.declared.examples, start=1):
        at = f"example {number} of {where}"
        check_members(example, members, at, problems, key=object_type.key if generated else "")
        for name, value in example.entries:
            if (a := members.get(name.text)) and a.read_only:
                problems.add(value.mark, f"{at}: {name.text} is read_only", "leave it out")
