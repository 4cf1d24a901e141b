"""Policy rules: what is one, and what tree it makes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.model.rules import Always, And, Check, Never, Not, Or, Rule, parse

OWNER = Check("rule", "owner")
ADMIN = Check("role", "admin")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", Always()),
        ("@", Always()),
        ("!", Never()),
        ("rule:owner", OWNER),
        ("tenant_id:%(tenant_id)s", Check("tenant_id", "%(tenant_id)s")),
        ("'a b:c':%(name)s", Check("'a b:c'", "%(name)s")),
        ("not rule:owner", Not(OWNER)),
        ("rule:owner or role:admin", Or((OWNER, ADMIN))),
        ("rule:owner or role:admin and @", Or((OWNER, And((ADMIN, Always()))))),
        ("(rule:owner or role:admin) and !", And((Or((OWNER, ADMIN)), Never()))),
        ("not (rule:owner OR role:admin)", Not(Or((OWNER, ADMIN)))),
        ("not not rule:owner and role:admin", And((Not(Not(OWNER)), ADMIN))),
        ("http://example.net/%(name)s", Check("http", "//example.net/%(name)s")),
    ],
)
def test_a_rule_makes_its_tree(text: str, rule: Rule) -> None:
    assert parse(text) == rule


@pytest.mark.parametrize(
    "text",
    ["admin", "rule:", ":admin", "rule:a rule:b", "(rule:a", "rule:a)", "not", "rule:a and", "or rule:a", "()",
     "rule:a or or rule:b", "'a:b", "(" * 1000, "not " * 1000 + "@", " or ".join(["@"] * 1000)],
)  # fmt: skip
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


@given(st.text(alphabet="()!@:%'\" abnotr", max_size=40))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse(text) == parse(f"({text or '@'})")
