"""Bad input: every field error at once, the original's wording beside ours, never a 500."""

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon.testing.product import GluonServer
from tests.api.conftest import V1, Api
from tests.effort import examples


def test_every_field_error_comes_at_once(api: Api) -> None:
    status, fault = api("POST", "ports", api.port_body(mac_address="nonsense", mtu="x", status="UP", foo=1))
    assert status == 400
    assert {e["pointer"] for e in fault["errors"]} == {"/mac_address", "/mtu", "/status", "/foo"}
    assert fault["faultcode"] == "Client"
    assert fault["debuginfo"] is None
    assert fault["status"] == 400
    assert fault["request_id"].startswith("req-")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"foo": 1}, "Unknown attribute for argument body: foo"),
        (
            {"mac_address": "x"},
            "Invalid input for field/attribute mac_address. Value: 'x'. Expected MAC String, got 'x'",
        ),
        (
            {"status": "UP"},
            "Invalid input for field/attribute status. Value: 'UP'. Value should be one of: ACTIVE, DOWN",
        ),
        (
            {"profile": "{"},
            "Invalid input for field/attribute profile. Value: '{'. String not in JSON format: '{'",
        ),
        (
            {"created_at": "2026-01-01T00:00:00"},
            "Invalid input for field/attribute created_at. Value: '2026-01-01T00:00:00'. Cannot set read only field.",
        ),
    ],
)
def test_fault_strings_are_the_original_ones(api: Api, change: dict[str, Any], text: str) -> None:
    status, fault = api("POST", "ports", api.port_body(**change))
    assert (status, fault["faultstring"]) == (400, text)


def test_a_missing_object_and_a_bad_key(api: Api) -> None:
    key = str(uuid.uuid4())
    for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
        status, fault = api(method, f"ports/{key}", body)
        assert (status, fault["faultstring"]) == (
            404,
            f"Object of net_l3vpn_Port with Primay Key {key} not found.",
        )
    status, fault = api("GET", "ports/nonsense")
    assert status == 400
    assert fault["faultstring"] == (
        "Invalid input for field/attribute key. Value: 'nonsense'. "
        "unable to convert to uuid. Error: Value should be UUID format"
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"x"', b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"null"]
)
def test_a_body_that_is_no_object(api: Api, body: bytes) -> None:
    status, fault = api("POST", "ports", raw=body)
    assert status == 400
    assert fault["faultcode"] == "Client"


def test_media_types(api: Api, server: GluonServer) -> None:
    path = f"{V1}/ports"
    status, fault = server.request("POST", path, raw=b"a=1", headers={"content-type": "text/plain"})
    assert (status, fault["faultstring"]) == (415, "Unknown mimetype: text/plain")
    status, answer = server.request("GET", path, headers={"accept": "text/html"})
    assert status == 406
    assert isinstance(answer, str)


def test_methods_and_paths(api: Api, server: GluonServer) -> None:
    status, headers, _ = server.exchange("PATCH", f"{V1}/ports", {})
    assert (status, headers["allow"]) == (405, "GET, HEAD, POST")
    assert headers["content-type"].startswith("text/plain")
    for path in (
        "/nonsense",
        f"{V1}/nonsense",
        "/proton/nonsense",
        f"{V1}/ports/x/y/z/u/v",
        "/proton/a/b/c/d",
    ):
        status, headers, _ = server.exchange("GET", path)
        assert status == 404
        assert headers["content-type"].startswith("text/plain")
        assert headers["x-openstack-request-id"].startswith("req-")
    accept = {"accept": "application/problem+json"}
    assert server.exchange("GET", "/nonsense", headers=accept)[2]["status"] == 404
    status, fault = server.request("GET", f"{V1}/ports?name=x")
    assert (status, fault["faultstring"]) == (400, 'Unknown argument: "name"')
    assert server.request("OPTIONS", f"{V1}/ports")[0] == 200
    assert server.request("HEAD", f"{V1}/ports") == (200, "")


