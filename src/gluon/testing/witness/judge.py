"""The judge: what of database, API, etcd and statuses is not as it must be after all came to rest.

In: a ledger, a running server, its etcd and a way to ask its database. Out: problems as lines of
text, none if nothing answered was lost. It looks at etcd by `etcdctl` and at the database by its own
client, so that no code that is judged is the judge.
"""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from gluon.errors import GluonError
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer
from gluon.testing.witness.ledger import Ledger
from gluon.testing.witness.load import V1

API = "net-l3vpn"
TYPES = {"ports": "Port", "interfaces": "Interface", "vpns": "VpnService", "vpnbindings": "VpnBinding"}
_KEYS = {"ports": "id", "interfaces": "id", "vpns": "id", "vpnbindings": "interface_id"}
_VIEWS = ("vif_type", "vif_details")
_BINDINGS = "SELECT port_id, host, epoch, state, controllers, device_id FROM gluon_binding"
_STATUSES = "SELECT object_type, object_key, report FROM gluon_status"
_EVERY = 0.4

Query = Callable[[str], Sequence[Sequence[str]]]
"""Rows of one SELECT, values as text."""


class NotAtRest(GluonError):
    """Something is still wrong when the time is over."""


@dataclass(slots=True, kw_only=True)
class Picture:
    """Everything at one moment: `bodies` and `revisions` by type and key, `etcd` by key."""

    bodies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    etcd: dict[str, Any] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=dict)
    """Of each row of `gluon_port` the operational status."""
    bindings: list[dict[str, Any]] = field(default_factory=list)
    reports: dict[tuple[str, str], Any] = field(default_factory=dict)
    """As the database has them."""


def listed(server: GluonServer, plural: str) -> dict[str, dict[str, Any]]:
    """All objects of a type by key."""
    status, answer = server.request("GET", f"{V1}/{plural}")
    if status != 200:
        raise NotAtRest(f"list of {plural}: {status} {answer}")
    return {str(body[_KEYS[plural]]): body for body in answer[plural]}


def answered(ledger: Ledger, server: GluonServer) -> list[str]:
    """(a) Each answered write is in the API, with the last answered value. True at once, or lost."""
    found = {plural: listed(server, plural) for plural in ("ports", "vpns", "vpnbindings")}
    problems = list(ledger.wrong)
    for known in ledger.objects():
        there = found[known.plural].pop(known.key, None)
        allowed = known.open or [known.body]
        if not any(_fits(there, body) for body in allowed):
            problems.append(f"{known.plural} {known.key} is {there}, answered was {allowed}")
    return problems + [f"{plural} {key} was never asked for" for plural in found for key in found[plural]]


