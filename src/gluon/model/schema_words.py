"""Types and formats of the language in the words of JSON Schema. Read by `body_schema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.model.types import AttributeType, Format

TYPES: Mapping[AttributeType, str] = {
    AttributeType.STRING: "string",
    AttributeType.ENUM: "string",
    AttributeType.UUID: "string",
    AttributeType.INTEGER: "integer",
    AttributeType.NUMBER: "number",
    AttributeType.BOOLEAN: "boolean",
    AttributeType.LIST: "array",
    AttributeType.MAP: "object",
    AttributeType.OBJECT: "object",
}

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = rf"{_OCTET}(\.{_OCTET}){{3}}"
_H = "[0-9a-f]{1,4}"
_V6 = "|".join(
    [
        f"({_H}:){{7}}{_H}",
        f"({_H}:){{1,7}}:",
        *(f"({_H}:){{1,{7 - n}}}(:{_H}){{1,{n}}}" for n in range(1, 7)),
        f":(:{_H}){{1,7}}",
        "::",
        rf"::(ffff(:0{{1,4}})?:)?{_V4}",
    ]
)
_ANY_CASE = _V6.replace("a-f", "A-Fa-f").replace("ffff", "[Ff]{4}")
_U16 = "(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_TENTHS = (
    "[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}"
    "|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5]"
)
_U32 = f"(0|[1-9][0-9]{{0,8}}|{_TENTHS})"
_AS4 = f"(6553[6-9]|655[4-9][0-9]|65[6-9][0-9]{{2}}|6[6-9][0-9]{{3}}|[7-9][0-9]{{4}}|[1-9][0-9]{{5,8}}|{_TENTHS})"
_COMMUNITY = f"^({_U16}:{_U32}|({_V4}|{_AS4}):{_U16})$"

_URI_TEXT = (
    "([A-Za-z][A-Za-z0-9+.-]*:)?([A-Za-z0-9._~:/?@!$&'()*+,;=\\[\\]-]|%[0-9A-Fa-f]{2})*"
    "(#([A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
)
ANY_TEXT = "^[^\\u0000]*$"
"""What a database can store: all but NUL."""
UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

FORMATS: Mapping[Format, Mapping[str, Any]] = {
    Format.DATE_TIME: {"format": "date-time"},
    Format.JSON: {"format": "json", "contentMediaType": "application/json"},
    Format.IPV4: {"format": "ipv4", "pattern": f"^{_V4}$"},
    Format.IPV6: {"format": "ipv6", "pattern": f"^({_ANY_CASE})$"},
    Format.MAC: {"format": "mac", "pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"},
    Format.URI: {"format": "uri-reference", "pattern": f"^({_URI_TEXT})$", "minLength": 1},
    Format.EMAIL: {"format": "email", "pattern": "^[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+$"},
}

NEW_FORMATS: Mapping[Format, Mapping[str, Any]] = {
    Format.IP: {"format": "ip", "pattern": f"^({_V4}|{_V6})$"},
    Format.IPV6: {"format": "ipv6", "pattern": f"^({_V6})$"},
    Format.CIDR: {
        "format": "cidr",
        "pattern": f"^({_V4}/(3[0-2]|[12]?[0-9])|({_V6})/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$",
    },
    Format.ROUTE_TARGET: {"format": "route_target", "pattern": _COMMUNITY},
    Format.ROUTE_DISTINGUISHER: {"format": "route_distinguisher", "pattern": _COMMUNITY},
}
"""What 2.0 says otherwise, or 1.0 does not know."""
