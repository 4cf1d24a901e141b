"""New objects without a task: a plain POST to a collection, begun in one call and answered in another.

In: requests whose bodies are whole. Out: their units in the store's queue, then the answers, all of a batch in one turn of the
loop. What is unusual, or not as it should be, is left to `lane.answer`, which says why. Invariant: a request that is left to it
has done nothing. Measured with a port create: without task, future and five coroutines it takes 10 µs of CPU less.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial

from gluon import errors
from gluon.api import errors as answers
from gluon.api import lane, message, places, rates, resources, terms, turns
from gluon.particles import tables
from gluon.proton import registry, service, units
from gluon.spi import policy, store

Begin = Callable[[], None]
"""Puts a unit into the queue. Raises where it cannot be begun."""


class Asked(ABC):
    """One request and what is known of it on its way; a `store.Answer`. Whoever has the connection fills in the rest."""

    __slots__ = ("admitted", "began", "body", "caller", "headers", "method", "place", "posts", "request_id")
    posts: Begins
    caller: policy.Caller
    request_id: str
    began: float

    def __init__(self, method: str, place: places.Place, headers: dict[bytes, bytes]) -> None:
        self.method = method
        self.place = place
        self.headers = headers
        self.body = b""
        self.admitted: Awaitable[policy.Caller] | None = None
        """What was begun to find out who asks."""

    @abstractmethod
    def made(self, document: bytes, revision: store.Value) -> None:
        """The object is there: answer 201."""

    @abstractmethod
    def told(self, reply: message.Reply) -> None:
        """Any other answer."""

    @abstractmethod
    def again(self) -> None:
        """Nothing was done; the long way does it."""

    # -- what the store tells ------------------------------------------------------------------

    def done(self) -> bool:
        """Who has left wants his object all the same."""
        return False

    def set_result(self, result: store.Committed, /) -> None:
        self.posts.told(self, result)

    def set_exception(self, exception: Exception, /) -> None:
        self.posts.told(self, exception)


class Begins(ABC):
    """What all that is begun without a task has in common. `record`: of each answered request, as the lane's."""

    def __init__(self, guard: lane.Guard, observer: lane.Observer, record: lane.Record | None) -> None:
        self._guard = guard
        self._observer = observer
        self._record = record
        self._done: list[tuple[Asked, store.Committed | Exception]] = []
        self._turns = turns.Turns()
        self.rates: rates.Rates | None = None

    @abstractmethod
    def _serves(self, asked: Asked) -> bool:
        """Whether it may be begun, as far as its head says."""

    @abstractmethod
    def _ready(self, asked: Asked) -> Begin | None:
        """What begins it, its body looked at; None, or an error: the long way is to do it."""

    @abstractmethod
    def _answer_made(self, asked: Asked, result: object) -> bytes | None:
        """Answer that it is made; returns the body."""

    @abstractmethod
    def _refusal(self, asked: Asked, error: Exception) -> message.Reply | None:
        """The answer to a refusal; None: the long way tells it."""

    def begin(self, asked: Asked) -> bool:
        """Whether it is begun. False: nothing is done yet, and the long way is to do it."""
        place, headers = asked.place, asked.headers
        if (
            not place.makes
            or asked.method != "POST"
            or len(asked.body) > resources.MAX_OBJECT
            or terms.HEADER in headers
            or headers.get(b"content-type") != message.JSON
            or not self._serves(asked)
        ):
            return False
        asked.began = time.perf_counter()
        try:
            admitted = self._guard.admit("POST", headers)
            if not isinstance(admitted, policy.Caller):
                asked.admitted = admitted
                return False
            return self._begun(asked, admitted)
        except Exception:  # noqa: BLE001  # the long way meets it again, and tells it
            return False

    def _begun(self, asked: Asked, caller: policy.Caller) -> bool:
        asked.posts, asked.caller, asked.request_id = self, caller, message.request_id()
        early = 0.0
        if self.rates is not None:
            try:
                early = self.rates.admit(caller)
            except rates.Refused as refused:
                self._turns.after(refused.hold, partial(self._refuse, asked, refused))
                return True
        begun = False
        try:
            begin = self._ready(asked)
            if begin is None:
                return False
            if early:
                self._turns.after(early, partial(self._turn, asked, begin))
            else:
                self._start(asked, begin)
            begun = True
        finally:
            if not begun:
                self._give_back(caller)
        return True

    def _turn(self, asked: Asked, begin: Begin) -> None:
        """Its time has come: what was early, and is admitted."""
        try:
            asked.place.check()
            self._start(asked, begin)
        except Exception:  # noqa: BLE001  # the long way meets it again, and tells it
            self._again(asked)

    def _start(self, asked: Asked, begin: Begin) -> None:
        """Or say what is wrong with its body, by the models that are served: the long way would judge it once more to say the same."""
        try:
            begin()
        except errors.Invalid as wrong:
            asked.place.check()
            self._refuse(asked, wrong)

    def _again(self, asked: Asked) -> None:
        """The long way takes a token of its own."""
        self._give_back(asked.caller)
        asked.again()

    def _give_back(self, caller: policy.Caller) -> None:
        if self.rates is not None:
            self.rates.give_back(caller)

    def told(self, asked: Asked, outcome: store.Committed | Exception) -> None:
        """The store is in the midst of its work: what it tells is answered after that, all in one turn."""
        if not self._done:
            asyncio.get_running_loop().call_soon(self._answer)
        self._done.append((asked, outcome))

    def _answer(self) -> None:
        done, self._done = self._done, []
        for asked, outcome in done:
            if isinstance(outcome, store.Committed):
                self._tell(asked, 201, self._answer_made(asked, outcome.result))
            elif isinstance(outcome, errors.StaleModel):
                self._again(asked)
            else:
                self._refuse(asked, outcome)

    def _refuse(self, asked: Asked, error: Exception) -> None:
        reply = self._refusal(asked, error)
        if reply is None:
            self._again(asked)
            return
        asked.told(reply)
        self._tell(asked, reply.status, reply.body)

    def _tell(self, asked: Asked, status: int, body: bytes | None) -> None:
        """Whoever counts and records."""
        seconds = time.perf_counter() - asked.began
        place = asked.place
        self._observer.answered(place.resource, "POST", status, seconds)
        if self._record is not None:
            self._record(
                lane.Answered("POST", place.path, asked.headers, asked.caller, asked.request_id, place.resource,
                              status, body, seconds)
            )  # fmt: skip


class Posts(Begins):
    """New objects of protons."""

    def __init__(
        self, guard: lane.Guard, actions: service.Service, observer: lane.Observer, record: lane.Record | None
    ) -> None:
        super().__init__(guard, observer, record)
        self._actions = actions

    def _serves(self, asked: Asked) -> bool:
        resource, headers = asked.place.resource, asked.headers
        return (
            isinstance(resource, registry.Resource)
            and not resource.former
            and lane.REQUEST_ID not in headers
            and resources.json_will_do(headers.get(b"accept"))
        )

    def _ready(self, asked: Asked) -> Begin | None:
        resource = asked.place.resource
        assert isinstance(resource, registry.Resource)
        body = answers.decoded(asked.body)
        if len(body) == 1 and resources.several(resource, body) is not None:
            return None
        context = self._actions.context(resource, asked.caller, asked.request_id)
        return partial(self._actions.begin, context, body, asked)

    def _answer_made(self, asked: Asked, result: object) -> bytes:
        assert isinstance(result, units.Result)
        asked.made(result.document, result.row[tables.REVISION])
        return result.document

    def _refusal(self, asked: Asked, error: Exception) -> message.Reply:
        return lane.failed(error, asked.headers, asked.request_id, modern=asked.place.modern)
