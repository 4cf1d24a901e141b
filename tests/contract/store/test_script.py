"""The script of a model is what `install` runs: after it there is nothing left to do."""

import pytest

from gluon.model import loader, types
from gluon.particles import tables
from gluon.store import script
from tests.contract.store.conftest import Opener


@pytest.mark.parametrize("model", loader.load_shipped(), ids=lambda m: f"{m.name}-{m.version}")
async def test_the_script_leaves_nothing_to_install(url: str, opener: Opener, model: types.Model) -> None:
    store = await opener(url, wanted=())
    before = await store.install((), ())
    wanted = tables.tables_of([model])
    database = store._database
    connection = await database.installer()
    await connection.begin()
    for statement in script.statements(wanted, database.dialect.name):
        await connection.execute(statement)
    await connection.switch()
    await connection.commit()
    connection.kill()
    assert await store.install(wanted, ()) == before
