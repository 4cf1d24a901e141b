"""A small world for watching: things that belong to projects, a database of them, and a client that replays what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from gluon import errors, store
from gluon.objects import codec, journal, keys
from gluon.spi import store as spi_store
from gluon.spi import tables
from gluon.watch import feed, interest, kinds, tokens, told

API = "t"
THING = "Thing"
TABLE = tables.Table(
    name="thing",
    columns=(
        tables.Column(name="id", type=tables.ColumnType.TEXT, length=64, nullable=False),
        tables.Column(name="owner", type=tables.ColumnType.TEXT),
        tables.Column(name="name", type=tables.ColumnType.TEXT),
        tables.Column(name="number", type=tables.ColumnType.INTEGER),
    ),
    key=("id",),
)

Thing = Mapping[str, Any]


def thing(key: str, owner: str | None = None, name: str = "", number: int = 0) -> dict[str, Any]:
    return {"id": key, "owner": owner, "name": name, "number": number}


@dataclass(frozen=True)
class Write:
    """A unit: things by key as they will be, None: gone; `status`: keys of things that something is reported of."""

    things: Mapping[str, Thing | None]
    status: Sequence[str] = ()
    who = "test"
    request_id = ""

    @property
    def reads(self) -> Sequence[spi_store.Lookup]:
        return [spi_store.Lookup("thing", ("id",), (key,)) for key in self.things]

    def decide(self, view: spi_store.View) -> spi_store.Changes:
        changes = spi_store.Changes()
        for key, after in self.things.items():
            before = view.get("thing", key)
            if after is None and before is None:
                continue
            op = journal.Operation.UPDATE
            if before is None:
                op = journal.Operation.CREATE
            if after is None:
                op = journal.Operation.DELETE
                changes.delete("thing", key)
            else:
                changes.put("thing", dict(after))
            owner = (after or before or {})["owner"]
            changes.entries.append(
                journal.Draft(
                    op=op, api=API, type=THING, key=key, project=None if owner is None else str(owner), intent=True,
                    old=None if before is None else codec.encode(before),
                    new=None if after is None else codec.encode(after),
                )
            )  # fmt: skip
        for key in self.status:
            path = "/".join(map(keys.segment, (API, THING, key, "fake", "*")))
            changes.entries.append(
                journal.Draft(
                    op=journal.Operation.UPDATE, api=journal.GLUON, type="Status", key=path, project=None,
                    intent=False, old=None, new=b"{}",
                )
            )  # fmt: skip
        return changes


def made_kind() -> kinds.Kind:
    return kinds.Kind(
        api=API, name=THING, plural="things", version="1", project_of=lambda body: body["owner"]
    )


@dataclass
class Kinds:
    """`watch.kinds.Kinds` with one type."""

    database: store.SqlStore
    models: str = "00"
    rules: object = None
    kind: kinds.Kind = field(default_factory=made_kind)

    def find(self, api: str, name: str) -> kinds.Kind | None:
        return self.kind if (api, name) == (API, THING) else None

    def all(self) -> Sequence[kinds.Kind]:
        return [self.kind]

    async def renew(self) -> None:
        return

    async def words(self, kind: kinds.Kind, objects: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        return [None] * len(objects)

    async def present(self, kind: kinds.Kind, found: Sequence[str]) -> Mapping[str, kinds.Present]:
        rows = {key: await self.database.get("thing", key) for key in found}
        return {
            key: kinds.Present(codec.encode(row), None if row["owner"] is None else str(row["owner"]))
            for key, row in rows.items()
            if row is not None
        }

    def replace(self) -> None:
        self.models = f"{int(self.models, 16) + 1:02x}"
        self.kind = made_kind()


@dataclass
class World:
    database: store.SqlStore
    kinds: Kinds
    feed: feed.Feed

    async def write(self, *things: Thing, gone: Sequence[str] = (), status: Sequence[str] = ()) -> int:
        wanted: dict[str, Thing | None] = {str(one["id"]): one for one in things}
        wanted |= dict.fromkeys(gone)
        done = await self.database.submit(Write(wanted, status))
        self.feed.notify()
        return done.revision

    async def list(self, view: interest.View) -> tuple[dict[str, Any], str]:
        """What is in sight, and the token of before."""
        token = await self.feed.now()
        rows = await self.database.select(spi_store.Select(table="thing"))
        return {str(row["id"]): dict(row) for row in rows if sees(view, row)}, token

    def watch(
        self, view: interest.View | None = None, *, everything: bool = False, ruled: bool = False
    ) -> interest.Interest:
        seen = view or interest.View()
        only = None if everything else self.kinds.kind
        return interest.Interest(told.LINES, lambda _: seen, only=only, ruled=ruled)


def sees(view: interest.View, row: Thing) -> bool:
    inside = view.projects is None or row["owner"] in view.projects
    return inside and (view.matches is None or view.matches(row))


@dataclass
class Client:
    """Lists, then watches, and replays; when cut off it goes on from its token, or lists again where that is refused."""

    world: World
    view: interest.View = field(default_factory=interest.View)
    state: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    everything: bool = False
    ruled: bool = False
    lists: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            if not self.token:
                self.state, self.token = await self.world.list(self.view)
                self.lists += 1
            try:
                watcher = await self.world.feed.open(
                    self.world.watch(self.view, everything=self.everything, ruled=self.ruled),
                    tokens.parse(self.token),
                )
            except errors.StaleModel:
                continue
            except errors.Expired:
                self.token = ""
                continue
            try:
                async with aclosing(self.world.feed.chunks(watcher)) as chunks:
                    async for chunk in chunks:
                        for line in chunk.splitlines():
                            self.take(json.loads(line))
            finally:
                self.world.feed.close(watcher)

    def take(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self.token = event.get("resume", "")
        if event["type"] in ("ADDED", "MODIFIED"):
            self.state[event["key"]] = event["object"]
        elif event["type"] == "DELETED":
            self.state.pop(event["key"], None)

    async def until(self, revision: int, *, limit: float = 20.0) -> None:
        """Until all up to this revision is known, or would be told at once."""
        async with asyncio.timeout(limit):
            while not self.token or int(self.token.split(".")[1]) < revision:
                await asyncio.sleep(0.01)

    async def agrees(self, *, limit: float = 20.0) -> None:
        async with asyncio.timeout(limit):
            while self.state != (await self.world.list(self.view))[0]:
                await asyncio.sleep(0.01)
