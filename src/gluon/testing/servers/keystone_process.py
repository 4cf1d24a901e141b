"""Keystone itself, as one process: its tables, keys and first admin if there are none, then its API.

Runs under the Python of another virtual environment, which has Keystone and not Gluon: `python keystone_process.py FOLDER PORT
PASSWORD`. Called by `keystone` only.
"""

import os
import socketserver
import sys
import warnings
from pathlib import Path
from wsgiref import simple_server

warnings.simplefilter("ignore")

import keystone.conf  # noqa: E402
import keystone.server  # noqa: E402
from keystone.cmd import bootstrap  # noqa: E402
from keystone.common import fernet_utils  # noqa: E402
from keystone.common.sql import upgrades  # noqa: E402
from keystone.server.flask import application, core  # noqa: E402

# Without its cache each request of Keystone takes half a second of statements; with one process, memory is enough.
SETTINGS = """\
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/receipts
[credential]
key_repository = {folder}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
[identity]
password_hash_rounds = 4
[auth]
methods = password,token,application_credential
"""


class Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: Keystone has a log of its own."""

    def address_string(self) -> str:
        return str(self.client_address[0])


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    folder, port, password = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    first = not (folder / "keystone.db").exists()
    settings = folder / "keystone.conf"
    settings.write_text(SETTINGS.format(folder=folder))
    sys.argv[1:] = []
    keystone.server.configure(config_files=[str(settings)])
    conf = keystone.conf.CONF
    if first:
        upgrades.offline_sync_database_to_version()
        for group in ("fernet_tokens", "fernet_receipts", "credential"):
            wanted = conf[group]
            keys = fernet_utils.FernetUtils(wanted.key_repository, 2, group)
            keys.create_key_directory()
            keys.initialize_key_repository()
        made = bootstrap.Bootstrapper()  # loads what an application needs, which is possible once
        made.admin_password = password
        made.admin_username = made.admin_role_name = made.project_name = "admin"
        made.region_id = "one"
        made.service_name = "keystone"
        made.public_url = made.internal_url = made.admin_url = f"http://127.0.0.1:{port}/v3"
        made.bootstrap()
    else:
        keystone.server.setup_backends()
    app = application.application_factory("public")
    server = Server(("127.0.0.1", port), Quiet)
    server.set_app(core.setup_app_middleware(app))
    print("keystone serves", os.getpid(), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
