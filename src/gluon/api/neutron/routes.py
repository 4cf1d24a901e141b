"""What stands at the paths of Neutron's API, and what of it protons can answer.

In: a request's path, query and body. Out: a reply. What no proton has is empty where a client can go on with that, and is
refused with 501 and the cure where it is to be made. Called by `front`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from gluon.api import message
from gluon.api.neutron import extensions
from gluon.neutron import asked as asking
from gluon.neutron import faults
from gluon.neutron.asker import Asker
from gluon.neutron.face import Face
from gluon.neutron.ports import Page, page_of, seen
from gluon.objects import codec
from gluon.proton import terms
from gluon.spi import policy

VERSION = "v2.0"
_PORT = (
    "id", "name", "network_id", "tenant_id", "project_id", "mac_address", "admin_state_up", "status", "device_id",
    "device_owner", "fixed_ips", "description", "binding:vnic_type", "binding:host_id", "binding:vif_type",
    "security_groups", "port_security_enabled", "ip_allocation", "created_at", "updated_at", "revision_number",
    "qos_policy_id",
)  # fmt: skip
_NETWORK = (
    "id", "name", "tenant_id", "project_id", "admin_state_up", "status", "shared", "mtu", "description",
    "router:external", "provider:network_type", "provider:physical_network", "provider:segmentation_id",
    "port_security_enabled", "is_default", "availability_zone_hints", "created_at", "updated_at", "revision_number",
    "qos_policy_id", "subnets", "dns_domain",
)  # fmt: skip
_SUBNET = (
    "id", "name", "network_id", "tenant_id", "project_id", "cidr", "ip_version", "gateway_ip", "enable_dhcp",
    "ipv6_address_mode", "ipv6_ra_mode", "segment_id", "subnetpool_id", "description", "created_at", "updated_at",
    "revision_number", "shared",
)  # fmt: skip
KNOWN = {"ports": _PORT, "networks": _NETWORK, "subnets": _SUBNET}
"""What each can be asked by."""
_BINDING = ("host", "vif_type", "vnic_type", "status", "project_id", "tenant_id")
_EMPTY = frozenset({
    "floatingips", "security-groups", "security-group-rules", "routers", "agents", "availability_zones",
    "subnetpools", "address-scopes", "rbac-policies", "trunks", "segments", "address-groups", "service-providers",
    "network-ip-availabilities", "default-security-group-rules",
})  # fmt: skip
"""Lists without anything in them; their bodies say `_` for `-`."""
_QUOTAS = ("network", "subnet", "port", "router", "floatingip", "security_group", "security_group_rule",
           "subnetpool", "rbac_policy", "trunk")  # fmt: skip
_QUOTA_PARTS = (("details",), ("details.json",), ("default",), ("default.json",))
_MADE_BY_PROTONS = frozenset({"networks", "subnets"})
_READS = ("GET", "HEAD")


class Asked(msgspec.Struct, kw_only=True):
    """`base`: scheme and host, as the client wrote them; `once`: of a new port with an Idempotency-Key; `revision`: that which
    the port must still have (If-Match)."""

    method: str
    path: tuple[str, ...]
    query: list[tuple[str, str]]
    base: str
    caller: policy.Caller
    request_id: str
    body: dict[str, Any] = {}
    once: terms.Once | None = None
    revision: int | None = None

    @property
    def reads(self) -> bool:
        return self.method in _READS


class Routes:
    """Answers requests by a face."""

    def __init__(self, face: Face) -> None:
        self._face = face

    async def answer(self, asked: Asked) -> message.Reply:
        """Raises `Fault` and the errors of `gluon.errors`."""
        path = asked.path[1:] if asked.path[0] == "networking" else asked.path
        if not path:
            return _json(200, _versions(asked))
        if path[0] != VERSION:
            raise _no_path()
        if len(path) == 1:
            return _json(200, _resources(asked))
        asker = self._face.asker(asked.caller, asked.request_id)
        known: Mapping[str, Callable[[Asked, Asker, tuple[str, ...]], Awaitable[message.Reply]]] = {
            "ports": self._port,
            "networks": self._network,
            "subnets": self._subnet,
        }
        found = known.get(path[1])
        if found is not None:
            return await found(asked, asker, path[2:])
        return self._other(asked, path[1], path[2:])

    # -- ports ---------------------------------------------------------------------------------

    async def _port(self, asked: Asked, asker: Asker, rest: tuple[str, ...]) -> message.Reply:
        ports = self._face.ports
        if not rest:
            if asked.reads:
                query = asking.parse(asked.query, _PORT)
                return _list(asked, "ports", query, await ports.page(asker, query))
            if asked.method == "POST":
                return await self._create(asked, asker)
            raise _no_method(asked)
        key = rest[0]
        if len(rest) > 1:
            return await self._binding(asked, asker, key, rest[1:])
        if asked.reads:
            query = asking.parse([p for p in asked.query if p[0] == "fields"], _PORT)
            return _json(200, {"port": asking.chosen(query, await self._shown(asker, key))})
        if asked.method == "PUT":
            await self._change(asker, key, _inside(asked, "port"), asked.revision)
            return _json(200, {"port": await self._shown(asker, key)})
        if asked.method == "DELETE":
            await self._delete(asker, key, asked.revision)
            return message.Reply(204)
        raise _no_method(asked)

    async def _binding(self, asked: Asked, asker: Asker, key: str, rest: tuple[str, ...]) -> message.Reply:
        bindings = self._face.bindings
        if rest[0] == "tags":
            raise faults.Fault(
                501, "HTTPNotImplemented", "Ports of protons have no tags.", "name the port instead"
            )
        if rest[0] != "bindings" or len(rest) > 3:
            raise _no_path()
        fields = asking.parse([p for p in asked.query if p[0] == "fields"], ())
        if len(rest) == 1:
            if asked.reads:
                query = asking.parse(asked.query, _BINDING)
                held = [one for one in await bindings.all(asker, key) if asking.passes(query, one)]
                found, more = asking.paged(query, held, "PortBinding", "host")
                # As in Neutron: without a link the SDK goes on after the last id, and bindings have none.
                more = more or len(found) == query.limit
                shown = [asking.chosen(query, one) for one in found]
                return _list(asked, "bindings", query, page_of(found, shown, more, "host"))
            if asked.method == "POST":
                return _json(201, {"binding": await bindings.add(asker, key, _inside(asked, "binding"))})
        elif len(rest) == 3:
            if rest[2] != "activate":
                raise _no_path()
            if asked.method == "PUT":
                return _json(200, await bindings.activate(asker, key, rest[1]))
        elif asked.reads:
            return _json(200, {"binding": asking.chosen(fields, await bindings.get(asker, key, rest[1]))})
        elif asked.method == "PUT":
            changed = await bindings.change(asker, key, rest[1], _inside(asked, "binding"))
            return _json(200, {"binding": changed})
        elif asked.method == "DELETE":
            await bindings.remove(asker, key, rest[1])
            return message.Reply(204)
        raise _no_method(asked)

    async def _create(self, asked: Asked, asker: Asker) -> message.Reply:
        several = asked.body.get("ports")
        if several is None:
            (made,) = await self._face.writing.create(asker, [_inside(asked, "port")], asked.once)
            return _json(201, {"port": seen(asker, made)})
        if not isinstance(several, list) or not several or not all(isinstance(one, dict) for one in several):
            raise faults.bad("ports is no list of objects")
        each = [_unwrapped(one) for one in several]
        many = await self._face.writing.create(asker, each, asked.once)
        return _json(201, {"ports": [seen(asker, made) for made in many]})

    async def _shown(self, asker: Asker, key: str) -> dict[str, Any]:
        return seen(asker, (await self._face.ports.seen(asker, key)).body)

    async def _change(self, asker: Asker, key: str, body: Mapping[str, Any], revision: int | None) -> None:
        owner = await self._face.owners.of(key)
        if owner is None:
            await self._face.writing.update(asker, key, body, revision)
        else:
            await self._check_unconditional(asker, key, revision)
            await self._face.owners.update(asker, owner, key, body)

    async def _delete(self, asker: Asker, key: str, revision: int | None) -> None:
        owner = await self._face.owners.of(key)
        if owner is None:
            await self._face.writing.delete(asker, key, revision)
        else:
            await self._check_unconditional(asker, key, revision)
            await self._face.owners.delete(asker, owner, key)

    async def _check_unconditional(self, asker: Asker, key: str, revision: int | None) -> None:
        """Other owners are not asked for a revision, and what was asked for must not be left out. Raises `Fault`, as of none where
        the caller may not see the port."""
        if revision is not None:
            await self._face.ports.seen(asker, key)
            raise faults.invalid("If-Match cannot be asked of this port", "leave the header out")

    # -- what services are ---------------------------------------------------------------------

    async def _network(self, asked: Asked, asker: Asker, rest: tuple[str, ...]) -> message.Reply:
        networks = self._face.networks
        return await _read(asked, asker, "network", rest, networks.get, networks.page)

    async def _subnet(self, asked: Asked, asker: Asker, rest: tuple[str, ...]) -> message.Reply:
        networks = self._face.networks
        return await _read(asked, asker, "subnet", rest, networks.get_subnet, networks.subnet_page)

    # -- what no proton has --------------------------------------------------------------------

    def _other(self, asked: Asked, name: str, rest: tuple[str, ...]) -> message.Reply:
        if name == "extensions":
            if not rest:
                return _json(200, {"extensions": [extensions.shown(a) for a in extensions.ALIASES]})
            if rest[0] not in extensions.ALIASES:
                raise faults.Fault(404, "HTTPNotFound", f"Extension with alias {rest[0]} does not exist")
            return _json(200, {"extension": extensions.shown(rest[0])})
        if name == "quotas" and asked.reads:
            quota = dict.fromkeys(_QUOTAS, -1)
            if not rest:
                return _json(200, {"quotas": []})
            if len(rest) > 1 and rest[1:] not in _QUOTA_PARTS:
                raise _no_path()
            if rest[1:] == ("details",) or rest[1:] == ("details.json",):
                return _json(200, {"quota": {n: {"limit": -1, "used": 0, "reserved": 0} for n in quota}})
            return _json(200, {"quota": quota})
        if name in _EMPTY:
            if not asked.reads:
                raise _not_here(name)
            if rest:
                what = name.rstrip("s").title().replace("-", "")
                raise faults.Fault(
                    404, f"{what}NotFound", f"{name.rstrip('s')} {rest[0]} could not be found."
                )
            return _json(200, {name.replace("-", "_"): []})
        if asked.reads:
            raise _no_path()
        raise _not_here(name)


def _json(status: int, body: Any) -> message.Reply:
    return message.Reply(status, codec.encode(body))


def _list(asked: Asked, plural: str, query: asking.Asked, page: Page) -> message.Reply:
    body: dict[str, Any] = {plural: page.bodies}
    if query.limit is not None and (links := _links(asked, query, page)):
        body[f"{plural}_links"] = links
    return _json(200, body)


def _links(asked: Asked, query: asking.Asked, page: Page) -> list[dict[str, str]]:
    """To the pages after and before this one."""
    if page.ends is None:
        return []
    first, last = page.ends
    left = [(n, v) for n, v in asked.query if n not in ("marker", "page_reverse")]
    place = f"{asked.base}/{'/'.join(asked.path)}"
    links = []
    if page.more if not query.reverse else query.marker is not None:
        text = urlencode([*left, ("marker", last)])
        links.append({"rel": "next", "href": f"{place}?{text}"})
    if page.more if query.reverse else query.marker is not None:
        text = urlencode([*left, ("marker", first), ("page_reverse", "True")])
        links.append({"rel": "previous", "href": f"{place}?{text}"})
    return links


def _unwrapped(port: Mapping[str, Any]) -> Mapping[str, Any]:
    """One of several, which may be written as one alone is."""
    inner = port.get("port", port)
    if not isinstance(inner, dict):
        raise faults.bad("Object 'port' contains invalid data")
    return inner


def _inside(asked: Asked, name: str) -> Mapping[str, Any]:
    body = asked.body.get(name)
    if not isinstance(body, dict):
        raise faults.bad(f"Unable to find '{name}' in request body")
    return body


async def _read(
    asked: Asked,
    asker: Asker,
    name: str,
    rest: Sequence[str],
    get: Callable[[Asker, str], Awaitable[dict[str, Any]]],
    page: Callable[[Asker, asking.Asked], Awaitable[Page]],
) -> message.Reply:
    """One of what is only read, or a list."""
    plural = f"{name}s"
    if not asked.reads:
        raise _not_here(plural)
    if len(rest) > 1:
        raise _no_path()
    if rest:
        query = asking.parse([p for p in asked.query if p[0] == "fields"], KNOWN[plural])
        return _json(200, {name: asking.chosen(query, await get(asker, rest[0]))})
    query = asking.parse(asked.query, KNOWN[plural])
    return _list(asked, plural, query, await page(asker, query))


def _not_here(name: str) -> faults.Fault:
    cure = (
        "make a service through the API of a proton, under /proton; each is a network here"
        if name in _MADE_BY_PROTONS
        else "ask Neutron for it: Gluon answers for ports, and networks and subnets are read here"
    )
    return faults.Fault(501, "HTTPNotImplemented", f"{name} are not made or changed through Gluon.", cure)


def _no_path() -> faults.Fault:
    return faults.Fault(404, "HTTPNotFound", "The resource could not be found.")


def _no_method(asked: Asked) -> faults.Fault:
    return faults.Fault(
        405, "HTTPMethodNotAllowed", f"The method {asked.method} is not allowed for this resource."
    )


def _versions(asked: Asked) -> dict[str, Any]:
    """What stands at the root of a Neutron."""
    link = {"rel": "self", "href": f"{asked.base}/networking/{VERSION}/"}
    return {"versions": [{"id": VERSION, "status": "CURRENT", "links": [link]}]}


def _resources(asked: Asked) -> dict[str, Any]:
    place = f"{asked.base}/{'/'.join(asked.path)}"
    return {
        "resources": [
            {"name": n[:-1], "collection": n, "links": [{"rel": "self", "href": f"{place}/{n}"}]}
            for n in ("networks", "subnets", "ports")
        ]
    }
