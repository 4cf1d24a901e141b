"""What the commands once answered with a traceback, or with something that was not asked for."""

import http.server
import json
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner

from gluon.cmd.main import cli
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.api.conftest import Api
from tests.api.test_commands import BIN, run

API = ("--api", "net-l3vpn")


@pytest.mark.parametrize("command", [("protonclient", "port-list"), ("gluon", "status"), ("gluon", "resync")])
@pytest.mark.parametrize(
    "where",
    [
        ("--port", "abc"),
        ("--port", "99999999"),
        ("--port", "-1"),
        ("--host", "::zz"),
        ("--host", "a b"),
        ("--host", "http://127.0.0.1"),
        ("--host", "x" * 300),
        ("--host", "é" * 70),
    ],
)
def test_an_address_that_is_none_is_said_in_one_line(
    command: tuple[str, str], where: tuple[str, str]
) -> None:
    program, verb = command
    arguments = (*where, verb) if program == "protonclient" else (verb, *where)
    done = run(program, *arguments)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert where[1][:20] in done.stderr


def test_a_port_from_the_environment_that_is_none_is_said(server: GluonServer) -> None:
    done = run("protonclient", "port-list", env={"OS_PROTON_PORT": "abc"})
    assert done.returncode == 2
    assert "OS_PROTON_PORT" in done.stderr


@pytest.mark.parametrize("verb", ["show", "update", "delete"])
def test_an_empty_key_is_no_wish_for_all(server: GluonServer, verb: str) -> None:
    done = run("protonclient", *API, f"port-{verb}", "", server=server)
    assert (done.returncode, done.stdout) == (2, "")
    assert "empty" in done.stderr


def test_arguments_that_are_no_text(server: GluonServer) -> None:
    bad = os.fsdecode(b"\xff")
    for arguments in (("vpn-create", "--name", bad), ("vpn-show", bad)):
        done = run("protonclient", *API, *arguments, server=server)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "UTF-8" in done.stderr


BAD = os.fsdecode(b"\xff")


@pytest.mark.parametrize(
    "arguments",
    [
        ("why", BAD),
        ("ports", "--name", BAD),
        ("watch", BAD),
        ("watch", "--filter", f"api={BAD}"),
        ("hosts", "forget", "A", "--controller", BAD),
        ("changes", "list", "--who", BAD),
        ("quota", "show", BAD),
    ],
)
def test_arguments_of_operators_that_are_no_text(server: GluonServer, arguments: tuple[str, ...]) -> None:
    done = run("gluon", *arguments, server=server)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gluon: ")
    assert done.stderr.endswith("no text in UTF-8\n")


@pytest.mark.parametrize(
    "command",
    [
        ("why",),
        ("changes", "show"),
        ("changes", "undo"),
        ("hosts", "forget"),
        ("quota", "show"),
        ("quota", "unset"),
        ("proton", "retire"),
        ("policy", "explain", "net-l2:get_port", "--role", "admin", "--object"),
    ],
)
def test_an_empty_name_is_no_wish_for_all(server: GluonServer, command: tuple[str, ...]) -> None:
    done = run("gluon", *command, "", server=server)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "gluon: a key is not empty\n")


def test_numbers_are_what_the_server_takes_for_one(api: Api, server: GluonServer) -> None:
    peers = ("--local_ip_address", "192.0.2.1", "--peer_ip_address", "192.0.2.2", "--tenant_id", api.project)
    for number in ("6_5", " 65", "nan", "9" * 30, "\u0663"):
        done = run("protonclient", *API, "bgppeering-create", *peers, "--as_number", number, server=server)
        assert done.returncode == 1, number
        assert "as_number" in done.stderr
    done = run("protonclient", *API, "bgppeering-create", *peers, "--as_number", "65001", server=server)
    assert json.loads(done.stdout)["as_number"] == 65001


def test_any_terminal_can_show_any_object(api: Api, server: GluonServer) -> None:
    vpn = api.vpn(name="bleu, blå, 青")
    done = run("protonclient", *API, "vpn-show", vpn["id"], server=server, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == vpn


def test_any_terminal_can_show_what_operators_ask_for(api: Api, server: GluonServer) -> None:
    """One that has no letter for it is shown it as JSON may write it, which stays JSON."""
    port = api.port(name="blå 青 \U0001f600")
    latin = {"PYTHONIOENCODING": "latin-1"}

    def said(program: str, *arguments: str) -> str:
        where = {"OS_PROTON_HOST": "127.0.0.1", "OS_PROTON_PORT": str(server.port)}
        done = subprocess.run(
            [str(BIN / program), *arguments],
            capture_output=True,
            timeout=60,
            env={**os.environ, **where, **latin},
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr
        return done.stdout.decode("latin-1")

    assert r"  blå \u9752 \ud83d\ude00  " in said("gluon", "ports", "--project", api.project)
    assert json.loads(said("gluon", "why", "--json", port["id"]))["port"]["name"] == port["name"]
    assert json.loads(said("protonclient", *API, "port-show", port["id"])) == port
    new, old = (f"src/gluon/catalog/net-l3vpn{version}" for version in ("-2.0", ""))
    assert said("gluon", "model", "diff", old, new).startswith(r"net-l3vpn 1.0 \u2192 net-l3vpn 2.0")


def test_any_terminal_can_watch(api: Api, server: GluonServer, tmp_path: Path) -> None:
    # Whoever runs this in the background may have it ignore SIGINT.
    words = [
        "env",
        "--default-signal=INT",
        str(BIN / "gluon"),
        "watch",
        "net-l3vpn",
        "--port",
        str(server.port),
    ]
    out = tmp_path / "out"
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    with (
        out.open("wb") as sink,
        subprocess.Popen(words, stdout=sink, stderr=subprocess.PIPE, env=env) as going,
    ):
        try:

            def told() -> bool:
                api.vpn(name="青")
                return going.poll() is not None or b"\n" in out.read_bytes()

            wait_until(told, "an event", limit=30)
            going.send_signal(signal.SIGINT)
            _, said = going.communicate(timeout=30)
        finally:
            going.kill()
    assert (going.returncode, said) == (0, b"")
    assert json.loads(out.read_text("latin-1").splitlines()[0])["object"]["name"] == "青"


def test_an_operator_finds_the_server_by_its_settings(server: GluonServer, tmp_path: Path) -> None:
    file = tmp_path / "gluon.toml"
    file.write_text(f"[api]\nhost = '0.0.0.0'\nport = {server.port}\ninsecure = true\n", encoding="utf-8")
    for verb in ("status", "resync"):
        done = run("gluon", verb, "--config", str(file))
        assert done.returncode == 0, done.stderr
    wrong = run("gluon", "status", "--config", str(file), "--port", "1")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "gluon: http://127.0.0.1:1: [Errno 111] Connection refused\n",
    )


def test_a_failed_bind_is_said_with_its_reason(api: Api, server: GluonServer) -> None:
    port = api.port()["id"]
    where = ("--host_id", "A", "--device_id", str(uuid.uuid4()))
    done = run("protonclient", *API, "port-update", port, *where, server=server)
    assert done.returncode == 0
    assert json.loads(done.stdout)["vif_type"] == "binding_failed"
    assert done.stderr.startswith("binding failed: NoController: no controller for net-l3vpn 1.0, host 'A'")


class _Other(http.server.BaseHTTPRequestHandler):
    """A web server that is not ours."""

    def do_GET(self) -> None:
        body = {"/": b"<html>", "/gluon/v1/protons": b"[]", "/gluon/v1/status": b"{}"}.get(self.path, b"null")
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def other() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Other) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving.server_port
        serving.shutdown()
        thread.join()


