"""Lists of ports, networks and subnets of both, with one order, one limit and one marker.

In: a GET of a collection. Out: one page. Where no order is asked for, Neutron's rows come first, then ours by id, so a marker says
which of the two goes on and no row is compared. Where one is, the two are merged (`merging`). What Neutron refuses it refuses in its own
words, and a page without rows of ours is Neutron's, byte for byte. Either one that cannot answer makes it 503: no list is shorter than
it should be. Called by `front`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from gluon import errors
from gluon.api import evened, lane, message
from gluon.api.neutron import routes
from gluon.api.passing import heads, merging, pages
from gluon.api.passing import query as asks
from gluon.api.passing.theirs import Answered, Theirs
from gluon.api.passing.whose import Owner, Whose
from gluon.neutron import asked as asking
from gluon.neutron.asker import Asker
from gluon.neutron.face import Face
from gluon.neutron.faults import Missing
from gluon.objects import codec

if TYPE_CHECKING:
    from gluon.api.passing.front import Front

KINDS = frozenset(routes.KNOWN)
_SCAN = 500
"""Rows of Neutron's that are looked through at once for the place of one of ours."""
_OK, _GONE = 200, 404


class Lists:
    """`refresh` loads models that others have replaced."""

    def __init__(
        self, face: Face, whose: Whose, theirs: Theirs, refresh: Callable[[], Awaitable[None]]
    ) -> None:
        self._face = face
        self._whose = whose
        self._theirs = theirs
        self._refresh = refresh

    async def answer(
        self, front: Front, kind: str, scope: lane.Scope, receive: lane.Receive, send: lane.Send
    ) -> None:
        query = asks.parse(scope["query_string"])
        if query is None or asks.only_theirs(kind, query.pairs):
            await front.pass_on(scope, receive, send)
            return
        try:
            caller = await front.turn(scope)
            asked = query.ours(routes.KNOWN[kind])
        except errors.GluonError:
            refused = await self._theirs.ask(scope, kind, query.theirs())
            if refused.status == _OK:
                raise
            await refused.send(send)
            return
        request_id = message.request_id()
        asker = self._face.asker(caller, request_id)
        one = _List(self._face, self._whose, self._theirs, kind, query, asked, asker, scope)
        await (await self._found(one, query, scope, kind)).send(send)

    async def _found(self, one: _List, query: asks.Query, scope: lane.Scope, kind: str) -> Answered:
        for last in (False, True):
            try:
                return await (one.merged() if query.keys else one.followed())
            except Missing:  # a marker that he may not see: nobody has it
                break
            except errors.StaleModel:
                if last:
                    raise
                await self._refresh()
        return await self._theirs.ask(scope, kind, query.theirs())


