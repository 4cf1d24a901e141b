"""Neutron itself, as a server with two workers: its tables if there are none, then its API.

Runs under the Python of another virtual environment, which has Neutron: `python neutron_process.py FOLDER PORT tables|as-is`. FOLDER
holds `neutron.conf`. Called by `neutron` only.
"""

import os
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from gunicorn.app.base import BaseApplication  # noqa: E402


class Server(BaseApplication):  # type: ignore[misc]
    """Each worker loads the application itself, as under uWSGI with `lazy-apps`."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            "bind": f"127.0.0.1:{self.port}",
            "workers": 2,
            "worker_class": "gthread",
            "threads": 4,
            "timeout": 120,
            "graceful_timeout": 5,
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


def make_tables(settings: Path) -> None:
    """As the models say: the migrations lead to the same and take twenty times as long."""
    from neutron.common import config  # noqa: PLC0415 - as in `load`
    from neutron.db.migration.models import head  # noqa: PLC0415 - as in `load`
    from neutron_lib.db import api  # noqa: PLC0415 - as in `load`

    config.register_common_config_options()
    config.init([], default_config_files=[str(settings)])
    with api.CONTEXT_WRITER.using(_Context()) as session:
        head.get_metadata().create_all(session.connection())


class _Context:
    """What oslo.db hangs its session on."""


def main() -> None:
    folder, port, tables = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    settings = folder / "neutron.conf"
    sys.argv[1:] = []
    sys.path.append(str(folder / "site"))
    if tables == "tables":
        child = os.fork()
        if child == 0:
            make_tables(settings)
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            raise SystemExit("no tables")
    os.environ["OS_NEUTRON_CONFIG_DIR"] = str(folder)
    os.environ["OS_NEUTRON_CONFIG_FILES"] = settings.name
    Server(port).run()


if __name__ == "__main__":
    main()
