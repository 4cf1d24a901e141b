"""A private Nova with its Placement: API, scheduler, conductor, and a compute service for each host.

In: a Keystone, a MariaDB and a RabbitMQ that run; the catalog of Keystone names the network service before the first server
boots. Out: `NovaServer`: `request()`, `host()`, `plugs()`, `image`, `flavor`. All of it runs from a virtual environment of its
own (`./dev setup nova` makes it); the hypervisor is `nova_hypervisor`.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gluon.testing.folders import PrivateFolder
from gluon.testing.process import Daemon, wait_until
from gluon.testing.servers import nova_settings
from gluon.testing.servers.images import Images
from gluon.testing.servers.keystone import KeystoneServer
from gluon.testing.servers.mariadb import MariadbServer
from gluon.testing.servers.rabbitmq import RabbitServer
from gluon.testing.servers.server import LOOPBACK, free_ports

PYTHON = Path(os.environ.get("GLUON_NOVA_PYTHON", ".venv-nova/bin/python"))
"""Of the environment with Nova; `./dev` and the tests run in the project's folder."""
_PASTE = PYTHON.absolute().parent.parent / "etc" / "nova" / "api-paste.ini"
_LIMIT = 300
"""Seconds for a start on a machine that does much else."""
_DATABASES = ("nova_api", "nova", "nova_cell0", "placement")


def missing() -> str:
    """Why there can be no Nova, or empty."""
    return "" if PYTHON.exists() else f"{PYTHON} is not there: ./dev setup nova installs Nova"


