"""Rules: what they allow, over which objects a list goes, and which are refused with a word."""

import pytest

from gluon.policy.rulebook import Legacy, PolicyError, Rulebook, Source, rulebook
from gluon.spi.policy import Caller, Scope

MEMBER = Caller(
    user="u", project="p", roles=frozenset({"member"}), more={"domain_id": "d", "token": {"x": ["1"]}}
)
ADMIN = Caller(user="a", roles=frozenset({"Admin"}), admin=True)
OWN, FOREIGN, SHARED = {"project_id": "p"}, {"project_id": "q"}, {"project_id": None}


def book(**given: str | Legacy) -> Rulebook:
    return rulebook(
        {
            name: Source(rule=rule, place=f"policy.yaml:{n}:1")
            for n, (name, rule) in enumerate(given.items(), 1)
        }
    )


def problems(**given: str | Legacy) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        book(**given)
    return caught.value.problems


def test_admin_or_owner() -> None:
    made = book(admin="is_admin:True", owner="project_id:%(project_id)s", both="rule:admin or rule:owner")
    assert [made.allows("both", MEMBER, t) for t in (OWN, FOREIGN, SHARED)] == [True, False, False]
    assert [made.allows("both", ADMIN, t) for t in (OWN, FOREIGN, SHARED)] == [True, True, True]
    assert made.scope("both", MEMBER) is Scope.OWN
    assert made.scope("both", ADMIN) is Scope.ALL
    assert made.scope("owner", ADMIN) is Scope.NOTHING


def test_who_has_no_project_does_not_own_what_belongs_to_none() -> None:
    for rule in (
        "project_id:%(project_id)s",
        "tenant_id:x%(a)s",
        "user_id:%(project_id)s",
        "gone:%(project_id)s",
    ):
        assert not book(r=rule).allows("r", Caller(user="None"), {"project_id": None, "a": None})


@pytest.mark.parametrize(
    ("rule", "scope"),
    [
        ("", Scope.ALL),
        ("!", Scope.NOTHING),
        ("role:MEMBER", Scope.ALL),
        ("role:reader", Scope.NOTHING),
        ("project_id:%(tenant_id)s and role:member", Scope.OWN),
        ("project_id:%(project_id)s and user_id:%(owner)s", Scope.OWN_ROWS),
        ("project_id:%(project_id)s or user_id:%(owner)s", Scope.ROWS),
        ("not project_id:%(project_id)s", Scope.ROWS),
        ("not role:member or 'x':%(name)s", Scope.ROWS),
        ("domain_id:d and token.x:1", Scope.ALL),
        ("role:reader and 'x':%(name)s", Scope.NOTHING),
    ],
)
def test_scope(rule: str, scope: Scope) -> None:
    assert book(r=rule).scope("r", MEMBER) is scope


def test_an_always_true_rule_is_a_constant() -> None:
    for rule in ("@", "", "role:x or @", "not !", "rule:a and 'x':x"):
        one = book(a="@", r=rule).compiled("r")
        assert one is not None
        assert one.constant is True


def test_lists_of_lists_and_nested_targets() -> None:
    made = book(r=[["role:member", "'blue':%(service.colour)s"], "role:boss"], n=[[]], e=[])
    assert made.allows("r", MEMBER, {"service": {"colour": "blue"}})
    assert made.allows("r", MEMBER, {"service.colour": "blue"})
    assert not made.allows("r", MEMBER, {"service": "blue"})
    assert not made.allows("n", MEMBER, {})
    assert made.allows("e", MEMBER, {})


def test_a_rule_that_nobody_defined() -> None:
    assert not book(a="@").allows("b", ADMIN, OWN)
    assert book(a="@").scope("b", ADMIN) is Scope.NOTHING
    made = book(default="role:member", a="rule:lost")
    assert made.allows("b", MEMBER, OWN)
    assert made.allows("a", MEMBER, OWN)


def test_every_problem_has_its_place() -> None:
    found = problems(
        a="rule:lost",
        b="rule:c",
        c="not rule:b",
        d="http://x/%(y)s",
        e="role:x (",
        f="a:%(x)d",
        g=[["a or b:c"]],
    )
    assert [text.partition(": rule ")[0] for text in found] == [
        f"policy.yaml:{n}:1" for n in (1, 3, 4, 5, 6, 7)
    ]
    assert "no rule 'lost' is defined" in found[0]
    assert "b asks c asks b" in found[1]
    assert "not supported" in found[2]


def test_recursion_is_bounded() -> None:
    deep = {f"r{n}": f"not rule:r{n + 1}" for n in range(5000)} | {"r5000": "role:x"}
    assert "nested" in problems(**deep)[0]
    assert "nested" in problems(**dict(reversed(deep.items())))[0]
    shallow = {f"r{n}": f"not rule:r{n + 1}" for n in range(60)} | {"r60": "role:member"}
    assert book(**shallow).allows("r0", MEMBER, {})
