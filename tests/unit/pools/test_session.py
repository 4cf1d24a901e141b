"""What a session gives, refuses and writes, told as an engine meets it."""

from __future__ import annotations

import pytest

from gluon import errors, pools
from gluon.pools import session
from gluon.values.space import Addresses, Numbers, Space
from tests.unit.pools.world import World, numbers


@pytest.fixture
def world() -> World:
    return World()


def take(world: World, supply: pools.Supply, holder: str = "h") -> int | str:
    return world.unit(lambda s: s.take(supply, holder))


def give_back(world: World, supply: pools.Supply, *held: tuple[object, str]) -> None:
    """Values and their holders, without rest."""

    def act(s: pools.Session) -> None:
        for value, holder in held:
            s.release(supply.id, value, holder, 0)

    world.unit(act)


def refusal(world: World, supply: pools.Supply, value: object, project: str | None = None) -> errors.Rejected:
    with pytest.raises(errors.Rejected) as caught:
        world.unit(lambda s: s.wish(supply, value, "other", "/vlan"), project=project)
    return caught.value


def test_takes_of_one_unit_see_each_other_and_other_pools_do_not(world: World) -> None:
    one, other = numbers("1-3"), numbers("1-3", id="a/q")
    assert world.unit(lambda s: [s.take(p, "h") for p in (one, other, one, one)]) == [1, 1, 2, 3]
    assert world.refused(lambda s: s.take(one, "h")) == "pool_exhausted"
    assert take(world, other) == 2


def test_the_short_way_takes_what_was_never_given_and_leaves_the_rest_to_a_session(world: World) -> None:
    supply = numbers("1-3")
    assert world.take_next(supply, "a") is None, "nobody has taken of it yet"
    assert world.unit(lambda s: s.take(supply, "a")) == 1
    assert world.take_next(supply, "b") == 2
    world.unit(lambda s: s.wish(supply, 3, "c"))
    world.unit(lambda s: s.release(supply.id, 2, "b", 0))
    assert world.take_next(supply, "d") is None, "the only free one was given before"
    assert world.unit(lambda s: s.take(supply, "d")) == 2


def test_a_released_value_is_taken_when_no_other_is_left_and_it_has_rested(world: World) -> None:
    supply = numbers("1-2")
    take(world, supply, "first")
    world.unit(lambda s: s.release(supply.id, 1, "first", 30))
    assert take(world, supply) == 2
    with pytest.raises(errors.Conflict) as caught:
        take(world, supply)
    assert str(caught.value) == (
        "pool p is exhausted: of 2 values 1 are in use and 1 rest after use;"
        " the first of them is free at 2026-01-01T00:00:30.000000Z"
    )
    world.sleep(30)
    assert take(world, supply) == 1


def test_a_value_may_be_replaced_in_one_unit(world: World) -> None:
    """Two attributes of one object change places."""
    supply = numbers("1-9")
    assert world.unit(lambda s: [s.take(supply, "x/a"), s.take(supply, "x/b")]) == [1, 2]

    def swap(s: pools.Session) -> list[int | str]:
        s.release(supply.id, 1, "x/a", 30)
        s.release(supply.id, 2, "x/b", 30)
        return [s.wish(supply, 2, "x/a"), s.wish(supply, 1, "x/b"), s.take(supply, "y")]

    assert world.unit(swap) == [2, 1, 3]
    assert world.values(held=True) == ["1", "2", "3"] and world.values(held=False) == []


def test_a_wish_is_for_any_form_and_answers_the_normal_one(world: World) -> None:
    supply = pools.Supply(id="a/n", name="pool n", space=Space.of(Addresses(), ["2001:db8::/64"]))
    assert world.unit(lambda s: s.wish(supply, "2001:DB8:0::0:7", "h")) == "2001:db8::7"
    assert refusal(world, supply, "2001:db8:0:0:0:0:0:7").code == "pool_taken"


def test_who_holds_a_value_is_told_in_the_same_project_only(world: World) -> None:
    supply = numbers("1-9")
    world.unit(lambda s: s.wish(supply, 5, "Port/p1/vlan"), project="blue")
    assert str(refusal(world, supply, 5, "blue")) == "5 of pool p is in use by Port/p1/vlan"
    assert str(refusal(world, supply, 5, "red")) == "5 of pool p is in use"
    assert str(refusal(world, supply, 5)) == "5 of pool p is in use"


