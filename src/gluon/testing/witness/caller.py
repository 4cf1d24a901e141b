"""One keep-alive connection to one of several servers, and writes that are repeated until answered.

In: ports of servers that share a database. Out: the answer of a write, and whether an earlier try
of it may have been done without an answer. Called by `load`.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon.errors import GluonError
from gluon.testing.witness.ledger import Ledger

_PAUSE = 0.05


class Unanswered(GluonError):
    """The time for repeats is over, or the load is to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`perhaps`: an earlier try got no answer, so it may have been done, or may still be."""

    status: int
    revision: int
    body: Any
    perhaps: bool


class Caller:
    """Used by one thread. `patience`: seconds for one try; `limit`: seconds for all of them."""

    def __init__(
        self, ledger: Ledger, servers: Sequence[int], *, patience: float, limit: float, first: int = 0
    ) -> None:
        self._ledger = ledger
        self._servers = servers
        self._patience = patience
        self._limit = limit
        self._turn = first
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        revision: int = 0,
        give_up: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """Until it is answered with anything but 503. Raises `Unanswered`."""
        end = time.monotonic() + self._limit
        perhaps = False
        while True:
            try:
                status, etag, answer = self._once(method, path, body, revision)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                self._turn += 1
                perhaps = True
                why = type(error).__name__
            else:
                if status != 503:
                    return Answer(status=status, revision=etag, body=answer, perhaps=perhaps)
                perhaps = True  # an outcome that could not be settled is a 503 too
                why = f"503 {answer.get('detail', '')}" if isinstance(answer, dict) else "503"
            self._ledger.repeated(why)
            if time.monotonic() > end or give_up():
                raise Unanswered(f"{method} {path}: {why}")
            time.sleep(_PAUSE)

    def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, revision: int
    ) -> tuple[int, int, Any]:
        if self._connection is None:
            port = self._servers[self._turn % len(self._servers)]
            self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self._patience)
        headers = {"if-match": f'"{revision}"'} if revision else {}
        content = None
        if body is not None:
            content, headers["content-type"] = json.dumps(body), "application/json"
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        etag = (answer.getheader("etag") or "").strip('"')
        kind = answer.getheader("content-type") or ""
        return answer.status, int(etag or 0), json.loads(data) if data and "json" in kind else data
