"""The parts of the store that need no database."""

from __future__ import annotations

import dataclasses

from gluon.store import ddl
from gluon.store.compare import StoredColumn
from gluon.store.mysql_text import filled, literal
from gluon.store.shape import in_order
from gluon.store.stats import Histogram
from tests.contract.store.world import NETWORK, POOL, PORT


def test_a_table_follows_those_it_refers_to() -> None:
    assert [t.name for t in in_order((PORT, POOL, NETWORK))] == ["Network", "Port", "pool_value"]


def test_cycles_do_not_stop_the_ordering() -> None:
    ring = dataclasses.replace(
        NETWORK, foreign=(dataclasses.replace(PORT.foreign[0], column="name", table="Port"),)
    )
    assert {t.name for t in in_order((ring, PORT))} == {"Network", "Port"}
    assert {(t, f.table) for t, f in ddl.in_a_cycle((ring, PORT))} == {
        ("Network", "Port"),
        ("Port", "Network"),
    }
    assert ddl.in_a_cycle((NETWORK, PORT)) == frozenset()


def test_every_reference_has_an_index() -> None:
    assert ddl.indexes_of(dataclasses.replace(PORT, unique=())) == (("_project", "id"), ("network_id",))
    assert ddl.indexes_of(PORT) == (("_project", "id"),)


def test_names_are_short_and_tell_columns_apart() -> None:
    long = "t" * 60
    names = {ddl.name_of(kind, long, c) for kind in ("ix", "uq") for c in (("a", "b"), ("ab",), ("a",))}
    assert len(names) == 6 and all(len(n) <= 63 for n in names)


def test_stored_types_are_read_back() -> None:
    for kind in ("character varying(64)", "varchar(64)", "VARCHAR(64)"):
        assert StoredColumn(kind, nullable=True, key=0).type() == ("text", 64)
    assert StoredColumn("mediumtext", nullable=True, key=0).type() == ("text", None)
    assert StoredColumn("numeric", nullable=True, key=0).type() == (None, None)


def test_values_become_literals_that_nothing_can_break_out_of() -> None:
    assert literal("it's \\ \" %s ?") == "'it''s \\ \" %s ?'"
    assert [literal(v) for v in (None, True, False, -5, 0.5, 1e300)] == [
        "NULL",
        "1",
        "0",
        "-5",
        "0.5e0",
        "1e+300",
    ]
    assert filled("SELECT ? , ?", ("?", "';")) == "SELECT '?' , ''';'"


def test_a_histogram_bounds_its_quantiles() -> None:
    histogram = Histogram((1, 2, 4))
    for value in (0.5, 1, 1.5, 3, 9):
        histogram.add(value)
    assert histogram.counts == [2, 1, 1, 1] and histogram.count == 5 and histogram.total == 15
    assert (histogram.quantile(0.4), histogram.quantile(0.6), histogram.quantile(1.0)) == (1, 2, 9)
