"""The notifier that the settings ask for, and what is said where they cannot be used."""

from pathlib import Path
from typing import Any

import pytest

from gluon.cmd import events, settings
from gluon.proton import registry

KEYSTONE = "http://127.0.0.1:5000"


def made(nova: dict[str, Any], keystone: dict[str, Any] | None = None) -> object:
    wanted = settings.load(None, {"nova": {"enabled": True, **nova}, "keystone": keystone or {}})
    return events.made(wanted, None, lambda: registry.Registry(()))  # type: ignore[arg-type]


def test_nobody_is_told_unless_the_settings_say_so() -> None:
    assert made({"enabled": False}) is None
    assert events.duties(None) == ()


@pytest.mark.parametrize(
    ("nova", "keystone"),
    [
        ({"endpoint": "http://127.0.0.1:8774/v2.1"}, {}),
        ({"auth_url": KEYSTONE, "user": "gluon", "password": "secret"}, {}),
        ({}, {"url": KEYSTONE, "user": "gluon", "password": "secret"}),
        ({}, {"url": KEYSTONE, "application_credential": "1", "secret": "secret"}),
    ],
)
def test_what_is_enough(nova: dict[str, Any], keystone: dict[str, Any]) -> None:
    assert made(nova, keystone) is not None


@pytest.mark.parametrize(
    ("nova", "said"),
    [
        ({}, "auth_url is missing"),
        ({"auth_url": KEYSTONE}, "user is missing"),
        ({"auth_url": KEYSTONE, "user": "gluon"}, "password is missing"),
        ({"auth_url": "keystone", "user": "gluon", "password": "secret"}, "no URL"),
        ({"endpoint": "nova"}, "no URL"),
        ({"auth_url": KEYSTONE, "user": "gluon", "password_file": "/does/not/exist"}, "password_file"),
    ],
)
def test_what_is_not(nova: dict[str, Any], said: str) -> None:
    with pytest.raises(settings.SettingsError, match=said):
        made(nova)


def test_the_password_is_the_first_line_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    given = {"auth_url": KEYSTONE, "user": "gluon", "password_file": str(file)}
    file.write_text("", encoding="utf-8")
    with pytest.raises(settings.SettingsError, match="is empty"):
        made(given)
    file.write_text("secret\n", encoding="utf-8")
    assert made(given) is not None
    monkeypatch.setenv(settings.NOVA_VARIABLE, "other")
    assert made({"auth_url": KEYSTONE, "user": "gluon"}) is not None
