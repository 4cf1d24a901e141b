"""Token buckets of projects."""

from __future__ import annotations

import pytest

from gluon import errors
from gluon.api import rates
from gluon.spi import policy

RATE = rates.Rate(rate=10, burst=5)


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
    quick, free = rates.Rate(rate=50, burst=20), rates.Rate(rate=0, burst=1)
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
    clock[0] += 2.15
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
    clock[0] += 0.2
    found.admit(caller("new"))
    assert set(found._buckets) == {"busy", "new"}
    assert admitted(found, caller("busy")) == 2
