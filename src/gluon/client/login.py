"""A token for the commands: one that is given, or one of Keystone v3 by OS_* or a cloud of `clouds.yaml`.

In: the environment, and what the command line says. Out: a `Login`, which gets a token when a server asks for one. On the
standard library's client like all of this room: keystoneauth1 takes longer to import than a command lives.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from typing import Any

from gluon.client import clouds, proxies
from gluon.client.http import ClientError
from gluon.objects import codec
from gluon.values import url as urls

_PASSWORD = {"password", "v3password"}
_TOKEN = {"token", "v3token"}
_CREDENTIAL = {"v3applicationcredential"}
_NONE = {"none", "noauth"}
_AS_IT_IS = {"admin_token"}
_SECONDS = 30


class Login:
    """`token`: to be sent as it is; `cloud`: of `clouds.yaml`, before what the environment says. Raises `ClientError`."""

    def __init__(self, environment: Mapping[str, str], *, token: str = "", cloud: str = "") -> None:
        self._environment = environment
        self._cloud = cloud if cloud != "envvars" else ""
        self._source = f"cloud {cloud}" if self._cloud else "the environment"
        self.given = token
        if not (token or cloud) and (
            environment.get("OS_AUTH_TYPE") in _AS_IT_IS or not environment.get("OS_AUTH_URL")
        ):
            self.given = environment.get("OS_TOKEN", "")
        if self.given and not (self.given.isascii() and self.given.isprintable()):
            raise ClientError("the token that was given holds what no token does, such as the end of a line")

    def get(self) -> str:
        """A new token; empty where none is wanted. Raises `ClientError` saying what to look at."""
        if self._cloud:
            facts = clouds.read(self._cloud, self._environment)
        else:
            facts = {k[3:].lower(): v for k, v in self._environment.items() if k.startswith("OS_") and v}
        kind = facts.get("auth_type", "").lower()
        if kind in _NONE:
            return ""
        if kind in _AS_IT_IS:
            return facts.get("token", "")
        if not facts.get("auth_url"):
            raise ClientError(
                "the server asks who you are: give --token or GLUON_TOKEN, --os-cloud, or OS_AUTH_URL and what belongs to it"
            )
        return self._of_keystone(facts)

    def _of_keystone(self, facts: Mapping[str, str]) -> str:
        url = facts["auth_url"]
        body = {"auth": _auth(facts, self._source)}
        base, place = url.rstrip("/"), _name("auth_url", self._source)
        status, headers, answer = _post(
            base if base.endswith("/v3") else f"{base}/v3",
            place,
            body,
            _context(facts, self._source),
            self._environment,
        )
        token = headers.get("X-Subject-Token")
        if status == 201 and token:
            return str(token)
        detail = answer.get("error") if isinstance(answer, dict) else None
        message = detail.get("message") if isinstance(detail, dict) else f"status {status}"
        cure = "look at user, password, domains and project" if status == 401 else f"look at {place}"
        raise ClientError(f"Keystone at {url} gives no token: {message} ({cure} in {self._source})")


def _context(facts: Mapping[str, str], source: str) -> ssl.SSLContext | None:
    """Of connections to Keystone, where they need one of their own."""
    if facts.get("verify", "true").lower() in {"false", "0", "no"}:
        raise ClientError(f"{source}: verify is off, which Gluon does not do; name the authority with cacert")
    try:
        return ssl.create_default_context(cafile=facts["cacert"]) if facts.get("cacert") else None
    except OSError as error:
        raise ClientError(f"{facts['cacert']}: {error.strerror or error}") from error


def _post(
    base: str, place: str, body: Any, context: ssl.SSLContext | None, environment: Mapping[str, str]
) -> tuple[int, http.client.HTTPMessage, Any]:
    way: proxies.Way | None = None
    try:
        parts = urls.of_server(base, like="https://keystone.example:5000")
    except ValueError as error:
        raise ClientError(f"{place}: {error}") from None
    try:
        way = proxies.way(parts, environment, timeout=_SECONDS, context=context)
        headers = {"content-type": "application/json", "accept": "application/json", **way.headers}
        path = f"{way.prefix}{parts.path}/auth/tokens"
        way.connection.request("POST", path, codec.encode(body), headers)
        answer = way.connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        place = f"{base} by the proxy {way.proxy}" if way is not None and way.proxy else base
        raise ClientError(f"Keystone at {place}: {error or type(error).__name__}") from error
    finally:
        if way is not None:
            way.connection.close()
    try:
        return answer.status, answer.headers, codec.decode(text)
    except ValueError:
        return answer.status, answer.headers, None


def _name(fact: str, source: str) -> str:
    """A setting as it is called where it comes from."""
    return fact if source.startswith("cloud ") else f"OS_{fact.upper()}"


def _auth(facts: Mapping[str, str], source: str) -> dict[str, Any]:
    """The body of a request for a token. Raises `ClientError` for what is missing."""

    def need(fact: str) -> str:
        if not facts.get(fact):
            raise ClientError(f"the server asks who you are, and {source} has no {_name(fact, source)}")
        return facts[fact]

    kind = facts.get("auth_type", "").lower()
    if not kind:
        credential = facts.get("application_credential_id") or facts.get("application_credential_name")
        kind = "v3applicationcredential" if credential else "token" if facts.get("token") else "password"
    if kind in _CREDENTIAL:
        given: dict[str, Any] = {"secret": need("application_credential_secret")}
        if facts.get("application_credential_id"):
            given["id"] = facts["application_credential_id"]
        else:
            given |= {"name": need("application_credential_name"), "user": _user(facts, need)}
        method = {"methods": ["application_credential"], "application_credential": given}
        return {"identity": method}  # its scope is its own
    if kind in _TOKEN:
        identity: dict[str, Any] = {"methods": ["token"], "token": {"id": need("token")}}
    elif kind in _PASSWORD:
        user = {**_user(facts, need), "password": need("password")}
        identity = {"methods": ["password"], "password": {"user": user}}
    else:
        known = ", ".join(sorted(_PASSWORD | _TOKEN | _CREDENTIAL | _NONE | _AS_IT_IS))
        raise ClientError(f"{source}: {_name('auth_type', source)} {kind} is none of {known}")
    return {"identity": identity, **_scope(facts)}


def _user(facts: Mapping[str, str], need: Any) -> dict[str, Any]:
    if facts.get("user_id"):
        return {"id": facts["user_id"]}
    return {"name": need("username"), "domain": _domain(facts, "user")}


def _domain(facts: Mapping[str, str], of: str) -> dict[str, str]:
    for kind in ("id", "name"):
        value = facts.get(f"{of}_domain_{kind}") or facts.get(f"default_domain_{kind}")
        if value:
            return {kind: value}
    return {"id": facts.get("default_domain") or "default"}


def _scope(facts: Mapping[str, str]) -> dict[str, Any]:
    """The first that is named: system, trust, project, domain; none: what Keystone gives without."""
    if facts.get("system_scope"):
        return {"scope": {"system": {"all": True}}}
    if facts.get("trust_id"):
        return {"scope": {"OS-TRUST:trust": {"id": facts["trust_id"]}}}
    project = facts.get("project_id") or facts.get("tenant_id")
    if project:
        return {"scope": {"project": {"id": project}}}
    name = facts.get("project_name") or facts.get("tenant_name")
    if name:
        return {"scope": {"project": {"name": name, "domain": _domain(facts, "project")}}}
    for kind in ("id", "name"):
        if facts.get(f"domain_{kind}"):
            return {"scope": {"domain": {kind: facts[f"domain_{kind}"]}}}
    return {}
