"""Every refusal of the API: its stable code, its status, when it comes, what helps. The table itself is `refusals.yaml`.

In: nothing, or an operation, an object type and its model. Out: `Refusal`s. OpenAPI takes its statuses from here, the
reference pages and `/docs/errors` their tables; a test holds that every code of the server is in it, and each row is
raised somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One way in which a request is refused. `operations`: on the objects of a proton; none for what else there is."""

    status: int
    code: str
    when: str
    cure: str
    example: str
    operations: frozenset[Operation]
    needs: str

    def given(self, model: Model, object_type: ObjectType) -> bool:
        """Can it happen to objects of the type?"""
        return GIVEN[self.needs](model, object_type)


def every(object_type: ObjectType) -> list[Attribute]:
    """All attributes, those inside lists, maps and objects too."""
    found, ahead = [], list(object_type.attributes.values())
    while ahead:
        attribute = ahead.pop(0)
        found.append(attribute)
        ahead += [*attribute.members.values(), *([attribute.items] if attribute.items else [])]
    return found


Given = Callable[[Model, ObjectType], bool]


def _any(holds: Callable[[Attribute], bool]) -> Given:
    return lambda model, object_type: any(holds(a) for a in every(object_type))


def _has_values(*kinds: AttributeType) -> Given:
    return _any(lambda a: a.value_type in kinds)


def _referred(model: Model, object_type: ObjectType) -> bool:
    links = (link.target for t in model.types.values() for link in t.links)
    return bool(model.referrers(object_type.name)) or object_type.name in links


def _hooked(model: Model, t: ObjectType) -> bool:
    return bool(t.hooks.get(HookPoint.CHECK) or t.hooks.get(HookPoint.BEFORE) or t.actions)


GIVEN: Mapping[str, Given] = {
    "": lambda model, t: True,
    "new": lambda model, t: model.file_version != "1.0",
    "numbers": _has_values(AttributeType.INTEGER, AttributeType.NUMBER),
    "texts": _has_values(AttributeType.STRING),
    "nested": _has_values(AttributeType.LIST, AttributeType.MAP),
    "enums": _has_values(AttributeType.ENUM),
    "patterns": _any(lambda a: a.pattern is not None),
    "sets": _any(lambda a: a.unique_items),
    "pools": _any(lambda a: a.pool is not None),
    "sourced": lambda model, t: any(pool.source for pool in t.pools.values()),
    "owns": lambda model, t: bool(t.pools),
    "refers": lambda model, t: bool(t.references or t.links),
    "referred": _referred,
    "child": lambda model, t: t.parent is not None,
    "rules": lambda model, t: any(other.checks for other in model.types.values()),
    "hooks": _hooked,
    "quota": lambda model, t: t.quota is not None,
}
"""What `if` of a row may say."""


@cache
def table() -> tuple[Refusal, ...]:
    """All of them, in the order of the file."""
    rows = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return tuple(
        Refusal(
            status=row["status"],
            code=row["code"],
            when=row["when"],
            cure=row["cure"],
            example=row["example"],
            operations=frozenset(Operation) if row.get("at") == "all" else frozenset(row.get("at", ())),
            needs=row.get("if", ""),
        )
        for row in rows
    )


def of(operation: Operation, model: Model, object_type: ObjectType) -> tuple[Refusal, ...]:
    """What a request can meet."""
    return tuple(r for r in table() if operation in r.operations and r.given(model, object_type))
