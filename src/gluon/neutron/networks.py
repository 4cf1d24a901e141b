"""Services of all protons as Neutron's networks, their prefixes as its subnets.

In: an asker and what a list asks for. Out: bodies. The networks of ports without a service are answered to who asks for
them by id, and in no other list: Nova would take them for networks to boot on.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from gluon.neutron import asked as asking
from gluon.neutron import bodies, faults, finding, ids, shapes, subnets
from gluon.neutron.asker import Asker
from gluon.neutron.bodies import Body
from gluon.neutron.ports import May, Page, page_of


class Networks:
    """Reads of one database."""

    def __init__(self, known: shapes.Known, finder: finding.Finder) -> None:
        self._known = known
        self._finder = finder

    async def get(self, asker: Asker, id: str) -> Body:
        found = await self._finder.places(asker, [id])
        if id not in found:
            raise faults.missing("Network", id)
        place = _shown(asker, found[id])
        return seen(asker, _body(place, await self._finder.in_network(place)))

    async def page(self, asker: Asker, asked: asking.Asked) -> Page:
        found = [body for body, _ in await self._matching(asker, asked, asker.lists)]
        page, more = asking.paged(asked, found, "Network")
        return page_of(page, [asking.chosen(asked, seen(asker, body)) for body in page], more)

    async def get_subnet(self, asker: Asker, id: str) -> Body:
        found = await self._subnets(asker, asking.Asked(filters={"id": (id,)}), asker.sees)
        if not found:
            raise faults.missing("Subnet", id)
        return found[0]

    async def subnet_page(self, asker: Asker, asked: asking.Asked) -> Page:
        page, more = asking.paged(asked, await self._subnets(asker, asked, asker.lists), "Subnet")
        return page_of(page, [asking.chosen(asked, body) for body in page], more)

    async def _subnets(self, asker: Asker, asked: asking.Asked, may: May) -> list[Body]:
        wanted = await self._networks_of(asker, asked)
        filters = {} if wanted is None else {"id": tuple(wanted)}
        if wanted is not None and not wanted:
            return []
        found: list[Body] = []
        for body, held in await self._matching(asker, asking.Asked(filters=filters), may):
            made = [bodies.subnet(one, body) for one in held]
            found += [one for one in made if asking.passes(asked, one)]
        return found

    async def _networks_of(self, asker: Asker, asked: asking.Asked) -> Sequence[str] | None:
        """The networks whose subnets may be asked for; None: all."""
        if "network_id" in asked.filters:
            return asked.filters["network_id"]
        if "id" not in asked.filters:
            return None
        halves = dict.fromkeys(value[: ids.HALF] for value in asked.filters["id"])
        return await self._finder.beginning(asker, [half for half in halves if len(half) == ids.HALF])

    async def _matching(
        self, asker: Asker, asked: asking.Asked, may: May
    ) -> list[tuple[Body, Sequence[subnets.Subnet]]]:
        """Whole bodies that pass the filters, and the subnets of each."""
        if "id" in asked.filters:
            places = list((await self._finder.places(asker, asked.filters["id"])).values())
        else:
            places = []
            for net in self._known().nets.values():
                places += await self._finder.services(asker, net)
        places = [
            _shown(asker, p) for p in places if p.net is None or p.row is None or may(p.net.resource, p.row)
        ]
        found = await self._finder.subnets_of(places)
        every = [(_body(place, found[place.id]), found[place.id]) for place in places]
        return [(body, held) for body, held in every if asking.passes(asked, body)]


def _shown(asker: Asker, place: finding.Place) -> finding.Place:
    """Its service without what rules hide from the caller."""
    if place.net is None or place.row is None:
        return place
    return structs.replace(place, row=asker.shown(place.net.resource, place.row))


def _body(place: finding.Place, found: Sequence[subnets.Subnet]) -> Body:
    if place.net is None or place.row is None:
        return bodies.bare_network(place.api, place.id, place.project)
    return bodies.network(place.net, place.id, place.row, found)


def seen(asker: Asker, body: Body) -> Body:
    """A network as the caller sees it."""
    if asker.serves:
        return body
    return {name: value for name, value in body.items() if name not in bodies.PROVIDER}