def test_a_large_body_is_refused(api: Api) -> None:
    assert api("POST", "ports", raw=json.dumps({"name": "x" * 300_000}).encode())[0] == 413
    assert api("POST", "ports", raw=b" " * 2_000_000)[0] == 413


def test_the_key_cannot_change(api: Api) -> None:
    port = api.port()
    status, fault = api("PUT", f"ports/{port['id']}", {"id": str(uuid.uuid4())})
    assert (status, fault["errors"][0]["code"]) == (400, "immutable")


def test_web_pages_cannot_drive_a_server_without_authentication(server: GluonServer) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
        status, fault = server.request("GET", f"{V1}/ports", headers=headers)
        assert (status, fault["code"]) == (403, "foreign_origin")
    assert server.request("GET", f"{V1}/ports", headers={"Origin": server.url})[0] == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["id", "name", "mtu", "mac_address", "status", "profile", "host_id", "vif_details", "tenant_id"]
)


@given(body=st.dictionaries(NAMES, JSON, max_size=6), base=st.booleans())
def test_no_body_gives_a_500(server: GluonServer, body: dict[str, Any], base: bool) -> None:
    api = Api(server)
    given_body = {**api.port_body(), **body} if base else body
    status, answer = api("POST", "ports", given_body)
    assert status in (201, 400, 409), answer
    if status == 201:
        assert api("PUT", f"ports/{uuid.UUID(answer['id'])}", body)[0] in (200, 400)
        assert api("DELETE", f"ports/{uuid.UUID(answer['id'])}")[0] == 204


@given(path=st.text(alphabet="/abc%20.:portsvns~é\x00", max_size=40))
def test_no_path_gives_a_500(server: GluonServer, path: str) -> None:
    assert server.request("GET", f"{V1}/{quote(path, safe='/%')}")[0] in (200, 400, 404)


ODD_VALUES = st.one_of(
    JSON,
    st.sampled_from(
        [
            2**63,
            -(2**63) - 1,
            10**400,
            -0.0,
            1e308,
            5e-324,
            "\u0000",
            "\U0010ffff",
            "\ufffe",
            "\u202e",
            "e\u0301",
            "' OR 1=1 --",
            '"; DROP TABLE x',
            "\\",
            "%s",
            "{}",
            "x" * 30_000,
        ]
    ),
)


@settings(max_examples=examples(40))
@given(
    plural=st.sampled_from(
        ["ports", "interfaces", "circuits", "circuitbindings", "numbers", "colours", "nodes"]
    ),
    data=st.data(),
)
def test_no_body_gives_a_500_on_any_database(anywhere: GluonServer, plural: str, data: st.DataObject) -> None:
    attributes = [
        "id",
        "tenant_id",
        "name",
        "port_id",
        "twin",
        "interface_id",
        "service_id",
        "n",
        "c",
        "note",
    ]
    attributes += [
        "key",
        "next",
        "order",
        "number",
        "price",
        "v6",
        "profile",
        "segmentation_id",
        "mtu",
        "vif_type",
    ]
    body = data.draw(st.dictionaries(st.sampled_from(attributes), ODD_VALUES, max_size=5))
    path = f"/proton/odd/v1.0/{plural}"
    if data.draw(st.booleans()):
        body = (
            {**Api(anywhere).port_body(), **body}
            if plural == "ports"
            else {**body, "key": "k", "n": 1, "c": "red"}
        )
    status, answer = anywhere.request("POST", path, body)
    assert status in (201, 400, 409), answer
    key = data.draw(st.one_of(st.text(min_size=1, max_size=20), st.sampled_from(["1", "red", "k", "0" * 32])))
    for method in ("PUT", "GET", "DELETE"):
        answer = anywhere.request(method, f"{path}/{quote(key, safe='')}", body if method == "PUT" else None)
        assert answer[0] < 500, answer
