"""Database URLs."""

from __future__ import annotations

import pytest

from gluon.errors import GluonError
from gluon.store import address


@pytest.mark.parametrize(
    ("url", "dialect", "plain"),
    [
        ("postgresql://u@h/d", "postgresql", "postgresql://u@h/d"),
        ("postgresql+psycopg2://u:p@h:5/d?host=/run", "postgresql", "postgresql://u:p@h:5/d?host=/run"),
        ("postgres://h/d", "postgresql", "postgresql://h/d"),
        ("mysql+pymysql://u:p@h/d?charset=utf8", "mysql", "mysql://u:p@h/d?charset=utf8"),
        ("mariadb://u:p@h/d", "mysql", "mysql://u:p@h/d"),
    ],
)
def test_schemes_as_openstack_writes_them(url: str, dialect: str, plain: str) -> None:
    found = address.parse(url)
    assert (found.dialect, found.url) == (dialect, plain)


def test_the_parts_of_an_address_are_unquoted() -> None:
    found = address.parse("mysql://us%40er:p%2Fw@[::1]:3307/my%20db?unix_socket=%2Frun%2Fx")
    assert (found.user, found.password, found.host, found.port) == ("us@er", "p/w", "::1", 3307)
    assert found.database == "my db" and found.options == (("unix_socket", "/run/x"),)


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite://", ""), ("sqlite:///a/b.db", "a/b.db"), ("sqlite:////a/b%20c.db", "/a/b c.db")],
)
def test_paths_of_sqlite(url: str, path: str) -> None:
    assert address.parse(url).path == path


@pytest.mark.parametrize(
    "url",
    [
        "oracle://x",
        "",
        "gluon.db",
        "sqlite://a/b",
        "mysql://h:port/d",
        "mysql://[::1:3306/d",
        "mysql://[x]/d",
    ],
)
def test_what_is_no_database_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(GluonError):
        address.parse(url)
