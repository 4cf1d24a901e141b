"""Where the programs of Debian packages are, and what to say when one is missing.

In: a program's name. Out: its full path, or `MissingProgram` naming the package to install.
Called by everything in `gluon.testing` before it starts something.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from gluon.errors import GluonError

_PACKAGES = {
    "postgres": "postgresql",
    "initdb": "postgresql",
    "psql": "postgresql-client",
    "pg_dump": "postgresql-client",
    "pgbench": "postgresql-contrib",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb": "mariadb-client",
    "mariadb-dump": "mariadb-client",
    "/usr/lib/rabbitmq/bin/rabbitmq-server": "rabbitmq-server",
    "epmd": "rabbitmq-server",
    "etcd": "etcd-server",
    "etcdctl": "etcd-client",
    "openssl": "openssl",
    "setpriv": "util-linux",
    "unshare": "util-linux",
    "ip": "iproute2",
    "ethtool": "ethtool",
    "ping": "iputils-ping",
    "tcpdump": "tcpdump",
    "ovsdb-server": "openvswitch-switch",
    "ovsdb-tool": "openvswitch-common",
    "ovsdb-client": "openvswitch-common",
    "ovs-vswitchd": "openvswitch-switch",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-ofctl": "openvswitch-common",
    "ovs-appctl": "openvswitch-common",
    "gobgpd": "gobgpd",
    "gobgp": "gobgpd",
    "bgpd": "frr",
    "vtysh": "frr",
    "sysctl": "procps",
    "wrk": "wrk",
}

# A user's PATH often lacks the sbin folders, and these packages keep programs of their own.
_EXTRA_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/lib/frr")


class MissingProgram(GluonError):
    """A program of the system is not installed. `package` is the Debian package that has it."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.package = _PACKAGES.get(program, program)
        super().__init__(f"{program} is not installed (Debian package {self.package})")


def find_program(name: str) -> str:
    """The full path of a program; of PostgreSQL's the newest installed version.

    Raises `MissingProgram`.
    """
    found = _of_postgresql(name) or shutil.which(name, path=_search_path())
    if found is None:
        raise MissingProgram(name)
    return found


def missing_programs(*names: str) -> list[MissingProgram]:
    """Those of the programs that are not installed; empty if all are."""
    missing = []
    for name in names:
        try:
            find_program(name)
        except MissingProgram as error:
            missing.append(error)
    return missing


def _search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *_EXTRA_FOLDERS])


def _of_postgresql(name: str) -> str | None:
    """Debian keeps the server's programs out of PATH, one folder a version."""
    found = [p for p in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if os.access(p, os.X_OK)]
    if not found:
        return None
    return str(max(found, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parts[-3])]))