class Judge:
    """Of one system. `shims`: whether one runs, so that statuses are expected."""

    def __init__(
        self, ledger: Ledger, server: GluonServer, etcd: EtcdServer, query: Query, *, shims: bool = True
    ) -> None:
        self._ledger = ledger
        self._server = server
        self._etcd = etcd
        self._query = query
        self._shims = shims

    def answered(self) -> list[str]:
        """(a) of this system's ledger."""
        return answered(self._ledger, self._server)

    def at_rest(self, *, limit: float = 90.0) -> float:
        """Wait until nothing is wrong; the seconds it took. Raises `NotAtRest`, at once if a write is lost."""
        began = time.monotonic()
        lost = self.answered()
        if lost:
            raise NotAtRest(_listed("answered, and not there", lost))
        while True:
            try:
                problems = self.unsettled()
            except (OSError, http.client.HTTPException, GluonError) as error:
                problems = [f"cannot look: {error}"]
            seconds = time.monotonic() - began
            if not problems:
                return seconds
            if seconds > limit:
                raise NotAtRest(_listed(f"after {limit:g} s", problems))
            time.sleep(_EVERY)

    def unsettled(self) -> list[str]:
        """(b) etcd, (c) statuses, (d) orphans: what may still be on its way."""
        status, facts = self._server.request("GET", "/gluon/v1/status")
        if status != 200:
            return [f"status answers {status}: {facts}"]
        stands = facts["publisher"]
        if stands["error"] or stands["resyncing"] or not stands["leader"]:
            return [f"the publisher: {stands}"]
        # The API tells a revision by one request for each object: it is asked once all else is as it must be.
        return self._wrong(self._look(exact=False)) or self._wrong(self._look(exact=True))

    def _wrong(self, seen: Picture) -> list[str]:
        problems = [*_orphans(seen), *_objects(seen), *_wishes(seen)]
        return problems + (list(_reports(seen)) if self._shims else [])

    def _look(self, *, exact: bool) -> Picture:
        """`exact`: revisions are those of the API; else they are believed as etcd has them."""
        seen = Picture(etcd=self._dump())
        for plural, kind in TYPES.items():
            for key, body in listed(self._server, plural).items():
                seen.bodies[kind, key] = body
                published = seen.etcd.get(f"/proton/{API}/{kind}/{key}", {})
                seen.revisions[kind, key] = int(published.get("revision", 0))
        if exact:
            seen.revisions = self._revisions(seen.bodies)
        marker: str | None = ""
        while marker is not None:
            _, answer = self._server.request("GET", f"/gluon/v1/ports?marker={marker}")
            seen.ports |= {str(row["id"]): str(row["status"]) for row in answer["ports"]}
            marker = answer.get("next")
        names = ("port", "host", "epoch", "state", "controllers", "device")
        seen.bindings = [dict(zip(names, row, strict=True)) for row in self._query(_BINDINGS)]
        seen.reports = {(row[0], row[1]): json.loads("|".join(row[2:])) for row in self._query(_STATUSES)}
        return seen

    def _revisions(self, objects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """As the ETags say; 0 of what is gone meanwhile."""
        found: dict[tuple[str, str], int] = {}
        plurals = {kind: plural for plural, kind in TYPES.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)) as connection:
            for kind, key in objects:
                connection.request("HEAD", f"{V1}/{plurals[kind]}/{key}")
                answer = connection.getresponse()
                answer.read()
                found[kind, key] = int((answer.getheader("etag") or '"0"').strip('"'))
        return found

    def _dump(self) -> dict[str, Any]:
        """All of etcd, values decoded where they are JSON objects."""
        text = self._etcd.etcdctl("get", "/", "--prefix", "-w", "json")
        found: dict[str, Any] = {}
        for item in json.loads(text).get("kvs", ()):
            value = base64.b64decode(item.get("value", ""))
            key = base64.b64decode(item["key"]).decode()
            found[key] = json.loads(value) if value.startswith(b"{") else value.decode(errors="replace")
        return found


