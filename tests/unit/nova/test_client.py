"""Requests to Nova: tokens, endpoints, and what each answer means."""

from collections.abc import AsyncIterator

import pytest

from gluon.identity import credentials, fetch
from gluon.nova import client, events
from tests import novas

SOME = [
    events.Event(name="network-changed", server_uuid="5d2a6c10-0a3b-4b7e-9c77-3f9d1c2b0002", tag=f"port-{n}")
    for n in range(3)
]


@pytest.fixture
async def nova() -> AsyncIterator[novas.Nova]:
    async with novas.serving() as made:
        yield made


def own(nova: novas.Nova) -> credentials.OwnToken:
    given = credentials.Credentials(user="gluon", password="secret", project="service")
    return credentials.OwnToken(fetch.Server(f"{nova.url}/v3", seconds=60), given, section="nova")


@pytest.fixture
async def api(nova: novas.Nova) -> AsyncIterator[client.Nova]:
    made = client.Nova(client.Place(seconds=60), own(nova))
    yield made
    await made.close()


async def test_the_endpoint_is_that_of_the_catalog_and_the_token_is_kept(
    nova: novas.Nova, api: client.Nova
) -> None:
    for _ in range(2):
        assert await api.send(SOME) == {200: 3}
    assert (nova.made, nova.tokens) == (1, ["token-1", "token-1"])
    assert [e["tag"] for e in nova.taken] == ["port-0", "port-1", "port-2"] * 2


async def test_a_token_that_is_not_taken_is_made_anew_once(nova: novas.Nova, api: client.Nova) -> None:
    nova.script = [(401, "no")]
    assert await api.send(SOME) == {200: 3}
    assert nova.tokens == ["token-1", "token-2"]
    nova.script = [(401, "no"), (401, "no")]
    with pytest.raises(client.Away, match="401"):
        await api.send(SOME)
    assert await api.send(SOME) == {200: 3}


async def test_answers_by_event_are_counted(nova: novas.Nova, api: client.Nova) -> None:
    codes = [200, 404, 422]
    nova.script = [(207, {"events": [{"code": code} for code in codes]})]
    assert await api.send(SOME) == {200: 1, 404: 1, 422: 1}
    nova.script = [(404, {"itemNotFound": {"code": 404, "message": "No instances found for any event"}})]
    assert await api.send(SOME) == {404: 3}


@pytest.mark.parametrize(
    ("said", "broken"),
    [
        ((404, "no such path"), False),
        ((503, ""), False),
        ((500, {}), True),
        ((403, {}), False),
        (None, False),
    ],
)
async def test_what_may_pass_by_itself_is_away(
    nova: novas.Nova, api: client.Nova, said: novas.Answer, broken: bool
) -> None:
    nova.script = [said] * 3
    with pytest.raises(client.Away) as raised:
        await api.send(SOME)
    assert raised.value.broken is broken


async def test_a_request_that_nova_never_takes_is_refused(nova: novas.Nova, api: client.Nova) -> None:
    nova.script = [(400, {"badRequest": {"message": "Invalid input"}})]
    with pytest.raises(client.Refused, match="Invalid input"):
        await api.send(SOME)


async def test_no_server_is_away() -> None:
    async with novas.serving() as nova:
        url = nova.url
    away = client.Nova(client.Place(endpoint=f"{url}/v2.1"), None)
    with pytest.raises(client.Away):
        await away.send(SOME)


async def test_an_endpoint_that_is_set_needs_no_token(nova: novas.Nova) -> None:
    plain = client.Nova(client.Place(endpoint=f"{nova.url}/v2.1"), None)
    assert await plain.send(SOME) == {200: 3}
    assert nova.tokens == [""]
    await plain.close()
    with pytest.raises(ValueError, match="no URL"):
        client.Nova(client.Place(endpoint="nova"), None)


CATALOG = [
    {"type": "network", "endpoints": [{"interface": "public", "region_id": "a", "url": "http://n"}]},
    {
        "type": "compute",
        "endpoints": [
            {"interface": "public", "region_id": "a", "url": "http://a"},
            {"interface": "public", "region_id": "b", "url": "http://b"},
            {"interface": "internal", "region": "b", "url": "http://i"},
        ],
    },
]


@pytest.mark.parametrize(
    ("interface", "region", "url"),
    [
        ("public", "", "http://a"),
        ("public", "b", "http://b"),
        ("internal", "", "http://i"),
        ("internal", "b", "http://i"),
        ("admin", "", ""),
        ("public", "c", ""),
    ],
)
def test_an_endpoint_of_the_catalog(interface: str, region: str, url: str) -> None:
    assert client.endpoint(CATALOG, interface, region) == url
