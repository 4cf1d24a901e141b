"""What another version answers fits its document, though the stored version takes more than it once did."""

import uuid
from pathlib import Path

import jsonschema

from tests.api.editions import both

OLD = """
file_version: "2.0"
imports: base-2.0
info: {name: shop, version: "1"}
objects:
  Box:
    extends: BaseObject
    api: {name: box, plural_name: boxes}
    attributes:
      speed: {type: integer, max: 100, required: true}
      title: {type: string, length: 5, required: true}
      colour: {type: enum, values: [red, green], default: red}
      cidr: {type: cidr, default: 10.0.0.0/8}
      host: {type: string, length: 3, default: a}
      port: {type: string, length: 3, default: b}
      place: {type: string, default: somewhere}
      tags: {type: list, items: {type: string, length: 2}, default: []}
"""
NEW = """
file_version: "2.0"
imports: base-2.0
info: {name: shop, version: "2"}
versions:
  "1":
    types:
      Box:
        attributes:
          speed: rate
          colour: {is: paint, values: {red: RED, green: GREEN}}
          cidr: {join: [address, bits], by: /}
          host: {split: where, part: 0, by: ":"}
          port: {split: where, part: 1, by: ":"}
objects:
  Box:
    extends: BaseObject
    api: {name: box, plural_name: boxes}
    attributes:
      rate: {type: integer}
      title: {type: string}
      paint: {type: enum, values: [RED, GREEN, BLUE]}
      address: {type: string}
      bits: {type: string}
      where: {type: string}
      tags: {type: list, items: {type: string}, default: []}
"""


def test_answers_fit_the_document(tmp_path: Path) -> None:
    bodies: tuple[dict[str, object], ...] = (
        {},
        {"rate": 1000, "title": "longer", "paint": "BLUE", "tags": ["long"]},
        {"where": "some:where", "address": "no", "bits": "prefix", "paint": "GREEN"},
    )
    with both(tmp_path, OLD, NEW) as server:
        for body in bodies:
            made = server.request("POST", "/proton/shop/v2/boxes", {"project_id": str(uuid.uuid4()), **body})
            assert made[0] == 201, made
        document = server.request("GET", "/gluon/v1/protons/shop/v1/openapi.json")[1]
        shown = server.request("GET", "/proton/shop/v1/boxes")[1]["boxes"]
        schema = document["components"]["schemas"]["Box"]
        assert len(shown) == len(bodies)
        for box in shown:
            jsonschema.Draft202012Validator(schema).validate(box)
        assert schema["properties"]["colour"]["enum"] == ["red", "green", "BLUE", None]
        assert schema["properties"]["speed"].get("maximum") is None