def _fits(there: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> bool:
    if there is None or wanted is None:
        return there is wanted
    return all(there.get(name) == value for name, value in wanted.items())


def _listed(what: str, problems: Sequence[str]) -> str:
    shown = "\n".join(p[:600] for p in problems[:12])
    return f"{len(problems)} problems {what}:\n{shown}"


def _under(etcd: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key[len(prefix) :]: value for key, value in etcd.items() if key.startswith(prefix)}


def _difference(what: str, there: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterable[str]:
    for key in sorted(there.keys() | wanted.keys()):
        if key not in there:
            yield f"{what}{key} is missing in etcd"
        elif key not in wanted:
            yield f"{what}{key} should not be in etcd: {there[key]}"
        elif there[key] != wanted[key]:
            yield f"{what}{key} differs (is, should be): {_unlike(there[key], wanted[key])}"


def _unlike(there: Any, wanted: Any) -> Any:
    if not isinstance(there, dict) or not isinstance(wanted, dict):
        return there, wanted
    names = [n for n in there.keys() | wanted.keys() if there.get(n) != wanted.get(n)]
    return {n: (there.get(n), wanted.get(n)) for n in names}


def _orphans(seen: Picture) -> Iterable[str]:
    """Interfaces, rows of the arbiter and statuses of what is not there any more."""
    ports = {key for kind, key in seen.bodies if kind == "Port"}
    interfaces = {key for kind, key in seen.bodies if kind == "Interface"}
    yield from (f"interface {key} without its port" for key in interfaces - ports)
    yield from (f"port {key} without its interface" for key in ports - interfaces)
    yield from (f"row of gluon_port {key} without its port" for key in seen.ports.keys() - ports)
    yield from (f"port {key} without its row of gluon_port" for key in ports - seen.ports.keys())
    bound = {row["port"] for row in seen.bindings}
    yield from (f"row of gluon_binding of {key} without its port" for key in bound - ports)
    yield from (
        f"row of gluon_status of {name} without its object"
        for name in seen.reports.keys() - seen.bodies.keys()
    )


def _objects(seen: Picture) -> Iterable[str]:
    """`/proton/` and `/gluon/port/` hold what the API has, and nothing more."""
    digest = seen.etcd.get(f"/gluon/model/{API}", {}).get("digest")
    wanted: dict[str, Any] = {}
    owners: dict[str, Any] = {}
    for (kind, key), body in seen.bodies.items():
        kept = {n: v for n, v in body.items() if kind != "Port" or n not in _VIEWS}
        wanted[f"{kind}/{key}"] = {**kept, "revision": seen.revisions[kind, key], "model": digest}
        if kind == "Port":
            owners[key] = (body["tenant_id"], API)
    yield from _difference("/proton/ ", _under(seen.etcd, f"/proton/{API}/"), wanted)
    there = {k: (v.get("tenant_id"), v.get("service")) for k, v in _under(seen.etcd, "/gluon/port/").items()}
    yield from _difference("/gluon/port/", there, owners)


def _wishes(seen: Picture) -> Iterable[str]:
    """`/gluon/binding/` holds the bindings that the database has; and a port's body says the same."""
    wanted: dict[str, Any] = {}
    for row in seen.bindings:
        if row["state"] in ("Binding", "Unbinding"):
            yield f"{row['port']} on {row['host']} is in state {row['state']}"
        if row["state"] == "Bound":
            epoch, controllers = int(row["epoch"]), json.loads(row["controllers"])
            wanted[f"{row['port']}/{row['host']}"] = (epoch, row["device"], controllers)
        elif row["state"] == "Failed":
            body = seen.bodies.get(("Port", row["port"]), {})
            if body.get("vif_type") != "binding_failed" and body.get("host_id") == row["host"]:
                yield f"{row['port']} failed to bind and says {body.get('vif_type')}"
    there = {
        key: (value.get("epoch"), value.get("device_id"), value.get("controllers"))
        for key, value in _under(seen.etcd, f"/gluon/binding/{API}/").items()
    }
    yield from _difference("/gluon/binding/", there, wanted)
    for (kind, key), body in seen.bodies.items():
        if kind == "Port" and body.get("vif_type") == "ovs":
            host = body.get("host_id")
            if f"{key}/{host}" not in wanted:
                yield f"port {key} says it is bound to {host}, and there is no such binding"
        elif kind == "Port" and any(name.startswith(f"{key}/") for name in wanted):
            yield f"port {key} is bound and says {body.get('vif_type')}"


def _reports(seen: Picture) -> Iterable[str]:
    """Each object that the shim looks after has a report of its revision, and a bound port its epoch."""
    reports: dict[tuple[str, str], Any] = {}
    for name, value in _under(seen.etcd, "/status/").items():
        _, _, _, kind, key = name.split("/")
        reports[kind, key] = value
    wished = _under(seen.etcd, f"/gluon/binding/{API}/")
    bound = {name.split("/")[0]: (name.split("/")[1], value) for name, value in wished.items()}
    expected = {(kind, key) for kind, key in seen.bodies if kind != "Port"} | {("Port", p) for p in bound}
    yield from (f"a report on {name} that is nobody's" for name in reports.keys() - expected)
    for kind, key in expected:
        report = reports.get((kind, key))
        if report is None:
            yield f"no report on {kind} {key}"
            continue
        if report["observed_revision"] != seen.revisions.get((kind, key)):
            yield f"{kind} {key} was observed at {report['observed_revision']}, is {seen.revisions.get((kind, key))}"
        if seen.reports.get((kind, key)) != report:
            held = _unlike(seen.reports.get((kind, key)), report)
            yield f"the report on {kind} {key} is another one in the database (there, in etcd): {held}"
        if kind == "Port":
            host, wish = bound[key]
            said = report.get("bindings", {}).get(host, {})
            if said.get("epoch") != wish["epoch"] or said.get("vif_type") != "ovs":
                yield f"port {key}: wanted {wish}, reported {report}"
            if seen.ports.get(key) != ("ACTIVE" if said.get("up") else "DOWN"):
                yield f"port {key} is {seen.ports.get(key)}, reported {report}"
