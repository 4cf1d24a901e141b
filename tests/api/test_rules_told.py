"""Rules over what is written out as a list, or goes through secrets: judged by every change, and telling no secret."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gluon.testing.product import GluonServer

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: shop, version: "1"}
objects:
  Site:
    extends: BaseObject
    api: {name: site}
    attributes:
      least: {type: integer, default: 3}
      most: {type: integer, default: 9}
  Line:
    extends: BaseObject
    api: {name: line}
    attributes:
      site: {type: Site, required: true}
      speed: {type: integer, default: 3}
    checks:
      - {rule: "self.speed in [self.site.least, self.site.most]", message: one of the two}
  Sum:
    extends: BaseObject
    api: {name: sum}
    attributes:
      site: {type: Site, required: true}
    checks:
      - {rule: "sum([self.site.least, 1] + [self.site.most]) == 13", message: thirteen}
  Safe:
    extends: BaseObject
    api: {name: safe}
    attributes:
      site: {type: Site, required: true}
      words: {type: list, items: {type: string}, max_items: 9, default: [], secret: true}
      keys: {type: map, items: {type: string}, max_items: 9, default: {}, secret: true}
    checks:
      - {rule: "self.words.filter(w, true).all(w, w.size() <= self.site.most)", message: filtered}
      - {rule: "self.words.map(w, w + '!').all(w, w.size() <= self.site.most + 1)", message: mapped}
      - {rule: "[self.words].all(l, l.all(w, w.size() <= self.site.most))", message: listed}
      - {rule: "[self.words].all(l, l.filter(w, true).all(w, w.size() <= self.site.most))", message: both}
      - {rule: "self.keys.all(k, k.size() <= self.site.most)", message: keys}
"""
V1 = "/proton/shop/v1"
PROJECT = {"project_id": str(uuid.uuid4())}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    folder: Path = tmp_path_factory.mktemp("shop")
    (folder / "api.yaml").write_text(MODEL)
    with GluonServer("up", "--no-shims", "--model", str(folder)) as running:
        yield running


def made(server: GluonServer, plural: str, **more: Any) -> str:
    status, body = server.request("POST", f"{V1}/{plural}", {**PROJECT, **more})
    assert status == 201, body
    return str(body["id"])


@pytest.mark.parametrize(("plural", "change"), [("lines", {"least": 4}), ("sums", {"most": 10})])
def test_what_a_written_list_reads_of_others_is_judged_when_they_change(
    server: GluonServer, plural: str, change: dict[str, int]
) -> None:
    site = made(server, "sites")
    made(server, plural, site=site)
    status, fault = server.request("PUT", f"{V1}/sites/{site}", change)
    assert (status, fault.get("code")) == (409, "rule"), fault


@pytest.mark.parametrize("secret", [{"words": ["hunter2"]}, {"keys": {"hunter2": "x"}}])
def test_no_secret_is_told_by_whatever_way_a_rule_reads_it(
    server: GluonServer, secret: dict[str, Any]
) -> None:
    site = made(server, "sites")
    made(server, "safes", site=site, **secret)
    for most in (2, 1):
        status, fault = server.request("PUT", f"{V1}/sites/{site}", {"most": most})
        assert (status, fault["code"]) == (409, "rule"), fault
        assert f"self.site.most is {most}" in fault["hint"]
        assert "hunter2" not in str(fault)
    for rule in ("filtered", "mapped", "listed", "both", "keys"):
        site = made(server, "sites", most=2)
        status, fault = server.request("POST", f"{V1}/safes", {**PROJECT, "site": site, **secret})
        assert status == 400, (rule, fault)
        assert "hunter2" not in str(fault)
