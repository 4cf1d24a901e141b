"""The table of which tests go together names what is there."""

from tests import order
from tests.architecture.tree import ROOT


def test_every_place_is_there() -> None:
    assert [
        place for place in (*order.ALONE, *order.TOGETHER, *order.FIRST) if not (ROOT / place).exists()
    ] == []


def test_units() -> None:
    assert order.unit("tests/api/test_roots.py::test_a[x::y]") == "tests/api/test_roots.py"
    assert (
        order.unit("tests/fault/system/test_lock.py::test_a[b]")
        == "tests/fault/system/test_lock.py::test_a[b]"
    )
    assert order.unit("tests/packet/system/test_demo.py::test_a") == "tests/packet/system/"


def test_what_is_not_named_comes_last() -> None:
    ranks = [
        order.rank(f"tests/{place}::test_a")
        for place in ("packet/system/a.py", "fault/a.py", "api/a.py", "unit/a.py")
    ]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 4
