"""OpenAPI 3.1 of one proton: every path, body and answer that the server gives for it.

In: a model. Out: the document as JSON-able data, the same for the same model. Called by `gluon model export`
and by the API (`…/openapi.json`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gluon.export import answers, changes, links, paths, queries, refusals, samples, shared
from gluon.export.refusals import Operation
from gluon.model import body_schema
from gluon.model.schema_words import ANY_TEXT
from gluon.model.types import Action, Attribute, AttributeType, Model, ObjectType
from gluon.values import nouns

Document = dict[str, Any]

_READ = ("parameters", "get")
_JSON = shared.JSON
_ETAGS = r'^(\*|(W/)?"[0-9]{1,18}"(\s*,\s*(W/)?"[0-9]{1,18}")*)$'
_MATCH = {"$ref": "#/components/parameters/IfMatch"}
_REQUEST_ID = shared.REQUEST_ID
_WITH_ETAG = {"etag": {"$ref": "#/components/headers/ETag"}, **_REQUEST_ID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A version that is made of a stored one: neither back-references nor actions, and some types read only. `absent`: types
    that are not served, as nothing stored is made into them; `unnested`: those without paths below another; `answered`: types as
    their bodies are answered, which the stored version (its digest is `stored`) decides."""

    deprecated: bool = False
    read_only: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    unnested: frozenset[str] = frozenset()
    stored: str = ""
    answered: Mapping[str, ObjectType] = field(default_factory=dict, compare=False)


def document(model: Model, edition: Edition | None = None) -> Document:
    """The whole of it; `edition`: how a version is served that is not the stored one."""
    info: Document = {"title": model.name, "version": model.version}
    if model.description:
        info["description"] = model.description
    contact = {key: text for key, text in model.author.items() if key in {"name", "url", "email"}}
    if contact:
        info["contact"] = contact
    full = edition is None and not paths.old(model)
    found = _paths(model, full=full) if edition is None else _paths_of(model, edition)
    links.add(model, found)
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "security": shared.SECURITY,
        "tags": [_tag(t) for t in model.types.values() if edition is None or t.name not in edition.absent],
        "paths": found,
        "components": {
            "schemas": _schemas(model, edition.answered if edition is not None else {}),
            "responses": shared.responses(old=paths.old(model)),
            "parameters": {
                "IfMatch": {
                    "name": "If-Match",
                    "in": "header",
                    "required": False,
                    "description": "The ETag of the object as it was read; refused with 412 if it has changed since.",
                    "schema": {"type": "string", "pattern": _ETAGS},
                },
                **changes.PARAMETERS,
                **_comparisons(model),
            },
            "headers": shared.HEADERS,
            "securitySchemes": shared.SCHEMES,
        },
    }


def _tag(object_type: ObjectType) -> Document:
    tag: Document = {"name": object_type.name}
    return {**tag, "description": object_type.description} if object_type.description else tag


def _schemas(model: Model, answered: Mapping[str, ObjectType]) -> Document:
    found: Document = {}
    for t in model.types.values():
        found[t.name] = answers.whole(answered.get(t.name, t))
        found[f"{t.name}.create"] = _created(t)
        found[f"{t.name}.update"] = body_schema.schema(t, create=False)
        if not paths.old(model):
            found[f"{t.name}.shown"] = queries.shown(t)
        for action in t.actions.values():
            if action.takes:
                found[f"{t.name}.{action.name}.takes"] = _taken(action)
    return {
        **found,
        "gluon.Event": queries.EVENT,
        "gluon.Standing": answers.standing(),
        "gluon.Problem": answers.problem(legacy=paths.old(model)),
    }


def _created(t: ObjectType) -> Document:
    """Of a body; a key that is one step of a path could not stand in one."""
    schema = body_schema.schema(t, create=True)
    key = schema["properties"][t.key]
    if not t.generated_key and key["type"] == "string" and not {"format", "enum"} & key.keys():
        key["not"] = {"enum": [".", ".."]}
    return schema


def _comparisons(model: Model) -> Document:
    if paths.old(model):
        return {}
    return {f"{t.name}.compared": queries.compared(t) for t in model.types.values()}


def _taken(action: Action) -> Document:
    return {"type": "object", **body_schema.members(action.takes)}


