"""A server whose callers a real Keystone knows: scopes, services, revocation, and Keystone away."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.crowd import Crowd
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import KeystoneServer
from gluon.testing.servers.keystone import KeystoneRefused, User
from tests.api.streams import Stream

PORTS = "/proton/net-l3vpn/v1.0/ports"
CACHED = 1.0


class Cloud:
    """Keystone, a Gluon server beside it, and two projects."""

    def __init__(self, keystone: KeystoneServer, server: GluonServer) -> None:
        self.keystone = keystone
        self.server = server
        self.project = keystone.project()
        self.other = keystone.project()
        self.member = keystone.new_user("member", project=self.project)

    def ask(self, token: str, method: str = "GET", path: str = PORTS, body: Any = None, **more: str) -> int:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if token:
            headers["x-auth-token"] = token
        return self.server.request(method, path, body, headers=headers)[0]


def config_file(folder: Path, keystone: KeystoneServer, own: User, *, more: str = "") -> Path:
    path = folder / "gluon.toml"
    path.write_text(
        f'[identity]\nmethods = ["keystone"]\ncache_seconds = {CACHED}\n[logs]\nlevel = "debug"\naccess = true\n'
        f'[audit]\nfile = "{folder}/audit"\n[keystone]\nurl = "{keystone.url}"\ntimeout_seconds = 5\n'
        f'user = "{own.name}"\npassword = "{own.password}"\n{more}'
    )
    return path


@pytest.fixture(scope="module")
def cloud(keystone_server: KeystoneServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    own = keystone_server.new_user("service", project=keystone_server.project("service"))
    folder = tmp_path_factory.mktemp("keystone")
    with GluonServer("server", "--config", str(config_file(folder, keystone_server, own))) as server:
        yield Cloud(keystone_server, server)


def port_body(project: str) -> dict[str, Any]:
    return {
        "tenant_id": project, "mac_address": f"fa:{uuid.uuid4().hex[:2]}:00:00:00:01", "admin_state_up": True,
        "status": "ACTIVE", "vnic_type": "normal", "mtu": 1500, "vlan_transparency": False,
    }  # fmt: skip


def test_without_a_token_keystone_is_named(cloud: Cloud) -> None:
    status, headers, answer = cloud.server.exchange("GET", PORTS)
    assert (status, answer["code"]) == (401, "unauthorized")
    assert headers["www-authenticate"] == f'Keystone uri="{cloud.keystone.url.removesuffix("/v3")}"'


def test_versions_of_the_network_service_are_told_without_a_token(cloud: Cloud) -> None:
    """Clients of OpenStack read them before they have one, and warn at each start if they are refused."""
    for path in ("/networking", "/networking/"):
        status, answer = cloud.server.request("GET", path)
        assert (status, [one["id"] for one in answer["versions"]]) == (200, ["v2.0"])
    assert cloud.server.request("GET", "/networking/v2.0")[0] == 401
    assert cloud.server.request("POST", "/networking", {})[0] == 401


def test_a_members_objects_are_his_projects(cloud: Cloud) -> None:
    token = cloud.keystone.token(cloud.member, project_id=cloud.project)
    assert cloud.ask(token, "POST", PORTS, port_body(cloud.project)) == 201
    stranger = cloud.keystone.new_user("member", project=cloud.other)
    seen = {}
    for user, project in ((cloud.member, cloud.project), (stranger, cloud.other)):
        headers = {"x-auth-token": cloud.keystone.token(user, project_id=project)}
        seen[project] = cloud.server.request("GET", PORTS, headers=headers)[1]["ports"]
    assert [port["tenant_id"] for port in seen[cloud.project]] == [cloud.project]
    assert seen[cloud.other] == []


def test_an_admin_of_a_project_and_of_the_system(cloud: Cloud) -> None:
    """The rule of admins asks for the role, as Neutron's does."""
    admin = cloud.keystone.admin
    assert cloud.ask(cloud.keystone.token(admin, project="admin"), path="/gluon/v1/status") == 200
    assert cloud.ask(cloud.keystone.token(admin, system=True), path="/gluon/v1/status") == 200
    member = cloud.keystone.token(cloud.member, project_id=cloud.project)
    assert cloud.ask(member, path="/gluon/v1/status") == 403


