"""The commands, run as a user runs them: what they print, where, and how they end."""

import json
import os
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

import pytest

from gluon.testing.product import GluonServer

BIN = Path(sys.executable).parent


def run(
    program: str, *arguments: str, server: GluonServer | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    where = {"OS_PROTON_HOST": "127.0.0.1", "OS_PROTON_PORT": str(server.port)} if server else {}
    return subprocess.run(
        [str(BIN / program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **where, **(env or {})},
        check=False,
    )


def port_options(project: str) -> list[str]:
    options = {
        "tenant_id": project,
        "mac_address": "fa:16:3e:00:00:01",
        "admin_state_up": "true",
        "status": "ACTIVE",
        "vnic_type": "normal",
        "mtu": "1500",
        "vlan_transparency": "false",
    }
    return [text for name, value in options.items() for text in (f"--{name}", value)]


def test_ports_to_try_it_with_are_made_once(tmp_path: Path) -> None:
    with GluonServer("up", "--ports", "2", "--data", str(tmp_path)) as trying:
        said = [
            line.split() for line in trying.daemon.said(lines=10_000).splitlines() if line.startswith("port ")
        ]
        port = trying.request("GET", f"/proton/net-l3vpn/v1.0/ports/{said[0][1]}")[1]
        assert [(line[2], line[3]) for line in said] == [("try-1", "10.9.0.11"), ("try-2", "10.9.0.12")]
        assert port["name"] == "try-1"
        trying.end()
        trying.start()
        assert len(trying.request("GET", "/gluon/v1/ports")[1]["ports"]) == 2


def test_the_ports_of_a_project(server: GluonServer) -> None:
    project = str(uuid.uuid4())
    made = [
        run(
            "protonclient",
            "--api",
            "net-l3vpn",
            "port-create",
            *port_options(project),
            "--name",
            name,
            server=server,
        )
        for name in ("one", "two")
    ]
    ids = {json.loads(one.stdout)["name"]: json.loads(one.stdout)["id"] for one in made}
    listed = run("gluon", "ports", "--project", project, server=server)
    heads, *lines = listed.stdout.splitlines()
    assert (listed.returncode, heads.split()) == (
        0, ["ID", "NAME", "PROTON", "PROJECT", "DEVICE", "HOST", "STATUS"]
    )  # fmt: skip
    rows = [[ids[name], name, "net-l3vpn", project, "-", "-", "DOWN"] for name in ids]
    assert sorted(line.split() for line in lines) == sorted(rows)
    two = run("gluon", "ports", "--project", project, "--name", "two", server=server).stdout.splitlines()
    assert [line.split()[0] for line in two[1:]] == [ids["two"]]
    assert (
        len(run("gluon", "ports", "--project", project, "--limit", "1", server=server).stdout.splitlines())
        == 2
    )


def test_a_port_by_protonclient(server: GluonServer) -> None:
    made = run(
        "protonclient", "--api", "net-l3vpn", "port-create", *port_options(str(uuid.uuid4())), server=server
    )
    assert made.returncode == 0, made.stderr
    port = json.loads(made.stdout)
    assert made.stdout == json.dumps(port, indent=4) + "\n"
    key = port["id"]
    shown = run("protonclient", "--api", "net-l3vpn", "port-show", key, server=server)
    assert json.loads(shown.stdout) == port
    changed = run("protonclient", "--api", "net-l3vpn", "port-update", key, "--name", "x", server=server)
    assert json.loads(changed.stdout)["name"] == "x"
    listed = run("protonclient", "--api", "net-l3vpn", "port-list", server=server)
    assert key in {p["id"] for p in json.loads(listed.stdout)["ports"]}
    gone = run("protonclient", "--api", "net-l3vpn", "port-delete", key, server=server)
    assert (gone.returncode, gone.stdout) == (0, "")


def test_the_only_api_may_be_left_out() -> None:
    with GluonServer("server", "--model", "src/gluon/catalog/net-l3vpn") as alone:
        assert run("protonclient", "vpn-list", server=alone).returncode == 0
        assert "vpnbinding-create" in run("protonclient", "--help", server=alone).stdout


@pytest.mark.parametrize(("sink", "code"), [(">/dev/full", 1), (">&-", 0)])
def test_protonclient_that_cannot_print_says_so(server: GluonServer, sink: str, code: int) -> None:
    made = ["protonclient", "--port", str(server.port), "--api", "net-l3vpn", "vpn-list"]
    line = f"env -u PYTHONUNBUFFERED {BIN}/{' '.join(made)} {sink}"
    done = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr


def test_exit_codes_of_protonclient(server: GluonServer) -> None:
    missing = run("protonclient", "--api", "net-l3vpn", "port-show", str(uuid.uuid4()), server=server)
    assert missing.returncode == 1
    assert "Bad return status 404" in missing.stderr
    assert "no Port with id" in missing.stderr
    bad = run("protonclient", "--api", "net-l3vpn", "port-create", "--mtu", "x", server=server)
    assert bad.returncode == 1
    assert "mtu: 'x' is not an integer" in bad.stderr
    assert "mac_address: a value is required" in bad.stderr
    assert run("protonclient", "--api", "nonsense", "port-list", server=server).returncode == 255
    assert run("protonclient", "--api", "net-l3vpn", "nonsense", server=server).returncode == 2
    assert run("protonclient", "--api", "net-l3vpn", "port-list", "--nonsense", server=server).returncode == 2
    nobody = run("protonclient", "--port", "1", "port-list")
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("protonclient: http://127.0.0.1:1: ")


def test_help_lists_the_commands_of_the_proton(server: GluonServer) -> None:
    assert "net-l2 net-l3vpn" in run("protonclient", "--help", server=server).stdout
    assert "vpnbinding-create" in run("protonclient", "--api", "net-l3vpn", "--help", server=server).stdout
    text = run("protonclient", "--api", "net-l3vpn", "vpnbinding-create", "--help", server=server).stdout
    assert "--ipaddress" in text
    assert "--interface_id" in text
    alone = run("protonclient", "--host", "127.0.0.1", "--port", "1", "--help")
    assert alone.returncode == 0
    assert "none can be listed: http://127.0.0.1:1: [Errno 111] Connection refused" in alone.stdout


def test_what_people_read_programs_read_too(server: GluonServer) -> None:
    """By `--json`: the answer of the server, with the exit status of the table."""
    for words, path in (
        (("ports", "--limit", "1"), "/gluon/v1/ports?limit=1"),
        (("hosts", "list"), "/gluon/v1/hosts"),
        (("proton", "list"), "/gluon/v1/protons"),
        (("quota", "show", "p"), "/gluon/v1/quotas/p"),
        (("status",), "/gluon/v1/status"),
    ):
        done = run("gluon", *words, "--json", server=server)
        assert (done.returncode, done.stderr) == (0, ""), words
        told, (_, answer) = json.loads(done.stdout), server.request("GET", path)
        assert told.keys() == answer.keys() - {"next"}, words


def test_the_line_that_leads_to_help_can_be_followed(server: GluonServer) -> None:
    """A server of several protons knows no command without the proton."""
    for api in (("--api", "net-l3vpn"), ("--api", "net-l2", "--api-version", "2.0")):
        wrong = run("protonclient", *api, "port-create", "--nme", "x", server=server)
        assert wrong.returncode == 2
        line = next(one for one in wrong.stderr.splitlines() if one.startswith("Try '"))
        program, *words = line.split("'")[1].split()
        helped = run(program, *words, server=server)
        assert (helped.returncode, helped.stderr) == (0, "")
        assert helped.stdout.startswith(f"Usage: protonclient {' '.join(api)} port-create ")


def test_status_and_resync(server: GluonServer) -> None:
    where = ("--port", str(server.port))
    status = run("gluon", "status", *where)
    assert status.returncode == 0, status.stderr
    assert "database revision" in status.stdout
    done = run("gluon", "resync", *where)
    assert done.returncode == 0, done.stderr
    assert "etcd agrees with the database" in done.stdout


def test_hosts_that_shims_serve(tmp_path: Path) -> None:
    with GluonServer("up", "--data", str(tmp_path)) as trying:
        where = ("--port", str(trying.port))
        found = run("gluon", "hosts", "list", *where)
        assert found.returncode == 0, found.stderr
        heads, served = (line.split() for line in found.stdout.splitlines())
        assert (heads[0], served[:3]) == ("HOST", ["*", "fake", "0"])
        refused = run("gluon", "hosts", "forget", "*", *where)
        assert refused.returncode == 1
        assert f"host '*' is served by controller 'fake', instance '{served[3]}'" in refused.stderr
        assert "stop that shim first" in refused.stderr
        gone = run("gluon", "hosts", "forget", "A", "--controller", "x", "--force", *where)
        assert gone.returncode == 1
        assert "no shim of controller 'x' has said anything of host 'A'" in gone.stderr
        for name in ("a/b", "a b%2F/é", ".."):
            gone = run("gluon", "hosts", "forget", name, *where)
            assert (
                gone.stderr == f"gluon: no shim has said anything of host '{name}' (see gluon hosts list)\n"
            )


def test_the_sample_configuration_is_a_configuration(tmp_path: Path) -> None:
    text = run("gluon", "config", "sample").stdout
    every = tmp_path / "every.toml"
    every.write_text(text.replace("\n# ", "\n").replace("\n#", "\n"), encoding="utf-8")
    used = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    assert set(tomllib.loads(used)) >= {"api", "data", "etcd", "models", "shim"}
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[api]\nprot = 1\n", encoding="utf-8")
    refused = run("gluon", "server", "--config", str(wrong))
    assert refused.returncode == 2
    assert "prot" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("server", "--workers", "2"), "--workers 2"),
        (("server", "--host", "0.0.0.0"), "--insecure overrides"),
        (("server", "--etcd", "10.1.1.1:2379"), "not on loopback"),
        (("server", "--etcd", "127.0.0.1:1,10.1.1.1:2379"), "10.1.1.1:2379 is not on loopback"),
        (("server", "--etcd", "127.example.net:2379"), "not on loopback"),
        (("shim", "--backend", "nonsense", "--host", "A", "--etcd", "127.0.0.1:1"), "no such backend"),
        (("shim", "--backend", "fake", "--host", "A"), "needs --etcd"),
        (("shim", "--etcd", "127.0.0.1:1"), "needs --backend"),
        (("server", "--model", "/nonsense"), "/nonsense"),
        (("up", "--database", "sqlite:////etc/hostname"), "is not a database"),
        (("up", "--data", "/etc/hostname"), "/etc/hostname: File exists"),
        (
            ("shim", "--backend", "fake", "--host", "", "--etcd", "127.0.0.1:1"),
            "needs --backend NAME and --host",
        ),
        (
            ("shim", "--backend", "fake", "--host", "A", "--name", "x" * 65, "--etcd", "127.0.0.1:1"),
            "at most 64",
        ),
    ],
)
def test_wrong_usage_says_what_and_how(arguments: tuple[str, ...], text: str, tmp_path: Path) -> None:
    port = ("--port", "0") if arguments[0] in {"up", "server"} else ()
    done = run("gluon", *arguments, *port, env={"XDG_STATE_HOME": str(tmp_path)})
    assert done.returncode in (1, 2)
    assert text in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[api]\nport = 99999", "api.port"),
        ("[api]\nport = -1", "api.port"),
        ("[api]\nrequest_seconds = 0", "api.request_seconds"),
        ("[shim]\nscan_seconds = 0", "shim.scan_seconds"),
        ("[shim]\nhosts = 'A'", "shim.hosts"),
        ("[shim]\nbackend = 'fake'\nhosts = ['*']\noptions = {nonsense = 1}", "nonsense"),
        ("api = 1", "api"),
        ("[api", "Expected ']'"),
        ("[nonsense]", "nonsense"),
        ("[etcd]\nurls = ['nonsense:1']", "nonsense:1"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, name: str) -> None:
    file = tmp_path / "gluon.toml"
    file.write_text(text, encoding="utf-8")
    done = run("gluon", "up", "--config", str(file), "--data", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("gluon: ")
    assert name in done.stderr


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("oracle://x", "oracle"),
        ("sqlite:///", "names no file"),
        ("sqlite://here", "three slashes"),
        ("mysql://127.0.0.1:x/y", "no valid port"),
        ("postgresql://[x/y", "no valid host"),
    ],
)
def test_a_database_that_can_be_none_is_wrong_usage(url: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "gluon.toml"
    file.write_text(f"[data]\ndatabase = '{url}'\n", encoding="utf-8")
    for words in (("server", "--port", "0"), ("audit",), ("db", "check")):
        for said in (("--database", url), ("--config", str(file))):
            done = run("gluon", *words, *said, env={"XDG_STATE_HOME": str(tmp_path)})
            assert done.returncode == 2, done
            assert text in done.stderr and "Traceback" not in done.stderr


def test_the_proxy_of_the_environment_is_used_but_for_this_machine(server: GluonServer) -> None:
    nobody = {"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    for words in (("protonclient", "--api", "net-l3vpn", "port-list"), ("gluon", "proton", "list")):
        port = ("--port", str(server.port)) if words[0] == "gluon" else ()
        assert run(*words, *port, server=server, env=nobody).returncode == 0
        there = {**nobody, "GLUON_URL": "http://gluon.invalid:2705"}
        refused = run(*words, *port, env=there)
        assert "http://gluon.invalid:2705 by the proxy 127.0.0.1:1: " in refused.stderr
        assert refused.returncode in (1, 255)


def test_the_aliases_of_the_original() -> None:
    assert run("gluon-api-tool", "list").stdout.split() == ["ietf-sfc", "net-l2", "net-l3vpn"]
    shown = run("gluon-api-tool", "check", "net-l3vpn")
    assert shown.returncode == 0
    assert "VpnService" in shown.stdout
    assert run("gluon-api-tool", "check", "nonsense").returncode == 1
    assert "Usage: proton-server" in run("proton-server", "--help").stdout


def test_model_check_tells_every_problem_with_its_place(tmp_path: Path) -> None:
    assert run("gluon", "model", "check", "src/gluon/catalog/net-l3vpn").returncode == 0
    bad = tmp_path / "api.yaml"
    bad.write_text(
        "file_version: '1.0'\ninfo: {name: x, version: '1.0'}\nobjects:\n  A:\n    api: {name: a}\n"
        "    attributes:\n      n: {type: intger}\n      m: {requird: true, type: string}\n",
        encoding="utf-8",
    )
    done = run("gluon", "model", "check", str(bad))
    assert done.returncode == 1
    assert f"{bad}:7:17" in done.stderr
    assert f"{bad}:8:11" in done.stderr
    assert "required" in done.stderr


def test_gluon_policy_explains_what_holds_of_an_object_of_the_server(server: GluonServer) -> None:
    project = str(uuid.uuid4())
    _, made = server.request("POST", "/proton/net-l3vpn/v1.0/vpns", {"tenant_id": project, "name": "blue"})
    asked = ["policy", "explain", "net-l3vpn:delete_vpn", "--object", made["id"], "--project"]
    own = run("gluon", *asked, project.replace("-", "").upper(), server=server)
    assert own.returncode == 0 and own.stdout.endswith("\nallowed\n"), own.stderr
    foreign = run("gluon", *asked, str(uuid.uuid4()), server=server)
    assert foreign.returncode == 1 and "404" in foreign.stdout
    missing = run("gluon", *asked[:4], "gone", "--project", project, server=server)
    assert missing.returncode == 1 and "gluon: " in missing.stderr
