"""The engine asks the policy: in lists as `oslo.policy` would of each row, and before code of others runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oslo_policy import _checks, _parser

from gluon import errors, store
from gluon.arbiter import assign, ledger
from gluon.arbiter import tables as arbiter_tables
from gluon.model import types
from gluon.objects import codec
from gluon.particles import tables
from gluon.policy import engine
from gluon.policy.rulebook import Source
from gluon.proton import query, registry, service, units
from gluon.proton import tables as proton_tables
from gluon.spi import hooks
from gluon.spi.policy import Caller
from tests.effort import examples
from tests.unit.proton.parts import API, Nobody, attribute, many, model, object_type, reference

ACTIONS = ("create", "get", "list", "update", "delete", "poke")
OWNER = dict.fromkeys(ACTIONS, "rule:admin_or_owner")
ME = Caller(user="me", project="p", roles=frozenset({"member"}))
OTHER = Caller(user="other", project="q", roles=frozenset({"member"}))
ROOT = Caller(user="root", roles=frozenset({"admin"}), admin=True)


class Counting:
    """A store that counts what it is asked."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in ("get", "select", "count", "submit"):
            self.asked.append(name)
        return getattr(self.inner, name)


class World:
    def __init__(self, database: Counting, known: registry.Registry, rules: engine.Engine) -> None:
        self.database, self.rules = database, rules
        self._known = known
        made: Any = database
        self.actions = service.Service(made, rules, ledger.Ledger(assign.Assigner(Nobody(), {})))

    def context(self, who: Caller, kind: str = "Box") -> units.Context:
        return self.actions.context(self._known.by_name[API, kind], who, "req-1")

    async def make(self, who: Caller, key: str, **body: Any) -> None:
        await self.actions.create(self.context(who), {"id": key, **body})

    async def keys(self, who: Caller, *words: tuple[str, str]) -> tuple[list[str], int | None]:
        """What pages of two show, and the count of the last."""
        context, found, marker = self.context(who), [], None
        while True:
            more: list[tuple[str, str]] = [] if marker is None else [("marker", marker)]
            asked = query.parse(context.resource, [*words, ("limit", "2"), ("count", "true"), *more])
            page = await self.actions.page(context, asked)
            shown = codec.decode(page.documents or b"[]") or page.rows
            found += [str(one["id"]) for one in shown]
            if not page.more:
                return found, page.count
            assert len(shown) == 2
            marker = found[-1]


@asynccontextmanager
async def world(folder: Path, *kinds: types.ObjectType, **codes: Any) -> AsyncIterator[World]:
    wanted = model(*kinds)
    database = Counting(store.open(f"sqlite:///{folder / 'db'}"))
    try:
        installed = (*arbiter_tables.TABLES, *proton_tables.TABLES, *tables.tables_of([wanted]))
        await database.inner.install(installed, [])
        yield World(database, registry.Registry([wanted], codes), engine.Engine([wanted]))
    finally:
        await database.inner.close()


BOX = object_type("Box", attribute("name"), attribute("colour"), policies=OWNER)

check = st.sampled_from([
    "role:member", "role:admin", "project_id:%(project_id)s", "tenant_id:%(tenant_id)s", "project_id:%(name)s",
    "'red':%(colour)s", "user_id:%(name)s", "@", "!", "rule:owner", "rule:context_is_admin", "project_id:q",
])  # fmt: skip
rule = st.recursive(
    check,
    lambda r: st.one_of(
        st.builds("({})".format, r),
        st.builds("not {}".format, st.one_of(check, st.builds("({})".format, r))),
        st.builds("{} and {}".format, r, r),
        st.builds("{} or {}".format, r, r),
    ),
    max_leaves=6,
)
SHELF = [
    {"id": f"k{n}", "project_id": project, "name": name, "colour": colour}
    for n, (project, name, colour) in enumerate(
        (project, name, colour)
        for project in ("p", "q", None)
        for name in ("p", "me", None)
        for colour in ("red", "blue")
    )
]
CALLERS = (ME, OTHER, Caller(user="x", project="r"), Caller(user="y"), ROOT)


