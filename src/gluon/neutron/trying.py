"""Steps of a request taken again where somebody else was faster, or side by side.

In: steps as calls. Out: what they return, or raise. Called by `writing`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from gluon import errors
from gluon.neutron import faults

_TRIES = 5
_T = TypeVar("_T")


async def again(act: Callable[[], Awaitable[None]], revision: int | None) -> None:
    """Where somebody wrote the profile meanwhile, or where what binds the port has gone: 404 is for a port that is not there. Not
    where the client said of which `revision` it is to be."""
    for left in reversed(range(_TRIES)):
        try:
            await act()
            return
        except errors.Stale:
            if revision is not None or not left:
                raise
        except errors.NotFound as gone:
            if isinstance(gone, faults.Missing) or not left:
                raise


async def together(steps: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """What they return, in their order, once all are done with: what each waits for is waited for once. Raises what the first of those
    raised that failed."""
    done: list[_T] = []
    for one in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(one, BaseException):
            raise one
        done.append(one)
    return done
