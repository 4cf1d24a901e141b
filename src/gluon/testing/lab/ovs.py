"""A host's own Open vSwitch: ovsdb-server and ovs-vswitchd with the userspace datapath.

In: a `Host`. Out: `OvsInstance`: its sockets, the usual commands, faults. As after a crash in real
life, `kill9` and `start` bring bridges and ports back from the database, and no flow.
"""

from __future__ import annotations

from pathlib import Path

from gluon.testing.lab.host import Host
from gluon.testing.process import Daemon, listens, run

_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
UNDERLAY = "br-phy"


class OvsInstance:
    """One Open vSwitch in one namespace. `start` it; `vswitchd` and `database` are its two processes."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.run_dir = host.folder / "ovs"
        self.run_dir.mkdir()
        self._addresses: dict[str, str] = {}
        environment = {name: str(self.run_dir) for name in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR")}
        self._environment = environment
        self.database = self._daemon("ovsdb-server", str(self._file), f"--remote=p{self.db}")
        self.vswitchd = self._daemon("ovs-vswitchd", self.db)

    @property
    def db(self) -> str:
        """Address of the database: `unix:/…/db.sock`."""
        return f"unix:{self.run_dir}/db.sock"

    def start(self) -> None:
        """Start what does not run; returns when the switch has taken over its configuration."""
        first = not self._file.exists()
        if first:
            run(["ovsdb-tool", "create", str(self._file), _SCHEMA])
        if not self.database.running:
            place = self.run_dir / "db.sock"
            place.unlink(missing_ok=True)
            self.database.start()
            self.database.wait_ready(lambda: listens(place))
        if first:
            self.vsctl("--no-wait", "init")
        self.vswitchd.start()
        # A change without --no-wait returns once vswitchd has applied it. Few threads: labs have many switches.
        self.vsctl(
            *("set", "Open_vSwitch", ".", "other_config:n-handler-threads=1"),
            "other_config:n-revalidator-threads=1",
        )
        for device, address in self._addresses.items():
            self.host.address(device, address)

    def stop(self) -> None:
        """End both in order; the database file stays."""
        self.vswitchd.stop()
        self.database.stop()

    def kill9(self) -> None:
        """SIGKILL to vswitchd; `database.kill9()` is the other one."""
        self.vswitchd.kill9()

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP to vswitchd."""
        self.vswitchd.pause()

    def resume(self) -> None:
        """SIGCONT to vswitchd."""
        self.vswitchd.resume()

    def underlay(self, device: str, address: str, *, via: str = "") -> None:
        """Put the host's NIC into a bridge that carries its address.

        Userspace tunnels only work where the switch itself sees the outer packets.
        """
        self.vsctl(
            *("add-br", UNDERLAY, "--", "set", "Bridge", UNDERLAY, "datapath_type=netdev"),
            *("--", "add-port", UNDERLAY, device),
        )
        self.host.address(UNDERLAY, address)
        self.host.offload_off(UNDERLAY)
        self._addresses[UNDERLAY] = address
        if via:
            self.host.route("default", via)

    def vsctl(self, *words: str) -> str:
        """ovs-vsctl on this switch's database."""
        return self._run("ovs-vsctl", f"--db={self.db}", "--timeout=60", *words)

    def ofctl(self, bridge: str, command: str, *words: str, stdin: str = "") -> str:
        """ovs-ofctl (OpenFlow 1.5) on one bridge."""
        target = f"unix:{self.run_dir}/{bridge}.mgmt"
        return self._run(
            "ovs-ofctl", "-O", "OpenFlow15", "--timeout=60", command, target, *words, stdin=stdin
        )

    def appctl(self, *words: str) -> str:
        """ovs-appctl on vswitchd."""
        return self._run("ovs-appctl", "-t", f"{self.run_dir}/ovs-vswitchd.ctl", *words)

    @property
    def _file(self) -> Path:
        return self.run_dir / "conf.db"

    def _daemon(self, program: str, *words: str) -> Daemon:
        return self.host.daemon(
            [
                *(program, *words, f"--pidfile={self.run_dir}/{program}.pid"),
                *(f"--unixctl={self.run_dir}/{program}.ctl", "-vconsole:warn", "-vsyslog:off"),
            ],
            env=self._environment,
        )

    def _run(self, *argv: str, stdin: str = "") -> str:
        """The sockets are files: no need to enter the namespace."""
        return run(argv, env=self._environment, stdin=stdin)
