"""The place in history from which a watch goes on: opaque to clients, `<incarnation>.<revision>.<models>` to us.

Everything up to and with the revision was told. `models` is a digest of all models that were served: where a model
was replaced since, objects may have changed without a journal entry, so such a token is of no use any more.
"""

from __future__ import annotations

import re

import msgspec

from gluon import errors

_FORM = re.compile(r"([0-9A-Za-z-]{1,64})\.(\d{1,18})\.([0-9a-f]{1,32})", re.ASCII).fullmatch

LIST_AGAIN = "list again, and go on from the token of that list"


class Token(msgspec.Struct, frozen=True):
    incarnation: str
    revision: int
    models: str

    def __str__(self) -> str:
        return f"{self.incarnation}.{self.revision}.{self.models}"


def parse(text: str) -> Token:
    """Raises `Invalid` for what we never gave."""
    match = _FORM(text)
    if match is None:
        problem = errors.FieldProblem(
            pointer="",
            code="resume",
            message=f"'{text[:100]}' is no token of a watch",
            hint=f"give one of a list or of an event as it is, or {LIST_AGAIN}",
        )
        raise errors.Invalid([problem])
    return Token(match[1], int(match[2]), match[3])


def expired(why: str) -> errors.Expired:
    return errors.Expired(why, hint=LIST_AGAIN)
