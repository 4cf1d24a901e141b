"""What Neutron calls its refusals: clients look at the name, so it has to be Neutron's own.

Raised by this room for what no proton can say; `api.neutron.answers` names those of protons.
"""

from __future__ import annotations

from gluon import errors


class Fault(errors.Rejected):
    """A refusal with Neutron's name for it; `hint` says the cure."""

    def __init__(self, status: int, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message, code=kind, hint=hint)
        self.status = status
        self.kind = kind


class Missing(Fault, errors.NotFound):
    """Of an object that is not there, or that the caller may not see."""


def missing(what: str, key: str) -> Missing:
    """`what`: Port, Network, Subnet."""
    return Missing(404, f"{what}NotFound", f"{what} {key} could not be found.")


def invalid(message: str, hint: str = "") -> Fault:
    return Fault(400, "InvalidInput", f"Invalid input for operation: {message}.", hint)


def bad(message: str, hint: str = "") -> Fault:
    return Fault(400, "HTTPBadRequest", message, hint)
