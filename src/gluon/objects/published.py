"""What the value of a `/proton/…` key says beside the attributes: the revision and the digest of the model.

Under `revision` and `model`; of a type that has an attribute of that name under `@revision` and `@model`, which no
attribute can be called. Called by `particles.projection` and the shim engine.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

REVISION = "revision"
MODEL = "model"
_APART = "@"


def name(said: str, attributes: Container[str]) -> str:
    """What `REVISION` or `MODEL` is called beside these attributes."""
    return _APART + said if said in attributes else said


def revision(body: Mapping[str, Any]) -> int:
    """0 where there is none."""
    found = body.get(_APART + REVISION, body.get(REVISION))
    return found if isinstance(found, int) else 0


def digest(body: Mapping[str, Any]) -> str:
    """Empty where it names no model."""
    found = body.get(_APART + MODEL, body.get(MODEL))
    return found if isinstance(found, str) else ""


def bare(body: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes alone."""
    beside = {_APART + said if _APART + said in body else said for said in (REVISION, MODEL)}
    return {key: value for key, value in body.items() if key not in beside}


def beside(body: Mapping[str, Any], attributes: Container[str]) -> dict[str, Any]:
    """Revision and digest of a body, as they are called beside other attributes."""
    found: dict[str, Any] = {name(REVISION, attributes): revision(body)}
    if digest(body):
        found[name(MODEL, attributes)] = digest(body)
    return found
