"""A private one-member etcd, with the faults a test wants: kill, hang, wipe, restore a snapshot.

Out: `EtcdServer`: `endpoint`, `url`, `etcdctl()`. With `tls=True` clients need the certificates of
`tls_files`, with `auth=True` the user root and `password`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gluon.testing.folders import unprivileged_user
from gluon.testing.process import Daemon, run
from gluon.testing.servers.certificates import TlsFiles, make_certificates
from gluon.testing.servers.server import LOOPBACK, PrivateServer, accepts

_MEMBER = "test"


class EtcdServer(PrivateServer):
    """`with EtcdServer() as server: connect(server.url)`."""

    kind = "etcd"
    port_count = 2

    def __init__(
        self,
        *options: str,
        address: str = LOOPBACK,
        netns: str | None = None,
        tls: bool = False,
        auth: bool = False,
        password: str = "secret",  # noqa: S107 - of a server that lives for one test
    ) -> None:
        """`options` are added to etcd's; `address` (in `netns`) is where clients find it."""
        # In a namespace it is started by `ip netns exec`, and setpriv then drops root all the same.
        super().__init__(user=unprivileged_user("nobody"))
        self.address = address
        self.tls = tls
        self.auth = auth
        self.password = password
        self._netns = netns
        self._options = options
        self._token = 1
        self._tls_files: TlsFiles | None = None

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def endpoint(self) -> str:
        """`host:port`."""
        return f"{self.address}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.endpoint}"

    @property
    def data(self) -> Path:
        return self.folder.path / "data"

    @property
    def tls_files(self) -> TlsFiles:
        """The authority and a client's certificate and key; only with `tls=True`."""
        if self._tls_files is None:
            self._tls_files = make_certificates(self.folder.path, self.address)
        return self._tls_files

    def start(self) -> None:
        first = self._place is None
        super().start()
        if first and self.auth:
            self._enable_auth()

    def clear(self) -> None:
        """Delete all keys; history and revision stay."""
        self.etcdctl("del", "", "--prefix")

    def wipe(self, *, same_cluster: bool = False) -> None:
        """Lose all data and start empty, at revision 1, as another cluster unless `same_cluster`."""
        self.kill9()
        shutil.rmtree(self.data)
        if not same_cluster:
            self._token += 1
        self.start()
        if self.auth:
            self._enable_auth()

    def snapshot(self, name: str = "snapshot") -> Path:
        """Save a snapshot for `restore`."""
        path = self.folder.path / f"{name}.db"
        path.unlink(missing_ok=True)
        self.etcdctl("snapshot", "save", str(path))
        return path

    def restore(self, snapshot: Path) -> None:
        """Go back to a snapshot: same cluster id, older revision."""
        self.stop()
        shutil.rmtree(self.data)
        run(
            ["etcdctl", "snapshot", "restore", str(snapshot), *_flags(self._membership)],
            env={"ETCDCTL_API": "3"},
        )
        if self.user is not None:
            for path in (self.data, *self.data.rglob("*")):
                self.folder.give(path, self.user)
        self.start()

    def etcdctl(self, *words: str, authenticate: bool | None = None) -> str:
        """Run etcdctl (v3) against it; as root if authentication is on. Raises `ProcessFailed`."""
        command = ["etcdctl", f"--endpoints={self.url}"]
        if self.tls:
            files = self.tls_files
            command += [f"--cacert={files.authority}", f"--cert={files.certificate}"]
            command += [f"--key={files.key}"]
        if self.auth if authenticate is None else authenticate:
            command += [f"--user=root:{self.password}"]
        return run([*command, *words], netns=self._netns, env={"ETCDCTL_API": "3"})

    @property
    def _membership(self) -> dict[str, str]:
        return {
            "name": _MEMBER,
            "data-dir": str(self.data),
            "initial-advertise-peer-urls": self._peer_url,
            "initial-cluster": f"{_MEMBER}={self._peer_url}",
            "initial-cluster-token": f"t{self._token}",
        }

    @property
    def _peer_url(self) -> str:
        return f"http://{self.address}:{self.ports[1]}"

    def _enable_auth(self) -> None:
        self.etcdctl("user", "add", f"root:{self.password}", authenticate=False)
        self.etcdctl("user", "grant-role", "root", "root", authenticate=False)
        self.etcdctl("auth", "enable", authenticate=False)

    def _prepare(self) -> None:
        if self.tls and self.user is not None:
            files = self.tls_files
            for path in (files.authority, files.server_certificate, files.server_key):
                self.folder.give(path, self.user)

    def _command(self) -> Daemon:
        settings = {
            **self._membership,
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": self._peer_url,
            # One member elects itself: no need to wait the default second for others.
            "heartbeat-interval": "20",
            "election-timeout": "200",
        }
        if self.tls:
            files = self.tls_files
            settings |= {
                "cert-file": str(files.server_certificate),
                "key-file": str(files.server_key),
                "trusted-ca-file": str(files.authority),
                "client-cert-auth": "true",
            }
        return Daemon(
            ["etcd", *_flags(settings), *self._options],
            log=self.folder.path / "server.log",
            user=self.user,
            netns=self._netns,
        )

    def _answers(self) -> bool:
        """Its last word at start says that it serves; the port alone opens too early."""
        said = self.daemon.said(lines=200)
        if not ("ready to serve client requests" in said or "erving insecure client" in said):
            return False
        return self._netns is not None or accepts(self.address, self.port)


def _flags(settings: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]
