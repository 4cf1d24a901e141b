"""Neutron itself, as a server with some workers, or only its tables.

Runs under the Python of another virtual environment, which has Neutron: `python neutron_process.py FOLDER PORT WORKERS THREADS`, where
FOLDER holds `neutron.conf`, or `python neutron_process.py tables DATABASE`. Called by `neutron` only.
"""

import os
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from gunicorn.app.base import BaseApplication  # noqa: E402


class Server(BaseApplication):  # type: ignore[misc]
    """Each worker loads the application itself, as under uWSGI with `lazy-apps`."""

    def __init__(self, port: int, workers: int, threads: int) -> None:
        self.port, self.workers, self.threads = port, workers, threads
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            "bind": f"127.0.0.1:{self.port}",
            "workers": self.workers,
            "worker_class": "gthread",
            "threads": self.threads,
            "timeout": 120,
            "graceful_timeout": 1,
            "keepalive": 60,
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda arbiter: print("neutron listens", os.getpid(), flush=True),
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> object:
        from neutron.wsgi import api  # noqa: PLC0415 - in the worker, not in their parent

        print("neutron serves", os.getpid(), flush=True)
        return api.application


def make_tables(database: str) -> None:
    """As the models say: the migrations lead to the same and take twenty times as long."""
    import sqlalchemy  # noqa: PLC0415 - as in `load`
    from neutron.db.migration.models import head  # noqa: PLC0415 - as in `load`

    with sqlalchemy.create_engine(database).begin() as connection:
        head.get_metadata().create_all(connection)


def main() -> None:
    if sys.argv[1] == "tables":
        make_tables(sys.argv[2])
        return
    folder, (port, workers, threads) = Path(sys.argv[1]), map(int, sys.argv[2:])
    sys.argv[1:] = []
    sys.path.append(str(folder / "site"))
    os.environ["OS_NEUTRON_CONFIG_DIR"] = str(folder)
    os.environ["OS_NEUTRON_CONFIG_FILES"] = "neutron.conf"
    Server(port, workers, threads).run()


if __name__ == "__main__":
    main()
