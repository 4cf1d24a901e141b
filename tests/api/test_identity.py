"""A server that knows callers by a file of tokens and by JWTs, and the commands that log in to it."""

import base64
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.api.streams import Event, Stream

BIN = Path(sys.executable).parent
PORTS = "/proton/net-l3vpn/v1.0/ports"
ADMIN, ALICE, BOB = "admin-token-of-the-file", "alice-token-of-the-file", "bob-token-of-the-file"
KEY = ec.generate_private_key(ec.SECP256R1())
TOKENS = f"""
tokens:
  - {{token: {ADMIN}, user: root, roles: [admin]}}
  - {{token: {ALICE}, user: alice, project: p1, roles: [member]}}
"""


class Site:
    """The server, and the folder of its files."""

    def __init__(self, server: GluonServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.request(method, path, body, headers=given)[0]

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        where = {"OS_PROTON_PORT": str(self.server.port), "HOME": str(self.folder)}
        return subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            capture_output=True,
            text=True,
            timeout=60,
            env={"PATH": os.environ["PATH"], **where, **environment},
            check=False,
            cwd=self.folder,
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("identity")
    (folder / "tokens").write_text(TOKENS)
    (folder / "tokens").chmod(0o600)
    key = {**jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k"}
    (folder / "keys").write_text(json.dumps({"keys": [key]}))
    (folder / "gluon.toml").write_text(
        f'[identity]\nmethods = ["tokens", "jwt"]\n[tokens]\nfile = "{folder}/tokens"\n[logs]\naccess = true\n'
        f'[jwt]\nissuer = "https://i.example"\naudience = "gluon"\nkeys = "{folder}/keys"\n'
    )
    # beyond loopback it would be refused without identity
    with GluonServer("server", "--config", str(folder / "gluon.toml"), "--host", "0.0.0.0") as server:
        yield Site(server, folder)


def bearer(**more: Any) -> str:
    claims = {"iss": "https://i.example", "aud": "gluon", "sub": "carol", "exp": time.time() + 60, **more}
    return jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "k"})


def test_who_may_do_what(site: Site) -> None:
    """By the routes beside those of models; policy has tests of its own."""
    carol, chief = bearer(project_id="p1", roles=["member"]), bearer(roles=["admin"])
    for path, nobody, member, admin in (
        ("/", 200, 200, 200),
        ("/healthz", 200, 200, 200),
        ("/healthz/", 200, 200, 200),
        ("/readyz", 200, 200, 200),
        ("/proton", 401, 200, 200),
        ("/proton/net-l3vpn", 401, 200, 200),
        ("/gluon/v1/protons", 401, 200, 200),
        ("/gluon/v1/protons/net-l3vpn/v1.0/openapi.json", 401, 200, 200),
        (PORTS, 401, 200, 200),
        ("/gluon/v1/status", 401, 403, 200),
        ("/gluon/v1/ports", 401, 403, 200),
        ("/metrics", 401, 403, 200),
        ("/nowhere/at/all", 401, 404, 404),
        ("/healthz/../gluon/v1/status", 401, 404, 404),
        ("/healthz%2f..%2fgluon", 401, 404, 404),
    ):
        found = [
            site.ask(path),
            site.ask(path, x_auth_token=ALICE),
            site.ask(path, authorization=f"Bearer {carol}"),
            site.ask(path, authorization=f"Bearer {ADMIN}"),
            site.ask(path, x_auth_token=chief),
        ]
        assert found == [nobody, member, member, admin, admin], path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gluon/v1/protons"), ("PUT", "/gluon/v1/protons/net-l3vpn"), ("DELETE", "/gluon/v1/protons/net-l3vpn"),
        ("POST", "/gluon/v1/resync"), ("DELETE", "/gluon/v1/hosts/A"),
    ],
)  # fmt: skip
def test_what_only_operators_do(site: Site, method: str, path: str) -> None:
    for token, status in ((ALICE, 403), ("unknown-token-of-nobody", 401)):
        assert site.ask(path, method, {}, x_auth_token=token) == status
    assert site.ask(path, method, {}) == 401


def test_open_paths_are_read_only(site: Site) -> None:
    for path in ("/", "/healthz", "/readyz"):
        assert site.ask(path, "POST", {}) == 401
        assert site.ask(path, "DELETE") == 401


UNSIGNED = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "none"}, {"iss": "https://i.example", "aud": "gluon", "sub": "x", "exp": 2**40})
)


