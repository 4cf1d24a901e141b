"""A change set that is undone after its model was changed says what it cannot bring back."""

from __future__ import annotations

from typing import Any

from gluon import store as stores
from gluon.arbiter import assign, ledger
from gluon.evolve.stored import stored
from gluon.particles import tables
from gluon.proton import service
from gluon.proton.changesets import engine
from tests.contract.evolve.test_usage import OTHERS, Shop, shop
from tests.unit.proton.parts import CALLER, Anyone, Nobody


async def _undo(here: Shop, changes: list[dict[str, Any]]) -> dict[str, Any]:
    """These changes are done, the attribute of boxes gets another name, and they are undone."""
    rules = Anyone()
    actions = service.Service(here.database, rules, ledger.Ledger(assign.Assigner(Nobody(), {})))
    sets = engine.ChangeSets(actions, here.database, rules, lambda: here.engine.known)
    who = engine.Who(CALLER, "r")
    done = await sets.change(who, {"changes": changes}, plan=False)
    await here.change(shop(here.model.name, None, "title"))
    return (await sets.undo(who, done.answer["id"], plan=False)).answer


async def test_an_attribute_that_is_there_no_more(url: str) -> None:
    database = stores.open(url, stores.Settings(references=False))
    try:
        model = shop("undone", None)
        await database.install((*OTHERS, *tables.tables_of([model])), [stored(model)])
        here = Shop(database, model)
        await here.engine.make("Box", "gone", name="n")
        await here.engine.make("Box", "changed", name="before")
        of_box = {"api": model.name, "type": "Box"}
        undone = await _undo(
            here,
            [
                {"op": "delete", **of_box, "key": "gone"},
                {"op": "update", **of_box, "key": "changed", "body": {"name": "after"}},
            ],
        )
        assert [(c["op"], c["key"]) for c in undone["changes"]] == [("create", "gone")]
        assert {(n["key"], n["attribute"]) for n in undone["not_undone"]} == {
            ("gone", "name"), ("changed", "name"),
        }  # fmt: skip
    finally:
        await database.close()
