"""Calls of a backend that hold even if it breaks its promise to raise only two errors.

In: a call. Out: its answer, or `Failure`. An error that is neither `TryLater` nor `GiveUp` is a bug
of the backend: it is logged with its stack and kept to the one scope or binding that it met.
Called by `binder` and `reconcile`.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from gluon.errors import GiveUp, TryLater
from gluon.shim.secrets import wipe

log = structlog.get_logger(__name__)

BUG = "BackendError"
RETRYING = "Retrying"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something was not done. `final`: until its input changes; `after`: the wished wait."""

    reason: str
    message: str
    final: bool
    after: float = 0.0


def ask(what: str, call: Callable[[], T]) -> T | Failure:
    """A pure question. A bug counts as final: the same input would meet it again."""
    try:
        return call()
    except (TryLater, GiveUp) as error:
        return of_error(error)
    except Exception as error:  # noqa: BLE001 - it is logged, without secrets
        _log(what, error)
        return Failure(reason=BUG, message=_text(error), final=True)


async def act(what: str, call: Callable[[], Awaitable[T]]) -> T | Failure:
    """Something with I/O. A bug counts as passing: the outside may be different next time."""
    try:
        return await call()
    except (TryLater, GiveUp) as error:
        return of_error(error)
    except Exception as error:  # noqa: BLE001 - it is logged, without secrets
        _log(what, error)
        return Failure(reason=BUG, message=_text(error), final=False)


def of_error(error: TryLater | GiveUp) -> Failure:
    """What one of the two promised errors means."""
    if isinstance(error, GiveUp):
        return Failure(reason=error.reason, message=wipe(str(error)), final=True)
    return Failure(reason=RETRYING, message=wipe(str(error)), final=False, after=error.after)


def _text(error: Exception) -> str:
    return wipe(f"{type(error).__name__}: {error}")


def _log(what: str, error: Exception) -> None:
    """With its stack, as far as that may be read."""
    stack = wipe("".join(traceback.format_exception(error)).rstrip())
    log.error("a backend failed unexpectedly", call=what, exception=stack)
