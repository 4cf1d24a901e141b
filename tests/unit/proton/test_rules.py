"""Rules of a model: of the object written, of what it refers to, and of those that refer to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gluon import errors
from gluon.model.types import Check
from gluon.store import deciding, overlay
from tests.unit.proton.parts import Engine, T, attribute, engine, many, model, object_type, reference, settled

RULED = model(
    object_type("Region", attribute("most", T.INTEGER)),
    object_type(
        "Net",
        attribute("mtu", T.INTEGER),
        attribute("seen", T.INTEGER),
        reference("region", "Region", "unset"),
    ),
    object_type(
        "Port",
        attribute("mtu", T.INTEGER),
        attribute("step", T.INTEGER),
        attribute("token", secret=True),
        reference("net", "Net", "unset"),
        many("also", reference("also", "Net", "unset"), default=[]),
        checks=(
            Check(
                rule="!has(self.net.mtu) || self.mtu <= self.net.mtu",
                message="the MTU is too large",
                at="mtu",
            ),
            Check(
                rule="old == null || !has(old.step) || self.step == old.step + 1",
                message="one step at a time",
            ),
            Check(rule="self.also.all(n, n.mtu >= 100)", message="too small a net", at="also"),
            Check(
                rule="!has(self.net.region.most) || self.mtu <= self.net.region.most",
                message="too much for the region",
                write_only=False,
            ),
            Check(rule="!has(self.net.seen) || self.net.seen < 5", message="seen", write_only=True),
            Check(
                rule="self.also.all(n, !has(n.region.most) || n.region.most > 10) && (old == null || "
                "old.also.all(n, !has(n.region.most) || n.region.most > 0))",
                message="too little in a region",
            ),
            Check(rule="self.token != 'letmein'", message="a bad token", at="token"),
        ),
    ),
)


@pytest.fixture
async def ruled(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(tmp_path, RULED) as running:
        yield running
        await settled(running)


async def test_a_false_rule_names_field_message_and_expression(ruled: Engine) -> None:
    await ruled.make("Net", "n1", mtu=1500)
    await ruled.make("Port", "p1", mtu=1500, net="n1")
    with pytest.raises(errors.Invalid) as raised:
        await ruled.make("Port", "p2", mtu=1501, net="n1", token="letmein")
    mtu, token = raised.value.problems
    assert (mtu.pointer, mtu.code, mtu.message) == ("/mtu", "rule", "the MTU is too large")
    assert "self.mtu is 1501" in mtu.hint
    assert "self.net.mtu is 1500" in mtu.hint
    assert token.pointer == "/token"
    assert "letmein" not in token.hint.replace("'letmein'", "")
    with pytest.raises(errors.Invalid, match="too large"):
        await ruled.put("Port", "p1", mtu=9000)


async def test_old_is_the_object_before(ruled: Engine) -> None:
    await ruled.make("Port", "p1", mtu=1, step=7)
    await ruled.put("Port", "p1", step=8)
    with pytest.raises(errors.Invalid, match="one step"):
        await ruled.put("Port", "p1", step=10)


async def test_a_rule_without_a_value_is_false_and_says_why(ruled: Engine) -> None:
    await ruled.make("Net", "n1")
    with pytest.raises(errors.Invalid, match="too small a net") as raised:
        await ruled.make("Port", "p1", mtu=1, also=["n1"])
    assert "null" in raised.value.problems[0].hint


async def test_a_change_is_refused_that_breaks_a_rule_of_a_referrer(ruled: Engine) -> None:
    await ruled.make("Net", "n1", mtu=1500)
    await ruled.make("Port", "p1", mtu=1400, net="n1", also=["n1"])
    await ruled.put("Net", "n1", mtu=1400)
    with pytest.raises(
        errors.Conflict, match="Port 'p1' would break its rule: the MTU is too large"
    ) as raised:
        await ruled.put("Net", "n1", mtu=1300)
    assert raised.value.code == "rule"
    await ruled.put("Port", "p1", mtu=10)
    with pytest.raises(errors.Conflict, match="too small a net"):
        await ruled.put("Net", "n1", mtu=50)


async def test_a_rule_reaches_over_two_references(ruled: Engine) -> None:
    await ruled.make("Region", "r1", most=2000)
    await ruled.make("Region", "r2", most=900)
    await ruled.make("Net", "n1", mtu=1500, region="r1")
    await ruled.make("Port", "p1", mtu=1000, net="n1")
    with pytest.raises(errors.Conflict, match="Port 'p1' would break its rule: too much for the region"):
        await ruled.put("Region", "r1", most=999)
    with pytest.raises(errors.Conflict, match="too much for the region"):
        await ruled.put("Net", "n1", region="r2")
    await ruled.delete("Region", "r1")
    await ruled.put("Net", "n1", region=None)


async def test_a_rule_for_writes_is_not_judged_when_others_change(ruled: Engine) -> None:
    await ruled.make("Net", "n1", mtu=1500, seen=1)
    await ruled.make("Port", "p1", mtu=1000, net="n1")
    await ruled.put("Net", "n1", seen=9)
    with pytest.raises(errors.Invalid, match="seen"):
        await ruled.put("Port", "p1", mtu=999)


async def test_a_thousand_referrers_are_judged_at_most(ruled: Engine) -> None:
    await ruled.make("Net", "n1", mtu=1500)
    for n in range(1001):
        await ruled.make("Port", f"p{n}", mtu=1000, net="n1")
    with pytest.raises(errors.Conflict, match="judge again 1001") as raised:
        await ruled.put("Net", "n1", mtu=1400)
    assert raised.value.code == "too_many"
    await ruled.delete("Port", "p0")
    await ruled.put("Net", "n1", mtu=1400)


async def test_what_a_rule_reads_is_read_in_rounds_not_one_by_one(
    ruled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []
    look_ahead = deciding.Deciding._look_ahead

    def counted(self: deciding.Deciding, missing: overlay.NotLoaded) -> None:
        rounds.append(missing)
        look_ahead(self, missing)

    monkeypatch.setattr(deciding.Deciding, "_look_ahead", counted)
    names = [f"n{n}" for n in range(60)]
    for n, name in enumerate(names):
        await ruled.make("Region", f"r{n}", most=2000)
        await ruled.make("Net", name, mtu=1500, region=f"r{n}")
    rounds.clear()
    await ruled.make("Port", "p1", mtu=1400, also=names)
    await ruled.put("Port", "p1", mtu=1300)
    for n in range(10):
        await ruled.make("Port", f"q{n}", mtu=1400, net=f"n{n}", also=names)
    await ruled.put("Region", "r5", most=1500)
    assert len(rounds) < 30
    with pytest.raises(errors.Conflict, match="would break its rule"):
        await ruled.put("Region", "r5", most=3)


async def test_the_rules_of_one_request_share_their_steps(tmp_path: Path) -> None:
    heavy = model(
        object_type("Net", attribute("mtu", T.INTEGER)),
        object_type(
            "Port",
            reference("net", "Net", "unset"),
            many("numbers", attribute("number", T.INTEGER), default=[]),
            checks=(
                Check(
                    rule="self.net.mtu > 0 && self.numbers.all(a, self.numbers.all(b, a >= b || a < b))",
                    message="heavy",
                ),
            ),
        ),
    )
    async with engine(tmp_path, heavy) as running:
        await running.make("Net", "n1", mtu=1)
        await running.make("Net", "n2", mtu=1)
        for n in range(14):
            await running.make("Port", f"p{n}", net="n1", numbers=list(range(95)))
        await running.make("Port", "q", net="n2", numbers=list(range(95)))
        await running.put("Net", "n2", mtu=2)
        with pytest.raises(errors.Conflict, match="too many steps") as raised:
            await running.put("Net", "n1", mtu=2)
        assert raised.value.code == "too_many"
        await settled(running)
