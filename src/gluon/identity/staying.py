"""Whether somebody who was admitted once is still who he was, for an answer that lasts long.

In: the headers of his request, and whom they made him. Out: why it ends: `Unauthorized` once his token has expired or was revoked,
another error where he has to be admitted anew. Invariant: he is looked at as often as who sends a request each moment, and at
once when rules or tokens of a file changed. Called by `api.watch` for each stream.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress

from gluon import errors
from gluon.identity.gate import Gate
from gluon.spi.policy import Caller

_LEAST = 0.2
"""Seconds between two looks at one stream."""
_AGAIN = 2.0
"""Seconds after which who could not be looked at is looked at again; the half of it more, so that not all come at once."""
_PATIENCE = 60.0
"""Seconds for which a stream goes on while nobody can tell, beyond those for which tokens that were known go on."""


class Staying:
    """`patience`, `again`: as above; a test may change them."""

    def __init__(self, gate: Gate, *, patience: float = _PATIENCE, again: float = _AGAIN) -> None:
        self._gate = gate
        self._patience = patience
        self._again = again

    async def end(self, headers: dict[bytes, bytes], caller: Caller) -> errors.GluonError:
        """Why he is not admitted any more as who he is, once it is so."""
        news, sure = self._gate.news, time.monotonic()
        pause = self._gate.until(headers) - sure
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(pause, _LEAST)):
                    await news.wait()
            news, now = self._gate.news, time.monotonic()
            try:
                found = self._gate.admit("GET", headers)
                found = found if isinstance(found, Caller) else await found
            except errors.Unavailable as error:
                if now - sure > self._patience:
                    return error
                pause = self._again * random.uniform(1.0, 1.5)
            except errors.Rejected as error:
                return error
            else:
                if found != caller:
                    return errors.Forbidden("who asks has other rights now")
                sure = time.monotonic()
                pause = self._gate.until(headers) - sure
