"""What a command asks Keystone for, by OS_* and by clouds.yaml."""

from pathlib import Path
from typing import Any

import pytest

from gluon.client import clouds, login
from gluon.client.http import ClientError

USER = {"username": "u", "password": "p"}


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        ({}, None),
        ({"project_id": "1"}, {"project": {"id": "1"}}),
        ({"tenant_id": "1"}, {"project": {"id": "1"}}),
        ({"project_name": "n"}, {"project": {"name": "n", "domain": {"id": "default"}}}),
        (
            {"project_name": "n", "project_domain_name": "D"},
            {"project": {"name": "n", "domain": {"name": "D"}}},
        ),
        ({"project_name": "n", "default_domain": "x"}, {"project": {"name": "n", "domain": {"id": "x"}}}),
        ({"domain_name": "D"}, {"domain": {"name": "D"}}),
        ({"system_scope": "all", "project_id": "1"}, {"system": {"all": True}}),
        ({"trust_id": "t"}, {"OS-TRUST:trust": {"id": "t"}}),
    ],
)
def test_scopes(given: dict[str, str], scope: Any) -> None:
    assert login._auth({**USER, **given}, "the environment").get("scope") == scope


def test_users() -> None:
    by_name = login._auth({**USER, "user_domain_id": "d"}, "x")["identity"]["password"]["user"]
    assert by_name == {"name": "u", "domain": {"id": "d"}, "password": "p"}
    by_id = login._auth({"user_id": "7", "password": "p"}, "x")["identity"]["password"]["user"]
    assert by_id == {"id": "7", "password": "p"}


def test_an_application_credential_has_its_own_scope() -> None:
    given = {"application_credential_id": "i", "application_credential_secret": "s", "project_id": "1"}
    found = login._auth(given, "x")
    assert found == {
        "identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": "i", "secret": "s"},
        }
    }


def test_what_is_given_counts_first() -> None:
    assert login.Login({"OS_TOKEN": "e"}).given == "e"
    assert login.Login({"OS_TOKEN": "e"}, token="t").given == "t"
    assert not login.Login({"OS_TOKEN": "e", "OS_AUTH_URL": "http://k"}).given
    assert not login.Login({"OS_TOKEN": "e"}, cloud="c").given
    for bad in ("a\nb", "ä", "a\x00"):
        with pytest.raises(ClientError) as refused:
            login.Login({}, token=bad)
        assert bad not in str(refused.value)


def test_secure_yaml_lies_over_clouds_yaml(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "clouds: {a: {cacert: /ca, auth: {auth_url: x, user-domain-name: D, project_id: 12}}, b: {profile: v}, c: 1}"
    )
    (tmp_path / "secure.yaml").write_text("clouds: {a: {auth: {password: pw}}}")
    environment = {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "c.yaml"), "HOME": "/none"}
    assert clouds.read("a", environment) == {
        "cacert": "/ca", "auth_url": "x", "user_domain_name": "D", "project_id": "12", "password": "pw",
    }  # fmt: skip
    for name, said in (("b", "profile"), ("c", "no mapping"), ("d", "it has a, b, c")):
        with pytest.raises(ClientError, match=said):
            clouds.read(name, environment)


def test_a_cloud_may_be_called_as_a_number_is(tmp_path: Path) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {2026: {auth: {auth_url: x}}, b: {}}")
    environment = {"OS_CLIENT_CONFIG_FILE": str(path), "HOME": "/none"}
    assert clouds.read("2026", environment) == {"auth_url": "x"}
    with pytest.raises(ClientError, match="it has 2026, b"):
        clouds.read("c", environment)


def test_a_file_of_an_authority_may_be_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As openstacksdk reads it."""
    monkeypatch.setenv("HOME", "/somebody")
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {a: {cacert: ~/ca.pem}}")
    found = clouds.read("a", {"OS_CLIENT_CONFIG_FILE": str(path), "HOME": "/somebody"})
    assert found == {"cacert": "/somebody/ca.pem"}


@pytest.mark.parametrize(
    "text", ["", "[]", "clouds: 1", "{", "clouds: {a: {auth: 1}}", "clouds: {a: {at: 2001-13-45}}"]
)
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text(text)
    with pytest.raises(ClientError, match="clouds.yaml"):
        clouds.read("a", {"OS_CLIENT_CONFIG_FILE": str(path)})


def test_certificates_are_always_looked_at() -> None:
    for facts, said in (({"verify": "False"}, "verify is off"), ({"cacert": "/none"}, "/none")):
        with pytest.raises(ClientError, match=said):
            login._context(facts, "cloud a")
