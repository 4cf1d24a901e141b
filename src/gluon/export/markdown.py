"""The reference page of one model: every object type, path, attribute, rule and refusal, and requests that work.

In: a model. Out: Markdown. Called by `gluon model docs` and by `./dev docs`, so that shipped models and one's own
have the same page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from gluon.export import paths, recipes, refusals, samples, words
from gluon.export.tables import code, list_of, row, table
from gluon.model.types import Attribute, AttributeType, Check, HookPoint, Kind, Model, ObjectType, Pool, Scope

_KINDS = {
    Kind.PORT: "A port: what a machine plugs into.",
    Kind.INTERFACE: "An interface: the face of a port toward services.",
    Kind.SERVICE: "A service.",
    Kind.BINDING: "A binding: puts an interface into a service.",
}
_HOOKS = {
    HookPoint.CHECK: "Judged by",
    HookPoint.BEFORE: "Asked before each change",
    HookPoint.AFTER: "Told after each change",
}


def page(model: Model) -> str:
    """The whole page."""
    return "".join(_page(model)).rstrip() + "\n"


def _page(model: Model) -> Iterator[str]:
    bodies = samples.creates(model)
    yield f"# {model.name} {model.version}\n\n"
    if model.description:
        yield f"{model.description.strip()}\n\n"
    yield f"Served under `{paths.base(model)}`, described for programs at `{recipes.openapi_path(model)}`.\n\n"
    yield from _versions(model)
    contents = [
        row(f"[{t.name}](#{t.name.lower()})", code(f"/{t.plural}"), t.description or _KINDS.get(t.kind, ""))
        for t in model.types.values()
    ]
    yield table(("Object type", "Path", "What it is"), contents)
    for object_type in model.types.values():
        yield from _type(model, object_type, bodies)
    if model.pools:
        yield "## Pools of the model\n\n" + _pools(model.pools)
    yield from _errors(model)
    yield from recipes.walk(model, bodies)


def _versions(model: Model) -> Iterator[str]:
    """The versions that are made of this one."""
    for version in model.versions:
        said = [f"{code(paths.base(version.model))} has the same objects in version {version.model.version}"]
        if version.deprecated:
            said.append(f"deprecated since {version.deprecated}")
        if version.sunset:
            said.append(f"it may be gone from {version.sunset} on")
        yield "; ".join(said) + ".\n\n"


def _type(model: Model, t: ObjectType, bodies: Mapping[str, samples.Body]) -> Iterator[str]:
    yield f"## {t.name}\n\n"
    if t.description:
        yield f"{t.description.strip()}\n\n"
    elif t.kind in _KINDS:
        yield f"{_KINDS[t.kind]}\n\n"
    if t.kind is Kind.PORT:
        yield "Creating one makes an interface with the same id too, if interfaces need no more than a port can tell.\n\n"
    yield table(("Path", "Methods"), _paths(model, t))
    yield table(("Attribute", "Type", "When left out", "Meaning"), _attributes(t))
    yield from _unique(t)
    yield from _references(model, t)
    if t.pools:
        yield f"### Pools of each {t.name}\n\n" + _pools(t.pools)
    yield from _rules(t)
    yield from _actions(t)
    if t.quota is not None:
        yield f"A project may have {t.quota} of them unless an operator says otherwise.\n\n"
    if t.policies:
        yield _policies(t)
    if t.name in bodies:
        text = json.dumps(bodies[t.name], indent=2, ensure_ascii=False)
        yield f"A body that creates one:\n\n```json\n{text}\n```\n\n"


def _policies(t: ObjectType) -> str:
    rules = set(t.policies.values())
    if len(rules) == 1:
        return f"Policy of every action: {code(rules.pop())}.\n\n"
    return "Policies: " + ", ".join(f"{action} {code(rule)}" for action, rule in t.policies.items()) + ".\n\n"


def _paths(model: Model, t: ObjectType) -> Iterator[str]:
    for place in paths.places(model, t):
        if place.listed:
            yield row(code(place.path), f"GET: those whose {code(place.via or '')} names it")
            continue
        yield row(code(place.path), "GET, POST")
        yield row(code(place.one), "GET, PUT, DELETE")
        if not place.above:
            yield row(code(f"{place.one}/status"), "GET: how it stands")
            for action in t.actions.values():
                yield row(code(f"{place.one}/{action.name}"), "POST")


def _attributes(t: ObjectType) -> Iterator[str]:
    for name, attribute in t.attributes.items():
        key = name == t.key
        absent = words.presence(attribute, key=key, generated=_is_made(t, attribute))
        yield row(code(name), words.kind(attribute), absent, _meaning(attribute, key=key))
        yield from _members(attribute, name)
    yield row(code("created_at"), "date and time", "set by the server", "When it was created, UTC.")
    yield row(code("updated_at"), "date and time", "set by the server", "When it was changed last, UTC.")


def _is_made(t: ObjectType, attribute: Attribute) -> bool:
    """Does the server make the key? One that refers to an object must be given."""
    return attribute.name == t.key and t.generated_key and not attribute.reference


def _members(attribute: Attribute, path: str) -> Iterator[str]:
    """A row for each member of nested objects."""
    mark = {AttributeType.LIST: "[]", AttributeType.MAP: ".*"}.get(attribute.type, "")
    if attribute.items:
        yield from _members(attribute.items, f"{path}{mark}")
    for member in attribute.members.values():
        name = f"{path}.{member.name}"
        absent = words.presence(member, key=False, generated=False)
        yield row(code(name), words.kind(member), absent, _meaning(member, key=False))
        yield from _members(member, name)


def _meaning(attribute: Attribute, *, key: bool) -> str:
    said = [attribute.description.strip()] if attribute.description else []
    if key:
        said.append("The key.")
    said += words.flags(attribute)
    if attribute.example is not None and not attribute.secret:
        example = attribute.example
        said.append(f"Example: {code(example if isinstance(example, str) else words.shown(example))}.")
    return " ".join(said)


def _references(model: Model, t: ObjectType) -> Iterator[str]:
    lines = [
        f"{code(where)} names {link(a.reference)}: {words.on_delete(a, t.name)}."
        for where, a in paths.references(t)
    ]
    lines += [
        f"{code(where)} of {link(other.name)} names this: {words.on_delete(a, other.name)}."
        for other in model.types.values()
        for where, a in paths.references(other)
        if a.reference == t.name and other is not t
    ]
    if lines:
        yield "### References\n\n" + list_of(lines)


def link(name: str | None) -> str:
    """To the section of an object type."""
    return f"[{name}](#{(name or '').lower()})"


def _unique(t: ObjectType) -> Iterator[str]:
    for group in t.unique:
        where = "within a project" if group.scope is Scope.PROJECT else "whatever their projects"
        what = " and ".join(code(name) for name in group.attributes)
        together = " together" if len(group.attributes) > 1 else ""
        yield f"No two of them have the same {what}{together}, {where}.\n\n"


def _pools(pools: Mapping[str, Pool]) -> str:
    rows = []
    for pool in pools.values():
        supply = ", ".join(code(text) for text in pool.ranges)
        if pool.source:
            supply = f"the prefixes or ranges in {code(pool.source)}"
        if pool.exclude:
            supply += " without " + ", ".join(code(text) for text in pool.exclude)
        if pool.open:
            supply += "; any other may be given"
        kind = pool.format.value if pool.format else pool.type.value
        if pool.template:
            kind += f", as {code(pool.template)}"
        rows.append(row(code(pool.name), kind, supply, f"{pool.rest} s", pool.description))
    return table(("Pool", "Values", "From", "Rest after release", "What for"), rows)


def _rules(t: ObjectType) -> Iterator[str]:
    if t.checks:
        rows = [
            row(code(c.rule), c.message + _when(c), code(c.at) if c.at else "the object") for c in t.checks
        ]
        yield "### Rules\n\n" + table(("Must be true", "Otherwise", "Blamed"), rows)
    for point, names in t.hooks.items():
        yield f"{_HOOKS[point]}: {', '.join(code(name) for name in names)}.\n\n"


def _when(check: Check) -> str:
    return (
        " (judged when it is written, not when an object that it refers to changes)"
        if check.write_only
        else ""
    )


def _actions(t: ObjectType) -> Iterator[str]:
    for action in t.actions.values():
        yield f"### Action {action.name}\n\n{action.description}\n\n"
        for title, attributes in (("Takes", action.takes), ("Gives", action.gives)):
            rows = (row(code(a.name), words.kind(a), _meaning(a, key=False)) for a in attributes.values())
            if attributes:
                yield table((title, "Type", "Meaning"), rows)


def _errors(model: Model) -> Iterator[str]:
    yield "## Errors\n\n"
    yield (
        "A refusal changes nothing. Its body is a problem document (RFC 9457) with a stable `code`, every wrong value"
        " in `errors`, and a hint for each.\n\n"
    )
    yield table(("Status", "Code", "When", "At"), _refusals(model))


def _refusals(model: Model) -> Iterable[str]:
    for refusal in refusals.table():
        if refusal.operations and any(refusal.given(model, t) for t in model.types.values()):
            at = (
                "all"
                if refusal.operations == frozenset(refusals.Operation)
                else ", ".join(
                    o.value for o in refusals.Operation if o in refusal.operations and _has(model, o)
                )
            )
            yield row(str(refusal.status), code(refusal.code), refusal.when, at)


def _has(model: Model, operation: refusals.Operation) -> bool:
    return operation is not refusals.Operation.ACTION or any(t.actions for t in model.types.values())
