"""The OpenAPI document is that of who asks for it: what he may leave out, what is hidden from him, what he may not do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import gluon
from gluon.export import personal
from tests.api.personas import OWN, PERSONAS, World, world

CATALOG = Path(gluon.__file__).parent / "catalog"
DOCUMENT = "/gluon/v1/protons/net-l2/v2.0/openapi.json"
BASE = "/proton/net-l2/v2.0"
POLICY = """
"net-l2:get_port:mtu": "role:admin"
"net-l2:get_port:name": "role:member and project_id:%(project_id)s"
"net-l2:create_port:name": "role:admin"
"net-l2:update_port:name": "role:admin"
"net-l2:delete_network": "role:admin"
"""


@pytest.fixture
async def plain(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, [CATALOG / "net-l2"]) as running:
        yield running


@pytest.fixture
async def ruled(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, [CATALOG / "net-l2"], POLICY) as running:
        yield running


class Document:
    """As one persona gets it."""

    def __init__(self, answer: Any) -> None:
        self.whole: dict[str, Any] = answer

    @classmethod
    async def of(cls, running: World, who: str) -> Document:
        answer = await running.ask(who, "GET", DOCUMENT)
        assert answer.status == 200
        return cls(answer.body)

    def schema(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.whole["components"]["schemas"][name]
        return found

    def fits(self, name: str, value: Any) -> bool:
        whole = {**self.schema(name), "components": self.whole["components"]}
        return jsonschema_rs.Draft202012Validator(whole).is_valid(value)

    def allowed(self, verb: str, path: str) -> bool:
        return bool(self.whole["paths"][path][verb].get(personal.ALLOWED, True))


@pytest.mark.parametrize("who", PERSONAS)
async def test_who_has_a_project_need_not_name_it(plain: World, who: str) -> None:
    document = await Document.of(plain, who)
    for plural, name in (("ports", "Port"), ("networks", "Network")):
        path = f"{BASE}/{plural}"
        for body in ({}, {"project_id": OWN}):
            answer = await plain.ask(who, "POST", path, body)
            if not document.allowed("post", path):
                assert answer.status == (403 if document.fits(f"{name}.create", body) else 400), answer
            elif document.fits(f"{name}.create", body):
                assert answer.status in (201, 403), answer
                assert answer.status == 201 or (body and PERSONAS[who].project != OWN), answer
            else:
                assert answer.status == 400, answer
    needed = document.schema("Port.create")["required"]
    assert ("project_id" in needed) == (PERSONAS[who].project is None)


@pytest.mark.parametrize("who", PERSONAS)
async def test_what_may_be_done_to_nothing_is_said(plain: World, who: str) -> None:
    document = await Document.of(plain, who)
    made = await plain.made("admin", f"{BASE}/ports", {"project_id": OWN})
    paths = document.whole["paths"]
    one = next(path for path in paths if path.startswith(f"{BASE}/ports/{{") and path.endswith("}"))
    for verb, path, body in (
        ("get", f"{BASE}/ports", None),
        ("get", one, None),
        ("put", one, {"admin_state_up": False}),
        ("patch", one, {"admin_state_up": True}),
        ("delete", one, None),
    ):
        url = f"{BASE}/ports/{made['id']}" if path == one else path
        answer = await plain.ask(who, verb.upper(), url, body)
        if not document.allowed(verb, path):
            assert answer.status in (403, 404), (verb, path, answer)
        elif PERSONAS[who].project == OWN or PERSONAS[who].admin:
            assert answer.status in (200, 204), (verb, path, answer)


async def test_what_the_policy_file_hides_is_not_promised(ruled: World) -> None:
    port = await ruled.made("admin", f"{BASE}/ports", {"project_id": OWN, "name": "web", "mtu": 1400})
    for who, hidden in (
        ("admin", set()),
        ("member", {"mtu"}),
        ("reader", {"mtu", "name"}),
        ("service", {"mtu", "name"}),
    ):
        document = await Document.of(ruled, who)
        promised = set(document.schema("Port")["required"])
        assert {"mtu", "name"} - promised == hidden, who
        answer = await ruled.ask(who, "GET", f"{BASE}/ports/{port['id']}")
        assert answer.status == 200
        assert document.fits("Port", answer.body)
        listed = await ruled.ask(who, "GET", f"{BASE}/ports")
        assert all(document.fits("Port", one) for one in listed.body["ports"])
        assert document.allowed("delete", f"{BASE}/networks") == (who == "admin")


async def test_what_one_may_not_set_does_not_fit(ruled: World) -> None:
    for who, may in (("admin", True), ("member", False)):
        document = await Document.of(ruled, who)
        for name, status in (("web", 201 if may else 403), (None, 201)):
            body = {"project_id": OWN, "name": name}
            assert document.fits("Port.create", body) == (status == 201)
            answer = await ruled.ask(who, "POST", f"{BASE}/ports", body)
            assert answer.status == status
        told = document.schema("Port.update")["properties"]["name"].get("description", "")
        assert ("net-l2:update_port:name" in told) == (not may)


async def test_another_policy_makes_another_document(ruled: World) -> None:
    before = await Document.of(ruled, "member")
    ruled.replace_rules("")
    after = await Document.of(ruled, "member")
    assert "mtu" not in before.schema("Port")["required"]
    assert "mtu" in after.schema("Port")["required"]
    assert (await Document.of(ruled, "member")).whole == after.whole
