"""What the tests of this folder ask of Nova and of Gluon, and for what they wait."""

import itertools
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gluon.testing.process import NotReady, wait_until
from gluon.testing.product import GluonServer
from gluon.testing.servers import EtcdServer, KeystoneServer, MariadbServer
from gluon.testing.servers.nova import NovaServer
from gluon.testing.servers.rabbitmq import RabbitServer
from tests.live.nova.relay import Relay

V1 = "/proton/net-l3vpn/v1.0"
L2 = "/proton/net-l2/v2.0"
LIMIT = 300
NONE = "none"
_TROUBLE = re.compile("Exceeded|re-scheduled|ERROR .*(Error|Exception|Failed|failed):")


class Cloud:
    """One project with one L3VPN; its member boots servers."""

    def __init__(
        self,
        keystone: KeystoneServer,
        mariadb: MariadbServer,
        rabbit: RabbitServer,
        etcd: EtcdServer,
        nova: NovaServer,
        gluon: GluonServer,
        relay: Relay,
    ) -> None:
        """`relay`: what Nova takes for its network service; it leads to Gluon."""
        self.keystone = keystone
        self.mariadb = mariadb
        self.rabbit = rabbit
        self.etcd = etcd
        self.relay = relay
        self.nova = nova
        self.gluon = gluon
        self.project = keystone.project()
        self.member = keystone.token(
            keystone.new_user("member", project=self.project), project_id=self.project
        )
        self.admin = keystone.token(keystone.admin, project="admin")
        self._numbers = itertools.count(1)
        self.vpn = self.new_vpn()

    # -- Gluon --------------------------------------------------------------------------------

    def gluon_says(
        self, method: str, path: str, body: Any = None, *, token: str = "", wanted: int = 200
    ) -> Any:
        headers = {"x-auth-token": token or self.admin}
        status, answer = self.gluon.request(method, path, body, headers=headers)
        assert status == wanted, (method, path, status, answer)
        return answer

    def new_vpn(self) -> str:
        body = {"tenant_id": self.project, "name": f"vpn-{uuid.uuid4().hex[:8]}"}
        return str(self.gluon_says("POST", f"{V1}/vpns", body, token=self.member, wanted=201)["id"])

    def new_port(self, vpn: str = "", *, bare: bool = False) -> str:
        """With an address of its own in a VPN; `bare`: in none, so without an address."""
        number = next(self._numbers)
        body = {
            "tenant_id": self.project, "name": f"port-{number}", "mac_address": f"fa:16:3e:00:00:{number:02x}",
            "admin_state_up": True, "status": "ACTIVE", "vnic_type": "normal", "mtu": 1400, "vlan_transparency": False,
        }  # fmt: skip
        port = str(self.gluon_says("POST", f"{V1}/ports", body, token=self.member, wanted=201)["id"])
        if bare:
            return port
        binding = {
            "tenant_id": self.project, "interface_id": port, "service_id": vpn or self.vpn,
            "ipaddress": self.address(number), "subnet_prefix": 24, "gateway": "10.1.0.254",
        }  # fmt: skip
        self.gluon_says("POST", f"{V1}/vpnbindings", binding, token=self.member, wanted=201)
        return port

    def new_l2_network(self) -> str:
        """A network of another proton, one that gives addresses."""
        body = {
            "project_id": self.project,
            "name": "lan",
            "subnets": [{"cidr": "192.0.2.0/24", "gateway": "192.0.2.1"}],
        }
        made = self.gluon_says("POST", f"{L2}/networks", body, token=self.member, wanted=201)
        found = self.gluon_says("GET", f"/v2.0/networks?tenant_id={self.project}&name=lan")["networks"]
        assert len(found) == 1, (made, found)
        return str(found[0]["id"])

    @staticmethod
    def address(number: int) -> str:
        return f"10.1.0.{number}"

    def port(self, key: str) -> dict[str, Any]:
        """As Neutron would show it to Nova."""
        return dict(self.gluon_says("GET", f"/v2.0/ports/{key}")["port"])

    def address_of(self, key: str) -> str:
        return str(self.port(key)["fixed_ips"][0]["ip_address"])

    def network(self, port: str) -> str:
        """The network that a port's VPN is."""
        return str(self.port(port)["network_id"])

    def gone(self, port: str) -> None:
        """Waits until there is no such port."""

        def there() -> bool:
            return (
                self.gluon.request("GET", f"/v2.0/ports/{port}", headers={"x-auth-token": self.admin})[0]
                == 404
            )

        self.until(there, f"the end of port {port}")

    def taken(self) -> float:
        """How many events Nova has taken."""
        return self.measured("gluon_nova_events_total", 'code="200"')

    def plugs_told(self) -> int:
        """Of how many NICs Nova has taken the event."""
        return self.nova.process("api").said(lines=1_000_000).count("network-vif-plugged:")

    def listed(self) -> int:
        """How often ports were listed, by Nova mostly."""
        return self.gluon.daemon.said(lines=1_000_000).count('"method": "GET", "path": "/v2.0/ports", ')

    def measured(self, name: str, of: str = "") -> float:
        """The sum of a metric of Gluon; `of`: of the lines with these labels."""
        _, text = self.gluon.request("GET", "/metrics", headers={"x-auth-token": self.admin})
        lines = str(text).splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name) and of in line)

    # -- Nova ---------------------------------------------------------------------------------

    def nova_says(
        self, method: str, path: str, body: Any = None, *, token: str = "", wanted: int = 200
    ) -> Any:
        status, answer = self.nova.request(method, path, body, token=token or self.admin)
        assert status == wanted, (method, path, status, answer, self.words())
        return answer

    def boot(self, networks: Any, *, until: str = "ACTIVE") -> str:
        """A server of the member, once its status is this (if any)."""
        wanted = {
            "name": f"s-{uuid.uuid4().hex[:8]}",
            "imageRef": self.nova.image,
            "flavorRef": self.nova.flavor,
            "networks": networks,
        }
        made = self.nova_says("POST", "/servers", {"server": wanted}, token=self.member, wanted=202)
        server = str(made["server"]["id"])
        if until:
            self.wait(server, until)
        return server

    def ballast(self) -> tuple[str, str]:
        """A server, and the other host, once the scheduler knows that it has more room: it is tried first. Of servers that are gone
        it knows a moment later."""
        server = self.boot(NONE)
        (other,) = set(self.nova.hosts) - {self.host(server)}

        def has_more() -> bool:
            _, found = self.nova.request("GET", "/os-hypervisors/detail", version="2.79")
            used = {one["service"]["host"]: one["memory_mb_used"] for one in found["hypervisors"]}
            return bool(used[other] < used[self.host(server)])

        self.until(has_more, f"more room on {other}")
        return server, other

    def server(self, key: str) -> dict[str, Any]:
        return dict(self.nova_says("GET", f"/servers/{key}")["server"])

    def host(self, key: str) -> str:
        return str(self.server(key)["OS-EXT-SRV-ATTR:host"])

    def act(self, key: str, action: str, body: Any = None, *, admin: bool = False, wanted: int = 202) -> None:
        """As the member, or as an admin of another project."""
        token = self.admin if admin else self.member
        self.nova_says("POST", f"/servers/{key}/action", {action: body}, token=token, wanted=wanted)

    def wait(self, key: str, wanted: str) -> dict[str, Any]:
        """The server, once its status is this and no task is under way; fails at once on ERROR."""
        seen: dict[str, Any] = {}

        def there() -> bool:
            seen.update(self.server(key))
            if seen["status"] == "ERROR" != wanted and "fault" in seen:  # which comes a moment later
                raise AssertionError(f"{seen['fault']}\n{self.words()}")
            told = wanted != "ERROR" or "fault" in seen
            return bool(seen["status"] == wanted and seen["OS-EXT-STS:task_state"] is None and told)

        self.until(there, f"{wanted} of a server", lambda: f"{seen}")
        return seen

    def delete(self, key: str) -> None:
        """Once it is gone."""
        self.nova_says("DELETE", f"/servers/{key}", wanted=204)
        self.until(lambda: self.nova.request("GET", f"/servers/{key}")[0] == 404, "the server's end")

    def interfaces(self, key: str) -> set[str]:
        """The ports of a server, as Nova and the network service say."""
        found = self.nova_says("GET", f"/servers/{key}/os-interface")["interfaceAttachments"]
        return {str(one["port_id"]) for one in found}

    def addresses(self, key: str) -> set[str]:
        """What Nova keeps of a server's addresses."""
        lists = self.server(key)["addresses"].values()
        return {str(one["addr"]) for some in lists for one in some}

    def tell(self, event: str, server: str, port: str) -> None:
        """Nova of what happened to a port, as its network service would."""
        told = {"name": event, "server_uuid": server, "tag": port, "status": "completed"}
        self.nova_says("POST", "/os-server-external-events", {"events": [told]})

    @contextmanager
    def refusing(self, *hosts: str) -> Iterator[None]:
        """While no port can be bound to these hosts."""
        marks = [self.nova.plugs(host) / "refuse" for host in hosts]
        for mark in marks:
            mark.touch()
        try:
            yield
        finally:
            for mark in marks:
                mark.unlink()

    @contextmanager
    def held(self, port: str) -> Iterator[tuple[str, Callable[[], None]]]:
        """A server that waits for the event of its port, and what plugs that port in."""
        holds = [self.nova.plugs(host).with_name(f"{host}.hold") for host in self.nova.hosts]
        for hold in holds:
            hold.touch()
        try:
            server = self.boot([{"port": port}], until="")
            self.until(lambda: server in [hold.read_text() for hold in holds], "a server that waits")
            yield server, lambda: self._plug(port, holds)
        finally:
            for hold in holds:
                hold.unlink(missing_ok=True)

    def _plug(self, port: str, holds: Sequence[Path]) -> None:
        for hold in holds:
            hold.unlink()
        self.until(lambda: bool(self.plugged(port)), "the NIC")

    def plugged(self, port: str) -> set[str]:
        """The hosts where a NIC is."""
        return {host for host in self.nova.hosts if (self.nova.plugs(host) / port).exists()}

    # -- waiting ------------------------------------------------------------------------------

    def until(self, ready: Callable[[], bool], what: str, more: Callable[[], str] = str) -> None:
        try:
            wait_until(ready, what, limit=LIMIT, every=0.3)
        except NotReady as error:
            raise AssertionError(f"{error}\n{more()}\n{self.words()}") from None

    def carries(self, port: str, server: str) -> None:
        """Waits until the port carries a server's traffic where the server runs."""
        host = self.host(server)

        def there() -> bool:
            shown = self.port(port)
            return (shown["status"], shown["binding:host_id"]) == ("ACTIVE", host)

        self.until(there, f"port {port} active on {host}", lambda: f"{self.port(port)}")
        assert self.port(port)["device_id"] == server
        assert self.plugged(port) == {host}

    def bound_once(self, port: str, server: str) -> None:
        """Waits until the only binding is that of the server's host: Nova ends a migration before it deletes the other one."""
        wanted = [(self.host(server), "ACTIVE")]

        def there() -> bool:
            found = self.gluon_says("GET", f"/v2.0/ports/{port}/bindings")["bindings"]
            return [(one["host"], one["status"]) for one in found] == wanted

        self.until(there, f"one binding of port {port}")

    def free(self, port: str) -> None:
        """Waits until nobody uses the port."""
        names = ("device_id", "device_owner", "binding:host_id", "status")

        def there() -> bool:
            shown = self.port(port)
            return [shown[name] for name in names] == ["", "", "", "DOWN"]

        self.until(there, f"port {port} free", lambda: f"{self.port(port)}")
        assert self.plugged(port) == set()

    def words(self) -> str:
        """What Nova said last of things that went wrong, and what Gluon was asked."""
        told = [
            f"{name}: {line[:300]}"
            for name in ("conductor", "scheduler", *self.nova.hosts)
            for line in self.nova.process(name).said(lines=1000).splitlines()
            if _TROUBLE.search(line)
        ]
        asked = self.gluon.daemon.said(lines=40).splitlines()
        return "\n".join([*told[-20:], *asked[-20:]])
