"""JSON Schema of the bodies of one model: a definition for each body that goes in and each object that comes out.

In: a model. Out: one document of draft 2020-12. Called by `gluon model export`.
"""

from __future__ import annotations

from typing import Any

from gluon.export import answers, paths
from gluon.model import body_schema
from gluon.model.types import Model


def document(model: Model) -> dict[str, Any]:
    """`$defs` has `<Type>`, `<Type>.create` and `<Type>.update`."""
    definitions = {}
    for object_type in model.types.values():
        definitions[object_type.name] = answers.whole(object_type)
        definitions[f"{object_type.name}.create"] = body_schema.schema(object_type, create=True)
        definitions[f"{object_type.name}.update"] = body_schema.schema(object_type, create=False)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:gluon:{paths.base(model)[1:].replace('/', ':')}",
        "title": f"{model.name} {model.version}",
        "description": model.description,
        "$defs": definitions,
    }