def _paths(model: Model, *, full: bool) -> Document:
    """`full`: lists take arguments, and several objects may be made or deleted at once."""
    found: Document = {}
    for t in model.types.values():
        for place in paths.places(model, t):
            old = paths.old(model)
            found[place.path] = changes.with_terms(_collection(model, place, full=full), old=old)
            if place.listed:
                continue
            found[place.one] = changes.with_terms(_object(model, place), old=old)
            found[f"{place.one}/status"] = _standing(model, place)
            if not place.above:
                for action in t.actions.values():
                    found[f"{place.one}/{action.name}"] = changes.with_terms(
                        _action(model, place, action), old=True
                    )
    return found


def _paths_of(model: Model, edition: Edition) -> Document:
    """What of the paths another version has."""
    whole, found = _paths(model, full=False), {}
    for t in model.types.values():
        if t.name in edition.absent:
            continue
        for place in paths.places(model, t):
            if place.listed or _unreached(place, edition):
                continue
            for path in (place.path, place.one, f"{place.one}/status"):
                item = {k: v for k, v in whole[path].items() if t.name not in edition.read_only or k in _READ}
                item = changes.without(item)
                for operation in item.values() if edition.deprecated else ():
                    if isinstance(operation, dict):
                        operation["deprecated"] = True
                found[path] = item
    return found


def _unreached(place: paths.Place, edition: Edition) -> bool:
    """Whether a path leads through a type that is not served, or on to one that has no paths there."""
    through = [step.owner.name for step in place.above]
    return not edition.absent.isdisjoint(through) or not edition.unnested.isdisjoint(
        [*through[1:], *([place.type.name] if through else [])]
    )


def _name(place: paths.Place, verb: str) -> str:
    own = f"{place.type.singular}-{verb}"
    return f"{own}-of-{place.under}" if place.under else own


def _collection(model: Model, place: paths.Place, *, full: bool) -> Document:
    t = place.type
    what = f"{t.plural} of one {place.above[-1].owner.singular}" if place.above else t.plural
    item: Document = {
        **_parameters(place, one=False),
        "get": _operation(
            model,
            place,
            Operation.LIST,
            f"All {what}.",
            {"200": _listed(t, full=full)},
        ),
    }
    own = queries.parameters(t, _key_schema(t.attributes[t.key])) if full else []
    item["get"]["parameters"] = [*own, *queries.WATCH]
    if not place.listed:
        created = _answered("The new object.", {"$ref": _ref(t)}, _WITH_ETAG)
        item["post"] = {
            **_operation(model, place, Operation.CREATE, f"Create {nouns.a(t.singular)}.", {"201": created}),
            "requestBody": _body(f"{t.name}.create", [samples.harmless(t, e) for e in t.examples]),
        }
        if place.above:
            item["post"]["description"] = f"The path says `{t.parent_key}`."
            item["post"]["requestBody"] = _body_below(t)
        if full:
            _several(model, place, item)
    return item


def _several(model: Model, place: paths.Place, item: Document) -> None:
    """Several objects made or deleted in one request, beside one."""
    t = place.type
    for content in (item["post"]["requestBody"]["content"], item["post"]["responses"]["201"]["content"]):
        content[_JSON]["schema"] = changes.several_made(t, content[_JSON]["schema"])
    item["delete"] = {
        **_operation(
            model,
            place,
            Operation.DELETE,
            f"Delete several {t.plural}.",
            {"204": {"description": "They are gone.", "headers": _REQUEST_ID}},
        ),
        "operationId": _name(place, "delete-several"),
        "parameters": [changes.several_gone(t, _key_schema(t.attributes[t.key])), _MATCH],
    }


def _listed(t: ObjectType, *, full: bool) -> Document:
    """The answer to a list, and to a watch of it."""
    whole = answers.many(t, _ref(t))
    schema = queries.listed(t, whole) if full else whole
    given = _answered("The list; with `watch` its changes.", schema, {**_REQUEST_ID, **shared.RESUME})
    given["content"] |= queries.streams()
    return given


