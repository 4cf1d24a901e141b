"""Random change sets against a plain reference: all or nothing, a plan comes true, an undo brings everything back."""

from __future__ import annotations

import asyncio
import copy
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from gluon import errors
from gluon.arbiter import assign, ledger
from gluon.model import types
from gluon.objects import codec
from gluon.proton import service
from gluon.proton.changesets import engine as sets
from gluon.spi import policy, store
from gluon.store import deciding, overlay
from tests.effort import examples
from tests.unit.proton import parts, test_graph
from tests.unit.proton.test_graph import PLANTED, Plain, Step, deletes, targets, writes

OPS = {"make": "create", "put": "update", "delete": "delete"}
CALLER = policy.Caller(user="u", project=parts.PROJECT)


def change_sets(running: parts.Engine) -> sets.ChangeSets:
    actions = service.Service(
        running.database, running.rules, ledger.Ledger(assign.Assigner(parts.Nobody(), {}))
    )
    return sets.ChangeSets(actions, running.database, running.rules, lambda: running.known)


def who(caller: policy.Caller = CALLER) -> sets.Who:
    return sets.Who(caller, "req-1")


# -- the reference ----------------------------------------------------------------------------


def made_here(steps: list[Step]) -> dict[tuple[str, str], int]:
    return {(kind, key): n for n, (what, kind, key, *_) in enumerate(steps) if what == "make"}


def uses(steps: list[Step], n: int) -> set[int]:
    """Numbers of the changes that make what this one refers to."""
    _, kind, _, *body = steps[n]
    made = made_here(steps)
    kinds = {name: target for owner, name, target, _ in test_graph.REFERENCES if owner == kind}
    named = [
        (kinds[name], key) for name, value in (body[0] if body else {}).items() for key in targets(value)
    ]
    return {made[one] for one in named if one in made}


def expected(before: Plain, steps: list[Step]) -> Plain | None:
    """The state after the change set, None: it is refused."""
    if len(made_here(steps)) < sum(1 for step in steps if step[0] == "make"):
        return None
    order: list[int] = []
    while len(order) < len(steps):
        ready = [n for n in range(len(steps)) if n not in order and uses(steps, n) <= set(order)]
        if not ready:
            return None
        order.append(ready[0])
    turned = [steps[n] for n in order]
    places = [n for n, step in enumerate(turned) if step[0] == "delete"]
    left = [turned[n] for n in places]
    if len({step[1:] for step in left}) == len(left):
        for place in places:
            free = [one for one in left if not _referred(before, one, left)]
            if not free:
                break
            turned[place] = free[0]
            left.remove(free[0])
        for place, one in zip(places[len(places) - len(left) :], left, strict=True):
            turned[place] = one
    after = copy.deepcopy(before)
    return after if all(getattr(after, step[0])(*step[1:]) for step in turned) else None


def _referred(plain: Plain, one: Step, left: list[Step]) -> bool:
    """Whether another object that is still to be deleted refers to this one."""
    others = {step[1:] for step in left} - {one[1:]}
    return any(owner in others for owner, _, _ in plain._referring((one[1], one[2])))


# -- the engine -------------------------------------------------------------------------------


def request(steps: list[Step]) -> dict[str, Any]:
    """What is made here is called by a name."""
    made = made_here(steps)

    def named(target: str, value: Any) -> Any:
        if isinstance(value, list):
            return [named(target, item) for item in value]
        if isinstance(value, dict):
            return {name: named(target, item) for name, item in value.items()}
        return {"$ref": f"{target}{value}"} if (target, value) in made else value

    changes = []
    for what, kind, key, *body in steps:
        change: dict[str, Any] = {"op": OPS[what], "api": parts.API, "type": kind}
        if body:
            kinds = {name: target for owner, name, target, _ in test_graph.REFERENCES if owner == kind}
            change["body"] = {name: named(kinds[name], value) for name, value in body[0].items()}
        if what == "make":
            change["as"] = f"{kind}{key}"
            change["body"] |= {"id": key, "project_id": parts.PROJECT}
        else:
            change["key"] = key
        changes.append(change)
    return {"changes": changes}


async def shown(running: parts.Engine) -> Mapping[tuple[str, str], dict[str, Any]]:
    return {
        node: {n: v for n, v in body.items() if n not in ("created_at", "updated_at")}
        for node, body in (await running.state()).items()
    }


