"""Who may do what is judged by the stored object, never by the body: the original's takeover, on its way in.

The server of this slice admits only admins; the engine below it is asked here as members would ask it.
"""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gluon import errors, store
from gluon.arbiter import assign, ledger
from gluon.arbiter import tables as arbiter_tables
from gluon.model import loader
from gluon.objects.status import Registration
from gluon.particles import tables
from gluon.policy import engine
from gluon.proton import registry, service, units
from gluon.proton import tables as proton_tables
from gluon.spi.policy import Caller


class Nobody:
    def current(self) -> tuple[Registration, ...]:
        return ()


class Member:
    """A project's user of net-l3vpn."""

    def __init__(self, actions: service.Service, known: registry.Registry) -> None:
        self.project = str(uuid.uuid4())
        self._actions, self._known = actions, known
        self._caller = Caller(user="m", project=self.project, roles=frozenset(), admin=False)

    def context(self, kind: str) -> units.Context:
        return self._actions.context(self._known.by_name["net-l3vpn", kind], self._caller, "req-1")

    async def make(self, **more: Any) -> str:
        body = {"tenant_id": self.project, "name": "blue", **more}
        made = await self._actions.create(self.context("VpnService"), body)
        return str(made.row["id"])

    async def put(self, key: str, **body: Any) -> None:
        await self._actions.update(self.context("VpnService"), key, body)

    async def delete(self, key: str) -> None:
        await self._actions.delete(self.context("VpnService"), key)

    async def get(self, key: str) -> units.Result:
        return await self._actions.get(self.context("VpnService"), key)

    async def names(self) -> list[str]:
        return [str(body["id"]) for body in await self._actions.list(self.context("VpnService"))]


@pytest.fixture
async def members(tmp_path: Path) -> AsyncIterator[tuple[Member, Member]]:
    models = loader.load_catalog()
    database = store.open(f"sqlite:///{tmp_path / 'db'}")
    try:
        installed = (*arbiter_tables.TABLES, *proton_tables.TABLES, *tables.tables_of(models))
        await database.install(installed, [])
        known = registry.Registry(models)
        rules = ledger.Ledger(assign.Assigner(Nobody(), {}))
        actions = service.Service(database, engine.Engine(models), rules)
        yield Member(actions, known), Member(actions, known)
    finally:
        await database.close()


async def test_nobody_takes_an_object_over_by_writing_its_project(members: tuple[Member, Member]) -> None:
    owner, thief = members
    key = await owner.make()
    for body in ({"tenant_id": thief.project}, {"name": "x"}, {"tenant_id": owner.project}, {}):
        with pytest.raises(errors.NotFound):
            await thief.put(key, **body)
    with pytest.raises(errors.NotFound):
        await thief.delete(key)
    with pytest.raises(errors.NotFound):
        await thief.get(key)
    assert await thief.names() == []
    assert (await owner.get(key)).row["name"] == "blue"


async def test_an_owner_need_not_repeat_the_project_and_cannot_give_it_away(
    members: tuple[Member, Member],
) -> None:
    owner, other = members
    key = await owner.make()
    await owner.put(key, name="green")
    await owner.put(key, tenant_id=uuid.UUID(owner.project).hex.upper())
    with pytest.raises(errors.Forbidden):
        await owner.put(key, tenant_id=other.project)
    with pytest.raises(errors.Forbidden):
        await owner.make(tenant_id=other.project)
    assert await owner.names() == [key]
    await owner.delete(key)


async def test_a_foreign_object_is_refused_like_a_missing_one(members: tuple[Member, Member]) -> None:
    owner, other = members
    foreign, missing = await owner.make(), str(uuid.uuid4())
    said = []
    for key in (foreign, missing):
        with pytest.raises(errors.NotFound) as caught:
            await other.get(key)
        said.append(str(caught.value).replace(key, "KEY"))
    assert said[0] == said[1]