def test_a_domain_scope_is_no_project(cloud: Cloud) -> None:
    user = cloud.keystone.new_user("member", domain="default")
    token = cloud.keystone.token(user, domain="default")
    assert cloud.ask(token, path="/gluon/v1/protons") == 200
    assert cloud.ask(token) == 403
    assert cloud.ask(token, "POST", PORTS, port_body(cloud.project)) == 403


def test_an_application_credential(cloud: Cloud) -> None:
    token = cloud.keystone.token(cloud.member, project_id=cloud.project)
    for rules, status in (([], 200), ([{"path": "/proton/**", "method": "GET", "service": "network"}], 401)):
        wanted = {"name": uuid.uuid4().hex, **({"access_rules": rules} if rules else {})}
        if rules:
            service = {"service": {"type": "network", "name": "gluon"}}
            cloud.keystone.request("POST", "/services", service)
        made = cloud.keystone.request(
            "POST",
            f"/users/{cloud.member.id}/application_credentials",
            {"application_credential": wanted},
            token=token,
        )["application_credential"]
        given = {"id": made["id"], "secret": made["secret"]}
        auth = {"identity": {"methods": ["application_credential"], "application_credential": given}}
        assert cloud.ask(cloud.keystone.token_by(auth)) == status


def test_a_revoked_token_is_refused_within_the_time_that_tokens_are_kept(cloud: Cloud) -> None:
    token = cloud.keystone.token(cloud.member, project_id=cloud.project)
    assert cloud.ask(token) == 200
    cloud.keystone.revoke(token)
    revoked = time.monotonic()
    with Crowd() as crowd:
        wait_until(lambda: cloud.ask(token) == 401, "the refusal")
    assert time.monotonic() - revoked < CACHED + crowd.allows(2)


def test_a_stream_ends_once_its_token_is_revoked(cloud: Cloud) -> None:
    token = cloud.keystone.token(cloud.member, project_id=cloud.project)
    with Stream(cloud.server.port, f"{PORTS}?watch=true", {"x-auth-token": token}) as stream:
        stream.event()
        cloud.keystone.revoke(token)
        told = stream.until(lambda event: event["type"] == "ERROR")
    assert (told["code"], "resume" in told) == ("token_expired", True)


def expiring(keystone: KeystoneServer, user: User, token: str) -> tuple[str, float]:
    """A token that expires soon, as its application credential does, and when; a busy machine may need more time."""
    path = f"/users/{user.id}/application_credentials"
    for seconds in (2, 5, 10, 20):
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        wanted = {"name": uuid.uuid4().hex, "expires_at": soon.strftime("%Y-%m-%dT%H:%M:%SZ")}
        made = keystone.request("POST", path, {"application_credential": wanted}, token=token)
        given = {name: made["application_credential"][name] for name in ("id", "secret")}
        identity = {"methods": ["application_credential"], "application_credential": given}
        try:
            return keystone.token_by({"identity": identity}), soon.timestamp()
        except KeystoneRefused:
            continue
    raise AssertionError("no token was made in time")


def test_an_expired_token_goes_with_a_service_only(cloud: Cloud, keystone_server: KeystoneServer) -> None:
    """As Nova does in a task that lasts longer than the user's token."""
    nova = keystone_server.new_user("service", project=keystone_server.project("service"))
    service = keystone_server.token(nova, project="service")
    ordinary = keystone_server.token(cloud.member, project_id=cloud.project)
    token = keystone_server.token(cloud.member, project_id=cloud.project)
    short, expiry = expiring(keystone_server, cloud.member, token)
    wait_until(lambda: time.time() > expiry + 1, "the expiry", limit=30)
    assert cloud.ask(short) == 401
    assert cloud.ask(short, x_service_token=service) == 200
    assert cloud.ask(short, x_service_token=ordinary) == 401
    assert cloud.ask(short, x_service_token="nonsense") == 401
    assert cloud.ask("", x_service_token=service) == 401
    assert cloud.ask(token, x_service_token="nonsense") == 401


SMUGGLED = {
    "X-Project-Id": "{other}", "X_Project_Id": "{other}", "X-Tenant-Id": "{other}", "X-Roles": "admin", "X_ROLES": "admin",
    "X-Role": "admin", "X-Is-Admin": "True", "X-Is-Admin-Project": "True", "X-User-Id": "root",
    "X-Identity-Status": "Confirmed", "X_Identity_Status": "Confirmed", "X-Service-Identity-Status": "Confirmed",
    "X-Service-Roles": "service,admin", "OpenStack-System-Scope": "all", "X-Domain-Id": "default",
    "Forwarded": "for=127.0.0.1", "X-Forwarded-User": "admin", "Remote-User": "admin",
    "X_Auth_Token": "{admin}",
}  # fmt: skip


