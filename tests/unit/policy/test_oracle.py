"""The same rules, callers and objects, judged by `oslo.policy` itself."""

import logging
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from oslo_policy import _checks, _parser, policy

from gluon.policy.explain import explain
from gluon.policy.rulebook import PolicyError, Source, rulebook
from gluon.spi.policy import Caller, Scope
from tests.effort import examples

NAMES = ["a", "b", "c"]
VALUES = ["p", "q", "1", "True"]
KINDS = [
    "role",
    "project_id",
    "tenant_id",
    "user_id",
    "is_admin",
    "domain_id",
    "token.x",
    "token.list.x",
    "gone",
    "'p'",
    "1",
]
MATCHES = [
    "p",
    "Q",
    "1",
    "True",
    *(f"%({n})s" for n in ("project_id", "tenant_id", "name", "user.id", "gone")),
    "q%(name)s",
]

check = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(KINDS), st.sampled_from(MATCHES)),
    st.sampled_from(["@", "!", *(f"rule:{name}" for name in NAMES)]),
)
rule = st.recursive(
    check,
    lambda r: st.one_of(
        st.builds("({})".format, r),
        st.builds("not {}".format, st.one_of(check, st.builds("({})".format, r))),
        st.builds("{} and {}".format, r, r),
        st.builds("{} or {}".format, r, r),
    ),
    max_leaves=8,
)
legacy = st.lists(st.one_of(check, st.lists(check, max_size=3)), max_size=3)
broken = st.lists(st.sampled_from(["role:p", "and", "or", "not", "(", ")", "role", "@"]), max_size=6).map(
    " ".join
)
value = st.sampled_from(VALUES)
callers = st.builds(
    Caller,
    user=value,
    project=value,
    roles=st.frozensets(st.sampled_from(["P", "q", "True"])),
    admin=st.booleans(),
    more=st.fixed_dictionaries({}, optional={
        "domain_id": st.one_of(value, st.integers(0, 2), st.booleans(), st.lists(value, max_size=2)),
        "token": st.fixed_dictionaries({}, optional={
            "x": st.one_of(value, st.lists(value, max_size=2)),
            "list": st.lists(st.fixed_dictionaries({}, optional={"x": value}), max_size=2),
        }),
    }),
)  # fmt: skip
targets = st.builds(
    lambda project, more: {"project_id": project, "tenant_id": project, **more},
    value,
    st.fixed_dictionaries({}, optional={"name": value, "user.id": st.one_of(value, st.integers(0, 2))}),
)


class Enforcer:
    def __init__(self, rules: Any) -> None:
        self.rules = rules


def theirs(given: dict[str, Any], name: str, caller: Caller, target: dict[str, Any]) -> bool:
    rules = policy.Rules({n: _parser.parse_rule(r) for n, r in given.items()}, "default")
    creds = {
        "user_id": caller.user,
        "project_id": caller.project,
        "tenant_id": caller.project,
        "roles": list(caller.roles),
        "is_admin": caller.admin,
        **caller.more,
    }
    enforcer: Any = Enforcer(rules)
    return bool(_checks._check(rules[name], target, creds, enforcer, name))


def acyclic(given: dict[str, Any]) -> dict[str, Any]:
    """Each rule names later ones only; the last none."""
    order = [*given, "end"]
    done: dict[str, Any] = {}
    for n, (name, text) in enumerate(given.items()):
        for back in order[: n + 1]:
            text = _replaced(text, f"rule:{back}", f"rule:{order[n + 1]}")  # noqa: PLW2901
        done[name] = text
    return {**done, "end": "role:q"}


def _replaced(text: Any, old: str, new: str) -> Any:
    return text.replace(old, new) if isinstance(text, str) else [_replaced(t, old, new) for t in text]


@settings(max_examples=examples(250), deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(NAMES, st.one_of(rule, legacy))),
    callers,
    st.lists(targets, min_size=1, max_size=5),
)
def test_both_say_the_same(given: dict[str, Any], caller: Caller, objects: list[dict[str, Any]]) -> None:
    given = acyclic(given)
    book = rulebook({n: Source(rule=r, place="here") for n, r in given.items()})
    for name in given:
        scope = book.scope(name, caller)
        for target in objects:
            ours = book.allows(name, caller, target)
            assert explain(book, name, caller, target).holds == ours
            assert ours == theirs(given, name, caller, target), given[name]
            own = target["project_id"] == caller.project
            assert ours in {
                Scope.ALL: (True,), Scope.NOTHING: (False,), Scope.OWN: (own,), Scope.OWN_ROWS: (False, own),
                Scope.ROWS: (False, True),
            }[scope]  # fmt: skip


@settings(max_examples=examples(250), deadline=None)
@given(broken)
def test_both_refuse_the_same(text: str) -> None:
    logging.disable(logging.CRITICAL)
    try:
        refused = "!" in str(_parser.parse_rule(text))  # what it cannot read is never true there
    finally:
        logging.disable(logging.NOTSET)
    try:
        rulebook({"r": Source(rule=text, place="here")})
    except PolicyError:
        assert refused
    else:
        assert not refused
