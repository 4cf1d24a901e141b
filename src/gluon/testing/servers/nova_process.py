"""One process of a Nova or a Placement, whose settings are in its environment.

`nova_process.py databases` makes Nova's tables and cells, `nova_process.py api MODULE PORT` serves a WSGI module. Runs under the
Python of another virtual environment, which has Nova and not Gluon. Called by `nova` only.
"""

import os
import socketserver
import sys
import warnings
from pathlib import Path
from wsgiref import simple_server

warnings.simplefilter("ignore")


class Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the application has a log of its own."""

    def address_string(self) -> str:
        return str(self.client_address[0])


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 128


def api(module: str, port: str) -> None:
    """Serves a module's `application`."""
    sys.argv[1:] = []
    __import__(module)
    server = Server(("127.0.0.1", int(port)), Quiet)
    server.set_app(sys.modules[module].application)
    print("serving", os.getpid(), flush=True)
    server.serve_forever()


def databases() -> None:
    """Tables of the API, then cell 0 and cell 1 with theirs."""
    sys.argv[1:] = []
    # isort: off
    from nova.cmd import manage  # noqa: PLC0415 - first: it decides how threads are made
    from nova import config, objects  # noqa: PLC0415
    # isort: on

    settings = Path(os.environ["OS_NOVA_CONFIG_DIR"]) / "nova.conf"
    config.parse_args(["nova-manage", "--config-file", str(settings)])
    objects.register_all()
    cells = manage.CellV2Commands()
    for step in (
        manage.ApiDbCommands().sync,
        cells.map_cell0,
        manage.DbCommands().sync,
        lambda: cells.create_cell(name="cell1"),
    ):
        if failed := step():
            sys.exit(f"databases: {failed}")


if __name__ == "__main__":
    if sys.argv[1] == "api":
        api(sys.argv[2], sys.argv[3])
    else:
        databases()
