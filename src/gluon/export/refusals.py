"""Which refusals a request can meet, by operation and object type: status, code, and when.

In: an operation, an object type, its model. Out: `Refusal`s. OpenAPI takes its statuses from here, the reference page
its table; a test holds that every code of the server is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gluon.model.types import Attribute, AttributeType, HookPoint, Model, ObjectType


class Operation(StrEnum):
    """What is asked of a collection, an object, its standing or an action."""

    LIST = "list"
    CREATE = "create"
    GET = "get"
    UPDATE = "update"
    DELETE = "delete"
    STATUS = "status"
    ACTION = "action"


_ALL = frozenset(Operation)
_BODY = frozenset({Operation.CREATE, Operation.UPDATE, Operation.ACTION})
_WRITE = frozenset({Operation.CREATE, Operation.UPDATE})
_CHANGE = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE})
_ONE = _ALL - {Operation.LIST, Operation.CREATE}

Given = Callable[[Model, ObjectType], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One way in which a request is refused."""

    status: int
    code: str
    when: str
    operations: frozenset[Operation]
    given: Given = lambda model, object_type: True


def every(object_type: ObjectType) -> list[Attribute]:
    """All attributes, those inside lists, maps and objects too."""
    found, ahead = [], list(object_type.attributes.values())
    while ahead:
        attribute = ahead.pop(0)
        found.append(attribute)
        ahead += [*attribute.members.values(), *([attribute.items] if attribute.items else [])]
    return found


def _any(holds: Callable[[Attribute], bool]) -> Given:
    return lambda model, object_type: any(holds(a) for a in every(object_type))


def _has_values(*kinds: AttributeType) -> Given:
    return _any(lambda a: a.value_type in kinds)


def _referred(model: Model, object_type: ObjectType) -> bool:
    links = (link.target for t in model.types.values() for link in t.links)
    return bool(model.referrers(object_type.name)) or object_type.name in links


_NUMBERS = (AttributeType.INTEGER, AttributeType.NUMBER)
_NESTED = (AttributeType.LIST, AttributeType.MAP)

