"""The OpenAPI document of Gluon's own routes is a document, and names routes that are there."""

import re
from pathlib import Path

import openapi_spec_validator

from gluon.api import access
from gluon.export import own


def test_it_is_a_document() -> None:
    made = own.document("0.1")
    openapi_spec_validator.validate(made)
    names = [
        op["operationId"] for item in made["paths"].values() for v, op in item.items() if v != "parameters"
    ]
    assert len(names) == len(set(names))


def test_it_has_each_route_that_callers_may_use() -> None:
    told = {route.path for route in own.ROUTES}
    page = re.compile(r"/docs|/\{api\}")
    known = {path.replace(":path}", "}") for path in access.READ | access._OBJECTS}
    read = {path for path in known if not page.match(path)}
    assert read <= told


def test_each_path_stands_in_the_source() -> None:
    source = "".join(
        path.read_text(encoding="utf-8").replace(":path}", "}")
        for path in Path("src/gluon").rglob("*.py")
        if "export" not in path.parts
    )
    for route in own.ROUTES:
        assert f'"{route.path}"' in source, route.path
