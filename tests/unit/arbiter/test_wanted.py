"""What a shim is told of a binding: equal bindings are equal bytes, wherever their words come from."""

from __future__ import annotations

import pytest

from gluon.objects import codec, status


@pytest.mark.parametrize("word", ["normal", "direct"])
def test_equal_bindings_are_equal_bytes(word: str) -> None:
    made = status.WantedBinding(epoch=1, revision=2, vnic_type=word)
    other = status.WantedBinding(epoch=1, revision=2, vnic_type=codec.decode(codec.encode(word)))
    assert codec.encode(made) == codec.encode(other)
    assert codec.encode(status.decode_binding(codec.encode(made))) == codec.encode(made)
