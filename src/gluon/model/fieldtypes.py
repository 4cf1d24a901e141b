"""The table of the language: which types there are, which values they hold, which keys each takes.

A new field type is a row here, its value in `gluon.values` and its acceptor in `acceptors`. What each
key means is in `keywords`. Lowest file of the pipeline: all stages, the acceptors and `language` read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gluon.model.types import AttributeType, Format

OLD = "1.0"
NEW = "2.0"
FILE_VERSIONS = (OLD, NEW)

STRING_LENGTH = 255
"""Characters of a string that states no length."""

LIST_ITEMS = 1_000
"""Items of a list or map that states no `max_items`."""

RESERVED = frozenset({"created_at", "updated_at"})
"""Attributes that every object has and no client writes."""

SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Columns that every table of PostgreSQL has of its own, so that no attribute can be stored by these names."""

RESERVED_NAMES = frozenset(
    {"gluon", "v2.0", "networking", "proton", "healthz", "readyz", "metrics", "docs", "ui"}
)
"""First segments of URLs that no proton may be called."""

IMPLICIT_KEY = "uuid"
"""The key of an object type that declares no primary attribute."""

MAX_LENGTH = 1_048_576
MAX_ITEMS = 100_000
MAX_NAME = 60

RANGES: Mapping[Format, tuple[int, int]] = MappingProxyType({
    Format.INT32: (-(2**31), 2**31 - 1),
    Format.INT64: (-(2**63), 2**63 - 1),
    Format.VLAN: (1, 4094),
    Format.VNI: (1, 2**24 - 1),
    Format.ASN: (1, 2**32 - 2),
    Format.MPLS_LABEL: (16, 2**20 - 1),
})  # fmt: skip
"""Formats of integers and what they hold: IEEE 802.1Q, RFC 7348, RFC 6793, RFC 3032."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A type as models write it. `keys` are those that it takes beside the common ones."""

    name: str
    type: AttributeType
    about: str
    format: Format | None = None
    keys: tuple[str, ...] = ()

    @property
    def range(self) -> tuple[int, int]:
        """What an integer may be where the model says nothing."""
        return RANGES[self.format or Format.INT64]

    @property
    def nested(self) -> bool:
        """Whether it holds other values."""
        return self.type in {AttributeType.LIST, AttributeType.MAP, AttributeType.OBJECT}


REFERENCE = Word(name="reference", type=AttributeType.REFERENCE, about="the key of an object of another type")
LINK = Word(
    name="reference",
    type=AttributeType.REFERENCE,
    about="the key of an object of another type; the type's name is the type",
    keys=("on_delete", "listed_as"),
)


def _table(*rows: Word) -> Mapping[str, Word]:
    return MappingProxyType({row.name: row for row in rows})


_S, _I, _LIMITS = AttributeType.STRING, AttributeType.INTEGER, ("min", "max", "pool")
_TEXT = ("length", "min_length", "pattern")

_OLD = _table(
    Word(name="string", type=_S, keys=("length", "format"), about="text"),
    Word(name="integer", type=_I, keys=("format", "min", "max"), about="an integer of 64 bits"),
    Word(name="number", type=AttributeType.NUMBER, about="a finite number"),
    Word(name="boolean", type=AttributeType.BOOLEAN, about="true or false"),
    Word(name="uuid", type=AttributeType.UUID, about="a UUID"),
    Word(name="enum", type=AttributeType.ENUM, keys=("values",), about="one of the texts listed"),
)

