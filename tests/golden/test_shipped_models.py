"""What a client is told of each shipped model: attributes, paths, policies. A change here is a change of the API."""

import json
from collections.abc import Callable

import pytest

from gluon.model import describe, loader, types


@pytest.mark.parametrize("model", loader.load_catalog(), ids=lambda model: f"{model.name}-{model.version}")
def test_a_shipped_model_is_described_as_before(model: types.Model, golden: Callable[[str, str], None]) -> None:
    text = json.dumps(describe.describe(model), indent=1, ensure_ascii=False)
    golden(f"{model.name}-{model.version}.json", text + "\n")
