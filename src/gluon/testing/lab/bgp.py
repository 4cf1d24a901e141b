"""BGP of a lab: a gobgpd for each PE, and a route reflector between them.

`GobgpDaemon` is bare: whoever drives it (a shim) starts BGP by gRPC. `RouteReflector` is FRR's bgpd, an
independent implementation, or a second gobgpd where FRR is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence

from gluon.testing.folders import PrivateFolder
from gluon.testing.lab.host import Host
from gluon.testing.process import Daemon, listens
from gluon.testing.programs import missing_programs

_BGP_PORT = 179
_FRR_USER = "frr"
_SOCKET = "gobgp.sock"


class GobgpDaemon:
    """A gobgpd in a namespace, driven by `target` (`unix:/…`). It remembers nothing over a restart."""

    def __init__(self, host: Host, *words: str) -> None:
        self.host = host
        self.socket = host.folder / _SOCKET
        # pprof would want the same port for each gobgpd of a namespace
        self.daemon: Daemon = host.daemon(
            ["gobgpd", f"--api-hosts=unix://{self.socket}", "--pprof-disable", "-p", "-l", "warn", *words]
        )

    @property
    def target(self) -> str:
        """Its gRPC address."""
        return f"unix:{self.socket}"

    def start(self) -> None:
        if self.daemon.running:
            return
        self.socket.unlink(missing_ok=True)
        self.daemon.start()
        self.daemon.wait_ready(lambda: listens(self.socket))

    def stop(self) -> None:
        """SIGTERM: it closes its sessions."""
        self.daemon.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill9(self) -> None:
        """SIGKILL: the kernel closes its sessions."""
        self.daemon.kill9()

    def pause(self) -> None:
        """SIGSTOP: sessions end when their hold time is over."""
        self.daemon.pause()

    def resume(self) -> None:
        self.daemon.resume()


class RouteReflector:
    """Reflects VPNv4 and VPNv6 between its clients (RFC 4456); clients may also be unknown ones that dial.

    With FRR `dials` is True: it dials each client within a second of its start, where gobgpd takes 5 to
    10, so clients may wait for it (be passive) and it should be started last.
    """

    def __init__(
        self, host: Host, *, router_id: str, clients: Sequence[str], asn: int = 65000, frr: bool | None = None
    ) -> None:
        """`frr` None: FRR if it is installed."""
        self.host = host
        self.router_id = router_id
        self.dials = not missing_programs("bgpd") if frr is None else frr
        self.daemon: Daemon = self._frr(asn, clients) if self.dials else self._gobgpd(asn, clients)

    def start(self) -> None:
        """Start it; returns when it listens."""
        if self.daemon.running:
            return
        (self.host.folder / _SOCKET).unlink(missing_ok=True)  # what a killed gobgpd left
        self.daemon.start()
        self.daemon.wait_ready(lambda: f":{_BGP_PORT:04X} " in self.host.run("cat", "/proc/net/tcp"))

    def stop(self) -> None:
        self.daemon.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill9(self) -> None:
        self.daemon.kill9()

    def _frr(self, asn: int, clients: Sequence[str]) -> Daemon:
        folder = self.host.folder / "frr"
        folder.mkdir()
        PrivateFolder.give(folder, _FRR_USER)
        dialled = "".join(f" neighbor {client} peer-group PE\n" for client in clients)
        configuration = folder / "bgpd.conf"
        configuration.write_text(
            f"router bgp {asn}\n"
            f" bgp router-id {self.router_id}\n"
            " no bgp default ipv4-unicast\n"
            " no bgp ebgp-requires-policy\n"
            # With the default it takes a route whose label alone changed for a duplicate.
            " no bgp suppress-duplicates\n"
            " neighbor PE peer-group\n"
            f" neighbor PE remote-as {asn}\n"
            " neighbor PE timers 3 9\n"
            " neighbor PE timers connect 1\n"
            " neighbor PE advertisement-interval 0\n"
            f"{dialled}"
            " bgp listen range 0.0.0.0/0 peer-group PE\n"
            " address-family ipv4 vpn\n"
            "  neighbor PE activate\n"
            "  neighbor PE route-reflector-client\n"
            " exit-address-family\n"
            " address-family ipv6 vpn\n"
            "  neighbor PE activate\n"
            "  neighbor PE route-reflector-client\n"
            " exit-address-family\n"
        )
        # Without zebra (-Z) it takes every next hop for reachable, as a reflector should.
        return self.host.daemon(
            [
                *("bgpd", "-Z", "-f", str(configuration), "-i", f"{folder}/pid"),
                *("--vty_socket", str(folder), "-u", _FRR_USER, "-g", _FRR_USER, "--log", "stdout"),
            ],
            user=_FRR_USER,
            privileges=("net_bind_service", "net_raw", "net_admin", "sys_admin"),
        )

    def _gobgpd(self, asn: int, clients: Sequence[str]) -> Daemon:
        configuration = self.host.folder / "reflector.toml"
        neighbours = "".join(
            f"""
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{client}"
    peer-as = {asn}
  [neighbors.transport.config]
    passive-mode = true
  [neighbors.timers.config]
    hold-time = 9
    keepalive-interval = 3
  [neighbors.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "{self.router_id}"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "l3vpn-ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "l3vpn-ipv6-unicast"
"""
            for client in clients
        )
        configuration.write_text(
            f'[global.config]\n  as = {asn}\n  router-id = "{self.router_id}"\n{neighbours}'
        )
        return GobgpDaemon(self.host, "-f", str(configuration)).daemon
