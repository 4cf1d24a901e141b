"""Random graphs, written and deleted at random, against a plain reference of what should come of it.

Nothing dangles, link tables say what documents say, counts are those of rows, and the journal leads to the
state of the tables (`settled`).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies

from gluon import errors
from tests.effort import examples
from tests.unit.proton.parts import Engine, T, attribute, engine, many, model, object_type, reference, settled

KEYS = ("1", "2", "3", "4")
QUOTA = 3

GRAPH = model(
    object_type(
        "A",
        reference("up", "A", "cascade"),
        reference("b", "B", "cascade"),
        reference("soft", "C", "unset"),
        quota=QUOTA,
    ),
    object_type(
        "B",
        reference("a", "A", "cascade"),
        reference("firm", "A", "restrict"),
        many("some", reference("some", "C", "unset")),
    ),
    object_type(
        "C",
        many("held", reference("held", "B", "restrict")),
        many("ends", attribute("ends", T.OBJECT, members={"at": reference("at", "A", "cascade")}), T.MAP),
        reference("next", "C", "unset"),
    ),
)
Kind = str
Node = tuple[Kind, str]
Body = dict[str, Any]
Reference = tuple[Kind, str, Kind, str]
"""Owner, attribute, target, what a delete of the target does."""

REFERENCES: tuple[Reference, ...] = (
    ("A", "up", "A", "cascade"), ("A", "b", "B", "cascade"), ("A", "soft", "C", "unset"),
    ("B", "a", "A", "cascade"), ("B", "firm", "A", "restrict"), ("B", "some", "C", "unset"),
    ("C", "held", "B", "restrict"), ("C", "ends", "A", "cascade"), ("C", "next", "C", "unset"),
)  # fmt: skip


def targets(value: Any) -> list[str]:
    """The keys that a value names."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [item["at"] for item in value.values() if item["at"] is not None]
    return value if isinstance(value, list) else [value]


class Plain:
    """What the engine should do, in the simplest words."""

    def __init__(self) -> None:
        self.nodes: dict[Node, Body] = {}

    def _referring(self, node: Node) -> Iterator[tuple[Node, str, str]]:
        for kind, name, target, what in REFERENCES:
            if target == node[0]:
                for (owner, key), body in self.nodes.items():
                    if owner == kind and node[1] in targets(body[name]):
                        yield (owner, key), name, what

    def _fits(self, kind: Kind, body: Body) -> bool:
        return all(
            (target, key) in self.nodes
            for owner, name, target, _ in REFERENCES
            if owner == kind
            for key in targets(body[name])
        )

    def make(self, kind: Kind, key: str, body: Body) -> bool:
        full = {name: None for owner, name, _, _ in REFERENCES if owner == kind} | body
        held = sum(1 for owner, _ in self.nodes if owner == kind)
        if (kind, key) in self.nodes or not self._fits(kind, full) or (kind == "A" and held >= QUOTA):
            return False
        self.nodes[kind, key] = full
        return True

    def put(self, kind: Kind, key: str, body: Body) -> bool:
        if (kind, key) not in self.nodes:
            return False
        full = self.nodes[kind, key] | body
        if not self._fits(kind, full):
            return False
        self.nodes[kind, key] = full
        return True

    def delete(self, kind: Kind, key: str) -> bool:
        if (kind, key) not in self.nodes:
            return False
        going = {(kind, key)}
        while True:
            more = {o for n in going for o, _, what in self._referring(n) if what == "cascade"} - going
            if not more:
                break
            going |= more
        rest = [(n, o, name, what) for n in going for o, name, what in self._referring(n) if o not in going]
        if any(what == "restrict" for *_, what in rest):
            return False
        for (_, gone), owner, name, _ in rest:
            value = self.nodes[owner][name]
            kept = [k for k in value if k != gone] if isinstance(value, list) else None
            self.nodes[owner] = {**self.nodes[owner], name: kept}
        for node in going:
            del self.nodes[node]
        return True


keys = strategies.sampled_from(KEYS)
maybe = strategies.none() | keys
some = strategies.lists(keys, max_size=3)
ends = strategies.dictionaries(
    strategies.sampled_from(["x", "y"]), strategies.fixed_dictionaries({"at": maybe}), max_size=2
)
bodies = {
    "A": strategies.fixed_dictionaries({}, optional={"up": maybe, "b": maybe, "soft": maybe}),
    "B": strategies.fixed_dictionaries({}, optional={"a": maybe, "firm": maybe, "some": some}),
    "C": strategies.fixed_dictionaries({}, optional={"held": some, "ends": ends, "next": maybe}),
}
kinds = strategies.sampled_from("ABC")
writes = kinds.flatmap(
    lambda kind: strategies.tuples(
        strategies.sampled_from(["make", "make", "put"]), strategies.just(kind), keys, bodies[kind]
    )
)
deletes = strategies.tuples(strategies.just("delete"), kinds, keys)
Step = tuple[Any, ...]


PLANTED: list[Step] = [("make", kind, key, {}) for kind in "ABC" for key in KEYS[:3]]
"""So that references find something."""


async def take(running: Engine, step: Step) -> bool:
    what, kind, key, *body = step
    try:
        if what == "delete":
            await running.delete(kind, key)
        else:
            await getattr(running, what)(kind, key, **body[0])
    except (errors.Conflict, errors.Invalid, errors.NotFound):
        return False
    return True


async def play(steps: list[Step]) -> None:
    plain = Plain()
    with tempfile.TemporaryDirectory() as folder:
        async with engine(Path(folder), GRAPH) as running:
            for step in steps:
                assert await take(running, step) == getattr(plain, step[0])(*step[1:]), step
                state = {
                    node: {name: body[name] for name in plain.nodes.get(node, {})}
                    for node, body in (await running.state()).items()
                }
                assert state == plain.nodes, step
            await settled(running)


@settings(max_examples=examples(30), deadline=None)
@given(strategies.lists(writes | writes | deletes, min_size=5, max_size=40))
def test_any_sequence_of_writes_does_what_the_model_says(steps: list[Step]) -> None:
    asyncio.run(play([*PLANTED, *steps]))


async def rush(steps: list[Step]) -> None:
    """All at once: units of one batch see what those before them did."""
    with tempfile.TemporaryDirectory() as folder:
        async with engine(Path(folder), GRAPH) as running:
            await asyncio.gather(*(take(running, step) for step in steps))
            await settled(running)


@settings(max_examples=examples(25), deadline=None)
@given(strategies.lists(writes | writes | deletes, min_size=5, max_size=60))
def test_whatever_comes_together_leaves_a_whole_graph(steps: list[Step]) -> None:
    asyncio.run(rush([*PLANTED, *steps]))