@pytest.mark.parametrize(
    "token",
    [
        "x" * 20_000, "x" * 60_000, "ünïcode", "\x7f", "' or 1=1 --", "${jndi:ldap://x}", "%00", "null", f"{UNSIGNED}.",
        "admin", "[" * 9000, f"{ADMIN} ", f"{ADMIN},{ADMIN}", ADMIN.upper(),
    ],
)  # fmt: skip
def test_strange_tokens(site: Site, token: str) -> None:
    """None is an error of ours, and none is admitted; blanks at the end belong to no header's value."""
    expected = {200} if token.strip() == ADMIN else {400} if token == "\x7f" else {401}
    for name, value in (("x-auth-token", token), ("authorization", f"Bearer {token}")):
        status, headers, _ = site.server.exchange(
            "GET", PORTS, headers={name: value.encode("utf-8").decode("latin-1")}
        )
        assert status in ({431} if len(token) > 50_000 else expected)
        assert status in {200, 400, 431} or headers["www-authenticate"] == 'Bearer realm="gluon"'


def test_a_web_page_on_another_origin_has_no_token_to_send(site: Site) -> None:
    """With tokens it does not matter by which name the server is reached."""
    assert (
        site.ask(PORTS, x_auth_token=ALICE, host="anything.example", origin="https://anything.example") == 200
    )
    assert site.ask(PORTS, host="127.0.0.1") == 401


def test_the_file_of_tokens_may_change(site: Site) -> None:
    assert site.ask(PORTS, x_auth_token=BOB) == 401
    path = site.folder / "tokens"
    new = site.folder / "new"
    new.write_text(f"{TOKENS}  - {{token: {BOB}, user: bob, project: p2, roles: [member]}}\n")
    new.chmod(0o640)
    new.rename(path)
    wait_until(lambda: site.ask(PORTS, x_auth_token=BOB) == 200, "Bob", limit=5)
    path.write_text(TOKENS)
    wait_until(lambda: site.ask(PORTS, x_auth_token=BOB) == 401, "the end of Bob", limit=5)
    path.write_text("tokens: [")
    wait_until(lambda: "cannot be used" in site.server.daemon.said(lines=1000), "the complaint", limit=5)
    assert site.ask(PORTS, x_auth_token=ALICE) == 200
    path.write_text(TOKENS)


def last_word(stream: Stream) -> Event:
    return stream.until(lambda event: event["type"] == "ERROR")


@pytest.mark.parametrize("path", [f"{PORTS}?watch=true", "/gluon/v1/watch"])
def test_a_stream_ends_with_its_token(site: Site, path: str) -> None:
    """With the place to go on from; others of the file are not disturbed, nor who has the same rights as before."""
    path_of_tokens = site.folder / "tokens"
    bob = f"{TOKENS}  - {{token: {BOB}, user: bob, project: p2, roles: [%s]}}\n"
    path_of_tokens.write_text(bob % "member")
    wait_until(lambda: site.ask(PORTS, x_auth_token=BOB) == 200, "Bob", limit=5)
    with Stream(site.server.port, path, {"x-auth-token": ADMIN}) as admins:
        with Stream(site.server.port, path, {"x-auth-token": BOB}) as bobs:
            path_of_tokens.write_text(bob % "reader")
            told = last_word(bobs)
            assert (told["code"], "resume" in told) == ("renew", True)
            assert bobs.line() == b""
        again = f"{path}{'&' if '?' in path else '?'}resume={told['resume']}"
        with Stream(site.server.port, again, {"authorization": f"Bearer {BOB}"}) as bobs:
            path_of_tokens.write_text(TOKENS)
            told = last_word(bobs)
            assert (told["code"], "resume" in told) == ("token_expired", True)
            assert bobs.line() == b""
        assert site.ask(again, x_auth_token=BOB) == 401
        port = {
            "tenant_id": str(uuid.uuid4()), "mac_address": "fa:16:3e:00:00:01", "admin_state_up": True, "status": "ACTIVE",
            "mtu": 1500, "vnic_type": "normal", "vlan_transparency": False,
        }  # fmt: skip
        status, made = site.server.request("POST", PORTS, port, headers={"x-auth-token": ADMIN})
        assert status == 201, made
        assert admins.change()["key"] == made["id"]
        assert site.ask(f"{PORTS}/{made['id']}", "DELETE", x_auth_token=ADMIN) == 204


def test_a_stream_ends_with_its_jwt(site: Site) -> None:
    soon = bearer(project_id="p1", roles=["member"], exp=time.time() - 27)  # within what clocks may differ
    with Stream(site.server.port, "/gluon/v1/watch", {"authorization": f"Bearer {soon}"}) as stream:
        told = last_word(stream)
    assert (told["code"], "it has expired" in told["detail"]) == ("token_expired", True)