_NEW = _table(
    Word(name="string", type=_S, keys=(*_TEXT, "format"), about="text"),
    Word(name="integer", type=_I, keys=_LIMITS, about="an integer of 64 bits"),
    Word(name="number", type=AttributeType.NUMBER, keys=("min", "max"), about="a finite number"),
    Word(name="boolean", type=AttributeType.BOOLEAN, about="true or false"),
    Word(name="uuid", type=AttributeType.UUID, about="a UUID"),
    Word(name="enum", type=AttributeType.ENUM, keys=("values",), about="one of the texts listed"),
    Word(name="list", type=AttributeType.LIST, keys=("items", "min_items", "max_items", "unique_items", "pool"), about="several values in order"),
    Word(name="map", type=AttributeType.MAP, keys=("items", "min_items", "max_items"), about="values by name"),
    Word(name="object", type=AttributeType.OBJECT, keys=("attributes",), about="attributes of its own; others are refused"),
    Word(name="date-time", type=_S, format=Format.DATE_TIME, keys=_TEXT, about="a date and time, RFC 3339"),
    Word(name="json", type=_S, format=Format.JSON, keys=_TEXT, about="a JSON document as text"),
    Word(name="uri", type=_S, format=Format.URI, keys=_TEXT, about="a URI, RFC 3986"),
    Word(name="email", type=_S, format=Format.EMAIL, keys=_TEXT, about="an address name@domain"),
    Word(name="int32", type=_I, format=Format.INT32, keys=_LIMITS, about="an integer of 32 bits"),
    Word(name="int64", type=_I, format=Format.INT64, keys=_LIMITS, about="an integer of 64 bits"),
    Word(name="ip", type=_S, format=Format.IP, keys=("pool",), about="an IPv4 or IPv6 address"),
    Word(name="ipv4", type=_S, format=Format.IPV4, keys=("pool",), about="an IPv4 address"),
    Word(name="ipv6", type=_S, format=Format.IPV6, keys=("pool",), about="an IPv6 address, shown as in RFC 5952"),
    Word(name="cidr", type=_S, format=Format.CIDR, about="a prefix of either family without host bits"),
    Word(name="mac", type=_S, format=Format.MAC, keys=("pool",), about="a MAC address"),
    Word(name="vlan", type=_I, format=Format.VLAN, keys=_LIMITS, about="a VLAN id, 1 to 4094"),
    Word(name="vni", type=_I, format=Format.VNI, keys=_LIMITS, about="a VXLAN network identifier, 1 to 16777215"),
    Word(name="asn", type=_I, format=Format.ASN, keys=_LIMITS, about="an autonomous system, 1 to 4294967294; 1.10 may be given too"),
    Word(name="mpls_label", type=_I, format=Format.MPLS_LABEL, keys=_LIMITS, about="an MPLS label that is not reserved"),
    Word(name="route_target", type=_S, format=Format.ROUTE_TARGET, keys=("pool",), about="a route target, RFC 4360 and RFC 5668"),
    Word(name="route_distinguisher", type=_S, format=Format.ROUTE_DISTINGUISHER, keys=("pool",), about="a route distinguisher, RFC 4364"),
)  # fmt: skip

WORDS: Mapping[str, Mapping[str, Word]] = MappingProxyType({OLD: _OLD, NEW: _NEW})
"""Version of the language → the types that it has by name; any other name is that of an object type."""

FORMATS: Mapping[str, Mapping[AttributeType, tuple[Format, ...]]] = MappingProxyType({
    OLD: {
        _S: (Format.DATE_TIME, Format.JSON, Format.IPV4, Format.IPV6, Format.MAC, Format.URI, Format.EMAIL),
        _I: (Format.INT32, Format.INT64),
    },
    NEW: {_S: (Format.DATE_TIME, Format.JSON, Format.URI, Format.EMAIL)},
})  # fmt: skip
"""Version of the language → what `format` may say of a type."""

POOLED = tuple(w.name for w in _NEW.values() if "pool" in w.keys and not w.nested)
"""Types that a pool may be of."""


def word(version: str, name: str) -> Word:
    """The type that `name` stands for: one of the language, else a reference."""
    return WORDS[version].get(name) or (REFERENCE if version == OLD else LINK)


def word_of(type_: AttributeType, format_: Format | None) -> Word:
    """The word of 2.0 for a type with its format."""
    return _BY_MEANING[type_, format_]


_BY_MEANING = {(w.type, w.format): w for w in _NEW.values()}
