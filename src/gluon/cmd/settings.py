"""The settings of all commands: one TOML file (`--config`), flags win, both land in frozen Structs.

The descriptions below are the documentation: `gluon config sample` prints them. Raises
`SettingsError` naming file, key and cure.
"""

from __future__ import annotations

import os
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from gluon import errors

DEFAULT_PORT = 2705
KEYSTONE_VARIABLE = "GLUON_KEYSTONE_PASSWORD"
NOVA_VARIABLE = "GLUON_NOVA_PASSWORD"
PASSWORD_VARIABLE = "GLUON_ETCD_PASSWORD"  # noqa: S105 - a name, not a secret


_SECRETS = (
    (PASSWORD_VARIABLE, "etcd", "password"),
    (KEYSTONE_VARIABLE, "keystone", "password"),
    ("GLUON_KEYSTONE_SECRET", "keystone", "secret"),
    (NOVA_VARIABLE, "nova", "password"),
)
"""Environment variable, section and key."""


class SettingsError(errors.WrongSetting):
    """The configuration cannot be used."""


def _doc(text: str, **limits: Any) -> msgspec.Meta:
    return msgspec.Meta(description=text, **limits)


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the TOML file."""


class Api(_Section, frozen=True):
    host: Annotated[
        str, _doc("address to listen on; without authentication only loopback, unless insecure")
    ] = "127.0.0.1"
    port: Annotated[int, _doc("TCP port; 0 takes a free one and prints it", ge=0, le=65535)] = DEFAULT_PORT
    workers: Annotated[int, _doc("API processes; more than one needs PostgreSQL or MariaDB, and etcd")] = 1
    request_seconds: Annotated[
        float,
        _doc("time that a client has to send one whole request, or to go on reading", gt=0, le=86400),
    ] = 60.0
    drain_seconds: Annotated[
        float,
        _doc(
            "time after SIGTERM in which requests are served and /readyz answers 503, for balancers to notice",
            ge=0,
            le=300,
        ),
    ] = 0.0
    names: Annotated[tuple[str, ...], _doc("further host names under which clients reach this server")] = ()
    public_url: Annotated[
        str, _doc("URL that is published for clients; by default made of host and port")
    ] = ""
    proxies: Annotated[
        tuple[str, ...],
        _doc(
            "networks of proxies that say truly for whom they ask, as the audit log and the access log tell it"
        ),
    ] = ()
    proxy_header: Annotated[
        Literal["x-forwarded-for", "forwarded"],
        _doc("the header in which they say it, of which they let none of a client through"),
    ] = "x-forwarded-for"
    insecure: Annotated[bool, _doc("serve without authentication beyond loopback, and etcd without TLS")] = (
        False
    )


class Data(_Section, frozen=True):
    directory: Annotated[str, _doc("where the embedded database lives")] = ""
    database: Annotated[
        str, _doc("sqlite:///PATH, postgresql://… or mysql://…; by default SQLite in the directory")
    ] = ""


class Etcd(_Section, frozen=True):
    urls: Annotated[tuple[str, ...], _doc("endpoints; none: the bus inside the process")] = ()
    user: Annotated[str, _doc("etcd user")] = ""
    password: Annotated[str, _doc(f"its password; better in the environment as {PASSWORD_VARIABLE}")] = ""
    ca_file: Annotated[str, _doc("PEM file of the authority that signed etcd's certificate")] = ""
    cert_file: Annotated[str, _doc("PEM file of our certificate")] = ""
    key_file: Annotated[str, _doc("PEM file of its key")] = ""


class Models(_Section, frozen=True):
    paths: Annotated[
        tuple[str, ...],
        _doc("model files, folders of a model, or folders of those; none: the shipped catalogue"),
    ] = ()


class Policy(_Section, frozen=True):
    file: Annotated[
        str,
        _doc("rules that win over those of models, in the format of oslo.policy; read again when it changes"),
    ] = ""


class Shim(_Section, frozen=True):
    backend: Annotated[str, _doc("entry point of group gluon.backends, such as fake or bgp_mpls")] = ""
    name: Annotated[
        str, _doc("controller: the name that all shims of one kind serve under; by default the backend")
    ] = ""
    instance: Annotated[str, _doc("this process among them; by default host name and process id")] = ""
    apis: Annotated[tuple[str, ...], _doc("protons to serve; none: all that the backend understands")] = ()
    hosts: Annotated[tuple[str, ...], _doc('hosts to serve, or "*" for all')] = ()
    level: Annotated[
        int,
        _doc(
            "of the controllers that share a binding: one of each level answers for its part, and the "
            "highest one that names a VIF type is believed. Controllers of one level stand in for one another",
            ge=0,
            le=9,
        ),
    ] = 0
    scan_seconds: Annotated[float, _doc("pause between full scans that repair drift", gt=0)] = 30.0
    options: Annotated[dict[str, Any], _doc("options of the backend, such as its sockets")] = {}


class Logs(_Section, frozen=True):
    level: Annotated[
        Literal["debug", "info", "warning", "error"], _doc("the least that is logged, to standard error")
    ] = "info"
    style: Annotated[
        Literal["auto", "json", "console"], _doc("auto: JSON lines unless standard error is a terminal")
    ] = "auto"
    access: Annotated[bool, _doc("log each request: method, path, status, milliseconds, project")] = False


class Limits(_Section, frozen=True):
    rate: Annotated[
        float,
        _doc(
            "requests that a project may make each second, a change of several objects counted as many; "
            "0: as many as it likes. Each host has its own count, and its workers share it",
            ge=0,
        ),
    ] = 0.0
    burst: Annotated[
        float,
        _doc("requests that it may make at once after a rest; 0: those of a second", ge=0),
    ] = 0.0
    projects: Annotated[
        dict[str, float], _doc("another rate for a project, by its id; 0: as many as it likes")
    ] = {}
    wrong_tokens: Annotated[
        float,
        _doc(
            "tokens a second that are not valid which may come from one address, ten times as many at once "
            "after a rest; 0: as many as come. Its workers share it",
            ge=0,
        ),
    ] = 10.0


class Trace(_Section, frozen=True):
    endpoint: Annotated[
        str,
        _doc("where spans of OpenTelemetry go, OTLP over HTTP: http://HOST:4318/v1/traces; none: no traces"),
    ] = ""
    ratio: Annotated[float, _doc("share of requests that are traced", ge=0, le=1)] = 1.0


class Audit(_Section, frozen=True):
    file: Annotated[
        str, _doc('where each write is recorded, refused ones too; "-" is standard output, none: no record')
    ] = ""


class Identity(_Section, frozen=True):
    methods: Annotated[
        tuple[Literal["noauth", "keystone", "tokens", "jwt"], ...],
        _doc("how callers are known; several at once may be, but noauth goes alone"),
    ] = ("noauth",)
    cache_seconds: Annotated[
        float,
        _doc(
            "a token that was found good is not asked for again for so long, so a revoked one may pass",
            gt=0,
            le=300,
        ),
    ] = 300.0
    away_seconds: Annotated[
        float,
        _doc(
            "while Keystone is away, tokens that it knew go on for so long, never over their expiry",
            ge=0,
            le=86400,
        ),
    ] = 3600.0
    service_roles: Annotated[
        tuple[str, ...], _doc("roles of services whose X-Service-Token lets an expired user's token pass")
    ] = ("service",)
    open_metrics: Annotated[bool, _doc("/metrics is read without a token; else by those of rule operate")] = (
        False
    )


class Keystone(_Section, frozen=True):
    url: Annotated[str, _doc("Identity API v3, such as https://keystone.example:5000/v3")] = ""
    public_url: Annotated[str, _doc("the URL that clients are told to get tokens at; by default url")] = ""
    user: Annotated[str, _doc("Gluon's own user, with a role that may validate tokens (service)")] = ""
    password: Annotated[str, _doc(f"its password; better in the environment as {KEYSTONE_VARIABLE}")] = ""
    user_domain: Annotated[str, _doc("name of its domain")] = "Default"
    project: Annotated[str, _doc("project that its token is for")] = "service"
    project_domain: Annotated[str, _doc("name of the project's domain")] = "Default"
    application_credential: Annotated[
        str, _doc("id of an application credential, instead of user and password")
    ] = ""
    secret: Annotated[str, _doc("its secret; better in the environment as GLUON_KEYSTONE_SECRET")] = ""
    ca_file: Annotated[str, _doc("PEM file of the authority that signed Keystone's certificate")] = ""
    timeout_seconds: Annotated[float, _doc("time that Keystone has to answer", gt=0, le=60)] = 5.0


class Tokens(_Section, frozen=True):
    file: Annotated[
        str,
        _doc("YAML file of tokens and their bearers, which nobody else may read; read again when it changes"),
    ] = ""


class Jwt(_Section, frozen=True):
    issuer: Annotated[str, _doc("iss of the tokens that are taken, exactly")] = ""
    audience: Annotated[str, _doc("what their aud has to name")] = ""
    keys: Annotated[str, _doc("JWKS with the issuer's public keys: a file or a URL")] = ""
    ca_file: Annotated[str, _doc("PEM file of the authority that signed the certificate of that URL")] = ""
    user_claim: Annotated[str, _doc("claim with the user; a dot leads into an object")] = "sub"
    project_claim: Annotated[str, _doc("claim with the project")] = "project_id"
    domain_claim: Annotated[str, _doc("claim with the domain; none: no domain")] = ""
    roles_claim: Annotated[str, _doc("claim with the roles, a list or words")] = "roles"
    role_names: Annotated[
        dict[str, str], _doc("Gluon's name of a role by the issuer's; without any they are the same")
    ] = {}


class Nova(_Section, frozen=True):
    enabled: Annotated[
        bool, _doc("tell Nova what becomes of the ports of its servers, by its external events")
    ] = False
    auth_url: Annotated[str, _doc("Identity API v3 of Nova's cloud; by default url of [keystone]")] = ""
    user: Annotated[
        str, _doc("Gluon's user there, with the roles service and admin; by default all of [keystone]")
    ] = ""
    password: Annotated[str, _doc(f"its password; better in the environment as {NOVA_VARIABLE}")] = ""
    password_file: Annotated[str, _doc("a file whose first line is the password")] = ""
    user_domain: Annotated[str, _doc("name of its domain")] = "Default"
    project: Annotated[str, _doc("project that its token is for")] = "service"
    project_domain: Annotated[str, _doc("name of the project's domain")] = "Default"
    interface: Annotated[
        Literal["public", "internal", "admin"], _doc("which endpoint of Nova is taken from the catalog")
    ] = "public"
    region: Annotated[str, _doc("of which region; none: the first")] = ""
    endpoint: Annotated[
        str, _doc("Nova's URL, such as http://nova.example:8774/v2.1, where the catalog is not to be asked")
    ] = ""
    ca_file: Annotated[
        str, _doc("PEM file of the authority that signed the certificates of Nova and its Keystone")
    ] = ""
    timeout_seconds: Annotated[float, _doc("time that Nova has to answer", gt=0, le=300)] = 10.0


class Neutron(_Section, frozen=True):
    url: Annotated[
        str,
        _doc(
            "Neutron that Gluon stands in front of, such as http://neutron.example:9696: what is not Gluon's is "
            "passed on to it, lists are of both; none: Gluon answers alone"
        ),
    ] = ""
    ca_file: Annotated[str, _doc("PEM file of the authority that signed its certificate")] = ""
    timeout_seconds: Annotated[
        float,
        _doc("time that it has to begin an answer, and to go on with one", gt=0, le=3600),
    ] = 300.0
    connect_seconds: Annotated[float, _doc("time that it has to take a connection", gt=0, le=60)] = 5.0
    connections: Annotated[int, _doc("requests that each process gives it at once", ge=1, le=10000)] = 500


class Settings(_Section, frozen=True):
    """All of it."""

    api: Api = Api()
    data: Data = Data()
    etcd: Etcd = Etcd()
    models: Models = Models()
    policy: Policy = Policy()
    shim: Shim = Shim()
    identity: Identity = Identity()
    keystone: Keystone = Keystone()
    nova: Nova = Nova()
    neutron: Neutron = Neutron()
    tokens: Tokens = Tokens()
    jwt: Jwt = Jwt()
    logs: Logs = Logs()
    audit: Audit = Audit()
    trace: Trace = Trace()
    limits: Limits = Limits()


def load(path: str | None, flags: Mapping[str, Mapping[str, Any]]) -> Settings:
    """The file at `path` (if any) under `flags` (section to key to value; None: not given)."""
    raw = _read(path) if path else {}
    for section, given in flags.items():
        kept = {k: v for k, v in given.items() if v is not None and v != ()}
        if kept:
            table = raw.setdefault(section, {})
            if not isinstance(table, dict):
                raise SettingsError(f"{path}: [{section}] is no table")
            table.update(kept)
    for variable, section, name in _SECRETS:
        secret = os.environ.get(variable)
        if secret and not raw.get(section, {}).get(name):
            raw.setdefault(section, {})[name] = secret
    try:
        return msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path or 'flags'}: {error}; see `gluon config sample`") from error


def _read(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def state_directory(settings: Settings) -> Path:
    """Where the embedded database lives: as given, else the user's state folder."""
    if settings.data.directory:
        return Path(settings.data.directory)
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "gluon"


def database_url(settings: Settings) -> str:
    """The database, by default SQLite in the state folder. Raises `SettingsError` for a file without name."""
    if settings.data.database in {"sqlite://", "sqlite:///"}:
        raise SettingsError(
            f"--database {settings.data.database} names no file: write sqlite:////var/lib/x.db"
        )
    return settings.data.database or f"sqlite:///{state_directory(settings) / 'gluon.db'}"


def sample() -> str:
    """A TOML file with every setting, its default and what it means."""
    lines = ["# Settings of gluon. Flags win over this file.", ""]
    for section, kind in typing.get_type_hints(Settings).items():
        lines.append(f"[{section}]")
        hints = typing.get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            meta = next(m for m in hints[field.name].__metadata__ if isinstance(m, msgspec.Meta))
            lines += [f"# {meta.description}", f"# {field.name} = {_toml(_default(field))}"]
        lines.append("")
    return "\n".join(lines)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{}"
    return str(value)
