"""What the OpenAPI document says of requests and answers, where a server would not tell it apart."""

import copy
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import openapi_spec_validator
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon.export import openapi, own
from gluon.model import loader, types
from gluon.model.schema_words import FORMATS, NEW_FORMATS
from gluon.values import ip, text
from tests.effort import examples

SHIPPED = loader.load_shipped()
RICH = next(
    m
    for m in loader.load([Path(f"tests/api/fuzz/rich/{part}") for part in ("model", "old")])
    if m.version == "2.0"
)


def ids(model: types.Model) -> str:
    return f"{model.name}-{model.version}"


@pytest.mark.parametrize("model", [*SHIPPED, RICH], ids=ids)
def test_the_document_is_one(model: types.Model) -> None:
    """Links lead to operations that there are, with the keys that they need."""
    for edition in (None, openapi.Edition(deprecated=True, read_only=frozenset(list(model.types)[:1]))):
        document = openapi.document(model, edition)
        if edition and model is RICH:  # tests of documents do it for every model
            openapi_spec_validator.validate(document)
        for schema in document["components"]["schemas"].values():
            jsonschema_rs.meta.validate(schema)
        check_links(document)


def test_our_own_document_is_one() -> None:
    openapi_spec_validator.validate(own.document("1.0"))


def check_links(document: dict[str, Any]) -> None:
    operations = {
        operation["operationId"]: path
        for path, item in document["paths"].items()
        for verb, operation in item.items()
        if verb != "parameters"
    }
    for path, item in document["paths"].items():
        made = item.get("post", {}).get("responses", {}).get("201")
        assert made is None or len(made["links"]) >= 4
        for link in made["links"].values() if made else ():
            target = operations[link["operationId"]]
            assert set(re.findall(r"{(\w+)}", target)) == set(link["parameters"])
            for expression in link["parameters"].values():
                if expression.startswith("$request.path."):
                    assert f"{{{expression.removeprefix('$request.path.')}}}" in path


def test_a_link_leads_from_a_parent_to_its_children() -> None:
    document = openapi.document(RICH)
    made = document["paths"]["/proton/rich/v2.0/ports/{port_id}/interfaces"]["post"]["responses"]["201"]
    children = "/proton/rich/v2.0/ports/{port_id}/interfaces/{interface_id}/addresses"
    link = made["links"][document["paths"][children]["post"]["operationId"]]
    assert link["parameters"] == {"port_id": "$request.path.port_id", "interface_id": "$response.body#/id"}


V6 = re.compile(NEW_FORMATS[types.Format.IP]["pattern"])
URI = re.compile(FORMATS[types.Format.URI]["pattern"])
EMAIL = re.compile(FORMATS[types.Format.EMAIL]["pattern"])


@settings(max_examples=examples(60))
@given(st.from_regex(V6, fullmatch=True))
def test_what_matches_is_an_address(given: str) -> None:
    ip.parse_plain(given)


@settings(max_examples=examples(60))
@given(st.one_of(st.text("0123af:.", max_size=20), st.ip_addresses().map(str)))
def test_an_address_matches_in_its_normal_form(given: str) -> None:
    try:
        normal = ip.parse_plain(given)
    except ValueError:
        assert not V6.fullmatch(given)
    else:
        assert V6.fullmatch(normal)


@settings(max_examples=examples(60))
@given(st.one_of(st.text("a/:?#[]@!%20.-", max_size=12), st.from_regex(URI, fullmatch=True)))
def test_uris_and_mail_addresses_are_what_their_patterns_say(given: str) -> None:
    for judge, pattern in ((text.parse_uri, URI), (text.parse_email, EMAIL)):
        try:
            judge(given)
        except ValueError:
            assert not (given and pattern.fullmatch(given))
        else:
            assert pattern.fullmatch(given)


def test_what_may_be_hidden_is_not_promised() -> None:
    model = copy.copy(RICH)
    line = copy.copy(model.types["Line"])
    hidden = copy.copy(line.attributes["colour"])
    object.__setattr__(hidden, "policies", {"get": "role:admin"})
    object.__setattr__(line, "attributes", {**line.attributes, "colour": hidden})
    object.__setattr__(model, "types", {**model.types, "Line": line})
    schemas = openapi.document(model)["components"]["schemas"]
    assert "colour" in schemas["Line"]["properties"]
    assert set(schemas["Line"]["properties"]) - set(schemas["Line"]["required"]) == {"colour"}


def test_what_an_action_takes_has_the_limits_of_a_body() -> None:
    takes = openapi.document(RICH)["components"]["schemas"]["Line.test.takes"]
    assert takes["properties"]["size"]["maximum"] == 2**63 - 1
    assert takes["required"] == ["frames"]


def test_a_version_that_is_not_stored_takes_one_object_at_a_time() -> None:
    document = openapi.document(RICH, openapi.Edition())
    collection = document["paths"]["/proton/rich/v2.0/lines"]
    body = collection["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Line.create"}
    assert [p["name"] for p in collection["get"]["parameters"]] == ["watch", "resume"]
    assert "delete" not in collection
    assert set(collection["post"]["responses"]["201"]["headers"]) == {"etag", "x-openstack-request-id"}


def test_keys_of_the_first_language_have_their_form_in_paths() -> None:
    old = next(m for m in SHIPPED if m.file_version == "1.0" and m.name == "net-l3vpn")
    key = openapi.document(old)["paths"]["/proton/net-l3vpn/v1.0/ports/{id}"]["parameters"][0]
    assert key["schema"]["format"] == "uuid"


def test_a_key_is_no_step_of_a_path() -> None:
    schemas = openapi.document(RICH)["components"]["schemas"]
    validator = jsonschema_rs.Draft202012Validator(schemas["Named.create"])
    assert [validator.is_valid({"key": key}) for key in (".", "..", "...", "a")] == [False, False, True, True]