def _object(model: Model, place: paths.Place) -> Document:
    t = place.type
    given = _answered("The object.", {"$ref": _ref(t)}, _WITH_ETAG)
    gone = {"description": "The object is gone.", "headers": _REQUEST_ID}
    match = [_MATCH]
    item = {
        **_parameters(place, one=True),
        "get": _operation(model, place, Operation.GET, f"One {t.singular}.", {"200": given}),
        "put": {
            **_operation(
                model, place, Operation.UPDATE, f"Change attributes of {nouns.a(t.singular)}.", {"200": given}
            ),
            "description": "What the body leaves out stays as it is; null clears.",
            "parameters": match,
            "requestBody": _body(f"{t.name}.update"),
        },
        "delete": {
            **_operation(model, place, Operation.DELETE, f"Delete {nouns.a(t.singular)}.", {"204": gone}),
            "parameters": match,
        },
    }
    if not paths.old(model):
        schema = changes.merge_patch(body_schema.schema(t, create=False))
        item["patch"] = changes.patched(item["put"], _name(place, "patch"), schema)
    return item


def _standing(model: Model, place: paths.Place) -> Document:
    given = _answered("Its standing.", {"$ref": "#/components/schemas/gluon.Standing"})
    summary = f"How {nouns.a(place.type.singular)} stands."
    return {
        **_parameters(place, one=True),
        "get": _operation(model, place, Operation.STATUS, summary, {"200": given}),
    }


def _action(model: Model, place: paths.Place, action: Action) -> Document:
    properties = {name: answers.value(a) for name, a in action.gives.items()}
    given = _answered("What the action gives.", {"type": "object", "properties": properties})
    operation = _operation(model, place, Operation.ACTION, action.description or action.name, {"200": given})
    operation["operationId"] = _name(place, action.name)
    if action.takes:
        operation["requestBody"] = _body(f"{place.type.name}.{action.name}.takes")
        operation["requestBody"]["required"] = bool(_taken(action)["required"])
    return {**_parameters(place, one=True), "post": operation}


def _operation(
    model: Model, place: paths.Place, operation: Operation, summary: str, good: Document
) -> Document:
    responses = dict(good)
    for refusal in refusals.of(operation, model, place.type):
        responses[str(refusal.status)] = shared.refused(refusal.status)
    if place.listed or (place.above and not paths.old(model)):
        responses["404"] = shared.refused(404)
    responses["406"] = {"$ref": "#/components/responses/NotAcceptable"}
    return {
        "operationId": _name(place, operation.value),
        "summary": summary,
        "tags": [place.type.name],
        "responses": dict(sorted(responses.items())),
    }


def _parameters(place: paths.Place, *, one: bool) -> Document:
    keys = [(s.parameter, s.owner) for s in place.above]
    if one:
        keys.append((place.key, place.type))
    found = [_parameter(name, owner.attributes[owner.key], owner) for name, owner in keys]
    return {"parameters": found} if found else {}


def _parameter(name: str, key: Attribute, owner: ObjectType) -> Document:
    described = f"`{owner.key}` of the {owner.singular}."
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": described,
        "schema": _key_schema(key),
    }


def _key_schema(key: Attribute) -> Document:
    """A key as a URL has it, never empty. Answers of 1.0 show one as it was written; it is meant in its normal form."""
    if key.kept and key.value_type is AttributeType.UUID:
        return {"type": "string", **body_schema.facts(key)}
    schema = {k: v for k, v in answers.value(key, key=True).items() if k not in {"description", "readOnly"}}
    if schema["type"] == "string" and "format" not in schema:
        return {"minLength": 1, "pattern": ANY_TEXT, **schema}
    return schema


def _ref(object_type: ObjectType) -> str:
    return f"#/components/schemas/{object_type.name}"


def _body(name: str, examples: Sequence[Mapping[str, Any]] = ()) -> Document:
    content: Document = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    if examples:
        content["example"] = dict(examples[0])
    return {"required": True, "content": {_JSON: content}}


def _body_below(t: ObjectType) -> Document:
    """As for a create, but the path names the parent: no schema could say that the body must name the same."""
    schema = _created(t)
    others = {name: value for name, value in schema["properties"].items() if name != t.parent_key}
    needed = [name for name in schema["required"] if name != t.parent_key]
    whole = {**schema, "properties": others, "required": needed}
    return {"required": True, "content": {_JSON: {"schema": whole}}}


def _answered(text: str, schema: Document, headers: Document | None = None) -> Document:
    return {"description": text, "headers": headers or _REQUEST_ID, "content": {_JSON: {"schema": schema}}}
