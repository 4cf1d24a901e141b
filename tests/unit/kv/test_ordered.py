"""Keys in blocks against a sorted list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon.kv import ordered
from tests.effort import examples

_KEYS = st.text("ab/", max_size=6)


@pytest.fixture(autouse=True, scope="module")
def _small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered, "_MOST", 3)
        yield


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(st.booleans(), _KEYS), max_size=120), st.lists(_KEYS, max_size=8))
def test_prefixes_find_what_a_sorted_list_has(steps: list[tuple[bool, str]], prefixes: list[str]) -> None:
    keys, there = ordered.Ordered(), set[str]()
    for coming, key in steps:
        if coming and key not in there:
            keys.add(key)
            there.add(key)
        elif not coming and key in there:
            keys.remove(key)
            there.remove(key)
        assert keys.prefixed("") == sorted(there)
    for prefix in prefixes:
        assert keys.prefixed(prefix) == sorted(k for k in there if k.startswith(prefix))
