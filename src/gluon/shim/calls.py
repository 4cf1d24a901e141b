"""Calls of a backend that hold even if it breaks its promises: to raise only two errors, to answer what `spi` says.

In: a call. Out: its answer, or `Failure`. An error that is neither `TryLater` nor `GiveUp`, and an answer that is no
such thing or cannot be written as JSON, is a bug of the backend: it is logged with its stack and kept to the one scope
or binding that it met. Called by `binder`, `session` and `reconcile`.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import structlog

from gluon.errors import GiveUp, TryLater
from gluon.objects import codec, status
from gluon.shim.secrets import wipe
from gluon.spi.backend import Backend, ObjectStatus, PortBinding, Ref, Rows, Vif, World

log = structlog.get_logger(__name__)

BUG = "BackendError"
RETRYING = "Retrying"

SLOW = 60.0
"""Seconds after which a call that waits for the outside is spoken of: nothing else of its shard is done meanwhile."""

T = TypeVar("T")

_conditions = msgspec.json.Decoder(tuple[status.Condition, ...])
_vif = msgspec.json.Decoder(status.BindingReport)


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
    slow = asyncio.get_running_loop().call_later(SLOW, _say_slow, what)
    try:
        return await call()
    except (TryLater, GiveUp) as error:
        return of_error(error)
    except Exception as error:  # noqa: BLE001 - it is logged, without secrets
        _log(what, error)
        return Failure(reason=BUG, message=_text(error), final=False)
    finally:
        slow.cancel()


def bind(backend: Backend, world: World, binding: PortBinding) -> Vif | Failure:
    """The answer for a binding, one that can be said."""

    def answer() -> Vif:
        found = _of(Vif, backend.bind(world, binding))
        said = status.BindingReport(epoch=0, vif_type=found.vif_type, vif_details=dict(found.details))
        _vif.decode(codec.canonical(said))
        return found

    return ask("bind", answer)


def status_of(backend: Backend, world: World, ref: Ref) -> ObjectStatus | Failure | None:
    """The same of an object's status."""

    def answer() -> ObjectStatus | None:
        found = backend.status(world, ref)
        if found is not None:
            _conditions.decode(codec.canonical(_of(ObjectStatus, found).conditions))
        return found

    return ask("status", answer)


def scopes(backend: Backend, world: World, ref: Ref) -> frozenset[str] | Failure:
    """The scopes of an object."""
    return ask("scopes", lambda: frozenset(backend.scopes(world, ref)))


def members(backend: Backend, world: World, scope: str) -> frozenset[Ref] | Failure:
    """The objects of a scope."""
    return ask("members", lambda: frozenset(backend.members(world, scope)))


def desired(backend: Backend, world: World, scope: str) -> Rows | Failure:
    """The rows of a scope."""
    return ask("desired", lambda: dict(backend.desired(world, scope)))


async def actual(backend: Backend) -> dict[str, Rows] | Failure:
    """The rows that are there, by scope."""

    async def answer() -> dict[str, Rows]:
        return dict(await backend.actual())

    return await act("actual", answer)


def of_error(error: TryLater | GiveUp) -> Failure:
    """What one of the two promised errors means."""
    if isinstance(error, GiveUp):
        return Failure(reason=error.reason, message=_sayable(str(error)), final=True)
    return Failure(reason=RETRYING, message=_sayable(str(error)), final=False, after=error.after)


def _say_slow(what: str) -> None:
    log.warning("a backend takes long, its shard waits for it", call=what, seconds=SLOW)


def _text(error: Exception) -> str:
    return _sayable(f"{type(error).__name__}: {error}")


def _of(kind: type[T], found: Any) -> T:
    if not isinstance(found, kind):
        raise TypeError(f"answered with {type(found).__name__}, not with {kind.__name__}")
    return found


def _sayable(text: str) -> str:
    """Without secrets, and without the halves of characters that stand for bytes of no encoding (file names)."""
    return wipe(text).encode(errors="backslashreplace").decode()


def _log(what: str, error: Exception) -> None:
    """With its stack, as far as that may be read."""
    stack = _sayable("".join(traceback.format_exception(error)).rstrip())
    log.error("a backend failed unexpectedly", call=what, exception=stack)