class NovaServer:
    """`with NovaServer(keystone, mariadb, rabbit) as nova: nova.request("GET", "/servers", token=token)`."""

    def __init__(
        self,
        keystone: KeystoneServer,
        mariadb: MariadbServer,
        rabbit: RabbitServer,
        *,
        hosts: Sequence[str] = ("host1", "host2"),
        plug_timeout: int = 300,
    ) -> None:
        self.keystone = keystone
        self.hosts = tuple(hosts)
        self.flavor = ""
        self._mariadb = mariadb
        self._rabbit = rabbit
        self._plug_timeout = plug_timeout
        self._folder = PrivateFolder("nova")
        self._ports = free_ports(2)
        self._images = Images()
        self._daemons: dict[str, Daemon] = {}
        self._admin = ""

    @property
    def url(self) -> str:
        """Of the compute service, as the catalog names it."""
        return f"http://{LOOPBACK}:{self._ports[0]}/v2.1"

    @property
    def image(self) -> str:
        """The id of an image."""
        return self._images.image

    @property
    def folder(self) -> Path:
        """Logs and settings of all its processes."""
        return self._folder.path

    @property
    def hypervisors(self) -> Path:
        """The folder with a folder for each host; see `plugs`."""
        return self.folder / "plugs"

    def plugs(self, host: str) -> Path:
        """The folder with a file for each NIC that is plugged on a host."""
        return self.hypervisors / host

    def process(self, name: str) -> Daemon:
        """One of `api`, `placement`, `scheduler`, `conductor`, or the compute service of a host by its name."""
        return self._daemons[name]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        version: str = "2.90",
    ) -> tuple[int, Any]:
        """Status and body of an answer, asked with a token or as Keystone's admin."""
        self._admin = self._admin or self.keystone.token(self.keystone.admin, project="admin")
        headers = {
            "x-auth-token": token or self._admin,
            "content-type": "application/json",
            "openstack-api-version": f"compute {version}",
        }
        connection = http.client.HTTPConnection(LOOPBACK, self._ports[0], timeout=180)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, f"/v2.1{path}", content, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text else None

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """From empty databases to computes that machines can boot on. Raises `NotReady` with a log's last words."""
        self._images.__enter__()
        self._write_settings()
        for name in _DATABASES:
            self._mariadb.create_database(name)
        databases = self._run("databases", self._ours("databases"), env=self._environment("api"))
        placement = self._run(
            "placement",
            self._ours("api", "placement.wsgi.api", str(self._ports[1])),
            env=self._environment("placement"),
        )
        wait_until(lambda: not databases.running, "Nova's tables", limit=_LIMIT, every=0.1)
        if databases.returncode:
            databases.wait_ready(lambda: False)
        self._daemons.pop("databases")
        self._serves(placement)
        for name in ("conductor", "scheduler"):
            self._program(name)
        self._run(
            "api",
            self._ours("api", "nova.wsgi.osapi_compute", str(self._ports[0])),
            env=self._environment("api"),
        )
        for host in self.hosts:
            self.start_host(host)
        self._serves(self.process("api"))
        self._wait_for_computes()
        self._make_flavor()

    def start_host(self, host: str) -> None:
        """Its compute service (again)."""
        self.plugs(host).mkdir(parents=True, exist_ok=True)
        settings = str(self.folder / host / "nova.conf")
        script = str(Path(__file__).with_name("nova_hypervisor.py"))
        command = [str(PYTHON.absolute()), "-I", script, str(self.plugs(host)), "--config-file", settings]
        self._run(host, command, env=self._environment(host))

    def close(self) -> None:
        """End all of it at once, and remove its folder. May be called twice."""
        with ThreadPoolExecutor(len(self._daemons) or 1) as pool:
            # nova-compute takes its time to end; nothing of it is needed any more.
            list(pool.map(lambda daemon: daemon.kill9(), self._daemons.values()))
        self._daemons.clear()
        self._images.__exit__()
        self._folder.remove()

    def _wait_for_computes(self) -> None:
        def up() -> bool:
            for process in self._daemons.values():
                if not process.running:
                    process.wait_ready(lambda: False)
            status, answer = self.request("GET", "/os-hypervisors")
            found = answer["hypervisors"] if status == 200 else []
            return len([one for one in found if one["state"] == "up"]) == len(self.hosts)

        wait_until(up, "compute services that are up", limit=_LIMIT, every=0.3)

    def _make_flavor(self) -> None:
        wanted = {"name": "small", "ram": 64, "vcpus": 1, "disk": 1}
        _, answer = self.request("POST", "/flavors", {"flavor": wanted})
        self.flavor = answer["flavor"]["id"]

    # -- processes ----------------------------------------------------------------------------

    def _ours(self, *words: str) -> list[str]:
        return [str(PYTHON.absolute()), "-I", str(Path(__file__).with_name("nova_process.py")), *words]

    def _program(self, name: str) -> None:
        program = PYTHON.absolute().with_name(f"nova-{name}")
        settings = str(self.folder / "api" / "nova.conf")
        self._run(name, [str(program), "--config-file", settings], env=self._environment("api"))

    def _run(self, name: str, command: Sequence[str], *, env: Mapping[str, str]) -> Daemon:
        daemon = self._daemons.get(name) or Daemon(command, log=self.folder / f"{name}.log", env=env)
        self._daemons[name] = daemon
        daemon.start()
        return daemon

    @staticmethod
    def _serves(daemon: Daemon) -> None:
        daemon.wait_ready(lambda: "serving" in daemon.said(lines=10_000), limit=_LIMIT)

    def _environment(self, part: str) -> dict[str, str]:
        folder = str(self.folder / part)
        return {
            "OS_NOVA_CONFIG_DIR": folder,
            "OS_NOVA_CONFIG_FILES": f"{_PASTE};nova.conf",
            "OS_PLACEMENT_CONFIG_DIR": folder,
            "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true",
            "PYTHONWARNINGS": "ignore",
            "PYTHONUNBUFFERED": "1",
        }

    def _write_settings(self) -> None:
        service = self.keystone.project("service")
        user = self.keystone.new_user("service", "admin", project=service)
        self.keystone.serve("compute", self.url)
        self.keystone.serve("placement", f"http://{LOOPBACK}:{self._ports[1]}")
        self.keystone.serve("image", self._images.url)
        made = nova_settings.Places(
            keystone=self.keystone.url,
            section=self.keystone.section(user),
            rabbit=self._rabbit.url,
            database=f"mysql+pymysql://{self._mariadb.url().partition('://')[2]}",
            plug_timeout=self._plug_timeout,
        )
        placement = self.folder / "placement"
        placement.mkdir()
        (placement / "placement.conf").write_text(nova_settings.of_placement(made))
        for part in ("api", *self.hosts):
            folder = self.folder / part
            folder.mkdir()
            (folder / "nova.conf").write_text(
                nova_settings.of_nova(made, folder, host=part if part in self.hosts else "")
            )
            if part in self.hosts:
                (folder / "compute_id").write_text(nova_settings.node_id(part))