def test_headers_of_clients_say_nothing_of_who_they_are(cloud: Cloud) -> None:
    admin = cloud.keystone.token(cloud.keystone.admin, project="admin")
    token = cloud.keystone.token(cloud.member, project_id=cloud.project)
    given = {name: value.format(other=cloud.other, admin=admin) for name, value in SMUGGLED.items()}
    assert cloud.server.request("GET", PORTS, headers=given)[0] == 401
    sure = {**given, "X-Auth-Token": token}
    assert cloud.server.request("GET", "/gluon/v1/status", headers=sure)[0] == 403
    ports = cloud.server.request("GET", PORTS, headers=sure)[1]["ports"]
    assert {port["tenant_id"] for port in ports} <= {cloud.project}


def command(cloud: Cloud, folder: Path, *words: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "OS_PROTON_PORT": str(cloud.server.port),
            **environment,
        },
    )
    return done.returncode, done.stdout, done.stderr


LIST = ("protonclient", "--api", "net-l3vpn", "port-list")


def test_commands_log_in(cloud: Cloud, tmp_path: Path) -> None:
    keystone, member = cloud.keystone, cloud.member
    token = keystone.token(member, project_id=cloud.project)
    path = f"/users/{member.id}/application_credentials"
    wanted = {"application_credential": {"name": uuid.uuid4().hex}}
    made = keystone.request("POST", path, wanted, token=token)["application_credential"]
    url = {"OS_AUTH_URL": keystone.url}
    password = {**url, "OS_USERNAME": member.name, "OS_PASSWORD": member.password}
    project = {"OS_PROJECT_ID": cloud.project}
    own = {"OS_APPLICATION_CREDENTIAL_SECRET": made["secret"]}
    ways: list[dict[str, str]] = [
        {**password, **project, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default"},
        {
            **password,
            **project,
            "OS_AUTH_URL": keystone.url.removesuffix("/v3"),
            "OS_USER_DOMAIN_ID": "default",
        },
        {**url, **own, "OS_APPLICATION_CREDENTIAL_ID": made["id"]},
        {**url, **own, "OS_APPLICATION_CREDENTIAL_NAME": made["name"], "OS_USERNAME": member.name},
        {**url, **project, "OS_AUTH_TYPE": "v3token", "OS_TOKEN": token},
        {"OS_TOKEN": token},
    ]
    for environment in ways:
        status, out, error = command(cloud, tmp_path, *LIST, **environment)
        assert (status, error) == (0, ""), environment
        assert {port["tenant_id"] for port in json.loads(out)["ports"]} <= {cloud.project}
    admin = {**url, "OS_USERNAME": "admin", "OS_PASSWORD": keystone.admin.password}
    assert command(cloud, tmp_path, "gluon", "status", **admin, OS_SYSTEM_SCOPE="all")[0] == 0
    assert command(cloud, tmp_path, "gluon", "status", **admin, OS_PROJECT_NAME="admin")[0] == 0
    status, _, error = command(cloud, tmp_path, *LIST, **password | {"OS_PASSWORD": "wrong"})
    assert (status, "look at user, password, domains and project in the environment" in error) == (1, True)


def test_commands_read_clouds_yaml(cloud: Cloud, tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "openstack"
    folder.mkdir(parents=True)
    (folder / "clouds.yaml").write_text(
        f"clouds:\n  mine:\n    auth:\n      auth_url: {cloud.keystone.url}\n      username: {cloud.member.name}\n"
        f"      project_id: {cloud.project}\n      user_domain_name: Default\n  other: {{}}\n"
    )
    (folder / "secure.yaml").write_text(f"clouds: {{mine: {{auth: {{password: {cloud.member.password}}}}}}}")
    assert command(cloud, tmp_path, *LIST, OS_CLOUD="mine")[::2] == (0, "")
    assert command(cloud, tmp_path, LIST[0], "--os-cloud", "mine", *LIST[1:])[0] == 0
    status, _, error = command(cloud, tmp_path, *LIST, OS_CLOUD="none")
    assert (status, "has no cloud none; it has mine, other" in error) == (1, True)
    (tmp_path / "clouds.yaml").write_text(
        "clouds: {mine: {auth: {auth_url: http://127.0.0.1:1, username: u}}}"
    )
    status, _, error = command(cloud, tmp_path, *LIST, OS_CLOUD="mine")
    assert (status, "127.0.0.1:1" in error) == (1, True)  # that of the folder counts before the user's


class Load:
    """Clients that ask all the time: with a token that was known, and with ones that were not."""

    def __init__(self, cloud: Cloud, known: str, others: list[str]) -> None:
        self.statuses: dict[str, list[tuple[int, float]]] = {"known": [], "other": []}
        self._stop = threading.Event()
        asks: list[tuple[str, Callable[[], str]]] = [("known", lambda: known)] * 3
        asks += [("other", others.pop) for _ in range(2)]
        self._cloud = cloud
        self._others = others
        self._threads = [threading.Thread(target=self._work, args=ask) for ask in asks]

    def _work(self, kind: str, token: Callable[[], str]) -> None:
        while not self._stop.is_set():
            try:
                given = token()
            except IndexError:
                return
            began = time.monotonic()
            status = self._cloud.ask(given)
            self.statuses[kind].append((status, time.monotonic() - began))
            self._stop.wait(0.02)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.fault
@pytest.mark.parametrize("how", ["paused", "killed"])
def test_keystone_away(cloud: Cloud, how: str) -> None:
    """Known tokens go on beyond the time they are kept, others get 503 and when to come again; nobody gets a 401."""
    keystone = cloud.keystone
    known = keystone.token(cloud.member, project_id=cloud.project)
    late = keystone.token(cloud.member, project_id=cloud.project)
    assert cloud.ask(known) == 200
    keystone.pause() if how == "paused" else keystone.kill9()
    try:
        strangers = [f"gAAAA{uuid.uuid4().hex}" for _ in range(1000)]
        with Crowd() as crowd, Load(cloud, known, strangers) as load:
            time.sleep(CACHED + 2.5)  # longer than tokens are kept
        status, headers, answer = cloud.server.exchange("GET", PORTS, headers={"x-auth-token": late})
    finally:
        keystone.resume() if how == "paused" else keystone.start()
    assert (status, answer["code"], headers["retry-after"]) == (503, "unavailable", "2")
    assert {status for status, _ in load.statuses["known"]} == {200}
    assert {status for status, _ in load.statuses["other"]} == {503}
    assert max(seconds for _, seconds in load.statuses["known"]) < crowd.allows(1.5)
    assert len(load.statuses["known"]) > 10
    wait_until(lambda: cloud.ask(late) == 200, "Keystone's return", limit=10)


def test_no_token_stands_in_a_log(cloud: Cloud) -> None:
    """Nor the password of Gluon's own user; run after the tests above, whose lines are there."""
    token = cloud.keystone.token(cloud.member, project_id=cloud.project)
    bad = f"gAAAA{uuid.uuid4().hex}"
    assert cloud.ask(token, "POST", PORTS, port_body(cloud.project)) == 201
    assert cloud.ask(bad) == 401
    assert cloud.ask(token, x_service_token=bad) == 401
    said = cloud.server.daemon.said(lines=100_000)
    folder = Path(cloud.server.arguments[cloud.server.arguments.index("--config") + 1]).parent
    said += (folder / "audit").read_text()
    assert PORTS in said
    assert token not in said
    assert bad not in said
    assert "gAAAA" not in said
    assert cloud.member.password not in said


def test_wrong_credentials_of_gluon_itself_are_said_once(
    keystone_server: KeystoneServer, tmp_path: Path
) -> None:
    own = User(id="", name="nobody", password="wrong")
    with GluonServer("server", "--config", str(config_file(tmp_path, keystone_server, own))) as server:
        for _ in range(5):
            status, _ = server.request("GET", PORTS, headers={"x-auth-token": "some-token"})
            assert status == 503
        assert server.daemon.said(lines=1000).count("does not take Gluon's own credentials") == 1


def test_the_helper_says_what_keystone_refused(keystone_server: KeystoneServer) -> None:
    with pytest.raises(KeystoneRefused, match="no token: 401"):
        keystone_server.token(User(id="", name="nobody", password="x"))
