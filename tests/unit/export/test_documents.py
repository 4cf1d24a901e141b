"""The documents fit the standards they name, and agree with each other."""

import dataclasses
import json
import re
from pathlib import Path

import jsonschema_rs
import openapi_spec_validator
import pytest

from gluon.export import json_schema, markdown, openapi, paths, samples
from gluon.model import fields, loader, types
from gluon.particles import tables
from gluon.store import script

DATA = Path(__file__).parents[2] / "data" / "models"
WHOLE = Path(__file__).parents[1] / "model" / "good" / "shop.yaml"  # all of the language
API = Path(__file__).parents[2] / "api" / "models"
MODELS = (*loader.load_shipped(), *loader.load([DATA]), *loader.load([WHOLE]), *loader.load([API]))

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.name}-{m.version}")


@every_model
def test_openapi_fits_its_own_schema(model: types.Model) -> None:
    openapi_spec_validator.validate(openapi.document(model))


@every_model
def test_no_operation_has_the_name_of_another(model: types.Model) -> None:
    items = openapi.document(model)["paths"].values()
    names = [verb["operationId"] for item in items for verb in item.values() if isinstance(verb, dict)]
    assert len(names) == len(set(names))


@every_model
def test_every_parameter_of_a_path_is_described(model: types.Model) -> None:
    for path, item in openapi.document(model)["paths"].items():
        names = [p["name"] for p in item.get("parameters", ())]
        assert re.findall(r"{(\w+)}", path) == names


@every_model
def test_the_json_schema_is_one(model: types.Model) -> None:
    jsonschema_rs.meta.validate(json_schema.document(model))


@every_model
def test_samples_pass_the_schema_and_the_checks_of_values(model: types.Model) -> None:
    document = json_schema.document(model)
    for name, body in samples.creates(model).items():
        schema = {**document, "$ref": f"#/$defs/{name}.create"}
        jsonschema_rs.Draft202012Validator(schema).validate(body)
        fields.compile_fields(model.types[name]).check(body, partial=False)


@every_model
def test_every_type_has_a_sample(model: types.Model) -> None:
    assert samples.creates(model).keys() == model.types.keys()


@every_model
def test_the_page_names_every_path_and_attribute(model: types.Model) -> None:
    page = markdown.page(model)
    for object_type in model.types.values():
        for place in paths.places(model, object_type):
            assert f"`{place.path}`" in page
        for name in object_type.attributes:
            assert f"| `{name}` |" in page


@every_model
@pytest.mark.parametrize("database", sorted(script.DATABASES))
def test_the_script_makes_every_table(model: types.Model, database: str) -> None:
    wanted = tables.tables_of([model])
    text = script.script(wanted, database)
    assert re.findall(r'^CREATE TABLE "(\w+)"', text, re.MULTILINE) == [t.name for t in wanted]
    assert all(statement.endswith(";") for statement in text.strip().split(";\n")[-1:])


def test_the_page_says_which_other_versions_there_are() -> None:
    first, second = (m for m in MODELS if m.name == "net-l3vpn")
    version = types.Version(model=first, deprecated="2026-01-01", sunset="2027-06-30")
    page = markdown.page(dataclasses.replace(second, versions=(version,)))
    assert "`/proton/net-l3vpn/v1.0` has the same objects in version 1.0" in page
    assert "deprecated since 2026-01-01; it may be gone from 2027-06-30 on." in page


def test_a_version_that_is_not_stored_has_less() -> None:
    model = next(m for m in MODELS if m.name == "shop")
    edition = openapi.Edition(deprecated=True, read_only=frozenset({"Binding"}))
    document = openapi.document(model, edition)
    openapi_spec_validator.validate(document)
    whole = openapi.document(model)["paths"]
    gone = {path.rsplit("/", 1)[1] for path in whole.keys() - document["paths"].keys()}
    assert gone == {"bindings", "drain"}
    verbs = {verb for path, item in document["paths"].items() if "/bindings" in path for verb in item}
    assert verbs <= {"parameters", "get"}


def test_no_document_shows_the_secret_of_an_example(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text("""
file_version: "2.0"
imports: base-2.0
info: {name: net-peer, version: "1.0", description: Sessions.}
objects:
  Session:
    extends: BaseObject
    api: {name: session, plural_name: sessions}
    attributes:
      key: {type: string, length: 64, secret: true, example: hunter2-of-the-attribute}
    examples: [{project_id: 1b671a64-40d5-491e-99b0-da01ff1f3341, key: hunter2-of-the-object, name: x}]
""")
    (model,) = loader.load([tmp_path])
    assert "hunter2" not in json.dumps(openapi.document(model))
    assert "hunter2" not in markdown.page(model)
