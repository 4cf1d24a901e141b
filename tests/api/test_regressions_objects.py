"""Lost writes, orphans and wrong refusals of objects that were found once, on every database."""

import itertools
import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from gluon.testing.product import Answer, GluonServer
from tests.api.conftest import Api

ODD = "/proton/odd/v1.0"


@pytest.fixture
def odd(anywhere: GluonServer) -> Callable[..., Answer]:
    return lambda method, path, body=None: anywhere.request(method, f"{ODD}/{path}", body)


def at_once(*calls: Callable[[], Answer]) -> list[int]:
    """The statuses of requests that are under way together."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [f.result()[0] for f in [pool.submit(call) for call in calls]]


def test_an_integer_key_is_taken_once(odd: Callable[..., Answer]) -> None:
    """It was compared as text: a second object of the same key replaced the first."""
    n = random.randrange(2**40)
    assert odd("POST", "numbers", {"n": n, "note": "first"})[0] == 201
    for again in (n, str(n), f"+{n}", f"0{n}", float(n)):
        status, fault = odd("POST", "numbers", {"n": again, "note": "second"})
        assert (status, fault["code"]) == (409, "taken")
    assert odd("GET", f"numbers/{n}")[1]["note"] == "first"
    assert sorted(at_once(*[lambda: odd("POST", "numbers", {"n": -n})] * 8)) == [201, *[409] * 7]
    assert odd("DELETE", f"numbers/{n}")[0] == 204
    assert odd("GET", f"numbers/{n}")[0] == 404


@pytest.mark.parametrize("limit", [2**63 - 1, -(2**63)])
def test_integers_to_their_limits(odd: Callable[..., Answer], limit: int) -> None:
    assert odd("POST", "numbers", {"n": limit})[1]["n"] == limit
    assert odd("GET", f"numbers/{limit}")[0] == 200
    assert odd("DELETE", f"numbers/{limit}")[0] == 204
    beyond = limit + (1 if limit > 0 else -1)
    assert odd("POST", "numbers", {"n": beyond})[0] == 400
    assert odd("GET", f"numbers/{beyond}")[0] == 400


def test_an_enum_as_key_and_a_reference_to_an_integer_key(odd: Callable[..., Answer]) -> None:
    n = random.randrange(2**40)
    odd("POST", "numbers", {"n": n})
    assert odd("POST", "colours", {"c": "red", "number": n})[0] == 201
    assert odd("DELETE", f"numbers/{n}")[0] == 409
    assert odd("POST", "colours", {"c": "green", "number": n + 1})[0] == 400
    assert odd("DELETE", "colours/red")[0] == 204
    assert odd("DELETE", f"numbers/{n}")[0] == 204


def test_an_object_that_refers_to_itself_can_be_deleted(odd: Callable[..., Answer]) -> None:
    key = f"node {uuid.uuid4()}"
    path = f"nodes/{quote(key)}"
    assert odd("POST", "nodes", {"key": key, "order": "by", "help": "me", "Mixed": "us"})[0] == 201
    assert odd("PUT", path, {"next": key})[1]["next"] == key
    assert odd("DELETE", path)[0] == 204


@pytest.mark.parametrize(
    ("one", "other"), [("a", "A"), ("x", "x "), ("e\u0301", "\u00e9"), ("ss", "ß"), ("1", "01"), ("y", "y\t")]
)
def test_keys_that_look_alike_are_two(odd: Callable[..., Answer], one: str, other: str) -> None:
    mark = uuid.uuid4().hex[:8]
    keys = [mark + one, mark + other]
    for key in keys:
        assert odd("POST", "nodes", {"key": key})[0] == 201
    assert odd("GET", f"nodes/{quote(keys[1], safe='')}")[1]["key"] == keys[1]
    listed = [node["key"] for node in odd("GET", "nodes")[1]["nodes"]]
    assert listed == sorted(listed)
    assert set(keys) <= set(listed)


def test_a_port_with_long_texts_is_made_bound_and_found(anywhere: GluonServer) -> None:
    api = Api(anywhere)
    body = api.port_body(name="n" * 1000, device_owner="o" * 500, device_id="")
    status, port = anywhere.request("POST", f"{ODD}/ports", body)
    assert (status, port["name"]) == (201, "n" * 1000)
    path = f"{ODD}/ports/{port['id']}"
    assert anywhere.request("PUT", path, {"name": "m" * 1000})[1]["name"] == "m" * 1000
    assert anywhere.request("DELETE", path)[0] == 204


def test_a_second_reference_to_a_port_does_not_delete_its_interface_twice(anywhere: GluonServer) -> None:
    api = Api(anywhere)
    port, other = (anywhere.request("POST", f"{ODD}/ports", api.port_body())[1]["id"] for _ in range(2))
    assert anywhere.request("PUT", f"{ODD}/interfaces/{port}", {"twin": port})[0] == 200
    assert anywhere.request("DELETE", f"{ODD}/ports/{port}")[0] == 204
    assert anywhere.request("GET", f"{ODD}/interfaces/{port}")[0] == 404
    # one that has moved to another port stays there
    third = anywhere.request("POST", f"{ODD}/ports", api.port_body())[1]["id"]
    assert anywhere.request("PUT", f"{ODD}/interfaces/{third}", {"port_id": other, "twin": third})[0] == 200
    assert anywhere.request("DELETE", f"{ODD}/ports/{third}")[0] == 409
    assert anywhere.request("GET", f"{ODD}/interfaces/{third}")[0] == 200


def test_an_object_moves_to_another_project_only_with_what_refers_to_it(api_anywhere: Api) -> None:
    api, other = api_anywhere, uuid.uuid4().hex.upper()
    port, vpn = api.port(), api.vpn()
    assert api("PUT", f"ports/{port['id']}", {"tenant_id": other})[1]["tenant_id"] == other
    assert api("GET", f"interfaces/{port['id']}")[1]["tenant_id"] == other
    assert api("PUT", f"ports/{port['id']}", {"tenant_id": api.project})[0] == 200
    assert api("GET", f"interfaces/{port['id']}")[1]["tenant_id"] == api.project
    assert api("PUT", f"interfaces/{port['id']}", {"tenant_id": other})[0] == 400
    api.bind(port["id"], vpn["id"])
    for path in (f"ports/{port['id']}", f"vpns/{vpn['id']}"):
        status, fault = api("PUT", path, {"tenant_id": other})
        assert (status, fault["code"]) == (409, "still_referred")
        assert "VpnBinding" in fault["detail"]
    assert api("GET", f"ports/{port['id']}")[1]["tenant_id"] == api.project


def test_of_many_creates_of_a_key_one_succeeds(api_anywhere: Api) -> None:
    api = api_anywhere
    body = api.port_body(id=str(uuid.uuid4()))
    assert sorted(at_once(*[lambda: api("POST", "ports", body)] * 12)) == [201, *[409] * 11]
    target = {"tenant_id": api.project, "vrf_rt_value": uuid.uuid4().hex[:20], "vrf_rt_type": "both"}
    assert sorted(at_once(*[lambda: api("POST", "vpnafconfigs", target)] * 12)) == [201, *[409] * 11]


def test_deletes_and_creates_that_refer_to_each_other_leave_no_orphan(api_anywhere: Api) -> None:
    api = api_anywhere
    for _ in range(5):
        port, vpn = api.port()["id"], api.vpn()["id"]
        body = {"tenant_id": api.project, "interface_id": port, "service_id": vpn}
        make: Callable[[], Answer] = lambda b=body: api("POST", "vpnbindings", b)  # type: ignore[misc] # noqa: E731
        statuses = at_once(
            make,
            lambda v=vpn: api("DELETE", f"vpns/{v}"),  # type: ignore[misc]
            make,
            lambda p=port: api("DELETE", f"ports/{p}"),  # type: ignore[misc]
        )
        assert max(statuses) < 500
        bound = api("GET", f"vpnbindings/{port}")[0] == 200
        if bound:
            assert api("GET", f"vpns/{vpn}")[0] == 200
            assert api("GET", f"interfaces/{port}")[0] == 200


def test_binds_and_unbinds_of_one_port_at_once_end_in_the_last_one(api_anywhere: Api) -> None:
    api = api_anywhere
    port = api.port()["id"]
    hosts = itertools.cycle(["rack 1", "B", "c/d é"])

    def change(n: int) -> Answer:
        if n % 3 == 2:
            return api("PUT", f"ports/{port}", {"host_id": "", "device_id": ""})
        return api("PUT", f"ports/{port}", {"host_id": next(hosts), "device_id": str(uuid.uuid4())})

    with ThreadPoolExecutor(8) as pool:
        assert {status for status, _ in pool.map(change, range(60))} == {200}
    status, bound = api("PUT", f"ports/{port}", {"host_id": "rack 1", "device_id": str(uuid.uuid4())})
    assert (status, bound["vif_type"], bound["host_id"]) == (200, "ovs", "rack 1")
    standing = api("GET", f"ports/{port}/status")[1]["binding"]
    assert (standing["state"], standing["host"]) == ("Bound", "rack 1")
    assert api("DELETE", f"ports/{port}")[0] == 204


NUMBERS: list[tuple[Any, Any]] = [
    (1, 1.0),
    (-0.0, -0.0),
    (1e308, 1e308),
    (5e-324, 5e-324),
    ("1.5", 1.5),
    (0.1 + 0.2, 0.1 + 0.2),
    (2**63, float(2**63)),
    (None, None),
]


@pytest.mark.parametrize(("given", "kept"), NUMBERS)
def test_numbers_are_kept_to_the_last_bit(anywhere: GluonServer, given: Any, kept: Any) -> None:
    body = {"tenant_id": str(uuid.uuid4()), "price": given}
    status, made = anywhere.request("POST", f"{ODD}/circuits", body)
    assert (status, made["price"]) == (201, kept)
    assert anywhere.request("GET", f"{ODD}/circuits/{made['id']}")[1]["price"] == kept


def test_an_integer_is_not_rounded(anywhere: GluonServer) -> None:
    for text in (b"9007199254740993.0", b"-9007199254740993.0", b"1e16"):
        status, fault = anywhere.request("POST", f"{ODD}/numbers", raw=b'{"n": %s}' % text)
        assert (status, fault["errors"][0]["pointer"]) == (400, "/n")
        assert fault["faultstring"].endswith(f"Expected integer, got '{float(text)}'")


NO_NUMBERS: dict[str, Any] = {
    "nan": "nan",
    "inf": "inf",
    "large": "1e400",
    "integer": 10**400,
    "boolean": True,
    "empty": "",
    "list": [],
    "object": {},
    "arabic": "\u0661",
}


@pytest.mark.parametrize("given", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_400(anywhere: GluonServer, given: Any) -> None:
    body = {"tenant_id": str(uuid.uuid4()), "price": given}
    status, fault = anywhere.request("POST", f"{ODD}/circuits", body)
    assert (status, fault["errors"][0]["pointer"]) == (400, "/price")


def test_a_string_without_length_takes_255_characters(odd: Callable[..., Answer]) -> None:
    key = "k" * 255
    assert odd("POST", "nodes", {"key": key, "order": "\U0001f600" * 255})[0] == 201
    assert odd("GET", f"nodes/{key}/status")[0] == 200
    assert odd("DELETE", f"nodes/{key}")[0] == 204
    for name in ("key", "order"):
        status, fault = odd("POST", "nodes", {"key": "k", name: "x" * 256})
        assert (status, fault["errors"][0]["code"]) == (400, "length")


@pytest.mark.parametrize("name", ["mac_address", "admin_state_up", "status", "vnic_type", "mtu", "tenant_id"])
def test_what_is_required_is_missed_by_name(api_anywhere: Api, name: str) -> None:
    api = api_anywhere
    without = {k: v for k, v in api.port_body().items() if k != name}
    for body in (without, {**without, name: None}):
        status, fault = api("POST", "ports", body)
        assert (status, [e["pointer"] for e in fault["errors"]]) == (400, [f"/{name}"])
        assert fault["faultstring"] == (
            f"Invalid input for field/attribute {name}. Value: 'None'. Mandatory field missing."
        )
    port = api.port()
    assert api("PUT", f"ports/{port['id']}", {name: None})[0] == 400
    assert api("GET", f"ports/{port['id']}")[1] == port


def test_no_answer_tells_of_the_database(api_anywhere: Api) -> None:
    api = api_anywhere
    port, vpn = api.port(), api.vpn()
    base = {"tenant_id": api.project, "interface_id": port["id"], "service_id": vpn["id"]}
    for wrong in (
        {"ipaddress": ""},
        {"ipaddress": "10.0.0"},
        {"ipaddress": "10.1.1.5 "},
        {"subnet_prefix": 32},
        {"subnet_prefix": 0},
        {"gateway": "::1"},
        {"interface_id": ""},
        {"interface_id": str(uuid.uuid4())},
        {"service_id": port["id"]},
        {"ipaddress": "1" * 1000},
        {"ipaddress": {"a": ["b"]}},
    ):
        status, fault = api("POST", "vpnbindings", {**base, **wrong})
        assert status == 400, wrong
        assert [e["pointer"] for e in fault["errors"]] == [f"/{name}" for name in wrong]
        said = str(fault).lower()
        assert not any(
            word in said for word in ("select", "insert", "sql", "constraint", "traceback", "_project")
        )


def test_odd_attributes_have_options_of_their_own(anywhere: GluonServer) -> None:
    from tests.api.test_commands import run

    key = uuid.uuid4().hex
    made = run(
        "protonclient",
        "--api",
        "odd",
        "node-create",
        "--key",
        key,
        "--help",
        "a",
        "--Mixed",
        "b",
        server=anywhere,
    )
    assert made.returncode == 0, made.stderr
    node = anywhere.request("GET", f"{ODD}/nodes/{key}")[1]
    assert (node["help"], node["Mixed"]) == ("a", "b")