def test_the_holder_itself_may_not_wish_twice(world: World) -> None:
    """Else one of two attributes would release what the other still has."""
    supply = numbers("1-9")
    world.unit(lambda s: s.wish(supply, 5, "other"))
    assert refusal(world, supply, 5).code == "pool_taken"


def test_a_value_outside_of_the_ranges_is_a_problem_of_the_field(world: World) -> None:
    error = refusal(world, numbers("1-9", "20", "30", "40", "50-60", "70"), 10)
    assert isinstance(error, errors.Invalid)
    (problem,) = error.problems
    assert (problem.pointer, problem.code) == ("/vlan", "pool_outside")
    assert problem.message == "10 is not a value of pool p, which has 1-9, 20, 30, 40, and 2 more ranges"


def test_a_pool_without_ranges_says_so(world: World) -> None:
    with pytest.raises(errors.Conflict, match="it has no ranges"):
        take(world, numbers())


def test_what_is_not_held_cannot_be_released(world: World) -> None:
    supply = numbers("1-9")
    world.unit(lambda s: s.release(supply.id, 1, "h", 0))
    take(world, supply, "h")
    give_back(world, supply, (1, "x"), (2, "h"), ("junk", "h"))
    assert world.values(held=True) == ["1"]
    give_back(world, supply, (1, "h"), (1, "h"))
    assert world.values(held=False) == ["1"]


def test_more_ranges_come_behind_and_cost_nothing(world: World) -> None:
    supply = numbers("1-5000")
    for _ in range(3):
        take(world, supply)
    wider = numbers("1-6000", "10000-20000")
    world.unit(lambda s: s.respace(wider))
    assert world.rounds == 1
    assert take(world, wider) == 4


def test_new_ranges_must_keep_what_is_in_use(world: World) -> None:
    supply = numbers("1-9")
    world.unit(lambda s: [s.take(supply, "h") for _ in range(8)])
    with pytest.raises(errors.Conflict) as caught:
        world.unit(lambda s: s.respace(numbers("1-2")))
    assert caught.value.code == "pool_in_use"
    assert str(caught.value) == "pool p must keep 3, 4, 5, 6, 7 and 1 more: in use, and not in 1-2"
    give_back(world, supply, *((n, "h") for n in range(3, 9)))
    world.unit(lambda s: s.respace(numbers("1-2", "100")))
    assert world.values(held=False) == []
    assert take(world, numbers("1-2", "100")) == 100


def test_values_that_a_model_leaves_out_stay_until_released(world: World) -> None:
    """A model's pool has new ranges when the next take comes; nobody has called `respace`."""
    supply, narrow = numbers("1-9"), numbers("3-4")
    world.unit(lambda s: [s.take(supply, "h") for _ in range(3)])
    assert take(world, narrow) == 4
    assert world.refused(lambda s: s.wish(narrow, 1, "x")) == "pool_outside"
    world.unit(lambda s: s.release(supply.id, 1, "h", 0))
    assert world.values(held=True) == ["2", "3", "4"] and world.values(held=False) == []
    assert take(world, supply) == 1
    assert refusal(world, supply, 2).code == "pool_taken"
    assert take(world, supply) == 5


def test_values_left_out_are_known_when_they_are_back_behind_the_others(world: World) -> None:
    supply, narrow = numbers("1-9"), numbers("5-9")
    world.unit(lambda s: [s.take(supply, "h") for _ in range(3)])
    world.unit(lambda s: s.respace(narrow, strict=False))
    give_back(world, supply, (2, "h"))
    (pool,) = world.tables["gluon_pool"].values()
    assert (pool["held"], pool["outside"]) == (2, 2)
    back = numbers("5-9", "1-4")
    assert [take(world, back) for _ in range(7)] == [5, 6, 7, 8, 9, 2, 4]
    (pool,) = world.tables["gluon_pool"].values()
    assert (pool["held"], pool["outside"]) == (9, 0)
    assert world.refused(lambda s: s.take(back, "h")) == "pool_exhausted"


