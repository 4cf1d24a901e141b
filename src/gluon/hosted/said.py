"""What Gluon said in this request, kept with the request's context: callbacks ask, drivers use the answer later.

In: a Neutron context, a port's id, an answer of the face. Called by all of `hosted`.
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

_ANSWERS = "_gluon_answers"
_ONE = "_gluon_one"
_FOLLOWS = "_gluon_follows"


def keep(context: Any, port: str, answer: Body) -> None:
    vars(context).setdefault(_ANSWERS, {})[port] = answer


def of(context: Any, port: str) -> Body | None:
    found: Body | None = vars(context).get(_ANSWERS, {}).get(port)
    return found


def forget(context: Any, port: str) -> None:
    vars(context).get(_ANSWERS, {}).pop(port, None)


def begin_one(context: Any) -> list[Body]:
    """One port is made by what comes now, however often its transaction is tried: the answer is put here."""
    made: list[Body] = []
    setattr(context, _ONE, made)
    return made


def one(context: Any) -> list[Body] | None:
    found: list[Body] | None = vars(context).get(_ONE)
    return found


def end_one(context: Any) -> None:
    setattr(context, _ONE, None)


def follow(context: Any) -> None:
    """What is done with this context only copies what Gluon has: nobody asks it."""
    setattr(context, _FOLLOWS, True)


def follows(context: Any) -> bool:
    return bool(vars(context).get(_FOLLOWS))
