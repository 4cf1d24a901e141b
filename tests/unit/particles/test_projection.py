"""What etcd has of an object, whatever its values look like: the document, without views of the arbiter, with two members more."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gluon.model import loader
from gluon.objects import codec, journal, keys
from gluon.particles import projection

MODELS = {model.name: model for model in loader.load_catalog()}
PICTURE = projection.ModelProjection(tuple(MODELS.values()), url="http://gluon:2705/ü")
VIEWS = ("vif_type", "vif_details")

names = st.sampled_from([*VIEWS, "a", "revision"])
texts = st.sampled_from(
    ["", '"vif_type":', ',"vif_details":null,"vif_type":null', "x" * 40, "ü\n", "]},", "null"]
)
nested = st.recursive(
    st.none() | texts | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
BOTH = {"a": 1, "vif_details": None, "vif_type": None}
"""In the order of either model."""
bodies = st.fixed_dictionaries(
    {
        "name": texts | st.none(),
        "profile": nested,
        "vif_type": st.none() | texts,
        "vif_details": st.none() | nested,
        "device_owner": texts | st.none(),
    }
)


def entry(api: str, type_: str, body: dict[str, Any]) -> journal.Entry:
    return journal.Entry(
        revision=17, n=0, op=journal.Operation.CREATE, api=api, type=type_, key=body["id"], project='p"1',
        who="", request_id="", intent=True, old=None, new=codec.encode(body), at="",
    )  # fmt: skip


@pytest.mark.parametrize("api", ["net-l3vpn", "net-l2"])
@given(given_values=bodies)
@example(given_values={"profile": BOTH, "vif_type": "ovs", "vif_details": {}})
@example(given_values={"profile": dict(reversed(BOTH.items())), "vif_type": "ovs", "vif_details": None})
@example(given_values={"profile": BOTH, "vif_type": None, "vif_details": None})
def test_a_port_is_shown_without_its_views(api: str, given_values: dict[str, Any]) -> None:
    attributes = MODELS[api].types["Port"].attributes
    body = {**dict.fromkeys([*attributes, "created_at"]), **given_values, "id": "id 1"}
    found = dict(PICTURE.of_entry(entry(api, "Port", body)))
    there = found.pop(keys.proton(api, "Port", "id 1"))
    assert there is not None
    shown = {name: value for name, value in body.items() if name not in VIEWS}
    assert list(json.loads(there).items()) == [
        *shown.items(),
        ("revision", 17),
        ("model", MODELS[api].digest),
    ]
    assert there == codec.encode(json.loads(there))
    (owner,) = found.values()
    assert owner == codec.encode({"tenant_id": 'p"1', "service": api, "url": "http://gluon:2705/ü"})


@given(texts)
def test_other_objects_are_shown_whole(text: str) -> None:
    body = {"id": "i", "name": text, "vif_type": None, "vif_details": None}
    ((key, there),) = PICTURE.of_entry(entry("net-l3vpn", "Interface", body))
    assert key == "/proton/net-l3vpn/Interface/i"
    assert there == codec.encode({**body, "revision": 17, "model": MODELS["net-l3vpn"].digest})
