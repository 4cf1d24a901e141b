"""Private servers in temporary folders: PostgreSQL, MariaDB, etcd, Keystone.

All of them: a context manager; `start stop restart kill9 pause resume close`; ports that stay the
same over restarts; an end with the process that started them. `MissingProgram` says which Debian
package is not installed.
"""

from gluon.testing.process import NotReady, ProcessFailed
from gluon.testing.programs import MissingProgram
from gluon.testing.servers.etcd import EtcdServer
from gluon.testing.servers.keystone import KeystoneServer
from gluon.testing.servers.mariadb import MariadbServer
from gluon.testing.servers.postgres import PostgresServer

__all__ = [
    "EtcdServer",
    "KeystoneServer",
    "MariadbServer",
    "MissingProgram",
    "NotReady",
    "PostgresServer",
    "ProcessFailed",
]
