"""Facts of a model in the words of a reader: types, limits, defaults.

In: attributes. Out: text without markup beside `code` marks. The reference page and the descriptions in OpenAPI say the same.
"""

from __future__ import annotations

import json
from typing import Any

from gluon.model.types import Attribute, AttributeType, Format, OnDelete

_NAMES = {
    Format.DATE_TIME: "date and time",
    Format.JSON: "JSON document as text",
    Format.IP: "IP address",
    Format.IPV4: "IPv4 address",
    Format.IPV6: "IPv6 address",
    Format.CIDR: "IP prefix",
    Format.MAC: "MAC address",
    Format.URI: "URI",
    Format.EMAIL: "e-mail address",
    Format.INT32: "integer of 32 bit",
    Format.INT64: "integer of 64 bit",
    Format.VLAN: "VLAN id",
    Format.VNI: "VXLAN network identifier",
    Format.ASN: "autonomous system number",
    Format.MPLS_LABEL: "MPLS label",
    Format.ROUTE_TARGET: "route target",
    Format.ROUTE_DISTINGUISHER: "route distinguisher",
}

_PLAIN = {
    AttributeType.STRING: "text",
    AttributeType.INTEGER: "integer",
    AttributeType.NUMBER: "number",
    AttributeType.BOOLEAN: "true or false",
    AttributeType.UUID: "uuid",
}


def kind(attribute: Attribute) -> str:
    """What a value is: `text of 1 to 64 characters`, `key of VpnService`, `list of at most 4 route targets`."""
    if attribute.reference:
        return f"key of {attribute.reference}"
    match attribute.type:
        case AttributeType.ENUM:
            return "one of " + ", ".join(f"`{value}`" for value in attribute.values)
        case AttributeType.LIST:
            return f"list{_items(attribute)}, each: {_each(attribute)}"
        case AttributeType.MAP:
            return f"map{_items(attribute)}, each value: {_each(attribute)}"
        case AttributeType.OBJECT:
            return "object"
    name = _NAMES.get(attribute.format) if attribute.format else None
    return (name or _PLAIN[attribute.type]) + _limits(attribute)


def _each(attribute: Attribute) -> str:
    return kind(attribute.items) if attribute.items else "anything"


def _items(attribute: Attribute) -> str:
    text = ""
    if attribute.min_items or attribute.max_items is not None:
        text = " of " + span(attribute.min_items or None, attribute.max_items) + " items"
    return text + (" without doubles" if attribute.unique_items else "")


def _limits(attribute: Attribute) -> str:
    text = ""
    if attribute.type is AttributeType.STRING and not (
        attribute.format and attribute.format is not Format.JSON
    ):
        text += f" of {span(attribute.min_length, attribute.length)} characters"
    elif attribute.type in {AttributeType.INTEGER, AttributeType.NUMBER} and (
        attribute.minimum is not None or attribute.maximum is not None
    ):
        text += f", {span(attribute.minimum, attribute.maximum)}"
    if attribute.pattern:
        text += f" matching `{attribute.pattern}`"
    return text


def span(low: float | None, high: float | None) -> str:
    """`1 to 4094`, `at least 1`, `at most 64`."""
    if low is not None and high is not None:
        return str(low) if low == high else f"{low} to {high}"
    if low is not None:
        return f"at least {low}"
    return f"at most {high}" if high is not None else "any number of"


def presence(attribute: Attribute, *, key: bool, generated: bool) -> str:
    """What happens where a create leaves the value out."""
    if key and generated:
        return "made by the server"
    if attribute.read_only:
        return "set by the server"
    if attribute.default is not None:
        return f"`{shown(attribute.default)}`"
    if attribute.drawn:
        return f"taken from {pool(attribute)}"
    return "**required**" if attribute.required or key else "null"


def pool(attribute: Attribute) -> str:
    """The pool that an absent value comes from, or the items of a list are of."""
    if attribute.pool is None:
        return ""
    whose = f" of the object in `{attribute.pool.through}`" if attribute.pool.through else ""
    return f"pool `{attribute.pool.name}`{whose}"


def flags(attribute: Attribute) -> list[str]:
    """What else holds, a short sentence each."""
    said = {
        f"Each is of {pool(attribute)}, and nobody else has it.": attribute.pool is not None
        and not attribute.drawn,
        "Fixed once it is set.": attribute.immutable,
        "Taken, never shown; answers have null.": attribute.secret,
        "Never null.": not attribute.nullable
        and not attribute.required
        and not attribute.primary
        and not attribute.read_only,
    }
    rules = {"get": "Read by", "set": "Set by"}
    return [
        *(text for text, holds in said.items() if holds),
        *(f"{rules[word]} `{rule}` only." for word, rule in attribute.policies.items()),
    ]


def on_delete(attribute: Attribute, owner: str) -> str:
    """What becomes of the objects with the reference when the object referred to goes."""
    target = a(attribute.reference or "")
    return {
        OnDelete.RESTRICT: f"{target} cannot be deleted while {a(owner)} refers to it",
        OnDelete.CASCADE: f"deleting {target} deletes each {owner} that refers to it",
        OnDelete.UNSET: f"deleting {target} takes it out of each {owner} that refers to it",
    }[attribute.on_delete]


def a(name: str) -> str:
    """`a Port`, `an Interface`."""
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def shown(value: Any) -> str:
    """A value as JSON, on one line."""
    return json.dumps(value, ensure_ascii=False)