class _List:
    """One request."""

    def __init__(
        self,
        face: Face,
        whose: Whose,
        theirs: Theirs,
        kind: str,
        query: asks.Query,
        asked: asking.Asked | None,
        asker: Asker,
        scope: lane.Scope,
    ) -> None:
        self._face, self._whose, self._neutron = face, whose, theirs
        self._kind, self._query, self._asked, self._asker, self._scope = kind, query, asked, asker, scope

    # -- no order is asked for -----------------------------------------------------------------

    async def followed(self) -> Answered:
        """Neutron's, then ours."""
        query = self._query
        mine = query.marker is not None and await self._is_ours(query.marker)
        if query.reverse:
            if query.marker is not None and not mine:
                return await self._ask()
            return await self._backwards(query.limit or 0)
        if mine:
            found = await self._ours(limit=query.limit, marker=query.marker)
            return self._page(None, found)
        if query.limit is None:
            theirs, ours = await asyncio.gather(self._ask(), self._ours())
        else:
            theirs = await self._ask()
            left = query.limit - len(theirs.rows)
            if theirs.status != _OK or theirs.more or left <= 0:
                return theirs
            ours = await self._ours(limit=left)
        if theirs.status != _OK or theirs.more or not ours:
            return theirs
        return self._page(theirs, [*self._shown(theirs), *ours])

    async def _backwards(self, limit: int) -> Answered:
        """The page before one of ours, or the last."""
        query = self._query
        ours = await self._ours(limit=limit, marker=query.marker, reverse=True)
        if not ours and query.marker is None:
            return await self._ask()
        theirs = None
        if len(ours) < limit:
            more = [("limit", str(limit - len(ours)))]
            theirs = await self._ask(more, without=("limit", "marker"))
            if theirs.status != _OK:
                return theirs
        return self._page(theirs, [*(self._shown(theirs) if theirs else ()), *ours])

    def _shown(self, theirs: Answered) -> list[merging.Row]:
        return [merging.Row(pages.id_of(raw), False, (), raw) for raw in theirs.rows]

    # -- in an order ---------------------------------------------------------------------------

    async def merged(self) -> Answered:
        query, order = self._query, self._query.order
        ours = sorted(await self._ours(), key=order.key())
        if not ours and (query.marker is None or not await self._is_ours(query.marker)):
            return await self._ask()
        after, left = await self._places(order, ours)
        theirs = await self._sorted([("marker", after)] if after else [])
        if theirs.status == _GONE and after and after != query.marker:  # what a link names was deleted
            after = await self._before(order, ours, query.marker)
            theirs = await self._sorted([("marker", after)] if after else [])
        if theirs.status != _OK:
            return theirs
        rows = [self._row(raw) for raw in theirs.rows]
        while query.limit is None and theirs.more and rows:  # Neutron gives pages to who asks for none
            theirs = await self._sorted([("marker", rows[-1].id)])
            if theirs.status != _OK:
                return theirs
            rows += [self._row(raw) for raw in theirs.rows]
        if query.reverse:
            rows.reverse()
        page = merging.merged(order, rows, left, limit=query.limit, whole=not theirs.more)
        begun = pages.Begun(query.marker, query.beside, after)
        if query.reverse:
            page.reverse()
        return self._page(theirs, page, begun)

    async def _places(
        self, order: merging.Order, ours: list[merging.Row]
    ) -> tuple[str | None, list[merging.Row]]:
        """Neutron's marker, and what of ours comes after the marker."""
        query = self._query
        marker, beside = query.marker, query.beside
        if marker is None:
            return None, ours
        place = pages.after(ours, marker)
        if place is not None:
            return (await self._before(order, ours, marker) if beside is None else beside or None), place
        if beside is not None and (known := ours if not beside else pages.after(ours, beside)) is not None:
            return marker, known
        found = await self._marked(marker)
        if found is None:
            return marker, ours  # Neutron says that there is none
        return marker, [row for row in ours if order.before(found, row.values)]

    async def _marked(self, marker: str) -> merging.Values | None:
        """What a row of Neutron's is compared by, whatever is filtered by."""
        wanted = [("id", marker), *(("fields", name) for name, _ in self._query.order.whole)]
        found = await self._neutron.ask(self._scope, self._kind, asks.Query(raw=b"", pairs=()).theirs(wanted))
        return self._row(found.rows[0]).values if found.status == _OK and found.rows else None

    async def _before(
        self, order: merging.Order, ours: Sequence[merging.Row], marker: str | None
    ) -> str | None:
        """The last of Neutron's rows that come before one of ours: who writes the marker himself has not said it."""
        at = next(row.values for row in ours if row.id == marker)
        last: str | None = None
        while True:
            more = [("limit", str(_SCAN)), *([("marker", last)] if last else [])]
            found = await self._sorted(more, without=("limit",))
            if found.status != _OK:
                return last
            rows = [self._row(raw) for raw in found.rows]
            for row in reversed(rows) if self._query.reverse else rows:
                if order.before(at, row.values):
                    return last
                last = row.id
            if not found.more:
                return last

    async def _sorted(self, more: Sequence[tuple[str, str]], *, without: Sequence[str] = ()) -> Answered:
        """With all that is compared."""
        fields = self._query.fields
        needed = [name for name, _ in self._query.order.whole if fields and name not in fields]
        return await self._ask([*more, *(("fields", name) for name in needed)], without=("marker", *without))

    def _row(self, raw: msgspec.Raw) -> merging.Row:
        body = codec.decode(bytes(raw))
        fields = self._query.fields
        if fields:
            kept = {name: value for name, value in body.items() if name in fields}
            raw = msgspec.Raw(codec.encode(kept))
        return merging.Row(body["id"], False, self._query.order.values(body), raw)

    # -- both ----------------------------------------------------------------------------------

    async def _ask(self, more: Sequence[tuple[str, str]] = (), *, without: Sequence[str] = ()) -> Answered:
        query = self._query.theirs(more, without=without)
        return await self._neutron.ask(self._scope, self._kind, query, reverse=self._query.reverse)

    async def _ours(
        self, *, limit: int | None = None, marker: str | None = None, reverse: bool = False
    ) -> list[merging.Row]:
        if self._asked is None:
            return []
        asked = msgspec.structs.replace(self._asked, fields=(), limit=limit, marker=marker, reverse=reverse)
        face = self._face
        read = {
            "ports": face.ports.page,
            "networks": face.networks.page,
            "subnets": face.networks.subnet_page,
        }[self._kind]
        began = evened.now()
        found = (await read(self._asker, asked)).bodies
        if asked.filters and not self._asker.serves:
            await evened.tick(began)  # rows that others have are read as well, and then left out
        return [self._of_body(body) for body in found]

    def _of_body(self, body: dict[str, Any]) -> merging.Row:
        assert self._asked is not None
        shown = msgspec.Raw(codec.encode(asking.chosen(self._asked, body)))
        return merging.Row(body["id"], True, self._query.order.values(body), shown)

    async def _is_ours(self, marker: str) -> bool:
        async def known() -> Any:
            return self._asker.caller

        owner = await self._whose.of(self._kind, marker, known)
        if owner is Owner.UNKNOWN:
            raise errors.Unavailable("whose the marker is cannot be said now")
        return owner is Owner.GLUON

    def _page(
        self, theirs: Answered | None, rows: Sequence[merging.Row], begun: pages.Begun | None = None
    ) -> Answered:
        more = theirs is not None and theirs.more
        links = pages.links(heads.place(self._scope), self._query, rows, begun, more=more)
        body = pages.encoded(self._kind, rows, links)
        kept = [] if theirs is None else [p for p in theirs.headers if p[0] not in pages.OF_THE_BODY]
        sent = [
            *heads.of_answer(kept),
            (b"content-type", message.JSON),
            (b"content-length", b"%d" % len(body)),
        ]
        if theirs is None:
            sent.append((lane.REQUEST_ID, self._asker.request_id.encode()))
        return Answered(status=_OK, headers=sent, body=body, rows=[], more=False)
