"""What requests made of the OpenAPI document found once."""

import uuid
from pathlib import Path
from urllib.parse import urlencode

from gluon.testing.product import GluonServer

PORTS = "/proton/net-l2/v2.0/ports"


def test_a_key_that_is_none_is_refused_where_a_change_is_only_tried_too(server: GluonServer) -> None:
    body = {"project_id": str(uuid.uuid4())}
    for path in (PORTS, f"{PORTS}?dry_run=true"):
        for key in ("k" * 256, "tab\tinside", ""):
            status, answer = server.request("POST", path, body, headers={"idempotency-key": key})
            assert (status, answer["code"]) == (400, "idempotency_key")


def test_a_refusal_before_the_resource_is_asked_has_its_form_too(server: GluonServer) -> None:
    """On the long way of a request as on the short one."""
    for way in ({}, {"expect": "100-continue"}):
        for given, status in (({"origin": "http://evil.example"}, 403), ({"if-match": "\x84"}, 400)):
            told, headers, answer = server.exchange("GET", PORTS, headers={**given, **way})
            assert (told, headers["content-type"]) == (status, "application/problem+json"), answer
            assert "faultcode" not in answer


def test_a_target_that_the_parser_does_not_know_is_too_long_as_well(server: GluonServer) -> None:
    status, headers, answer = server.exchange("GET", f"{PORTS}?name={'a' * 70_000}")
    assert (status, headers["content-type"]) == (414, "application/problem+json")
    assert answer["code"] == "target_too_long"


def test_allow_names_the_methods_that_there_are(server: GluonServer) -> None:
    allowed = {"": "GET, HEAD, POST", "/0": "GET, HEAD", "/0/apply": "POST", "/0/undo": "POST"}
    for end, methods in allowed.items():
        status, headers, _ = server.exchange("OPTIONS", f"/gluon/v1/changesets{end}")
        assert (status, headers["allow"]) == (200, methods)
    headers = server.exchange("OPTIONS", "/gluon/v1/quotas/p1")[1]
    assert headers["allow"] == "GET, HEAD, PUT, DELETE"


def test_a_method_that_is_none_is_so_with_arguments_too() -> None:
    folder = Path(__file__).parent / "rich"
    models = [word for part in ("model", "old") for word in ("--model", str(folder / part))]
    with GluonServer("up", "--no-shims", *models, env={"PYTHONPATH": str(folder / "packages")}) as running:
        url = "/proton/rich/v1.0/circuits?watch=true"
        assert running.request("TRACE", url)[0] == 405
        assert running.request("DELETE", f"{url}&a=1")[0] == 400


def test_a_json_text_has_commas_of_its_own(server: GluonServer) -> None:
    project = str(uuid.uuid4())
    profiles = ['{"a": [1, "b"]}', "1", "2", '"a,b"']
    for profile in profiles:
        assert server.request("POST", PORTS, {"project_id": project, "profile": profile})[0] == 201
    for asked, found in (
        (profiles[:1], profiles[:1]),
        (["1,2"], ["1", "2"]),
        ([profiles[0], profiles[3], "1"], [profiles[0], profiles[3], "1"]),
        (['"a,b"', "2,3"], ['"a,b"', "2"]),
    ):
        words = urlencode([("project_id", project), *(("profile__in", one) for one in asked)])
        status, answer = server.request("GET", f"{PORTS}?{words}")
        assert status == 200, answer
        assert sorted(one["profile"] for one in answer["ports"]) == sorted(found)
    status, answer = server.request("GET", f"{PORTS}?profile__in=%7B1,2")
    assert (status, answer["code"]) == (400, "argument")


def test_a_filter_takes_as_many_values_as_the_document_says(server: GluonServer) -> None:
    status, document = server.request("GET", "/gluon/v1/protons/net-l2/v2.0/openapi.json")
    assert status == 200
    compared = document["components"]["parameters"]["Port.compared"]
    most = compared["schema"]["properties"]["name__in"]["maxItems"]
    for count, wanted in ((most, 200), (most + 1, 400)):
        words = "&".join(["name__in=a"] * count)
        assert server.request("GET", f"{PORTS}?{words}")[0] == wanted
