"""New ports of the Neutron face without a task, as `api.posts` has it for objects of protons.

In: a POST of one port in a network that is known. Out: its unit in the store's queue, then the answer. What is refused as
missing is left to the long way, which tells a foreign network from none by nothing.
"""

from __future__ import annotations

from functools import partial

from gluon import errors
from gluon.api import errors as problems
from gluon.api import lane, message, posts
from gluon.api.neutron import answers
from gluon.neutron import quick
from gluon.neutron.face import Face
from gluon.spi import context, store


class Posts(posts.Begins):
    """`queue`: the store's own."""

    def __init__(
        self,
        guard: lane.Guard,
        face: Face,
        queue: store.Queue,
        observer: lane.Observer,
        record: lane.Record | None,
    ) -> None:
        super().__init__(guard, observer, record)
        self._face, self._queue = face, queue

    def _serves(self, asked: posts.Asked) -> bool:
        return True

    def _ready(self, asked: posts.Asked) -> posts.Begin | None:
        body = problems.decoded(asked.body)
        port = body.get("port")
        if len(body) != 1 or type(port) is not dict:
            return None
        asker = self._face.asker(asked.caller, asked.request_id)
        unit = self._face.writing.quick.unit(asker, port)
        if unit is None:
            return None
        return partial(self._queue.hand, unit, asked.caller.project or "", asked)

    def _answer_made(self, asked: posts.Asked, result: object) -> bytes:
        assert isinstance(result, quick.Made)
        document = b'{"port":%s}' % result.document()
        asked.told(message.Reply(201, document))
        return document

    def _refusal(self, asked: posts.Asked, error: Exception) -> message.Reply | None:
        if isinstance(error, errors.NotFound):
            return None
        if not isinstance(error, errors.Rejected):
            lane.failed(error, asked.headers, asked.request_id)
        return answers.refused(error, asked.headers, asked.request_id)

    def _tell(self, asked: posts.Asked, status: int, body: bytes | None) -> None:
        if lane.REQUEST_ID not in asked.headers:
            super()._tell(asked, status, body)
            return
        before = context.GLOBAL.set("")  # the id that a service gave
        try:
            message.note_global(asked.headers[lane.REQUEST_ID], asked.caller)
            super()._tell(asked, status, body)
        finally:
            context.GLOBAL.reset(before)
