"""What is known of a list's query from before is what reading it again would say."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from gluon import errors
from gluon.api import message, query
from gluon.model import loader
from gluon.proton import lists, registry
from gluon.proton import query as queries
from gluon.spi import policy

KEY = "00000000-0000-4000-8000-000000000001"
WORDS = (
    b"limit=2",
    b"limit=2&marker=%(key)s",
    b"marker=%(key)s",
    b"marker=%(key)s&limit=2",
    b"limit=2&m%%61rker=%(key)s",
    b"m%%61rker=a&marker=%(key)s",
    b"marker=a&marker=%(key)s",
    b"marker=a&limit=2&marker=%(key)s",
    b"limit=2&xmarker=%(key)s",
    b"name=marker=1&marker=%(key)s",
    b"limit=2&marker=",
    b"limit=2&marker=a%%20b",
    b"limit=2&marker=a+b",
    b"limit=x&marker=%(key)s",
    b"nobody=2&marker=%(key)s",
    b"&marker=%(key)s",
    b"name=%%ff&marker=%(key)s",
    b"name=a%%26b&fields=id&sort_key=name&marker=%(key)s",
    b"&".join([b"name=a"] * 30) + b"&marker=%(key)s",
    b"&".join([b"name=a"] * 200) + b"&marker=%(key)s",
)


@pytest.fixture(scope="module")
def ports() -> registry.Resource:
    return registry.Registry(loader.load_catalog()).by_path["net-l3vpn", "v1.0"]["ports"]


def request(text: bytes) -> message.Request:
    path = ("proton", "net-l3vpn", "v1.0", "ports")
    caller = policy.Caller(user="")
    return message.Request(method="GET", path=path, query=text, headers={}, caller=caller, id="req")


def told(asked: message.Request, resource: registry.Resource, *, anew: bool) -> object:
    try:
        return (queries.parse(resource, query.pairs(asked)) if anew else query.of(asked, resource),)
    except errors.Invalid as error:
        return error.problems


@pytest.mark.parametrize("text", WORDS)
def test_a_query_that_came_before_means_the_same(ports: registry.Resource, text: bytes) -> None:
    for key in (KEY, KEY, "other"):
        asked = request(text % {b"key": key.encode()})
        assert told(asked, ports, anew=False) == told(asked, ports, anew=True)


@pytest.mark.parametrize("text", [b"", *(t for t in WORDS if b"nobody" not in t and b"%%ff" not in t)])
def test_the_link_asks_the_same_behind_the_last_object(ports: registry.Resource, text: bytes) -> None:
    for last in (KEY, "a b&c", KEY):
        asked = request(text % {b"key": KEY.encode()})
        page = lists.Page(ports, last, True, None, b"[]")
        reply = query.answer(asked, queries.Query(), page)
        assert reply.body is not None
        href = reply.body.decode().partition('"href":"')[2].partition('"')[0]
        wanted = [(n, v) for n, v in parse_qsl(asked.query.decode(), keep_blank_values=True) if n != "marker"]
        parts = urlsplit(href)
        assert parts.path == "/proton/net-l3vpn/v1.0/ports"
        assert parse_qsl(parts.query, keep_blank_values=True) == [*wanted, ("marker", last)]


def test_what_is_kept_of_queries_is_bounded(ports: registry.Resource) -> None:
    for n in range(1000):
        assert query.of(request(b"name=n%d&marker=%d" % (n, n)), ports).marker == str(n)
    assert len(query._known[ports]) <= query._MOST