ENFORCER: Any = SimpleNamespace(
    rules={
        name: _parser.parse_rule(of)
        for name, of in {"owner": "project_id:%(project_id)s", "context_is_admin": "role:admin"}.items()
    }
)


def theirs(text: str, who: Caller, body: dict[str, Any]) -> bool:
    """What `oslo.policy` says of reading an object; what is of no project is the caller's own, null equals nothing."""

    project = body["project_id"] if body["project_id"] is not None else who.project
    found = {**body, "project_id": project, "tenant_id": project}
    target = {name: value for name, value in found.items() if value is not None}
    creds = {"user_id": who.user, "roles": list(who.roles), "is_admin": who.admin}
    if who.project is not None:
        creds |= {"project_id": who.project, "tenant_id": who.project}
    return bool(_checks._check(_parser.parse_rule(text), target, creds, ENFORCER, "r"))


def test_lists_counts_and_pages_have_what_oslo_policy_says_of_each_row(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        made = world(tmp_path, BOX)
        running = runner.run(made.__aenter__())
        try:
            for body in SHELF:
                runner.run(
                    running.make(ROOT, body["id"] or "", **{k: v for k, v in body.items() if k != "id"})
                )

            @settings(max_examples=examples(30), deadline=None)
            @given(rule, rule, st.sampled_from([(), (("sort_key", "name"),), (("colour", "red"),)]))
            def one(lists: str, gets: str, words: tuple[tuple[str, str], ...]) -> None:
                override = {
                    "graph:list_box": Source(rule=lists, place="l"),
                    "graph:get_box": Source(rule=gets, place="g"),
                }
                running.rules.replace(override)
                for who in CALLERS:
                    wanted = [
                        body["id"]
                        for body in SHELF
                        if (("colour", "red") not in words or body["colour"] == "red")
                        and (who.admin or (theirs(lists, who, body) and theirs(gets, who, body)))
                    ]
                    try:
                        found, count = runner.run(running.keys(who, *words))
                    except errors.Forbidden:
                        found, count = [], 0
                    assert (sorted(found), count) == (sorted(str(key) for key in wanted), len(wanted))
                    for body in SHELF[::5]:
                        try:
                            runner.run(running.actions.get(running.context(who), str(body["id"])))
                            seen = True
                        except errors.NotFound:
                            seen = False
                        assert seen == (who.admin or theirs(gets, who, body))

            one()
        finally:
            runner.run(made.__aexit__(None, None, None))


async def test_a_foreign_object_costs_what_a_missing_one_costs(tmp_path: Path) -> None:
    """The same calls of the database, so that nobody learns by the clock what he may not see."""
    async with world(tmp_path, BOX) as running:
        await running.make(ME, "there")
        context = running.context(OTHER)
        asked = query.parse(context.resource, [("marker", "x")])
        tries: list[Callable[[str], Awaitable[Any]]] = [
            lambda key: running.actions.get(context, key),
            lambda key: running.actions.update(context, key, {"name": "x"}),
            lambda key: running.actions.update(context, key, {"name": "x"}, frozenset({1})),
            lambda key: running.actions.delete(context, key),
            lambda key: running.actions.delete_many(context, [key]),
            lambda key: running.actions.follow([(context, key)]),
            lambda key: running.actions.page(context, asked_for(asked, key)),
        ]

        def asked_for(base: query.Query, key: str) -> query.Query:
            return query.parse(context.resource, [("marker", key)]) if base.marker else base

        for attempt in tries:
            calls = []
            for key in ("there", "gone"):
                running.database.asked.clear()
                with pytest.raises((errors.NotFound, errors.Invalid)):
                    await attempt(key)
                calls.append(list(running.database.asked))
            assert calls[0] == calls[1]


async def test_code_of_others_never_runs_for_what_one_may_not_do(tmp_path: Path) -> None:
    ran: list[str] = []

    async def before(change: hooks.Subject, _: hooks.Reader) -> dict[str, Any] | None:
        ran.append(change.op.value)
        return {"colour": "blue"} if change.op.value != "delete" else None

    async def poke(_: hooks.Subject, __: Any, ___: hooks.Reader) -> hooks.Outcome:
        ran.append("poke")
        return hooks.Outcome(answer={}, changes={"colour": "red"})

    box = object_type(
        "Box", attribute("name"), attribute("colour", policies={"set": "rule:admin_only"}),
        policies={**OWNER, "update": "rule:admin_or_owner and not role:poker", "poke": "role:poker"},
        hooks={types.HookPoint.BEFORE: ("before",)},
        actions={"poke": types.Action(name="poke", hook="poke")},
    )  # fmt: skip
    poker = Caller(user="poker", project="p", roles=frozenset({"poker"}))
    async with world(tmp_path, box, before=before, poke=poke) as running:
        await running.make(ME, "there")  # the hook sets what the caller may not
        assert (await running.actions.get(running.context(ME), "there")).row["colour"] == "blue"
        ran.clear()
        context = running.context(OTHER)
        for attempt in (
            running.actions.update(context, "there", {"name": "x"}),
            running.actions.delete(context, "there"),
            running.actions.act(context, "there", "poke", {}),
            running.actions.delete_many(context, ["there"]),
        ):
            with pytest.raises(errors.NotFound):
                await attempt
        with pytest.raises(errors.Forbidden):
            await running.make(OTHER, "new", project_id="p")
        with pytest.raises(errors.Forbidden):
            await running.actions.act(running.context(ME), "there", "poke", {})
        with pytest.raises(errors.Forbidden):
            await running.actions.update(running.context(poker), "there", {"name": "x"})
        with pytest.raises(errors.Forbidden):  # a hook's own word does not hide the client's
            await running.actions.update(running.context(ME), "there", {"colour": "green"})
        assert ran == []
        await running.actions.act(
            running.context(poker), "there", "poke", {}
        )  # what an action changes is its own
        assert (await running.actions.get(running.context(ME), "there")).row["colour"] == "red"


async def test_an_object_in_the_way_is_not_named_to_who_may_not_see_it(tmp_path: Path) -> None:
    free = {**OWNER, "update": "@", "delete": "@"}
    shelf = object_type("Shelf", attribute("size", types.AttributeType.INTEGER), policies=free)
    book = object_type(
        "Book",
        reference("shelf_id", "Shelf"),
        policies=OWNER,
        checks=(types.Check(rule="self.shelf_id == null || self.shelf_id.size > 1", message="too small"),),
    )
    pile = object_type(
        "Pile",
        many("shelves", reference("item", "Shelf", "unset", nullable=False), min_items=1),
        policies=OWNER,
    )
    async with world(tmp_path, shelf, book, pile) as running:
        for key in ("shared", "free"):
            body = {"id": key, "project_id": None, "size": 5}
            await running.actions.create(running.context(ROOT, "Shelf"), body)
        await running.actions.create(running.context(OTHER, "Book"), {"id": "hidden", "shelf_id": "shared"})
        await running.actions.create(running.context(OTHER, "Pile"), {"id": "hidden", "shelves": ["free"]})
        for who, named in ((ME, False), (OTHER, True)):
            context = running.context(who, "Shelf")
            for attempt in (
                running.actions.update(context, "shared", {"size": 1}),
                running.actions.delete(context, "shared"),
                running.actions.delete(context, "free"),
            ):
                with pytest.raises(errors.Conflict) as caught:
                    await attempt
                assert ("hidden" in str(caught.value)) == named, str(caught.value)
