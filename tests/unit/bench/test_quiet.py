"""Which rounds of a bench count on a machine whose host gives its processors to others now and then."""

import pytest

from bench import quiet
from bench.measure import Plan


def _rounds(
    monkeypatch: pytest.MonkeyPatch, shares: list[float], *, wanted: int, warm: int = 0, most: float = 0.005
) -> quiet.Rounds:
    """Rounds numbered from 0, of which the host takes these shares of the time."""
    ticks = [0.0] * 8
    monkeypatch.setattr(quiet, "processors", lambda: tuple(map(round, ticks)))
    rounds = quiet.Rounds(Plan(rounds=wanted, seconds=1, quick=True), warm=warm, most=most)
    left = iter(shares)
    for number, one in enumerate(rounds):
        one["number"] = float(number)
        share = next(left)
        ticks[0], ticks[7] = ticks[0] + 1e6 * (1 - share), ticks[7] + 1e6 * share
    assert next(left, None) is None, "it ends with those rounds"
    return rounds


def test_rounds_are_those_that_were_planned_where_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = _rounds(monkeypatch, [0, 0.001, 0], wanted=3)
    assert rounds["number"] == [0, 1, 2]
    assert rounds.figure().name.endswith("3 of 3 rounds")
    assert rounds.figure().value == 0


def test_a_round_of_which_the_host_took_much_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = _rounds(monkeypatch, [0, 0.02, 0.3, 0.001], wanted=2)
    assert rounds["number"] == [0, 3]
    assert rounds.figure().name.endswith("2 of 4 rounds")


def test_a_bench_says_how_much_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _rounds(monkeypatch, [0, 0.002, 0.0005], wanted=2, most=0.001)["number"] == [0, 2]


def test_where_the_host_always_takes_much_those_count_that_lost_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounds = _rounds(monkeypatch, [0.2, 0.1, 0.01, 0.2, 0.001, 0.3], wanted=2)
    assert rounds["number"] == [2, 4]
    assert rounds.figure().rounds == pytest.approx((1.0, 0.1))


def test_a_warm_round_never_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _rounds(monkeypatch, [0, 0, 0], wanted=2, warm=1)["number"] == [1, 2]


def test_time_goes_on() -> None:
    before = quiet.processors()
    assert len(before) == 8
    assert 0 <= quiet.lost(before, quiet.processors()) <= 1
