"""Whatever comes in which order: all that a backend is shown is of one model that it understands, and in the end it is all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.shim import proton
from gluon.spi.backend import Ref, Stored

API = "net"
DECLARED = ("1.0", "3.0")
SAME = {"Thing": {"is": "Thing", "kind": "other", "attributes": {"a": "a"}}}
OLDER = {"Older": {"is": "Thing", "kind": "other", "attributes": {"b": "a"}}}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "d1": {"version": "1.0", "digest": "d1", "types": {}},
    "d2": {"version": "2.0", "digest": "d2", "types": {}, "forms": {"1.0": OLDER, "0.9": SAME}},
    "d3": {"version": "3.0", "digest": "d3", "types": {}, "forms": {"1.0": OLDER}},
    "d4": {"version": "4.0", "digest": "d4", "types": {}, "forms": {"2.0": SAME}},
}
SHOWN = {"d1": ("1.0", "Thing", "a"), "d2": ("1.0", "Older", "b"), "d3": ("3.0", "Thing", "a")}

digests = st.sampled_from(list(DOCUMENTS))
keys = st.sampled_from(["x", "y", "z"])
steps = st.lists(
    st.tuples(st.just("model"), st.none(), digests | st.none()) | st.tuples(st.just("object"), keys, digests | st.none()),
    max_size=30,
)  # fmt: skip


def thing(key: str, digest: str, revision: int) -> Stored:
    body = {"a": revision, "revision": revision, "model": digest}
    return Stored(ref=Ref(API, "Thing", key), revision=revision, body=body)


class Played:
    """What etcd holds, and the world that was made of it."""

    def __init__(self) -> None:
        self.proton = proton.Proton(API, DECLARED, "test")
        self.objects: dict[str, Stored] = {}
        self.model: str | None = None
        self.world: dict[Ref, Stored] = {}

    def model_is(self, digest: str | None) -> None:
        self.model = digest
        self._take(self.proton.take((), [DOCUMENTS[digest] if digest else None]))

    def object_is(self, key: str, digest: str | None, revision: int) -> None:
        if digest is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = thing(key, digest, revision)
        self._take(self.proton.take([(Ref(API, "Thing", key), self.objects.get(key))], ()))

    def _take(self, news: proton.News) -> None:
        if news.turned:
            self.world = {s.ref: s for s in self.proton.all_shown()}
        for ref, stored in news.objects.items():
            if stored is None:
                self.world.pop(ref, None)
            else:
                self.world[ref] = stored


@given(steps)
def test_all_that_is_shown_is_of_one_model(story: list[tuple[str, Any, Any]]) -> None:
    played = Played()
    for revision, (what, key, digest) in enumerate(story, 1):
        if what == "model":
            played.model_is(digest)
        else:
            played.object_is(key, digest, revision)
        assert played.proton.seen.digest != "d4"
        for ref, stored in played.world.items():
            _, object_type, attribute = SHOWN[played.proton.seen.digest]
            assert stored.body["model"] == played.proton.seen.digest
            assert ref.object_type == object_type
            assert stored.body[attribute] == stored.revision
        if played.model in SHOWN and all(s.body["model"] == played.model for s in played.objects.values()):
            assert played.proton.settled
            assert {r.key: s.revision for r, s in played.world.items()} == {
                k: s.revision for k, s in played.objects.items()
            }
            assert played.proton.seen.shown_version == SHOWN[played.model][0]


def test_what_cannot_be_shown_is_refused_with_what_there_is() -> None:
    played = Played()
    played.model_is("d4")
    assert played.proton.refused == (
        "test understands net in version 1.0, 3.0, stored is 4.0, and it can be shown in 2.0"
    )


@pytest.mark.parametrize("key", ["x", "y"])
def test_names_go_there_and_back(key: str) -> None:
    played = Played()
    played.model_is("d2")
    played.object_is(key, "d2", 7)
    shown = Ref(API, "Older", key)
    assert played.proton.stored_ref(shown) == Ref(API, "Thing", key)
    assert played.proton.shown_ref(Ref(API, "Thing", key)) == shown
    assert played.proton.revision(shown) == 7
