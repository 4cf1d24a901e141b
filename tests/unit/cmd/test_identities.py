"""The guard that settings ask for, and settings that cannot be."""

from pathlib import Path

import pytest

from gluon.api.guard import NoAuth
from gluon.cmd import front, identities
from gluon.cmd import settings as config
from gluon.identity.gate import Gate
from gluon.policy.engine import Engine


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[identity]\nmethods = ["noauth", "tokens"]', "noauth lets everyone in"),
        ("[identity]\nmethods = []", "methods is empty"),
        ('[identity]\nmethods = ["ldap"]', "ldap"),
        ('[identity]\nmethods = ["tokens"]', "[tokens] file is missing"),
        ('[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "/none"', "/none: No such file"),
        ('[identity]\nmethods = ["jwt"]\n[jwt]\nissuer = "x"', "[jwt] audience is missing"),
        ('[identity]\nmethods = ["keystone"]', "[keystone] url is missing"),
        (
            '[identity]\nmethods = ["keystone"]\n[keystone]\nurl = "x"\nuser = "u"\npassword = "p"',
            "no URL of a server",
        ),
        (
            '[identity]\nmethods = ["keystone"]\n[keystone]\nurl = "http://x"\nuser = "u"',
            "[keystone] password is missing",
        ),
        (
            '[identity]\nmethods = ["jwt"]\n[jwt]\nissuer = "x"\naudience = "y"\nkeys = "http://192.0.2.1/keys"',
            "is read in the clear",
        ),
        ('[api]\nhost = "0.0.0.0"', "without authentication only loopback"),
    ],
)
async def test_settings_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "gluon.toml").write_text(text)
    with pytest.raises(config.SettingsError) as refused:
        settings = config.load(str(tmp_path / "gluon.toml"), {})
        front.listen(settings).close()
        async with identities.guarded(settings, Engine()):
            pytest.fail("it is a guard")
    assert said in str(refused.value)


async def test_several_ways_at_once(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("tokens: []")
    (tmp_path / "tokens").chmod(0o600)
    (tmp_path / "gluon.toml").write_text(
        f'[identity]\nmethods = ["keystone", "tokens"]\nopen_metrics = true\n[tokens]\nfile = "{tmp_path}/tokens"\n'
        '[keystone]\nurl = "http://127.0.0.1:1"\nuser = "u"\npassword = "p"\npublic_url = "https://k.example/v3"\n'
    )
    settings = config.load(str(tmp_path / "gluon.toml"), {})
    async with identities.guarded(settings, Engine()) as guard:
        assert isinstance(guard, Gate)
        assert guard._challenge == 'Bearer realm="gluon", Keystone uri="https://k.example/v3"'
        assert guard.open >= {"/", "/healthz", "/healthz/", "/readyz", "/readyz/", "/metrics", "/metrics/"}


async def test_without_settings_there_is_no_identity() -> None:
    async with identities.guarded(config.Settings(), Engine()) as guard:
        assert isinstance(guard, NoAuth)
        assert guard.open == frozenset()


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLUON_KEYSTONE_PASSWORD", "pw")
    monkeypatch.setenv("GLUON_KEYSTONE_SECRET", "sec")
    keystone = config.load(None, {}).keystone
    assert (keystone.password, keystone.secret) == ("pw", "sec")
