"""Values of language 2.0 over HTTP: one normal form, every problem with its place, secrets that nobody sees."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.product import GluonServer

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-values, version: "2.0", description: Values.}
objects:
  Circuit:
    extends: BaseObject
    description: Something with many values.
    api: {name: circuit, plural_name: circuits}
    attributes:
      asn: {type: asn, description: Whose.}
      metric: {type: integer, description: How far.}
      mac: {type: mac, description: An address.}
      targets: {type: list, items: {type: route_target}, unique_items: true, default: [], description: Targets.}
      since: {type: date-time, description: When.}
      password: {type: string, secret: true, min_length: 8, description: Nobody's business.}
      labels: {type: map, max_items: 3, items: {type: string, length: 8}, description: Notes.}
      subnets:
        type: list
        default: []
        description: Prefixes.
        items:
          type: object
          attributes:
            cidr: {type: cidr, required: true, description: The prefix.}
            gateway: {type: ip, description: The router.}
            dhcp: {type: boolean, default: true, description: Whether.}
    unique:
      - {attributes: [asn, password], scope: global}
  Lane:
    extends: BaseObject
    description: Found by a number.
    api: {name: lane, plural_name: lanes}
    attributes:
      id: {primary: false}
      vlan: {type: vlan, primary: true, description: Its number.}
"""
URL = "/proton/net-values/v2.0"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[GluonServer]:
    folder = data / "models" / "net-values"
    folder.mkdir(parents=True)
    (folder / "api.yaml").write_text(MODEL, encoding="utf-8")
    with GluonServer("up", "--model", str(folder), "--no-shims", "--data", str(data)) as running:
        yield running


def body(**more: Any) -> dict[str, Any]:
    return {"project_id": str(uuid.uuid4()), **more}


def test_an_object_shows_the_normal_form_of_its_values(server: GluonServer) -> None:
    given = body(
        asn="1.10",
        mac="FA-16-3E-00-00-01",
        targets=["065000:1", "192.0.2.1:7"],
        since="2024-05-17T14:00:00.50+02:00",
        labels={"b": "x", "a": "y"},
        subnets=[{"gateway": "2001:DB8::1", "cidr": "2001:DB8::/64"}],
    )
    status, made = server.request("POST", f"{URL}/circuits", given)
    assert status == 201, made
    normal = {
        "asn": 65546,
        "mac": "fa:16:3e:00:00:01",
        "targets": ["65000:1", "192.0.2.1:7"],
        "since": "2024-05-17T12:00:00.5Z",
        "labels": {"a": "y", "b": "x"},
        "subnets": [{"cidr": "2001:db8::/64", "gateway": "2001:db8::1", "dhcp": True}],
        "password": None,
    }
    assert {n: made[n] for n in normal} == normal
    path = f"{URL}/circuits/{made['id']}"
    assert server.request("GET", path) == (200, made)
    assert made in server.request("GET", f"{URL}/circuits")[1]["circuits"]
    _, headers, _ = server.exchange("GET", path)
    _, after, _ = server.exchange("PUT", path, {n: given[n] for n in normal if n in given})
    assert after["etag"] == headers["etag"]


@pytest.mark.parametrize(
    "written", ["9007199254740993.0", "-9007199254740993.0", "9007199254740992.0", "1e16"]
)
def test_an_integer_that_a_fraction_cannot_say_is_no_other_one(server: GluonServer, written: str) -> None:
    """JSON's numbers with a fraction are kept as doubles, which have no odd numbers there."""
    text = f'{{"project_id": "{uuid.uuid4()}", "metric": {written}}}'.encode()
    status, fault = server.request("POST", f"{URL}/circuits", raw=text)
    (problem,) = fault["errors"]
    assert (status, problem["pointer"], problem["code"]) == (400, "/metric", "type")
    assert "without" in problem["hint"]
    given = body(metric=9007199254740993)
    assert server.request("POST", f"{URL}/circuits", given)[1]["metric"] == 9007199254740993
    exact = f'{{"project_id": "{uuid.uuid4()}", "metric": 9007199254740991.0}}'.encode()
    assert server.request("POST", f"{URL}/circuits", raw=exact)[1]["metric"] == 9007199254740991


def test_every_problem_of_a_body_is_told_with_its_place(server: GluonServer) -> None:
    wrong = body(
        asn=1.1,
        targets=["65000:1", "065000:1", "x"],
        labels={"a": "too long for it", "b": None},
        subnets=[{"cidr": "10.0.0.1/24", "dhpc": True}, {"gateway": "10.0.0.1"}, 5],
        password="short",
    )
    status, fault = server.request("POST", f"{URL}/circuits", wrong)
    assert status == 400
    found = {e["pointer"]: e["code"] for e in fault["errors"]}
    assert found == {
        "/asn": "type", "/targets/2": "format", "/labels/a": "length", "/labels/b": "required",
        "/subnets/0/cidr": "format", "/subnets/0/dhpc": "unknown", "/subnets/1/cidr": "required",
        "/subnets/2": "type", "/password": "length",
    }  # fmt: skip
    hints = {e["pointer"]: e["hint"] for e in fault["errors"]}
    assert hints["/subnets/0/cidr"] == "its network is 10.0.0.0/24"
    assert hints["/subnets/0/dhpc"] == "did you mean 'dhcp'?"
    assert '"1.10"' in hints["/asn"]
    assert "'short'" not in str(fault)


def test_a_secret_is_kept_and_never_told(server: GluonServer, data: Path) -> None:
    status, made = server.request("POST", f"{URL}/circuits", body(password=PASSWORD))
    assert (status, made["password"]) == (201, None)
    path = f"{URL}/circuits/{made['id']}"
    status, after = server.request("PUT", path, {"name": "renamed"})
    assert (status, after["password"]) == (200, None)
    assert server.request("GET", path) == (200, after)
    (database,) = [f for f in data.rglob("*.db") if f.is_file()]
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as look:
        query = 'SELECT "password" FROM "net_values_Circuit" WHERE id = ?'
        assert look.execute(query, (made["id"],)).fetchall() == [(PASSWORD,)]
        journal = look.execute("SELECT old, new FROM journal WHERE key = ?", (made["id"],)).fetchall()
    assert len(journal) == 2
    assert PASSWORD not in str(journal)


def test_a_secret_is_not_told_by_what_it_clashes_with(server: GluonServer) -> None:
    given = body(asn=65001, password=PASSWORD)
    assert server.request("POST", f"{URL}/circuits", given)[0] == 201
    status, other = server.request("POST", f"{URL}/circuits", {**given, "asn": 65002})
    assert status == 201, other
    status, fault = server.request("PUT", f"{URL}/circuits/{other['id']}", {"asn": 65001})
    assert (status, fault["code"]) == (409, "taken")
    assert PASSWORD not in str(fault)


def test_a_number_may_be_a_key(server: GluonServer) -> None:
    status, made = server.request("POST", f"{URL}/lanes", body(vlan=7))
    assert (status, made["vlan"]) == (201, 7)
    assert server.request("GET", f"{URL}/lanes/7") == (200, made)
    assert server.request("PUT", f"{URL}/lanes/7", {"name": "x"})[1]["name"] == "x"
    assert server.request("GET", f"{URL}/lanes/8")[0] == 404
    assert server.request("GET", f"{URL}/lanes/x")[0] in {400, 404}
    assert server.request("POST", f"{URL}/lanes", body())[1]["errors"][0]["pointer"] == "/vlan"
    assert server.request("DELETE", f"{URL}/lanes/7")[0] == 204
