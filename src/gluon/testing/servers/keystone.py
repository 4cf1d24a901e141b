"""A private Keystone on SQLite: users, projects and tokens as a test wants them, and its faults.

Out: `KeystoneServer`: `url`, `request()` as its admin, `new_user()`, `token()`. It runs from a virtual environment of its own
(`./dev setup test` makes it), as its dependencies are none of Gluon's.
"""

from __future__ import annotations

import http.client
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluon.errors import GluonError
from gluon.testing.process import Daemon
from gluon.testing.servers.server import LOOPBACK, PrivateServer

PYTHON = Path(os.environ.get("GLUON_OPENSTACK_PYTHON", ".venv-openstack/bin/python"))
"""Of the environment with Keystone; `./dev` and the tests run in the project's folder."""


class KeystoneRefused(GluonError):
    """Keystone did not do what a test asked."""


def missing() -> str:
    """Why there can be no Keystone, or empty."""
    return "" if PYTHON.exists() else f"{PYTHON} is not there: ./dev setup test installs Keystone"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Of the domain Default."""

    id: str
    name: str
    password: str


class KeystoneServer(PrivateServer):
    """`with KeystoneServer() as keystone: keystone.token(keystone.admin, project="admin")`."""

    kind = "keystone"
    start_limit = 300.0

    def __init__(self) -> None:
        super().__init__(user=None)
        self.admin = User(id="", name="admin", password=uuid.uuid4().hex)
        self._token = ""

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports[0]}/v3"

    def _prepare(self) -> None:
        """The process makes what is not there."""

    def _command(self) -> Daemon:
        script = Path(__file__).with_name("keystone_process.py")
        return Daemon(
            [
                str(PYTHON.absolute()),
                "-I",
                str(script),
                str(self.folder.path),
                str(self.ports[0]),
                self.admin.password,
            ],
            log=self.folder.path / "server.log",
        )

    def _answers(self) -> bool:
        return "keystone serves" in self.daemon.said(lines=50)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers (by lower-case name) and body of an answer."""
        connection = http.client.HTTPConnection(LOOPBACK, self.ports[0], timeout=300)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(
                method, f"/v3{path}", content, {"content-type": "application/json", **(headers or {})}
            )
            answer = connection.getresponse()
            text = answer.read()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, json.loads(text) if text else None
        finally:
            connection.close()

    def request(self, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        """The answer's body, asked with a token or as the admin. Raises `KeystoneRefused`."""
        if not token:
            self._token = self._token or self.token(self.admin, project="admin")
        status, _, answer = self.ask(method, path, body, {"x-auth-token": token or self._token})
        if status >= 400:
            raise KeystoneRefused(f"{method} {path}: {status} {answer}")
        return answer

    def project(self, name: str = "") -> str:
        """The id of a project, made if there is none."""
        found = self.request("GET", f"/projects?name={name}")["projects"] if name else []
        wanted = {"name": name or uuid.uuid4().hex, "domain_id": "default"}
        return str((found or [self.request("POST", "/projects", {"project": wanted})["project"]])[0]["id"])

    def new_user(self, *roles: str, project: str = "", domain: str = "", system: bool = False) -> User:
        """A new user with roles on a project (its id), a domain or the system."""
        wanted = {"name": f"u-{uuid.uuid4().hex[:12]}", "password": uuid.uuid4().hex, "domain_id": "default"}
        made = self.request("POST", "/users", {"user": wanted})["user"]
        place = f"/projects/{project}" if project else f"/domains/{domain}"
        for name in roles:
            role = self.request("GET", f"/roles?name={name}")["roles"][0]["id"]
            path = "/system" if system else place
            self.request("PUT", f"{path}/users/{made['id']}/roles/{role}")
        user = User(id=made["id"], name=made["name"], password=wanted["password"])
        self.token(user)  # the first of a day is written down, and of two at once SQLite refuses one (500)
        return user

    def section(self, user: User) -> dict[str, str]:
        """Settings by which a service of OpenStack is this user, in the project `service`."""
        return {
            "auth_type": "password",
            "auth_url": self.url,
            "username": user.name,
            "password": user.password,
            "project_name": "service",
            "user_domain_id": "default",
            "project_domain_id": "default",
        }

    def serve(self, kind: str, url: str) -> None:
        """Name the one endpoint of a kind of service, such as `network`, in the catalog; its interface is public."""
        wanted = {"type": kind, "name": kind}
        found = self.request("GET", f"/services?type={kind}")["services"]
        made = found[0] if found else self.request("POST", "/services", {"service": wanted})["service"]
        there = self.request("GET", f"/endpoints?service_id={made['id']}")["endpoints"]
        if there:
            self.request("PATCH", f"/endpoints/{there[0]['id']}", {"endpoint": {"url": url}})
            return
        endpoint = {"service_id": made["id"], "interface": "public", "region_id": "one", "url": url}
        self.request("POST", "/endpoints", {"endpoint": endpoint})

    def token(
        self, user: User, *, project: str = "", project_id: str = "", domain: str = "", system: bool = False
    ) -> str:
        """A new token of a user with this scope. Raises `KeystoneRefused`."""
        given = {"name": user.name, "domain": {"id": "default"}, "password": user.password}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": given}}}
        if project_id:
            auth["scope"] = {"project": {"id": project_id}}
        elif project:
            auth["scope"] = {"project": {"name": project, "domain": {"id": "default"}}}
        elif domain:
            auth["scope"] = {"domain": {"id": domain}}
        elif system:
            auth["scope"] = {"system": {"all": True}}
        return self.token_by(auth)

    def token_by(self, auth: Mapping[str, Any]) -> str:
        """A token by any means. Raises `KeystoneRefused`."""
        status, headers, answer = self.ask("POST", "/auth/tokens", {"auth": auth})
        if status != 201:
            raise KeystoneRefused(f"no token: {status} {answer}")
        return headers["x-subject-token"]

    def revoke(self, token: str) -> None:
        status, _, answer = self.ask(
            "DELETE", "/auth/tokens", None, {"x-auth-token": self._token, "x-subject-token": token}
        )
        if status != 204:
            raise KeystoneRefused(f"not revoked: {status} {answer}")