def test_a_server_of_something_else_is_said(other: int) -> None:
    where = ("--port", str(other))
    for done in (
        run("protonclient", *where, "port-list"),
        run("gluon", "status", *where),
        run("gluon", "resync", *where),
    ):
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "no Gluon server" in done.stderr


class _Between(http.server.BaseHTTPRequestHandler):
    """What stands between us and a server: a redirect to https, a balancer, a page for people, or something else with JSON."""

    protocol_version = "HTTP/1.1"
    says: ClassVar[dict[str, tuple[int, bytes, str]]] = {
        "away": (301, b"<html>Moved", "leads to https://elsewhere/"),
        "kept": (307, b"", "leads to https://elsewhere/"),
        "page": (200, b"<html>Log in", "this is no Gluon server"),
        "nothing": (200, b"", "this is no Gluon server"),
        "other": (200, b'{"a": 1}', "this is no Gluon server"),
        "deep": (200, b"[" * 100_000, "this is no Gluon server"),
        "balancer": (502, b"<html>\r\n<body>No server\r\n", "status 502: <html> <body>No server"),
        "silent": (502, b"", "status 502"),
        "site": (404, b"<html>Not found", "status 404, this is no Gluon server"),
        "void": (404, b"", "status 404, this is no Gluon server"),
        "api": (404, b'{"detail": "Not Found"}', "status 404, this is no Gluon server"),
        "still": (405, b"no", "status 405, this is no Gluon server"),
        "errors": (400, b'{"detail": "no", "errors": [1, null]}', "no"),
    }
    said = says["page"]

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        status, body, _ = self.said
        self.send_response(status)
        self.send_header("location", "https://elsewhere/")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """All other methods are answered the same."""
        if name.startswith("do_"):
            return self.do_GET
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.mark.parametrize("kind", _Between.says)
def test_what_stands_between_is_no_answer(kind: str) -> None:
    """No command takes it for one: what was not done is not told as done."""
    commands = (
        ("ports",), ("why", "x"), ("hosts", "forget", "x"), ("quota", "set", "p", "net-l2.Port=1"), ("proton", "retire", "x"),
        ("changes", "undo", "x"), ("policy", "explain", "net-l2:get_port", "--object", "x"), ("watch",),
        ("resync",), *(() if kind in ("nothing", "other") else (("quota", "unset", "p"),)),
    )  # fmt: skip
    handler = type("Handler", (_Between,), {"said": _Between.says[kind]})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        try:
            for words in commands:
                where = {"OS_PROTON_PORT": str(serving.server_port)}
                done = CliRunner().invoke(cli, words, env=where, catch_exceptions=False)
                assert (done.exit_code, done.stdout) == (1, ""), words
                assert done.stderr.startswith("gluon: ") and len(done.stderr.splitlines()) == 1, done.stderr
                assert _Between.says[kind][2] in done.stderr, words
        finally:
            serving.shutdown()
            thread.join()


def test_a_missing_object_is_said_and_counts_as_failure(server: GluonServer) -> None:
    for verb in ("show", "update", "delete"):
        done = run("protonclient", *API, f"port-{verb}", str(uuid.uuid4()), server=server)
        assert done.returncode == 1
        assert done.stderr.splitlines()[0] == "Bad return status 404"
        assert "no Port with id" in done.stderr


def test_an_explanation_gives_no_orders_to_a_terminal(api: Api, server: GluonServer) -> None:
    vpn = api.vpn(name="x\x9b31m\u202e\nforged")
    words = ("policy", "explain", "net-l3vpn:get_vpn", "--role", "admin", "--object", vpn["id"])
    done = run("gluon", *words, server=server)
    assert done.returncode == 0, done.stderr
    assert all(line.isprintable() and not line.startswith("forged") for line in done.stdout.splitlines())
    assert r"name=x\u009b31m\u202e\u000aforged" in done.stdout