def test_commands_with_a_token(site: Site) -> None:
    list_ports = ("protonclient", "--api", "net-l3vpn", "port-list")
    assert json.loads(site.command(*list_ports, GLUON_TOKEN=ALICE).stdout) == {"ports": []}
    assert site.command("protonclient", "--token", ALICE, *list_ports[1:]).returncode == 0
    assert site.command(*list_ports, OS_TOKEN=ALICE).returncode == 0
    assert site.command(*list_ports, OS_AUTH_TYPE="admin_token", OS_TOKEN=ALICE).returncode == 0
    assert site.command("gluon", "status", "--token", ADMIN).returncode == 0
    url = f"http://localhost:{site.server.port}"
    assert site.command("gluon", "status", "--port", "1", "--token", ADMIN, "--url", url).returncode == 0
    assert (
        "port-list" in site.command("protonclient", "--api", "net-l3vpn", "--help", GLUON_TOKEN=ALICE).stdout
    )
    explained = ("gluon", "policy", "explain", "net-l2:get_port", "--object", str(uuid.uuid4()))
    assert "give --token" in site.command(*explained).stderr
    assert "no Port with id" in site.command(*explained, "--token", ALICE).stderr
    helped = site.command("protonclient", "--api", "net-l3vpn", "--help")
    assert helped.returncode == 0
    assert "none can be listed: the server asks who you are: give --token" in " ".join(helped.stdout.split())
    refused = site.command("gluon", "status", GLUON_TOKEN=ALICE)
    assert (refused.returncode, "the rule operate" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give --token or GLUON_TOKEN, --os-cloud, or OS_AUTH_URL"),
        ({"GLUON_TOKEN": f"{ALICE}\n"}, "the end of a line"),
        ({"GLUON_TOKEN": "wrong"}, "the token is not valid (get a new one"),
        ({"OS_AUTH_URL": "http://127.0.0.1:1"}, "has no OS_USERNAME"),
        ({"OS_AUTH_URL": "http://127.0.0.1:1", "OS_USERNAME": "u"}, "has no OS_PASSWORD"),
        ({"OS_AUTH_URL": "http://127.0.0.1:1", "OS_USERNAME": "u", "OS_PASSWORD": "p"}, "refused"),
        (
            {"OS_AUTH_URL": "keystone", "OS_USERNAME": "u", "OS_PASSWORD": "p"},
            "OS_AUTH_URL: 'keystone/v3' is no URL",
        ),
        (
            {"OS_AUTH_URL": f"http://u:{ALICE}@127.0.0.1:1", "OS_USERNAME": "u", "OS_PASSWORD": "p"},
            "OS_AUTH_URL: what has an @ in it",
        ),
        (
            {"OS_AUTH_URL": f"ftp://u:a/{ALICE}@[127.0.0.1", "OS_USERNAME": "u", "OS_PASSWORD": "p"},
            "OS_AUTH_URL: what has an @ in it",
        ),
        ({"OS_AUTH_URL": "http://127.0.0.1:1", "OS_AUTH_TYPE": "v3oidc"}, "OS_AUTH_TYPE v3oidc is none of"),
        (
            {"OS_AUTH_URL": "x", "OS_APPLICATION_CREDENTIAL_ID": "1"},
            "has no OS_APPLICATION_CREDENTIAL_SECRET",
        ),
        ({"OS_AUTH_TYPE": "none"}, "no token is given"),
        ({"OS_CLOUD": "mine"}, "no clouds.yaml for cloud mine"),
    ],
)
def test_commands_say_what_is_missing(site: Site, given: dict[str, str], said: str) -> None:
    done = site.command("protonclient", "--api", "net-l3vpn", "port-list", **given)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert ALICE not in done.stderr


def test_no_token_stands_in_the_log(site: Site) -> None:
    for way in ({"x_auth_token": ADMIN}, {"authorization": f"Bearer {UNSIGNED}"}, {}):
        site.ask(PORTS, **way)
    said = site.server.daemon.said(lines=100_000)
    assert PORTS in said
    for token in (ADMIN, ALICE, BOB, UNSIGNED[:60], bearer()[:30]):
        assert token not in said


def test_an_address_may_try_few_wrong_tokens(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(TOKENS)
    (tmp_path / "tokens").chmod(0o600)
    (tmp_path / "gluon.toml").write_text(
        '[api]\nproxies = ["127.0.0.1/32"]\n[limits]\nwrong_tokens = 0.001\n'
        f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{tmp_path}/tokens"\n'
    )
    with GluonServer("server", "--config", str(tmp_path / "gluon.toml")) as server:

        def ask(path: str, token: str, address: str) -> tuple[int, dict[str, str], Any]:
            return server.exchange("GET", path, headers={"x-auth-token": token, "x-forwarded-for": address})

        assert ask(PORTS, ALICE, "203.0.113.5")[0] == 200
        for path in (PORTS, "/gluon/v1/status", "/v2.0/ports"):
            mine, other = (f"192.0.2.{len(path)}", f"198.51.100.{len(path)}")
            assert [ask(path, f"{mine}-{n}", mine)[0] for n in range(3)] == [401, 429, 429]
            _, headers, body = ask(path, "another", mine)
            assert int(headers["retry-after"]) > 500
            assert body.get("code", "rate") == "rate", body
            assert ask(path, other, other)[0] == 401
            assert ask(PORTS, ALICE, mine)[0] == 200, "a token that is in use"
