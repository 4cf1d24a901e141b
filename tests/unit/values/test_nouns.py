"""Articles of names."""

import pytest

from gluon.values import nouns


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Port", "a Port"),
        ("Interface", "an Interface"),
        ("attachment", "an attachment"),
        ("Uplink", "an Uplink"),
        ("Unit", "a Unit"),
        ("user", "a user"),
        ("OneToOne", "a OneToOne"),
        ("", "a "),
    ],
)
def test_the_article_is_as_spoken(name: str, said: str) -> None:
    assert nouns.a(name) == said