def test_the_same_numbers_by_another_template_are_other_values(world: World) -> None:
    one, other = (
        pools.Supply(id="a/rt", name="pool rt", space=Space.of(Numbers(0, template=t), ["1-5"]))
        for t in ("65000:{}", "65001:{}")
    )
    assert take(world, one) == "65000:1"
    assert take(world, other) == "65001:1"


def test_a_dropped_pool_leaves_nothing_and_may_begin_again(world: World) -> None:
    supply = numbers("1-2000")
    world.unit(lambda s: [s.take(supply, "h"), s.wish(supply, 900, "h")])
    give_back(world, supply, (900, "h"))

    def act(s: pools.Session) -> int | str:
        s.drop(supply.id)
        s.release(supply.id, 1, "h", 0)
        return s.take(supply, "again")

    assert world.unit(act) == 1
    assert world.values(held=True) == ["1"]
    world.unit(lambda s: s.drop(supply.id))
    assert not any(world.tables.values())


def test_a_clock_that_goes_back_keeps_the_order_and_locks_nothing_away(world: World) -> None:
    supply = numbers("1-3")
    world.unit(lambda s: [s.take(supply, "h") for _ in range(3)])
    world.unit(lambda s: s.release(supply.id, 2, "h", 30))
    world.sleep(-10)
    world.unit(lambda s: s.release(supply.id, 1, "h", 30))
    world.sleep(39)
    assert world.refused(lambda s: s.take(supply, "h")) == "pool_exhausted"
    world.sleep(1)
    assert [take(world, supply), take(world, supply)] == [2, 1]
    world.unit(lambda s: s.release(supply.id, 3, "h", 30))
    world.sleep(-365 * 86400)
    assert take(world, supply) == 3


def test_no_rest_and_endless_rest(world: World) -> None:
    supply = numbers("1-1")
    take(world, supply)
    world.unit(lambda s: s.release(supply.id, 1, "h", 0))
    assert take(world, supply) == 1
    world.unit(lambda s: s.release(supply.id, 1, "h", 10**15))
    long = numbers("1-1", rest=10**15)
    assert world.refused(lambda s: s.take(long, "h")) == "pool_exhausted"


def test_slots_that_were_left_are_forgotten_when_the_head_has_passed(world: World) -> None:
    supply = numbers("0-299")
    world.unit(lambda s: [s.take(supply, "h") for _ in range(300)])
    give_back(world, supply, *((n, "h") for n in range(300)))
    world.unit(lambda s: [s.wish(supply, n, "h") for n in range(100, 280)])
    assert len(world.tables["gluon_pool_block"]) == 2
    assert world.unit(lambda s: [s.take(supply, "h") for _ in range(101)]) == [*range(100), 280]
    assert len(world.tables["gluon_pool_block"]) == 1
    assert world.unit(lambda s: [s.take(supply, "h") for _ in range(19)]) == [*range(281, 300)]
    assert not world.tables["gluon_pool_block"]


