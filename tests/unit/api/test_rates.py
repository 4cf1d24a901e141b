"""Token buckets of projects."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gluon import errors
from gluon.api import rates
from gluon.spi import policy

RATE = rates.Rate(rate=8, burst=5)
"""So slow that nobody waits for his turn."""
FAST = rates.Rate(rate=100, burst=5)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(rates, "monotonic", lambda: now[0])
    return now


def caller(project: str | None, *roles: str, admin: bool = False) -> policy.Caller:
    return policy.Caller(user="u", project=project, roles=frozenset(roles), admin=admin)


def admitted(found: rates.Rates, who: policy.Caller, most: int = 100) -> int:
    for n in range(most):
        try:
            found.admit(who)
        except errors.TooMany:
            return n
    return most


def test_a_burst_and_then_the_rate(clock: list[float]) -> None:
    found = rates.Rates(RATE, {})
    assert admitted(found, caller("p")) == 5
    clock[0] += 0.25
    assert admitted(found, caller("p")) == 2
    clock[0] += 60
    assert admitted(found, caller("p")) == 5


def test_projects_do_not_share_and_some_have_other_rates(clock: list[float]) -> None:
    quick, free = rates.Rate(rate=9, burst=20), rates.Rate(rate=0, burst=1)
    found = rates.Rates(RATE, {"quick": quick, "free": free})
    assert [admitted(found, caller(p)) for p in ("p", "q", "quick", "free")] == [5, 5, 20, 100]
    only = rates.Rates(rates.Rate(rate=0, burst=1), {"slow": RATE})
    assert [admitted(only, caller(p)) for p in ("p", "slow")] == [100, 5]


def test_several_objects_cost_as_many_and_leave_a_debt(clock: list[float]) -> None:
    found = rates.Rates(RATE, {})
    found.admit(caller("p"))
    found.charge(caller("p"), 25)
    with pytest.raises(errors.TooMany) as refusal:
        found.admit(caller("p"))
    assert refusal.value.retry_after == 3 and refusal.value.code == "rate"
    clock[0] += 2.6
    assert admitted(found, caller("p")) == 1


def test_admins_and_services_act_for_all(clock: list[float]) -> None:
    found = rates.Rates(RATE, {})
    assert admitted(found, caller("p", admin=True)) == admitted(found, caller("p", "service")) == 100


def test_buckets_that_are_full_are_forgotten(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MOST", 10)
    found = rates.Rates(RATE, {})
    assert admitted(found, caller("busy")) == 5
    for n in range(9):
        found.admit(caller(str(n)))
    clock[0] += 0.25
    found.admit(caller("new"))
    assert set(found._buckets) == {"busy", "new"}
    assert admitted(found, caller("busy")) == 2


def test_who_is_a_little_too_early_waits_for_his_turn(clock: list[float]) -> None:
    found = rates.Rates(FAST, {})
    waits = [found.admit(caller("p")) for _ in range(15)]
    assert waits == pytest.approx([0.0] * 5 + [n / 100 for n in range(1, 11)])
    with pytest.raises(rates.Refused) as refusal:
        found.admit(caller("p"))
    assert refusal.value.retry_after == 1
    clock[0] += 0.031
    assert [found.admit(caller("p")) for _ in range(3)] == pytest.approx([0.079, 0.089, 0.099])


def test_who_always_asks_for_more_is_served_evenly_and_at_his_rate(clock: list[float]) -> None:
    found, starts = rates.Rates(FAST, {}), []
    for _ in range(2000):
        clock[0] += 0.001
        try:
            starts.append(clock[0] + found.admit(caller("p")))
        except rates.Refused:
            continue
    assert 200 <= len(starts) <= 220
    later = starts[10:]
    assert all(0.009 < b - a < 0.011 for a, b in pairwise(later))


def test_refusals_are_told_one_after_the_other_but_none_too_late(clock: list[float]) -> None:
    found = rates.Rates(RATE, {})
    holds = []
    for _ in range(2000):
        clock[0] += 0.0001
        try:
            found.admit(caller("p"))
        except rates.Refused as refusal:
            holds.append(refusal.hold)
    assert holds[0] == pytest.approx(0.1) and all(0.0999 < h < 1.0001 for h in holds)
    assert holds[-1] == pytest.approx(1.0), "many come: as late as may be"
    clock[0] += 2
    admitted(found, caller("p"))
    with pytest.raises(rates.Refused) as later:
        found.admit(caller("p"))
    assert later.value.hold < 0.12


def test_a_token_that_was_taken_for_nothing_is_given_back(clock: list[float]) -> None:
    made = rates.Rates(rates.Rate(rate=1, burst=2), {})
    assert admitted(made, caller("p")) == 2
    made.give_back(caller("p"))
    made.give_back(caller("p", admin=True))
    assert admitted(made, caller("p")) == 1
