"""The ring has all changes above its floor, however many it forgets."""

import pytest

from gluon.objects import codec, journal
from gluon.watch.ring import Ring
from gluon.watch.told import Told
from tests.unit.watch.world import made_kind, thing

KIND = made_kind()


def change(revision: int, name: str = "") -> Told:
    entry = journal.Entry(
        revision=revision, n=0, op=journal.Operation.CREATE, api="t", type="Thing", key="a", project=None, who="w",
        request_id="r", intent=True, old=None, new=None, at="",
    )  # fmt: skip
    new = codec.encode(thing("a", name=name))
    return Told(
        entry,
        KIND,
        key="a",
        old=None,
        new=new,
        project=None,
        token=lambda r: f"i.{r}.00",
        whole=True,
        last=True,
    )


@pytest.mark.parametrize(
    "limits", [{"most": 4}, {"most": 4, "most_bytes": 10**9}, {"most_bytes": 4 * change(1).size}]
)
def test_what_is_above_the_floor_is_there(limits: dict[str, int]) -> None:
    ring = Ring(**limits)
    ring.begin(10)
    given = [11, 11, 12, 15, 16, 16, 16, 20, 21, 30]
    for n, revision in enumerate(given, 1):
        ring.add(change(revision))
        for place in range(ring.floor, 32):
            assert [c.revision for c in ring.after(place)] == [r for r in given[:n] if r > place]
    assert ring.floor == 16
    assert ring.first == 6


def test_one_change_that_is_too_large_is_kept_alone() -> None:
    ring = Ring(most_bytes=5000)
    ring.begin(0)
    for revision in (1, 2, 3):
        ring.add(change(revision, "x" * 5000))
    assert (ring.floor, [c.revision for c in ring.after(2)]) == (2, [3])
