"""Events to Nova with a token of a real Keystone, whose catalog says where Nova is."""

import asyncio

import pytest

from gluon.identity import credentials, fetch
from gluon.nova import client, events
from gluon.testing.servers import KeystoneServer
from tests import novas

EVENT = events.Event(
    name="network-changed", server_uuid="5d2a6c10-0a3b-4b7e-9c77-3f9d1c2b0002", tag="9b4c2f0e"
)


async def test_events_find_their_way_by_the_catalog(keystone_server: KeystoneServer) -> None:
    own = await asyncio.to_thread(
        keystone_server.new_user, "service", project=keystone_server.project("service")
    )
    given = credentials.Credentials(user=own.name, password=own.password, project="service")
    token = credentials.OwnToken(fetch.Server(keystone_server.url), given, section="nova")
    api = client.Nova(client.Place(region="one"), token)
    async with novas.serving() as nova:
        with pytest.raises(client.Away, match="no endpoint"):
            await api.send([EVENT])
        await asyncio.to_thread(keystone_server.serve, "compute", f"{nova.url}/v2.1")
        token.spent(await token.get())
        assert await api.send([EVENT]) == {200: 1}
        assert nova.taken[0]["tag"] == EVENT.tag
        bearer = {"x-auth-token": nova.tokens[0], "x-subject-token": nova.tokens[0]}
        _, _, answer = await asyncio.to_thread(keystone_server.ask, "GET", "/auth/tokens", None, bearer)
        assert answer["token"]["user"]["name"] == own.name
        await api.close()
