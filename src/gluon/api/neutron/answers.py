"""The bodies of refusals: `{"NeutronError": {type, message, detail}}` with all three keys, as Neutron's clients need.

In: an error. Out: a reply whose `type` is a name of Neutron's own. Called by `front` and the lane.
"""

from __future__ import annotations

from collections.abc import Mapping

from gluon import errors
from gluon.api import errors as problems
from gluon.api import message
from gluon.neutron.faults import Fault
from gluon.objects import codec

_KINDS: tuple[tuple[type[errors.GluonError], str], ...] = (
    (errors.Unauthorized, "NotAuthenticated"),
    (errors.Forbidden, "PolicyNotAuthorized"),
    (errors.NotFound, "ResourceNotFound"),
    (errors.Conflict, "Conflict"),
    (errors.Reused, "IdempotencyKeyReused"),
    (errors.Stale, "RevisionNumberConstraintFailed"),
    (errors.TooMany, "OverLimit"),
    (errors.Rejected, "InvalidInput"),
    (errors.Unavailable, "ServiceUnavailable"),
    (errors.BusError, "ServiceUnavailable"),
)
_CODES = {"quota": "OverQuota", "pool_exhausted": "IpAddressGenerationFailure"}


def refused(error: Exception, headers: Mapping[bytes, bytes], request_id: str) -> message.Reply:
    """The answer to a request that raised."""
    plain = problems.reply(error, headers, request_id)
    kind, hint = "InternalServerError", ""
    text = "Request Failed: internal server error while processing your request."
    if isinstance(error, Fault):
        plain.status, kind, text, hint = error.status, error.kind, str(error), error.hint
    else:
        for one, name in _KINDS:
            if isinstance(error, one):
                kind, text = name, str(error)
                break
        if isinstance(error, errors.Rejected):
            kind, hint = _CODES.get(error.code, kind), error.hint
    return fault(plain.status, kind, text, hint, plain.headers)


def fault(
    status: int, kind: str, text: str, hint: str = "", headers: list[tuple[bytes, bytes]] | None = None
) -> message.Reply:
    whole = f"{text.rstrip('.')}; {hint}" if hint else text  # clients show the message alone
    body = {"NeutronError": {"type": kind, "message": whole, "detail": hint}}
    return message.Reply(status, codec.encode(body), headers=headers or [])
