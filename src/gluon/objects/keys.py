"""The keys in etcd: who writes which is in the table of ARCHITECTURE.md.

    /proton/<api>/<ObjectType>/<key>                      publisher   object as stored
    /gluon/secret/<api>/<ObjectType>/<key>                publisher   secret attributes of the object
    /gluon/port/<id>                                      publisher   who owns this port
    /gluon/binding/<api>/<port>/<host>                    publisher   wanted port binding
    /gluon/model/<api>                                    publisher   merged model
    /status/<controller>/<shard>/<api>/<ObjectType>/<key> that shard's leader
    /controller/<api>/Port/<id>                           shims of the original's kind
    /gluon/shim/<controller>/<instance>                   shims, leased
    /gluon/lead/<controller>/<shard>                      shims, leased
    /gluon/relay/cursor, …/leader, …/lane/<number>        publisher
    /gluon/relay/resync                                   who asks for a resync; the publisher deletes it
    /gluon/wake/<process>                                 API processes
    /gluon/process/<process>                              processes of a server, leased: their epoch

A segment is percent-encoded (RFC 3986 unreserved characters stay; so do `:` and `,`, which keys
have). In the keys that the original Gluon had too, white space of an object's key becomes `_` as there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

PROTON = "/proton/"
PORT = "/gluon/port/"
SECRET = "/gluon/secret/"  # noqa: S105 - a place, not a secret
BINDING = "/gluon/binding/"
MODEL = "/gluon/model/"
STATUS = "/status/"
CONTROLLER = "/controller/"
SHIM = "/gluon/shim/"
LEAD = "/gluon/lead/"
WAKE = "/gluon/wake/"
PROCESS = "/gluon/process/"
RELAY_CURSOR = "/gluon/relay/cursor"
RELAY_LEADER = "/gluon/relay/leader"
RELAY_RESYNC = "/gluon/relay/resync"
RELAY_LANE = "/gluon/relay/lane/"

_WHITE = re.compile(r"\s")
_NO_NAMES = {".": "%2E", "..": "%2E%2E"}
_PLAIN = re.compile(r"[A-Za-z0-9_.~:,-]+\Z")


def segment(text: str) -> str:
    """One path segment of a key."""
    if _PLAIN.match(text) and text not in _NO_NAMES:
        return text
    return _NO_NAMES.get(text) or quote(text, safe=":,")


def object_key(text: str) -> str:
    """The key of an object, where the original stands beside us."""
    if _PLAIN.match(text) and text not in _NO_NAMES:  # most are uuids
        return text
    return segment(_WHITE.sub("_", text))


def text(part: str) -> str:
    """The text of a segment."""
    return unquote(part)


def proton(api: str, object_type: str, key: str) -> str:
    return f"{PROTON}{segment(api)}/{object_type}/{object_key(key)}"


def proton_prefix(api: str) -> str:
    return f"{PROTON}{segment(api)}/"


def secret(api: str, object_type: str, key: str) -> str:
    return f"{SECRET}{segment(api)}/{object_type}/{object_key(key)}"


def secret_prefix(api: str) -> str:
    return f"{SECRET}{segment(api)}/"


def port(port_id: str) -> str:
    return PORT + segment(port_id)


def binding(api: str, port_id: str, host: str) -> str:
    return f"{BINDING}{segment(api)}/{segment(port_id)}/{segment(host)}"


def binding_prefix(api: str) -> str:
    return f"{BINDING}{segment(api)}/"


def model(api: str) -> str:
    return MODEL + segment(api)


def status(controller: str, shard: str, api: str, object_type: str, key: str) -> str:
    return f"{STATUS}{segment(controller)}/{segment(shard)}/{segment(api)}/{object_type}/{segment(key)}"


def status_prefix(controller: str, shard: str) -> str:
    return f"{STATUS}{segment(controller)}/{segment(shard)}/"


def controller_port(api: str, port_id: str) -> str:
    return f"{CONTROLLER}{segment(api)}/Port/{object_key(port_id)}"


def shim(controller: str, instance: str) -> str:
    return f"{SHIM}{segment(controller)}/{segment(instance)}"


def lead(controller: str, shard: str) -> str:
    return f"{LEAD}{segment(controller)}/{segment(shard)}"


def relay_lane(number: int) -> str:
    return f"{RELAY_LANE}{number}"


def wake(process: str) -> str:
    return WAKE + segment(process)


def process(name: str) -> str:
    return PROCESS + segment(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKey:
    """The parts of a `/proton/…` or `/gluon/secret/…` key, as text."""

    api: str
    object_type: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingKey:
    """The parts of a `/gluon/binding/…` key, as text."""

    api: str
    port: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusKey:
    """The parts of a `/status/…` key, as text."""

    controller: str
    shard: str
    api: str
    object_type: str
    key: str


def _parts(prefix: str, key: str, count: int) -> list[str] | None:
    if not key.startswith(prefix):
        return None
    parts = key[len(prefix) :].split("/")
    return [unquote(p) for p in parts] if len(parts) == count and all(parts) else None


def parse_proton(key: str) -> ObjectKey | None:
    """None for any other key."""
    p = _parts(PROTON, key, 3)
    return ObjectKey(api=p[0], object_type=p[1], key=p[2]) if p else None


def parse_secret(key: str) -> ObjectKey | None:
    """None for any other key."""
    p = _parts(SECRET, key, 3)
    return ObjectKey(api=p[0], object_type=p[1], key=p[2]) if p else None


def parse_binding(key: str) -> BindingKey | None:
    """None for any other key."""
    p = _parts(BINDING, key, 3)
    return BindingKey(api=p[0], port=p[1], host=p[2]) if p else None


def parse_status(key: str) -> StatusKey | None:
    """None for any other key."""
    p = _parts(STATUS, key, 5)
    if p is None:
        return None
    return StatusKey(controller=p[0], shard=p[1], api=p[2], object_type=p[3], key=p[4])


def parse_shim(key: str) -> tuple[str, str] | None:
    """(controller, instance), None for any other key."""
    p = _parts(SHIM, key, 2)
    return (p[0], p[1]) if p else None