async def play(several: list[tuple[list[Step], bool, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with parts.engine(Path(folder), test_graph.GRAPH) as running:
            plain, made = Plain(), change_sets(running)
            for step in PLANTED:
                assert await test_graph.take(running, step) == getattr(plain, step[0])(*step[1:])
            for steps, planned, undone in several:
                plain = await one(running, made, plain, steps, planned=planned, undone=undone)
            await parts.settled(running)


async def one(
    running: parts.Engine,
    made: sets.ChangeSets,
    plain: Plain,
    steps: list[Step],
    *,
    planned: bool,
    undone: bool,
) -> Plain:
    after, before = expected(plain, steps), await shown(running)
    journal = (await running.database.position()).revision
    try:
        done = await made.change(who(), request(steps), plan=planned)
    except errors.Rejected:
        assert after is None, steps
        assert await shown(running) == before
        assert (await running.database.position()).revision == journal
        return plain
    assert after is not None, steps
    if planned:
        assert await shown(running) == before
        plan, done = done, await made.apply(who(), done.answer["id"])
        assert plain_answer(plan) == plain_answer(done)
        assert (await made.apply(who(), done.answer["id"])).answer == done.answer
    there = await shown(running)
    for node, body in there.items():
        assert {name: body[name] for name in after.nodes.get(node, {})} == after.nodes.get(node), steps
    assert there.keys() == after.nodes.keys()
    assert len(await running.database.entry(done.revision)) == sum(done.answer["counts"].values())
    if not undone or not any(done.answer["counts"].values()):
        return after
    back = await made.undo(who(), done.answer["id"], plan=False)
    assert await shown(running) == before, steps
    again = await made.undo(who(), back.answer["id"], plan=False)
    assert await shown(running) == there, steps
    created = {(line["type"], line["key"]) for line in done.answer["changes"] if line["op"] == "create"}
    if created & there.keys():  # what is gone again is as the change set has left it
        with pytest.raises(errors.Conflict):
            await made.undo(who(), done.answer["id"], plan=False)
    assert again.answer["undoes"] == back.answer["id"]
    return after


def plain_answer(outcome: sets.Outcome) -> list[Any]:
    answer, stamps = outcome.answer, ("created_at", "updated_at")

    def plain(body: Mapping[str, Any] | None) -> Any:
        return None if body is None else {n: v for n, v in body.items() if n not in stamps}

    return [
        [
            *(line.get(k) for k in ("change", "op", "type", "key", "reason")),
            plain(line["old"]),
            plain(line["body"]),
        ]
        for line in (*answer["changes"], *answer["consequences"])
    ]


@settings(max_examples=examples(25), deadline=None)
@given(
    strategies.lists(
        strategies.tuples(
            strategies.lists(writes | deletes, min_size=1, max_size=4),
            strategies.booleans(),
            strategies.booleans(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_change_set_does_what_its_changes_do(several: list[tuple[list[Step], bool, bool]]) -> None:
    asyncio.run(play(several))


# -- whose it is ------------------------------------------------------------------------------


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[parts.Engine]:
    async with parts.engine(tmp_path, test_graph.GRAPH) as found:
        yield found


def create(key: str, **body: Any) -> dict[str, Any]:
    return {"op": "create", "api": parts.API, "type": "A", "body": {"id": key, **body}}


class Own:
    """Everybody sees and changes what is of his project; `secret`: an attribute that nobody but admins reads."""

    guards = True
    secret = "soft"

    def of(self, api: str, object_type: str) -> Own:
        return self

    def allows(self, action: str, caller: policy.Caller, target: policy.Target) -> bool:
        return target.get("project_id") == caller.project

    def listed(self, caller: policy.Caller) -> policy.Scope:
        return policy.Scope.OWN

    def lists(self, caller: policy.Caller, target: policy.Target) -> bool:
        return self.allows("list", caller, target)

    def hidden(self, caller: policy.Caller, target: policy.Target) -> frozenset[str]:
        return frozenset({self.secret})

    def readable(self, attribute: str, caller: policy.Caller) -> policy.Scope:
        return policy.Scope.OWN

    def scope(self, action: str, caller: policy.Caller, attribute: str = "") -> policy.Scope:
        return policy.Scope.OWN

    def ruled(self, action: str) -> frozenset[str]:
        return frozenset({self.secret})

    def own(self, caller: policy.Caller) -> None:
        """Each object has to be asked about."""

    def refused(
        self, action: str, attributes: Any, caller: policy.Caller, target: policy.Target
    ) -> frozenset[str]:
        return frozenset(attributes) & {self.secret}


async def test_to_others_a_change_set_is_missing(running: parts.Engine) -> None:
    running.rules = Own()  # type: ignore[assignment]
    made = change_sets(running)
    done = await made.change(who(), {"changes": [create("a1")]}, plan=False)
    plan = await made.change(who(), {"changes": [create("a2")]}, plan=True)
    other, boss = policy.Caller(user="v", project="p2"), policy.Caller(user="root", admin=True)
    nobody = policy.Caller(user="w")
    for caller in (other, nobody):
        for name in (done.answer["id"], plan.answer["id"]):
            with pytest.raises(errors.NotFound):
                await made.show(caller, name)
            with pytest.raises(errors.NotFound):
                await made.apply(who(caller), name)
            with pytest.raises(errors.NotFound):
                await made.undo(who(caller), name, plan=True)
        assert await made.page(caller, [], 10, None) == {"changesets": []}
        theirs = store.Filter(column="project", match=store.Match.EQUAL, values=(parts.PROJECT,))
        assert await made.page(caller, [theirs], 10, None) == {"changesets": []}
    with pytest.raises(errors.Invalid):
        await made.page(other, [], 10, done.answer["id"])
    assert [one["id"] for one in (await made.page(boss, [], 10, None))["changesets"]] == [done.answer["id"]]
    foreign = {"op": "delete", "api": parts.API, "type": "A", "key": "a1"}
    missing = {**foreign, "key": "a9"}
    told = []
    for change in (foreign, missing):
        with pytest.raises(errors.NotFound) as caught:
            await made.change(who(other), {"changes": [change]}, plan=True)
        told.append((str(caught.value).replace("a9", "a1"), caught.value.problems[0].pointer))
    assert told[0] == told[1]
    with pytest.raises(errors.Invalid) as dangling:
        await made.change(who(other), {"changes": [create("a3", up="a1")]}, plan=False)
    assert dangling.value.problems[0].code == "reference"
    with pytest.raises(errors.Forbidden):
        await made.change(who(other), {"changes": [create("a4", project_id=parts.PROJECT)]}, plan=False)
    with pytest.raises(errors.Forbidden) as refused:
        await made.change(who(), {"changes": [create("a5"), create("a6", soft="c1")]}, plan=False)
    assert refused.value.problems[0].pointer.startswith("/changes/1")
    assert "a5" not in {key for _, key in await running.state()}


async def test_history_shows_nobody_what_he_may_not_read(running: parts.Engine) -> None:
    running.rules = Own()  # type: ignore[assignment]
    made = change_sets(running)
    boss = policy.Caller(user="root", project=parts.PROJECT, admin=True)
    other = {**create("b1", project_id="p2")}
    done = await made.change(who(boss), {"changes": [create("a1", soft=None), other]}, plan=False)
    assert "soft" in done.answer["changes"][0]["body"] and len(done.answer["changes"]) == 2
    seen = await made.show(CALLER, done.answer["id"])
    assert seen["withheld"] == 1 and [one["key"] for one in seen["changes"]] == ["a1"]
    assert "soft" not in seen["changes"][0]["body"] and not re.search(r"\bb1\b", codec.encode(seen).decode())
    with pytest.raises(errors.Forbidden):
        await made.undo(who(), done.answer["id"], plan=True)


async def test_history_outlives_the_journal(running: parts.Engine) -> None:
    made = change_sets(running)
    done = await made.change(who(), {"changes": [create("a1")]}, plan=False)
    await made.change(who(), {"changes": [create("a2")]}, plan=False)
    await running.database.trim(below=1 << 60, keep_seconds=0, keep_rows=0)
    assert not await running.database.entry(done.revision)
    assert (await made.show(CALLER, done.answer["id"]))["changes"] == done.answer["changes"]
    back = await made.undo(who(), done.answer["id"], plan=False)
    assert back.answer["changes"][0]["op"] == "delete"


POOLED = parts.model(
    parts.object_type(
        "P",
        parts.attribute("n", parts.T.INTEGER, pool=types.PoolUse(name="numbers")),
        parts.many("some", parts.reference("some", "P", "unset")),
        unique=(types.Unique(attributes=("n",)),),
    ),
    pools={"numbers": types.Pool(name="numbers", type=parts.T.INTEGER, ranges=("1-10000",))},
)


async def test_values_of_pools_cost_no_round_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    look_ahead = deciding.Deciding._look_ahead

    def counted(self: deciding.Deciding, missing: overlay.NotLoaded) -> None:
        rounds.append(len(missing.lookups))
        look_ahead(self, missing)

    monkeypatch.setattr(deciding.Deciding, "_look_ahead", counted)
    async with parts.engine(tmp_path, POOLED) as running:
        made = change_sets(running)
        changes = [
            {"op": "create", "api": parts.API, "type": "P", "body": {"id": f"p{n}"}} for n in range(100)
        ]
        done = await made.change(who(), {"changes": changes}, plan=False)
        assert sorted(one["value"] for one in done.answer["allocations"]) == list(range(1, 101))
        assert len(rounds) < 8, rounds
        with pytest.raises(errors.Conflict):
            await made.change(who(), {"changes": [{**changes[0], "body": {"id": "q", "n": 5}}]}, plan=False)
