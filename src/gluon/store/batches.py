"""One batch after the other: lock, take who waits, read, decide, write, commit, answer.

In: the queue. Out: what became of each unit. One connection. Where the driver can do without the lock (`driver.Session.ahead`), the
next batch is decided while one is written, in the state that this one will leave. Invariant: nobody is answered before his batch is
durable, and nobody is told "not written" of what may be; what was decided ahead is thrown away unless all before it was written.
Run by `writer`.
"""

from __future__ import annotations

import asyncio
from time import monotonic

import structlog

from gluon import errors
from gluon.store import driver, stages
from gluon.store.attempt import Attempt, fail, unsettled
from gluon.store.deciding import Deciding, State, Waiting
from gluon.store.kept import Kept
from gluon.store.overlay import Plan
from gluon.store.recovery import PAUSES, SETTLED, Recovery

log = structlog.get_logger(__name__)

_MANY = 32
"""Units under way that are worth two batches: each costs what five of them do."""
_NEVER = 1 << 62


def _seen(reading: asyncio.Task[None]) -> None:
    """Nobody asks what became of it if it is put off."""
    if not reading.cancelled():
        reading.exception()


class Batches(Recovery):
    """All writes of one process, as `writer` gets them."""

    async def _turn(self) -> None:
        """One batch, whatever becomes of it."""
        attempt = self._attempt = self._next or Attempt()
        self._next = None
        try:
            await self._try(attempt)
        except Exception:  # our own mistake: these units fail, the writer lives on
            log.exception("batch failed")
            self._drop()
            self._stats.unknown += attempt.abandon(errors.GluonError("the store failed; see its log"))
            self._expire()
            await self._pause()
        self._attempt = None
        if self._queue.waived:  # who went first is answered before the others are decided
            await asyncio.sleep(0)

    async def _try(self, attempt: Attempt) -> None:
        batch = attempt.units
        try:
            await self._batch(attempt)
        except driver.Outrun:
            await self._outrun(batch)
        except driver.Busy as busy:
            log.info("batch put off", error=str(busy), units=len(batch))
            await self._again(batch)
        except driver.Violation as violation:
            await self._caught(batch, violation)
        except driver.Failed as failed:
            await self._failed(batch, failed)
        except driver.Lost as lost:
            self._drop()
            log.warning("database connection lost", error=str(lost), units=len(batch))
            await self._again(batch)

    async def _batch(self, attempt: Attempt) -> None:
        """Decide and write it, as far as that was not done while the one before was written."""
        began = locked = monotonic()
        if attempt.reading is not None:
            await attempt.reading
        if attempt.writing is None:
            session = await self._connected()
            if attempt.deciding is None:
                await session.lock()
                locked = monotonic()
                self._failures = 0
                attempt.units += self._take()  # while the lock was another's, more have come
                if attempt.units:
                    self._open(attempt, session, await session.state(len(attempt.units)))
            await self._decide(attempt, session)
        if attempt.writing is not None and not await self._written(attempt):
            return
        now = monotonic()
        self._stats.lock_wait.add(locked - began)
        self._stats.lock_hold.add(now - locked)
        if attempt.deciding is not None:
            self._answer(attempt.deciding)

    async def _decide(self, attempt: Attempt, session: driver.Session) -> None:
        """What is left of that, and send it."""
        deciding, catalog = attempt.deciding, self.catalog
        if deciding is None or catalog is None:
            await session.rollback()
            return
        if not attempt.decided:
            self._stats.rereads += await stages.decide(session, deciding, catalog.shape)
            attempt.plan = deciding.plan()
        if attempt.plan is None:
            deciding.done()
            await session.agree()
        else:
            self._send(attempt)

    def _send(self, attempt: Attempt) -> None:
        session, deciding, plan = attempt.session, attempt.deciding, attempt.plan
        if session is None or deciding is None or plan is None:
            raise errors.GluonError("a batch is sent that was not decided")
        deciding.done()
        attempt.sent = True
        writing = self._write(attempt, session, plan)
        attempt.writing = asyncio.get_running_loop().create_task(writing) if session.ahead else writing

    async def _write(self, attempt: Attempt, session: driver.Session, plan: Plan) -> None:
        """And send the next one before anybody is answered, but those who went first: the database is not to wait for that. That one
        may be written, too, before the writer goes on to it: then it is still the next one, and is not sent again."""
        await session.commit(plan, attempt.units[0].way)
        waiting = self._next is None and self._queue and self._attempt is attempt and not self._queue.waived
        if waiting and session.ahead and self._may_look_ahead(attempt):
            self._look_ahead(attempt)
        following = self._next
        if following is not None and following.plan is not None and not following.sent:
            self._send(following)

    async def _written(self, attempt: Attempt) -> bool:
        """Whether all is known. Else it was told otherwise."""
        writing, deciding = attempt.writing, attempt.deciding
        if writing is None or deciding is None:
            return False
        try:
            if isinstance(writing, asyncio.Task):
                await self._meanwhile(attempt, writing)
            await writing
        except driver.DriverError as error:
            self._put_off()
            self._kept = Kept()
            if not (isinstance(error, driver.Lost) and error.committing):
                attempt.sent = False
                raise
            self._drop()
            await self._settle(attempt.units, deciding)
            return False
        return True

    # -- the next one -------------------------------------------------------------------------

    async def _meanwhile(self, attempt: Attempt, writing: asyncio.Task[None]) -> None:
        """While a batch is written, the next one is decided as if it had been, once as many wait as are answered then: so
        neither this process nor the database waits for the other. It is sent when this one is written."""
        writing.add_done_callback(self._wake_up)
        try:
            await asyncio.sleep(0)  # it is sent first
            while not writing.done():
                self._about = max(self._about - 1, len(attempt.units) + len(self._queue))
                self._enough = (
                    self._about * 7 // 16 if self._next is None and self._about >= _MANY else _NEVER
                )
                enough = len(self._queue) >= self._enough or (self._queue.hurried and self._next is None)
                if enough and self._may_look_ahead(attempt):
                    self._look_ahead(attempt)
                self._wake.clear()
                await self._wake.wait()
        finally:
            self._enough = 0
            if not writing.done():
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)

    def _wake_up(self, _: object) -> None:
        self._wake.set()

    def _may_look_ahead(self, attempt: Attempt) -> bool:
        busy = self._closing or self._jobs or self._alone or not self._queue.even()
        deciding, catalog = attempt.deciding, self.catalog
        if busy or deciding is None or catalog is None:
            return False
        return deciding.epoch == catalog.epoch and not deciding.left

    def _look_ahead(self, attempt: Attempt) -> None:
        session, before = attempt.session, attempt.deciding
        if session is None or before is None:
            return
        following = Attempt(self._take())
        if not following.units:
            return
        try:
            self._open(following, session, before.after(session.clock()), before)
            deciding = following.deciding
            if isinstance(deciding, stages.InParts) or deciding is None:
                pass  # it is written in stages: its turn will come
            elif not deciding.wants and deciding.proceed():
                following.plan, following.decided = deciding.plan(), True
            elif not isinstance(before, stages.InParts) and self._scout.ready():
                reading = asyncio.get_running_loop().create_task(self._read_ahead(following, deciding))
                reading.add_done_callback(_seen)
                following.reading = reading
        except Exception:  # our own mistake: the one that is being written must not suffer
            log.exception("looking ahead failed")
            self._queue.put_back(following.units)
            return
        if following.deciding is not None:
            self._next = following

    async def _read_ahead(self, following: Attempt, deciding: Deciding) -> None:
        """And decide it. Rows are of before the batch under way or of after it, which is made up for; others that wrote are met when this
        one is sent. Raises `Outrun`."""
        catalog = self.catalog
        while catalog is not None:
            wanted = [(catalog.shape(table), columns, values) for table, columns, values in deciding.wanted()]
            found = await self._scout.lookups(wanted) if wanted else ()
            if following is not self._next and following is not self._attempt:
                return  # it was put off: its units are decided elsewhere
            for (shape, columns, values), rows in zip(wanted, found, strict=True):
                deciding.load(shape.name, columns, values, rows)
            if deciding.proceed():
                following.plan, following.decided = deciding.plan(), True
                self._stats.ahead += 1
                return
            self._stats.rereads += 1

    def _take(self) -> list[Waiting]:
        """The next batch; who gave up waiting is left out. Where one is decided while another is written, each has half."""
        if self._alone:
            one = self._alone.popleft()
            return [] if one.answer.done() else [one]
        most, halves = self._settings.max_units, False
        if self._session is not None and self._session.ahead:
            about = max(self._about, len(self._queue))
            halves = about >= _MANY
            most = min(most, -(-about // 2)) if halves else most
        batch = self._queue.take(most, halves=halves)
        self._stats.waiting = len(self._queue)
        return batch

    def _open(
        self, attempt: Attempt, session: driver.Session, state: State, before: Deciding | None = None
    ) -> None:
        """Begin to decide it, unless it is of other models than are served. `before`: what is written meanwhile."""
        batch, catalog = attempt.units, self.catalog
        if catalog is None or state.epoch != catalog.epoch:
            if not session.certain:
                raise driver.Outrun("the epoch may be another one by now")
            reason = "this process serves an older model" if catalog else "the schema was not installed"
            fail(batch, errors.StaleModel(reason))
            return
        if late := [one for one in batch if one.epoch not in (0, catalog.epoch)]:
            fail(late, errors.StaleModel("the models were replaced meanwhile"))
            batch[:] = [one for one in batch if one not in late]
            if not batch:
                return
        nul, kept, settings = self._database.dialect.nul, self._kept, self._settings
        attempt.session = session
        attempt.deciding = (
            stages.InParts(catalog, batch[0], state, settings, nul=nul, kept=kept)
            if stages.in_parts(batch)
            else Deciding(
                catalog,
                batch,
                state,
                settings,
                nul=nul,
                kept=kept,
                written=before.written() if before else None,
            )
        )

    def _answer(self, deciding: Deciding) -> None:
        stats = self._stats
        stats.batches += 1
        stats.batch_units.add(len(deciding.answers))
        stats.rows += deciding.rows - deciding.entries
        stats.entries += deciding.entries
        for one, outcome in deciding.answers:
            if isinstance(outcome, Exception):
                stats.rejected += 1
                fail((one,), outcome)
            else:
                stats.units += 1
                if not one.answer.done():
                    one.answer.set_result(outcome)
        self._queue.put_back(deciding.left)
        if self.told is not None:
            self.told(deciding.answers)

    async def _settle(self, batch: list[Waiting], deciding: Deciding) -> None:
        """The answer to COMMIT was lost. Under the lock, when that transaction has ended, the journal
        says whether it was committed. Where it follows a batch, it may not have begun: a network that was away brings it later, so
        the state that it follows must be gone by then."""
        mark, advance = deciding.mark(), self._database.dialect.advance
        deadline = max(min(one.since for one in batch) + self._settings.settling, monotonic() + SETTLED)
        while mark is not None and (left := deadline - monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    if self._session is None:
                        self._session = await self._database.session()
                    await self._session.lock()
                    rows = await self._session.fetch(
                        "SELECT n, request_id, who, at FROM journal WHERE revision = ? AND n = 0", mark[0]
                    )
                    there = any(tuple(row) == (0, mark[8], mark[7], mark[12]) for row in rows)
                    if not there:
                        await self._session.fetch(advance)
                    await self._session.rollback()
            except Exception as error:  # noqa: BLE001  # whatever it is, the next look may tell
                log.warning("outcome of a batch not settled yet", error=str(error) or type(error).__name__)
                self._drop()
                await asyncio.sleep(PAUSES[-1])
                continue
            self._stats.settled += 1
            if there:
                self._answer(deciding)
            else:
                await self._again(batch)
            return
        self._stats.unknown += unsettled(deciding)
        self._queue.put_back(deciding.left)
