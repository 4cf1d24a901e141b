"""Controllers of several levels: who is chosen, and what they answer together, whatever the order of things."""

import random

import hypothesis
from hypothesis import strategies as st

from gluon.arbiter import assign, history, levels, tables
from gluon.arbiter.bindings import State
from gluon.model.types import Role
from gluon.objects import status
from gluon.spi import store
from gluon.spi.ports import Rule
from tests.unit.arbiter.parts import API, Port, shim

CONTROLLERS = "abcdef"
registered = st.lists(
    st.builds(
        lambda name, level, hosts, kinds: shim(name, *hosts, level=level, vnic_types=kinds),
        st.sampled_from(CONTROLLERS),
        st.integers(0, 2),
        st.sampled_from([(), ("A",), ("B",), ("A", "B")]),
        st.sampled_from([(), ("normal",), ("direct",)]),
    ),
    max_size=8,
    unique_by=lambda r: (r.controller, r.instance),
)


def found(registrations: list[status.Registration]) -> tuple[status.Registration, ...]:
    seen = assign.candidates(registrations, api=API, versions=("1.0",), host="A", vnic_type="normal")
    return tuple(seen)


@hypothesis.given(registered, st.randoms(use_true_random=False), st.sets(st.sampled_from(CONTROLLERS)))
def test_the_choice_does_not_depend_on_the_order_of_registrations(
    registrations: list[status.Registration], dice: random.Random, tried: set[str]
) -> None:
    shuffled = list(registrations)
    dice.shuffle(shuffled)
    assert levels.chosen(found(registrations), tried) == levels.chosen(found(shuffled), tried)


@hypothesis.given(registered, st.sets(st.sampled_from(CONTROLLERS)))
def test_one_controller_of_each_level_is_chosen_or_none_at_all(
    registrations: list[status.Registration], tried: set[str]
) -> None:
    there = found(registrations)
    picked = levels.chosen(there, tried)
    wanted = sorted({one.level for one in there})
    if picked:
        assert [one.level for one in picked] == wanted
        assert tried.isdisjoint(one.controller for one in picked)
        for one in picked:
            before = [c for c in there if c.level == one.level and c.controller < one.controller]
            assert all(c.controller in tried for c in before)
    else:
        assert any(all(c.controller in tried for c in there if c.level == level) for level in wanted) or (
            not wanted
        )
    assert levels.chosen(there, tried, needed=(9,)) == ()


answers = st.builds(
    levels.Answer,
    vif_type=st.sampled_from(["", "ovs", "hw_veb"]),
    vif_details=st.dictionaries(st.sampled_from(["vlan", "bridge_name"]), st.integers(0, 9)),
)


@hypothesis.given(st.permutations("abc"), st.lists(answers, min_size=3, max_size=3))
def test_the_vif_does_not_depend_on_the_order_of_answers(order: list[str], said: list[levels.Answer]) -> None:
    of = dict(zip("abc", said, strict=True))
    kind, details = levels.merged("abc", of)
    assert levels.merged("abc", {c: of[c] for c in order}) == (kind, details)
    named = [of[c].vif_type for c in "abc" if of[c].vif_type]
    assert kind == (named[-1] if named else "")
    for name, value in details.items():
        assert value == [of[c].vif_details[name] for c in "abc" if name in of[c].vif_details][-1]


def test_all_levels_share_one_epoch_and_their_deadline_is_the_longest() -> None:
    port = Port(shim("fabric", level=0, deadline=20.0), shim("host", level=1, deadline=5.0))
    port.put(Rule.NEUTRON, {Role.HOST: "A"})
    begun = port.held[0]
    assert (begun.controllers, begun.levels) == (("fabric", "host"), (0, 1))
    assert begun.deadline - 5.0 > 10.0


def test_a_level_that_went_away_is_waited_for_and_not_done_without() -> None:
    port = Port(shim("fabric", level=0), shim("host", level=1))
    port.put(Rule.NEUTRON, {Role.HOST: "A"})
    begun = port.held[0]
    port.known.registrations = [shim("host", level=1)]
    again = port.assigner.begin(begun, epoch=begun.epoch + 1, now=port.view.now)
    assert (again.state, again.controllers, again.reason) == (State.BINDING, (), "NoController")


def test_each_state_that_is_left_is_kept_the_last_sixteen() -> None:
    port = Port()
    for turn in range(10):
        port.put(Rule.NEUTRON, {Role.HOST: "A"})
        port.bound("A", reason=f"Bound{turn}")
        port.put(Rule.NEUTRON, {Role.HOST: None})
        port.store(port.held[0], state=State.UNBOUND)
    row: store.Row | None = port.view.get(tables.HISTORY, "p")
    kept = history.read(row)
    assert len(kept) == history.MOST
    assert [one.state for one in kept[-3:]] == ["Binding", "Bound", "Unbinding"]
    assert [one.next for one in kept[-3:]] == ["Bound", "Unbinding", "Unbound"]
    assert kept[-3].reason == "Bound9"
    assert kept[0].until < kept[-1].until
