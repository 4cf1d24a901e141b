"""What Gluon refuses, as exceptions that Neutron turns into the same answer: status, type and words.

In: a client's error. Out: an exception of neutron_lib. Called by `face` only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from neutron_lib import exceptions

from gluon.client.http import ApiError, ClientError

_BASES = {
    400: exceptions.BadRequest,
    401: exceptions.NotAuthorized,
    403: exceptions.NotAuthorized,
    404: exceptions.NotFound,
    409: exceptions.Conflict,
}


@cache
def _kind(name: str, base: type[Exception]) -> Callable[..., Exception]:
    """Neutron's answer has the class's name as its type."""
    return type(name, (base,), {"message": "%(words)s"})


def made(error: ClientError) -> Exception:
    """An answer that is none of a client's fault means that Gluon does not work: 503, and Neutron goes on."""
    if not isinstance(error, ApiError) or error.status not in _BASES:
        return _kind("GluonUnavailable", exceptions.ServiceUnavailable)(
            words=f"Gluon does not answer: {error}"
        )
    said = error.body.get("NeutronError")
    body: dict[str, Any] = said if isinstance(said, dict) else {}
    words = str(body.get("message") or error.message)
    if (detail := body.get("detail")) and str(detail) not in words:
        words = f"{words} ({detail})"
    kind = str(body.get("type") or "")
    return _kind(kind if kind.isidentifier() else "GluonRefused", _BASES[error.status])(words=words)


def is_missing(error: Exception) -> bool:
    return isinstance(error, exceptions.NotFound)


def is_active_already(error: Exception) -> bool:
    return type(error).__name__ == "PortBindingAlreadyActive"


def not_here(what: str) -> Exception:
    """Of networks and subnets: services of protons, which their own API changes."""
    words = f"{what} belongs to a service of Gluon: change it there, by the API of its proton"
    return _kind("OwnedByGluon", exceptions.Conflict)(words=words)
