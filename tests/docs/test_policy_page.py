"""The page on policy has the rules that there are."""

from pathlib import Path

from gluon.policy import base

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policy.md"


def test_the_built_in_rules_are_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [f"| `{name}` | `{rule}` | {about} |" for name, (rule, about) in base.RULES.items()]
    assert "\n".join(rows) in text