REFUSALS: tuple[Refusal, ...] = (
    Refusal(status=400, code="body", when="The body is no JSON object.", operations=_BODY),
    Refusal(
        status=400,
        code="argument",
        when="The path has an argument (`?…`) that nothing takes.",
        operations=_ALL,
    ),
    Refusal(
        status=400,
        code="marker",
        when="`marker` names no object of the list.",
        operations=frozenset({Operation.LIST}),
        given=lambda model, object_type: model.file_version != "1.0",
    ),
    Refusal(status=400, code="unknown", when="The body has a name that is no attribute.", operations=_BODY),
    Refusal(
        status=400,
        code="read_only",
        when="The body sets what only the server sets, `created_at` for one.",
        operations=_BODY,
    ),
    Refusal(
        status=400, code="required", when="A value that must be there is absent or null.", operations=_BODY
    ),
    Refusal(
        status=400, code="type", when="A value is of another type, a number for a text.", operations=_BODY
    ),
    Refusal(
        status=400,
        code="range",
        when="A number is outside its limits.",
        operations=_BODY,
        given=_has_values(*_NUMBERS),
    ),
    Refusal(
        status=400,
        code="length",
        when="A text is too long or too short.",
        operations=_BODY,
        given=_has_values(AttributeType.STRING),
    ),
    Refusal(
        status=400,
        code="items",
        when="A list or map has too many items or too few.",
        operations=_BODY,
        given=_has_values(*_NESTED),
    ),
    Refusal(
        status=400,
        code="format",
        when="A text, or the key in the path, has not the form that it should have.",
        operations=_BODY | _ONE,
    ),
    Refusal(
        status=400,
        code="pattern",
        when="A text does not match its pattern.",
        operations=_BODY,
        given=_any(lambda a: a.pattern is not None),
    ),
    Refusal(
        status=400,
        code="enum",
        when="A value is none of those listed.",
        operations=_BODY,
        given=_has_values(AttributeType.ENUM),
    ),
    Refusal(
        status=400,
        code="characters",
        when="A text holds NUL or half a character.",
        operations=_BODY,
        given=_has_values(AttributeType.STRING),
    ),
    Refusal(
        status=400,
        code="duplicate",
        when="A list without doubles has one.",
        operations=_BODY,
        given=_any(lambda a: a.unique_items),
    ),
    Refusal(
        status=400,
        code="unfit",
        when="The database cannot hold a value.",
        operations=_WRITE,
    ),
    Refusal(
        status=400,
        code="immutable",
        when="A value that is fixed would change.",
        operations=frozenset({Operation.UPDATE}),
    ),
    Refusal(
        status=400,
        code="reference",
        when="An object that is referred to does not exist in the same project.",
        operations=_WRITE,
        given=lambda model, t: bool(t.references or t.links),
    ),
    Refusal(
        status=400,
        code="parent",
        when="The body names another parent than the path.",
        operations=_WRITE,
        given=lambda model, t: t.parent is not None,
    ),
    Refusal(
        status=400,
        code="rule",
        when="A rule of the model does not hold.",
        operations=_CHANGE,
        given=lambda model, t: any(other.checks for other in model.types.values()),
    ),
    Refusal(
        status=400,
        code="rejected",
        when="A hook refuses, with its reason.",
        operations=_CHANGE | {Operation.ACTION},
        given=lambda model, t: bool(
            t.hooks.get(HookPoint.CHECK) or t.hooks.get(HookPoint.BEFORE) or t.actions
        ),
    ),
    Refusal(
        status=400,
        code="pool_outside",
        when="The value wished for is none of its pool.",
        operations=_WRITE,
        given=_any(lambda a: a.pool is not None),
    ),
    Refusal(
        status=400,
        code="pool_range",
        when="A value from which a pool is made is no prefix and no range.",
        operations=_WRITE,
        given=lambda model, t: any(pool.source for pool in t.pools.values()),
    ),
    Refusal(status=403, code="forbidden", when="The policy does not allow it.", operations=_ALL),
    Refusal(
        status=403,
        code="foreign_origin",
        when="Without authentication: the request is not for this server, or comes from a web page of another.",
        operations=_ALL,
    ),
    Refusal(status=404, code="not_found", when="The caller has no object with this key.", operations=_ONE),
    Refusal(
        status=409,
        code="taken",
        when="Another object has the key, or a value that must be unique.",
        operations=_WRITE,
    ),
    Refusal(
        status=409,
        code="still_referred",
        when="Other objects refer to this one.",
        operations=frozenset({Operation.UPDATE, Operation.DELETE}),
        given=_referred,
    ),
    Refusal(
        status=409,
        code="too_many",
        when="The deletes and changes that follow from it are more than one request may do.",
        operations=frozenset({Operation.UPDATE, Operation.DELETE}),
        given=_referred,
    ),
    Refusal(
        status=409,
        code="quota",
        when="The project has as many objects of the type as it may have.",
        operations=_WRITE,
        given=lambda model, t: t.quota is not None,
    ),
    Refusal(
        status=409,
        code="pool_exhausted",
        when="A value is to be taken from a pool that has none left.",
        operations=_WRITE,
        given=_any(lambda a: a.pool is not None),
    ),
    Refusal(
        status=409,
        code="pool_taken",
        when="The value wished for is in use, or rests after use.",
        operations=_WRITE,
        given=_any(lambda a: a.pool is not None),
    ),
    Refusal(
        status=409,
        code="pool_in_use",
        when="The change takes values out of a pool that are in use.",
        operations=frozenset({Operation.UPDATE}),
        given=lambda model, t: bool(t.pools),
    ),
    Refusal(
        status=412,
        code="stale",
        when="The revision in `If-Match` is not the object's.",
        operations=frozenset({Operation.UPDATE, Operation.DELETE}),
    ),
    Refusal(status=413, code="too_large", when="The body has more than 256 KiB.", operations=_BODY),
    Refusal(
        status=415,
        code="unsupported_media_type",
        when="The body is not `application/json` by its header.",
        operations=_BODY,
    ),
    Refusal(
        status=422,
        code="idempotency_key",
        when="The `Idempotency-Key` was sent with another request; with 400, it is none.",
        operations=_CHANGE | {Operation.ACTION},
    ),
    Refusal(
        status=503,
        code="unavailable",
        when="Not now; `Retry-After` says when to try again. A write may be repeated with the same key.",
        operations=_ALL,
    ),
)


def of(operation: Operation, model: Model, object_type: ObjectType) -> tuple[Refusal, ...]:
    """What a request can meet."""
    return tuple(r for r in REFUSALS if operation in r.operations and r.given(model, object_type))
