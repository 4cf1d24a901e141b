"""A private Neutron: API workers of a real one, on a database of MariaDB, with a Keystone's tokens or with none.

Out: `NeutronServer`: `url`, `request()`. It runs from a virtual environment of its own (`./dev test --live neutron` makes it), in which
Gluon is installed too. Networks are of ML2 with a driver that binds wherever it is asked to, as there are no agents.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gluon.testing.process import Daemon, run
from gluon.testing.servers.server import LOOPBACK, PrivateServer

PYTHON = Path(os.environ.get("GLUON_NEUTRON_PYTHON", ".venv-neutron/bin/python"))
"""Of the environment with Neutron; `./dev` and the tests run in the project's folder."""

ANY_HOST = "any_host"
"""A mechanism driver that binds a port on each host it is asked for."""
TYPES = "geneve,vxlan,vlan,flat,local"

_SETTINGS = """\
[DEFAULT]
auth_strategy = {auth}
core_plugin = {plugin}
service_plugins =
api_paste_config = {paste}
state_path = {folder}
transport_url = fake://
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
log_file = {folder}/neutron.log
[oslo_concurrency]
lock_path = {folder}/lock
[database]
connection = {database}
[ml2]
type_drivers = {types}
tenant_network_types = geneve,vxlan
mechanism_drivers = {drivers}
extension_drivers = port_security
[ml2_type_geneve]
vni_ranges = 1:65000
[ml2_type_vxlan]
vni_ranges = 1:1000
"""

_PASTE = PYTHON.absolute().parent.parent / "etc/neutron/api-paste.ini"
_ROUTES = "use = egg:Paste#urlmap\n"
"""What comes below it in Paste's file is loaded in its order."""


def missing() -> str:
    """Why there can be no Neutron, or empty."""
    return (
        ""
        if PYTHON.exists()
        else f"{PYTHON} is not there: ./dev test --live neutron installs it, and runs this"
    )


def make_tables(database: str) -> None:
    """In an empty database. Raises `ProcessFailed`."""
    script = Path(__file__).with_name("neutron_process.py")
    run([str(PYTHON.absolute()), "-I", str(script), "tables", database], limit=900)


class NeutronServer(PrivateServer):
    """`with NeutronServer(database="mysql+pymysql://…") as neutron: neutron.request("GET", "/v2.0/networks")`. The database
    has Neutron's tables, by `make_tables` or as a copy of one that has."""

    kind = "neutron"

    def __init__(
        self,
        *,
        database: str,
        plugin: str = "ml2",
        drivers: str = ANY_HOST,
        types: str = TYPES,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        workers: int = 2,
        threads: int = 4,
        guest: Path | None = None,
    ) -> None:
        """`settings`: more of neutron.conf, by section. With a section `keystone_authtoken` it asks for tokens. `guest`: a module with
        Paste's `app_factory`, which each worker loads before Neutron and serves at `/guest`."""
        super().__init__(user=None)
        self.database = database
        self.plugin = plugin
        self.drivers = drivers
        self.types = types
        self.settings = dict(settings or {})
        self.workers = workers
        self.threads = threads
        self.guest = guest

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports[0]}"

    def _prepare(self) -> None:
        (self.folder.path / "lock").mkdir()
        points = self.folder.path / "site/gluon_live-0.dist-info"
        points.mkdir(parents=True)
        (points / "METADATA").write_text("Metadata-Version: 2.1\nName: gluon-live\nVersion: 0\n")
        (points / "entry_points.txt").write_text(
            f"[neutron.ml2.mechanism_drivers]\n{ANY_HOST} = gluon.testing.servers.neutron_driver:AnyHost\n"
        )
        if self.guest is not None:
            (self.folder.path / "site" / self.guest.name).symlink_to(self.guest.absolute())
            routes = _PASTE.read_text().replace(_ROUTES, f"{_ROUTES}/guest: guest\n")
            self._paste.write_text(
                f"{routes}\n[app:guest]\npaste.app_factory = {self.guest.stem}:app_factory\n"
            )

    @property
    def _paste(self) -> Path:
        return self.folder.path / "api-paste.ini"

    def _write_settings(self) -> None:
        text = _SETTINGS.format(
            auth="keystone" if "keystone_authtoken" in self.settings else "noauth",
            plugin=self.plugin,
            paste=self._paste if self.guest else _PASTE,
            folder=self.folder.path,
            database=self.database,
            drivers=self.drivers,
            types=self.types,
        )
        for section, values in self.settings.items():
            text += f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
        (self.folder.path / "neutron.conf").write_text(text)

    def _command(self) -> Daemon:
        self._write_settings()
        script = Path(__file__).with_name("neutron_process.py")
        return Daemon(
            [
                *(str(PYTHON.absolute()), "-I", str(script), str(self.folder.path)),
                *map(str, (self.ports[0], self.workers, self.threads)),
            ],
            log=self.folder.path / "server.log",
        )

    def _launch(self) -> None:
        self._daemon = self._command()
        self._daemon.start()
        try:
            self._daemon.wait_ready(self._answers, limit=600)
        except BaseException:
            self._daemon.kill9()
            raise

    def _answers(self) -> bool:
        """All workers have loaded the application."""
        return self.daemon.said(lines=400).count("neutron serves") >= self.workers

    def words(self, *, lines: int = 60) -> str:
        """The end of its log."""
        log = self.folder.path / "neutron.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and decoded body. Raises `OSError` if not reached."""
        connection = http.client.HTTPConnection(LOOPBACK, self.ports[0], timeout=300)
        try:
            content = None if body is None else json.dumps(body)
            sent = {"content-type": "application/json", **({"x-auth-token": token} if token else {})}
            connection.request(method, path, content, {**sent, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text else None
