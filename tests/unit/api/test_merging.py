"""Two lists as one, beside one list that one program has sorted."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon.api.passing.merging import Order, Row, merged

KEYS = ("name", "mtu", "up", "id")
texts = st.one_of(st.none(), st.text(alphabet="aAbBäÄ _é", max_size=3))
bodies = st.fixed_dictionaries(
    {"name": texts, "mtu": st.sampled_from([None, 9, 10, 1500]), "up": st.booleans()}
)
lists = st.lists(st.tuples(bodies, st.booleans()), max_size=12)
orders = st.builds(
    Order,
    st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), unique_by=lambda key: key[0], max_size=3).map(
        tuple
    ),
    st.booleans(),
)


def rows_of(found: list[tuple[dict[str, Any], bool]], order: Order) -> list[Row]:
    return [
        Row(f"{n:02}", ours, order.values({**body, "id": f"{n:02}"}), msgspec.Raw(b"{}"))
        for n, (body, ours) in enumerate(found)
    ]


@settings(max_examples=25)
@given(lists, orders, st.integers(1, 5), st.integers(1, 7))
def test_pages_are_those_of_one_list(
    found: list[tuple[dict[str, Any], bool]], order: Order, limit: int, most: int
) -> None:
    """`most`: rows that Neutron gives at once."""
    rows = sorted(rows_of(found, order), key=order.key())
    theirs, ours = [row for row in rows if not row.ours], [row for row in rows if row.ours]
    assert merged(order, theirs, ours, limit=None, whole=True) == rows
    paged: list[Row] = []
    while len(paged) < len(rows):
        left = [row for row in theirs if row not in paged]
        some = left[: min(limit, most)]
        mine = [row for row in ours if row not in paged]
        page = merged(order, some, mine, limit=limit, whole=len(some) == len(left))
        assert 0 < len(page) <= limit
        paged += page
    assert paged == rows


@settings(max_examples=25)
@given(lists, orders, st.randoms(use_true_random=False))
def test_whatever_order_neutron_has_is_kept(
    found: list[tuple[dict[str, Any], bool]], order: Order, chance: Any
) -> None:
    rows = rows_of(found, order)
    theirs = [row for row in rows if not row.ours]
    chance.shuffle(theirs)
    ours = sorted((row for row in rows if row.ours), key=order.key())
    page = merged(order, theirs, ours, limit=None, whole=True)
    assert [row for row in page if not row.ours] == theirs
    assert [row for row in page if row.ours] == ours


@settings(max_examples=25)
@given(lists, orders)
def test_backwards_is_the_other_way_round(found: list[tuple[dict[str, Any], bool]], order: Order) -> None:
    back = Order(order.keys, reverse=not order.reverse)
    there = sorted(rows_of(found, order), key=order.key())
    assert [row.id for row in sorted(rows_of(found, back), key=back.key())] == [row.id for row in there][::-1]


def test_as_the_usual_collation_of_mariadb_has_it() -> None:
    order = Order((("name", False),))
    names = [None, "", "A", "a ", "Ä", "a2", "AB", "b", "_", "0"]
    sorted_names = sorted(names, key=lambda name: order.values({"name": name, "id": ""})[0])
    assert sorted_names == [None, "", "0", "A", "a ", "Ä", "a2", "AB", "b", "_"]
