"""One thread that runs calls one after the other for coroutines: SQLite blocks.

In: functions. Out: their results, as awaitables. Called by `sqlite`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")
_Job = tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]


class Stopped(Exception):
    """The thread takes no more calls."""


class Closable(Protocol):
    def close(self) -> None: ...


class Thread:
    """Starts at once, ends with `stop`."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], _T]) -> _T:
        if self._stopped:
            raise Stopped
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        self._queue.put((call, answer, loop))
        return await answer

    def begin(self, call: Callable[[], None]) -> None:
        """Nobody waits for it, and it must not raise."""
        if not self._stopped:
            loop = asyncio.get_running_loop()
            self._queue.put((call, loop.create_future(), loop))

    def close(self, thing: Closable) -> None:
        """Close `thing` in this thread after what is queued, and end."""
        self.begin(thing.close)
        self.stop()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """After what is queued."""
        self._stopped = True
        self._queue.put(None)

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            call, answer, loop = job
            try:
                result, error = call(), None
            except BaseException as caught:  # noqa: BLE001  # it is raised where the call was made
                result, error = None, caught
            # The loop may have ended while the call ran: then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_give, answer, result, error)
            del call, answer, job, result, error


def _give(answer: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