def test_few_rows_stay_of_addresses_that_were_wished_for_and_released(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts that make their own addresses in a /64 come and go for years."""
    monkeypatch.setattr(session, "KEPT", 8)
    supply = pools.Supply(id="a/n", name="pool n", space=Space.of(Addresses(), ["2001:db8::/64"]))
    for n in range(300):
        value = f"2001:db8::{n * 7919 % 65521:x}:1"
        world.unit(lambda s, v=value: s.wish(supply, v, "h"))  # type: ignore[misc]
        world.unit(lambda s, v=value: s.release(supply.id, v, "h", 0))  # type: ignore[misc]
    assert len(world.tables["gluon_pool_value"]) <= 10
    assert len(world.tables["gluon_pool_block"]) <= 12


def test_a_value_comes_back_late_in_a_wide_space_and_rows_stay_few(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "KEPT", 8)
    supply = numbers("1-1000000")
    given = []
    for _ in range(100):
        given.append(take(world, supply))
        world.unit(lambda s: s.release(supply.id, given[-1], "h", 0))
    assert given[:10] == [*range(1, 10), 1] and len(set(given)) == 9
    assert len(world.tables["gluon_pool_value"]) == 9


def test_no_act_reads_more_than_a_few_rows_after_sixty_thousand_wishes(world: World) -> None:
    supply = numbers("0-100000")

    def wishes(s: pools.Session) -> None:
        for n in range(60_000, 0, -1):
            s.wish(supply, n, "h")

    world.unit(wishes)
    assert len(world.tables["gluon_pool_block"]) < 4
    assert [take(world, supply), take(world, supply), take(world, supply)] == [0, 60_001, 60_002]
    assert world.rounds <= 6

    def releases(s: pools.Session) -> None:
        for n in range(1, 60_001):
            s.release(supply.id, n, "h", 0)
        for n in range(59_999, 0, -1):
            s.wish(supply, n, "h")

    world.unit(releases)
    world.unit(lambda s: [s.take(supply, "h") for _ in range(60_003, 100_001)])
    assert take(world, supply) == 60_000
    assert world.rounds <= 6
    assert world.refused(lambda s: s.take(supply, "h")) == "pool_exhausted"


FOUR, SIX = "192.0.2.0/28", "2001:db8::/64"


@pytest.mark.parametrize("prefixes", [(FOUR, SIX), (SIX, FOUR), (SIX, FOUR, "2001:db8:1::/64")])
@pytest.mark.parametrize("usual", [0, 3])
def test_few_rows_stay_of_addresses_of_both_families_that_come_and_go(
    world: World, monkeypatch: pytest.MonkeyPatch, prefixes: tuple[str, ...], usual: int
) -> None:
    """And few are read, though those of the large subnet stand in the queue before those of the small one, which has none left
    that was never given. `usual`: addresses that somebody takes of whatever subnet."""
    monkeypatch.setattr(session, "KEPT", 8)
    supply = pools.Supply(id="a/p", name="p", space=Space.of(Addresses(), prefixes))
    families = supply.space.families
    for _ in range(usual):
        take(world, supply, "usual")
    ports: list[list[object]] = []
    for number in range(400):
        ports.append(world.unit(lambda s: [s.take_of(supply, part, "h") for part in families]))
        assert world.rounds <= 30
        if len(ports) == 14 - usual:
            assert len({str(a) for port in ports for a in port}) == 2 * len(ports)
            gone = ports.pop(number % len(ports))
            give_back(world, supply, *((address, "h") for address in gone))
    assert len(world.tables["gluon_pool_value"]) <= 2 * 14 + 2 * 8
    assert len(world.tables["gluon_pool_block"]) <= 12


def test_a_part_that_is_used_up_says_so_though_others_have_values(world: World) -> None:
    supply = numbers("1-3", "10-19")
    part = supply.space.within("1-5")
    assert [world.unit(lambda s: s.take_of(supply, part, "h")) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(errors.Conflict, match="pool p has nothing left of 1-5"):
        world.unit(lambda s: s.take_of(supply, part, "h"))
    world.unit(lambda s: s.release(supply.id, 2, "h", 30))
    assert world.refused(lambda s: s.take_of(supply, part, "h")) == "pool_exhausted", "it rests"
    assert take(world, supply) == 10, "what is taken of a part is marked, as what is wished for"
    world.sleep(31)
    assert world.unit(lambda s: s.take_of(supply, part, "h")) == 2
    assert world.refused(lambda s: s.take_of(supply, supply.space.within("4-9"), "h")) == "pool_exhausted"


def test_a_small_part_is_found_behind_many_that_were_released_before(world: World) -> None:
    """They are read once: then they are as if they had never been given."""
    supply = numbers("0-9999", "20000-20001")
    many, few = supply.space.within("0-9999"), supply.space.within("20000-20001")

    def begin(s: pools.Session) -> None:
        given = [s.take_of(supply, many, "h") for _ in range(700)]
        last = [s.take_of(supply, few, "h") for _ in range(2)]
        for value in (*given, *last):
            s.release(supply.id, value, "h", 0)

    world.unit(begin)
    read = []
    for _ in range(9):
        value = world.unit(lambda s: s.take_of(supply, few, "h"))
        read.append(world.rounds)
        give_back(world, supply, (value, "h"))
    assert read[0] > 20, read
    assert max(read[3:]) < 10, read
