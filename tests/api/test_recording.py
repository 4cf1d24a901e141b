"""Logs and audit of a running server: ids in and out, nothing injected, nothing secret, and who changed what."""

import json
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gluon.client.http import Client
from gluon.cmd import main
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer

V = "/proton/every/v3.1"
GIVEN = "req-01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[GluonServer]:
    settings = folder / "gluon.toml"
    settings.write_text(
        f'[audit]\nfile = "{folder}/audit.log"\n[logs]\naccess = true\n[data]\ndirectory = "{folder}/data"\n'
        '[models]\npaths = ["tests/api/models/every"]\n[api]\nproxies = ["127.0.0.0/24"]\n'
    )
    with GluonServer("server", "--config", str(settings), "--data", str(folder / "data")) as running:
        yield running


def audit_lines(folder: Path, request_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def there() -> bool:
        lines = [json.loads(one) for one in (folder / "audit.log").read_text().splitlines()]
        found[:] = [one for one in lines if one["request_id"] == request_id]
        return bool(found)

    wait_until(there, "the line", limit=5)
    return found


def test_a_write_is_recorded_with_its_revision_and_without_values(server: GluonServer, folder: Path) -> None:
    project = str(uuid.uuid4())
    body = {"project_id": project, "text": "visible text", "secret": "s3cr3t-value"}
    status, headers, made = server.exchange(
        "POST", f"{V}/plains", body, headers={"X-Openstack-Request-Id": GIVEN}
    )
    assert status == 201
    (line,) = audit_lines(folder, headers["x-openstack-request-id"])
    assert (line["outcome"], line["action"], line["keys"]) == ("success", "create", [made["id"]])
    assert headers["etag"] == f'"{line["revision"]}"'
    assert (line["user"], line["api"], line["type"]) == ("admin", "every", "Plain")
    assert line["global_request_id"] == GIVEN
    _, gone, _ = server.exchange("DELETE", f"{V}/plains/{made['id']}")
    assert audit_lines(folder, gone["x-openstack-request-id"])[0]["revision"] > line["revision"]
    _, refused, _ = server.exchange("POST", f"{V}/plains", {"project_id": project})
    (line,) = audit_lines(folder, refused["x-openstack-request-id"])
    assert (line["outcome"], line["reason"], line["revision"]) == ("failure", "required", None)
    everything = (folder / "audit.log").read_text() + server.daemon.said(lines=10_000)
    assert "s3cr3t-value" not in everything and "visible text" not in everything


def test_change_sets_and_what_operators_do_are_recorded_with_action_keys_and_reason(
    server: GluonServer, folder: Path
) -> None:
    def told(method: str, path: str, body: Any = None) -> tuple[Any, tuple[Any, ...]]:
        _, headers, answer = server.exchange(method, f"/gluon/v1/{path}", body)
        (line,) = audit_lines(folder, headers["x-openstack-request-id"])
        assert line["api"] == "gluon"
        return answer, (line["action"], line["keys"], line["reason"])

    made = {
        "op": "create",
        "api": "every",
        "type": "Plain",
        "body": {"project_id": str(uuid.uuid4()), "text": "some text"},
    }
    done, line = told("POST", "changesets", {"changes": [made]})
    assert line == ("create", [done["id"]], None)
    plan, line = told("POST", "changesets?plan=true", {"changes": [made]})
    assert line == ("create", [plan["id"]], None)
    assert told("POST", f"changesets/{plan['id']}/apply")[1] == ("do apply", [plan["id"]], None)
    assert told("POST", f"changesets/{done['id']}/undo")[1] == ("do undo", [done["id"]], None)
    assert told("POST", f"changesets/{done['id']}/undo")[1] == ("do undo", [done["id"]], "changed_since")
    assert told("POST", "changesets", {"changes": [{**made, "type": "None"}]})[1] == ("create", [], "type")
    assert told("POST", "resync")[1][:2] == ("do resync", [])
    assert told("PUT", "quotas/one", {"quotas": 1})[1] == ("update", ["one"], "type")
    assert told("DELETE", "hosts/a%2Fb")[1][:2] == ("delete", ["a/b"])
    assert told("POST", "nowhere")[1][:2] == ("do nowhere", [])


def test_ports_of_neutron_are_recorded_with_their_keys(tmp_path: Path) -> None:
    settings = tmp_path / "gluon.toml"
    settings.write_text(f'[audit]\nfile = "{tmp_path}/audit.log"\n')
    words = ("server", "--config", str(settings), "--data", str(tmp_path / "data"))
    with GluonServer(*words, "--model", "src/gluon/catalog/net-l2") as neutron:

        def told(method: str, path: str, body: Any = None) -> tuple[Any, tuple[Any, ...]]:
            _, headers, answer = neutron.exchange(method, path, body)
            (line,) = audit_lines(tmp_path, headers["x-openstack-request-id"])
            return answer, (line["action"], line["keys"], line["reason"])

        project = str(uuid.uuid4())
        subnets = [{"cidr": "192.0.2.0/24"}]
        neutron.request("POST", "/proton/net-l2/v2.0/networks", {"project_id": project, "subnets": subnets})
        network = neutron.request("GET", "/v2.0/networks")[1]["networks"][0]["id"]
        body = {"network_id": network, "project_id": project}
        for root in ("/v2.0", "/networking/v2.0"):
            made, line = told("POST", f"{root}/ports", {"port": body})
            key = made["port"]["id"]
            assert line == ("create", [key], None)
            made, line = told("POST", f"{root}/ports", {"ports": [body, body]})
            assert line == ("create", [one["id"] for one in made["ports"]], None)
            none = {"port": {**body, "network_id": project}}
            assert told("POST", f"{root}/ports", none)[1] == ("create", [], "NetworkNotFound")
            path = f"{root}/ports/{key}"
            assert told("PUT", path, {"port": {"name": "x"}})[1] == ("update", [key], None)
            bound = told("POST", f"{path}/bindings", {"binding": {"host": "x"}})[1]
            assert bound == ("create", [key], "PortBindingError")
            active = "PortBindingAlreadyActive"
            assert told("PUT", f"{path}/bindings/x/activate")[1] == ("do activate", [key, "x"], active)
            assert told("DELETE", f"{path}/bindings/x")[1] == ("delete", [key, "x"], None)
            assert told("DELETE", path)[1] == ("delete", [key], None)


def test_a_plain_create_is_recorded_as_any_other(server: GluonServer, folder: Path) -> None:
    """It has its own revision, and nobody else's id, whatever came before it."""
    body = {"project_id": str(uuid.uuid4()), "text": "some text", "secret": "s3cr3t"}
    given: list[dict[str, str]] = [{"X-Openstack-Request-Id": GIVEN}, {}, {"Idempotency-Key": "k1"}, {}]
    for headers in given:
        status, told, made = server.exchange("POST", f"{V}/plains", body, headers=headers)
        assert status == 201, made
        (line,) = audit_lines(folder, told["x-openstack-request-id"])
        assert told["etag"] == f'"{line["revision"]}"' and line["keys"] == [made["id"]]
        assert line["global_request_id"] == headers.get("X-Openstack-Request-Id")
        assert (line["client"], line["user"]) == ("127.0.0.1", "admin")


@pytest.mark.parametrize("way", [{}, {"Expect": "100-continue"}])
def test_the_address_of_who_asked_is_recorded(server: GluonServer, folder: Path, way: dict[str, str]) -> None:
    """Of the connection, or what a proxy that is trusted says of it; on both ways through the server."""
    for given, told in (
        ({}, ("127.0.0.1", None)),
        ({"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}, ("192.0.2.7", "127.0.0.1")),
        ({"Forwarded": "for=192.0.2.7"}, ("127.0.0.1", None)),
    ):
        _, headers, _ = server.exchange("DELETE", f"{V}/plains/{uuid.uuid4()}", headers={**given, **way})
        (line,) = audit_lines(folder, headers["x-openstack-request-id"])
        assert (line["client"], line["proxy"]) == told
    seen = [json.loads(one) for one in server.daemon.said(lines=10_000).splitlines()]
    assert "192.0.2.7" in {one.get("client") for one in seen if one["event"] == "request"}


def test_who_sends_the_same_bytes_from_elsewhere_is_told_apart(server: GluonServer, folder: Path) -> None:
    request = f"DELETE {V}/plains/{uuid.uuid4()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    places = ("127.0.0.1", "127.0.1.2", "127.0.1.3")
    told: dict[str, str] = {}
    with ExitStack() as stack:
        lines = {
            one: stack.enter_context(
                socket.create_connection(("127.0.0.1", server.port), timeout=60, source_address=(one, 0))
            )
            for one in places
        }
        for one in places * 3:
            lines[one].sendall(request)
            answer = HTTPResponse(lines[one])
            answer.begin()
            answer.read()
            told[answer.headers["x-openstack-request-id"]] = one
    assert len(told) == 9
    for request_id, one in told.items():
        assert audit_lines(folder, request_id)[0]["client"] == one


@pytest.mark.parametrize("given", ["req-1", GIVEN.upper(), GIVEN + "x", "a\tb", "req-" + "x" * 4000, ""])
def test_ids_that_are_not_well_formed_count_for_nothing(
    server: GluonServer, folder: Path, given: str
) -> None:
    _, headers, _ = server.exchange(
        "DELETE", f"{V}/plains/{uuid.uuid4()}", headers={"X-Openstack-Request-Id": given}
    )
    assert re.fullmatch(r"req-[0-9a-f-]{36}", headers["x-openstack-request-id"])
    assert audit_lines(folder, headers["x-openstack-request-id"])[0]["global_request_id"] is None


def test_each_request_is_one_line_of_the_log(server: GluonServer) -> None:
    path = "/proton/x%0A%7B%22event%22:%22fake%22%7D%1b%5B31m/%E2%80%A8y"
    _, headers, _ = server.exchange("GET", path)
    wait_until(lambda: headers["x-openstack-request-id"] in server.daemon.said(lines=10_000), "it", limit=5)
    lines = [json.loads(one) for one in server.daemon.said(lines=10_000).splitlines()]
    (seen,) = [one for one in lines if one.get("request_id") == headers["x-openstack-request-id"]]
    assert (seen["event"], seen["status"], seen["method"]) == ("request", 404, "GET")
    assert "\n" in seen["path"] and not any(one["event"] == "fake" for one in lines)


def test_the_journal_tells_who_changed_what(server: GluonServer, folder: Path) -> None:
    project = str(uuid.uuid4())
    made = server.request(
        "POST", f"{V}/plains", {"project_id": project, "text": "before", "secret": "hidden"}
    )[1]
    path = f"{V}/plains/{made['id']}"
    _, headers, _ = server.exchange("PATCH", path, {"text": "af\nter", "secret": "other"})
    server.request("DELETE", path)
    words = ["audit", "--data", str(folder / "data")]
    text = CliRunner().invoke(main.cli, [*words, "--key", made["id"]], catch_exceptions=False).stdout
    assert len(text.splitlines()) == 3 and 'text: "before" → "af\\nter"' in text
    assert "hidden" not in text and "other" not in text

    def ops(*more: str) -> list[str]:
        out = CliRunner().invoke(main.cli, [*words, "--format", "json", *more], catch_exceptions=False).stdout
        return [json.loads(one)["op"] for one in out.splitlines()]

    assert ops("--project", project) == ["create", "update", "delete"]
    assert ops("--project", project, "--limit", "2") == ["update", "delete"]
    assert ops("--request", headers["x-openstack-request-id"]) == ["update"]
    assert (
        ops("--who", "nobody")
        == []
        == ops("--since", "2999-01-01")
        == ops("--type", "Port", "--key", made["id"])
    )
    assert ops("--since", headers["etag"].strip('"'), "--project", project) == ["update", "delete"]


def test_the_newest_of_the_journal_are_as_many_as_are_asked_for(server: GluonServer, folder: Path) -> None:
    """Also where one commit made many."""
    project = str(uuid.uuid4())
    many = [
        {
            "op": "create",
            "api": "every",
            "type": "Plain",
            "body": {"project_id": project, "text": f"book {n}"},
        }
        for n in range(3)
    ]
    assert server.request("POST", "/gluon/v1/changesets", {"changes": many})[0] == 201
    words = ["audit", "--data", str(folder / "data"), "--project", project]
    assert len(CliRunner().invoke(main.cli, words, catch_exceptions=False).stdout.splitlines()) == 3
    newest = CliRunner().invoke(main.cli, [*words, "--limit", "2"], catch_exceptions=False).stdout
    assert ["book 1" in line or "book 2" in line for line in newest.splitlines()] == [True, True]


def test_since_when_the_journal_is_told_of(server: GluonServer, folder: Path) -> None:
    made = server.request("POST", f"{V}/plains", {"project_id": str(uuid.uuid4()), "text": "one"})[1]
    at = datetime.fromisoformat(made["created_at"]).replace(tzinfo=UTC)
    words = ["audit", "--data", str(folder / "data"), "--key", made["id"]]

    def told(since: str) -> Any:
        return CliRunner().invoke(main.cli, [*words, "--since", since], catch_exceptions=False)

    for zone in (UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9))):
        for minutes, lines in ((-1, 1), (1, 0)):
            since = (at + timedelta(minutes=minutes)).astimezone(zone)
            for text in (since.isoformat(), since.isoformat(sep=" ")):
                assert len(told(text).stdout.splitlines()) == lines, text
    for text in ("yesterday", "2026-13-99", "\u00b2", "9" * 30, "-1"):
        done = told(text)
        assert (done.exit_code, done.stdout) == (2, ""), text
        assert "neither a time such as 2026-01-31T23:59 nor a revision" in done.stderr


def test_a_log_that_takes_no_lines_fails_no_request(tmp_path: Path) -> None:
    """Its reader has ended, or its disk is full."""
    (tmp_path / "gluon.toml").write_text("[logs]\naccess = true\n")
    words = [
        "server",
        "--config",
        str(tmp_path / "gluon.toml"),
        "--data",
        str(tmp_path / "data"),
        "--port",
        "0",
    ]
    command = [sys.executable, "-m", "gluon.cmd.main", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if '"event": "serving"' in line)
            process.stdout.close()
            client = Client(str(json.loads(line)["url"]), timeout=20)
            for _ in range(3):
                assert client.request("GET", "/proton/net-l2/v2.0/networks") == {"networks": []}
                assert client.request(
                    "POST",
                    "/proton/net-l2/v2.0/networks?dry_run=true",
                    {"project_id": str(uuid.uuid4()), "name": "n"},
                )
            client.close()
        finally:
            process.terminate()
