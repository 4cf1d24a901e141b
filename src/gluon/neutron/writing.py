"""Ports made, changed and deleted through the Neutron face: each as one unit of its proton.

In: an asker and a body of Neutron. Out: the port's key; where a bind was begun it is waited for. Checks, policy, pools and
journal are the proton's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from gluon import errors
from gluon.arbiter.bindings import BINDING_FAILED
from gluon.model.types import OnDelete, Role
from gluon.neutron import addresses, bodies, faults, finding, profiles, quick, shapes, trying, wishes
from gluon.neutron import ids as wire_ids
from gluon.neutron import ports as reads
from gluon.neutron.asker import Asker
from gluon.neutron.blame import Blamed
from gluon.neutron.ids import of_word
from gluon.neutron.unchanged import Unchanged
from gluon.particles import tables
from gluon.proton import hooked, ids, many, registry, service, terms, units
from gluon.spi import ports, store
from gluon.values import mac

_PAUSE = 50
"""New ports that are judged before others of the process have a turn."""
Body = Mapping[str, Any]


class Settle(Protocol):
    """The arbiter's wait for a bind."""

    async def settle(self, resource: registry.Resource, wait: ports.PortWait) -> object: ...


class Writing:
    """Changes of one database."""

    def __init__(
        self,
        database: store.Store,
        known: shapes.Known,
        actions: service.Service,
        binds: Settle,
        finder: finding.Finder,
        found: reads.Ports,
    ) -> None:
        self._store = database
        self._known = known
        self._actions = actions
        self._binds = binds
        self._finder = finder
        self._ports = found
        self.quick = quick.Quick(known, finder)

    # -- new ports -----------------------------------------------------------------------------

    async def create(
        self, asker: Asker, several: Sequence[Body], once: terms.Once | None = None
    ) -> list[bodies.Body]:
        """New ports, as who serves sees them; all of them are made, or none. Those that were made by the same request before are
        found instead, as they are now."""
        if once is None and len(several) == 1 and (unit := self.quick.unit(asker, several[0])) is not None:
            new_port: quick.Made = (await self._store.submit(unit)).result
            return [new_port.body()]
        places = await self._finder.places(asker, dict.fromkeys(_network_of(body) for body in several))
        news = []
        for number, body in enumerate(several):
            if number % _PAUSE == _PAUSE - 1:
                await asyncio.sleep(0)
            key = of_word(asker.caller.project, once.key, number) if once is not None else ""
            news.append(await self._new(asker, body, places, key))

        async def make() -> list[store.Unit]:
            if once is not None and any(new.has_hooks for new in news):
                await self._actions.check_once(once)
            return [unit for new in news for unit in await new.units()]

        try:
            results = iter(await self._run(asker, make, once))
            made = [new.body(asker, results) for new in news]
        except terms.Replayed:
            made = [(await self._ports.get(asker, new.key)).body for new in news]
        on_hosts = [
            n for n, new in enumerate(news) if new.host and made[n]["binding:host_id"] in ("", new.host)
        ]
        for n, found in zip(
            on_hosts, await trying.together(self._bound(asker, news[n]) for n in on_hosts), strict=True
        ):
            made[n] = found
        return made

    async def _bound(self, asker: Asker, new: _New) -> bodies.Body:
        """Once its bind is done with."""
        await self._change(asker, new.key, {"binding:host_id": new.host})
        return (await self._ports.get(asker, new.key)).body

    async def _new(self, asker: Asker, body: Body, places: Mapping[str, finding.Place], key: str) -> _New:
        """`key`: where the body gives none; there may be a port that has it."""
        network = _network_of(body)
        place = places.get(network)
        if place is None:
            raise faults.missing("Network", network)
        wire, join = self._way(place)
        wish = wishes.made(asker, wire, body)
        hosts = wire.attribute(Role.HOST)
        host = wish.values.pop(hosts, None) if hosts else None  # it is bound once it is made
        if hosts and host:
            wire.resource.fields.normal(hosts, host)
        owner = _owner(place)
        _check_device_owner(asker, body, owner, "create_port")
        usual = {
            "project": asker.caller.project if asker.caller.project and not asker.serves else owner,
            "mac": wishes.any_mac(),
            **wishes.USUAL,
        }
        values = wishes.filled(wire, wish.values, usual)
        if key:
            values.setdefault(wire.resource.type.key, key)
        given = values.get(wire.resource.type.key)
        bound: addresses.Wanted | None = None
        if join is not None:
            said = wish.fixed_ips and (join.net.has_subnets or not join.pooled)
            found = await self._finder.in_network(place) if said else ()
            bound = addresses.wanted(join, place, found, wish.fixed_ips, new=True)
        elif wish.fixed_ips:
            raise faults.invalid(f"network {place.id} has no subnets", "leave fixed_ips out")
        return _New(self._actions, asker, wire, join, place, values, wish.profile, bound,
                    key=str(wire.resource.fields.key(given)) if given else ids.new_id(), host=str(host) if host else "")  # fmt: skip

    def _way(self, place: finding.Place) -> tuple[shapes.Wire, shapes.Join | None]:
        """Which type of port, and of binding, leads into a network."""
        if place.net is None:
            wires = self._known().of_api(place.api)
            return wires[0], None
        resource = place.net.resource
        feeders = self._known().feeders.get((resource.api, resource.name), ())
        if not feeders:
            raise faults.invalid(f"nothing in {resource.api} leads from a port to a {resource.name}")
        return feeders[0]

    # -- changes -------------------------------------------------------------------------------

    async def update(self, asker: Asker, key: str, body: Body, revision: int | None = None) -> None:
        """Returns once a bind that it began is done with. Raises `Stale` where the port is not of that `revision` any more."""
        await trying.again(lambda: self._change(asker, key, body, revision), revision)

    async def _change(self, asker: Asker, key: str, body: Body, revision: int | None = None) -> None:
        found = await self._ports.get(asker, key)
        _check_revision(found, revision)
        wire, row, resource = found.wire, found.row, found.wire.resource
        wish = wishes.changed(asker, wire, body, reads.seen(asker, found.body))
        _check_mac(found, wish)
        if _for_network(asker, body) and body["device_owner"] != found.body["device_owner"]:
            network = str(found.body["network_id"])
            places = await self._finder.places(asker, [network])
            _check_device_owner(
                asker, body, _owner(places[network]) if network in places else None, "update_port"
            )
        values, granted = wish.values, {}
        profile = wire.attribute(Role.PROFILE)
        if wish.profile is not None and profile is not None:
            stored, vnic = found.body["binding:profile"], str(found.body["binding:vnic_type"])
            after = profiles.written(stored, wish.profile, unbinds=wish.unbinds, vnic_type=vnic)
            if after != stored:
                granted[profile] = wishes.profile_text(after) if after else None
        sure = revision is not None or (granted and wish.unbinds)
        expected = frozenset({bodies.revision(row)}) if sure else None
        moved, same = await self._moved(asker, found, wish), _same(asker, found, revision)

        async def make() -> list[store.Unit]:
            context = asker.context(resource)
            unit = await self._actions.changing(context, key, values, expected, granted=granted)
            made: list[store.Unit] = [*same, Blamed(unit, resource)]
            if moved:
                assert found.attached is not None
                other = found.attached.join.resource
                at = str(found.attached.row[other.records.key_column])
                change = await self._actions.changing(asker.drawing(other, moved.draws), at, moved.values)
                made.append(Blamed(change, other, found.attached.join.address))
            return made

        if not (values or granted or moved):
            return
        result = (await self._run(asker, make))[len(same)]
        wait = result.wait if isinstance(result, units.Result) else None
        if wait is not None:
            await self._binds.settle(resource, wait)

    async def _moved(self, asker: Asker, found: reads.Found, wish: wishes.Wish) -> addresses.Wanted:
        """What of the service binding changes."""
        if wish.fixed_ips is None:
            return addresses.Wanted()
        held = found.body["fixed_ips"]
        asked = addresses.kept(held, wish.fixed_ips)
        if asked == held:
            return addresses.Wanted()
        attached = found.attached
        if attached is None:
            if asked:
                raise faults.invalid(
                    f"port {found.body['id']} is in no network with subnets", "leave fixed_ips out"
                )
            return addresses.Wanted()
        place = (await self._finder.places(asker, [attached.network])).get(attached.network)
        if place is None:
            raise faults.missing("Network", attached.network)
        subnets = await self._finder.in_network(place)
        return addresses.wanted(attached.join, place, subnets, asked, new=False)

    # -- deletes -------------------------------------------------------------------------------

    async def delete(self, asker: Asker, key: str, revision: int | None = None) -> None:
        """A port, with what binds it to services. Raises `Stale` as `update`."""
        await trying.again(lambda: self._delete(asker, key, revision), revision)

    async def _delete(self, asker: Asker, key: str, revision: int | None) -> None:
        found = await self._ports.get(asker, key)
        _check_revision(found, revision)
        expected = None if revision is None else frozenset({bodies.revision(found.row)})
        wire, same = found.wire, _same(asker, found, revision)
        going: list[tuple[registry.Resource, str]] = []
        for join in wire.joins:
            reference = next(r for r in join.resource.references if r.attribute == join.interface)
            if reference.on_delete is OnDelete.CASCADE:
                continue
            rows = await self._store.select(
                store.Select(table=join.resource.table, equals=((reference.column, key),))
            )
            going += [(join.resource, str(row[join.resource.records.key_column])) for row in rows]
        going.append((wire.resource, key))

        async def make() -> list[store.Unit]:
            removing = [
                Blamed(
                    await self._actions.removing(
                        asker.context(kind), one, expected if kind is wire.resource else None
                    ),
                    kind,
                )
                for kind, one in going
            ]
            return [*same, *removing]

        await self._run(asker, make)

    async def _run(
        self,
        asker: Asker,
        make: Callable[[], Awaitable[list[store.Unit]]],
        once: terms.Once | None = None,
    ) -> Sequence[Any]:
        """The results of several units as one."""

        async def run() -> store.Committed:
            unit: store.Unit = many.Together(await make(), who=asker.caller.user, request_id=asker.request_id)
            return await self._store.submit(unit if once is None else terms.Terms(once=once).bind(unit))

        results: Sequence[Any] = (await hooked.again(run)).result
        return results


class _New:
    """A port to be made, and its place in a service."""

    def __init__(
        self,
        actions: service.Service,
        asker: Asker,
        wire: shapes.Wire,
        join: shapes.Join | None,
        place: finding.Place,
        values: dict[str, Any],
        profile: Mapping[str, Any] | None,
        bound: addresses.Wanted | None,
        *,
        key: str,
        host: str,
    ) -> None:
        self._actions, self._asker = actions, asker
        self._wire, self._join, self._place = wire, join, place
        self._values, self._profile, self._bound = values, profile, bound
        self.key, self.host = key, host
        self.has_hooks = bool(wire.resource.before_hooks or (join and join.resource.before_hooks))

    def body(self, asker: Asker, results: Iterator[units.Result]) -> bodies.Body:
        """Of the results of its units."""
        wire, join, place = self._wire, self._join, self._place
        row, attached = next(results).row, None
        if join is not None and self._bound is not None:
            bound = next(results).row
            attached = reads.attached(asker, join, bound, place.id, place.row)
        return bodies.port(wire, row, "DOWN", attached, asker.hidden(wire.resource, row))

    async def units(self) -> list[store.Unit]:
        actions, asker, wire = self._actions, self._asker, self._wire
        granted = {}
        name = wire.attribute(Role.PROFILE)
        if self._profile and name is not None:
            granted[name] = wishes.profile_text(self._profile)
        context = asker.context(wire.resource)
        unit = await actions.creating(context, self._values, self.key, granted)
        made: list[store.Unit] = [Blamed(unit, wire.resource)]
        join, place = self._join, self._place
        if join is not None and place.row is not None and self._bound is not None:
            resource = join.resource
            body = {
                **self._bound.values,
                join.interface: self.key,
                join.service: place.row[join.net.resource.records.key_column],
            }
            project, own = resource.type.role(Role.PROJECT), wire.attribute(Role.PROJECT)
            if project is not None and own is not None:
                body[project] = self._values.get(own) or asker.caller.project
            join_unit = await actions.creating(asker.drawing(resource, self._bound.draws), body)
            made.append(Blamed(join_unit, resource, join.address))
        return made


def _owner(place: finding.Place) -> store.Value:
    """The project that a network is of."""
    return place.row[tables.PROJECT] if place.row is not None else place.project


def _for_network(asker: Asker, body: Body) -> bool:
    """Whether somebody who is no service says that a port is a router's or the like."""
    return not asker.serves and str(body.get("device_owner") or "").startswith("network:")


def _check_device_owner(asker: Asker, body: Body, owner: store.Value, rule: str) -> None:
    """Neutron lets those of a network's own project say so, and services."""
    if _for_network(asker, body) and (
        owner is None or wire_ids.shown_project(owner) != wire_ids.shown_project(asker.caller.project)
    ):
        raise faults.Fault(
            403, "PolicyNotAuthorized", f"(rule:{rule} and rule:{rule}:device_owner) is disallowed by policy"
        )


def _check_revision(found: reads.Found, wanted: int | None) -> None:
    """Before a change that has nothing to do is told to be done."""
    current = int(found.body["revision_number"])
    if wanted not in (None, current):
        raise errors.Stale(f"Constrained to {wanted}, but current revision is {current}")


def _same(asker: Asker, found: reads.Found, revision: int | None) -> list[store.Unit]:
    """That what binds the port, which has its addresses, is still as it was read, where that is asked for."""
    if revision is None or found.attached is None:
        return []
    kind, row = found.attached.join.resource, found.attached.row
    return [Unchanged(kind, row, who=asker.caller.user, request_id=asker.request_id)]


def _check_mac(found: reads.Found, wish: wishes.Wish) -> None:
    """Neutron keeps the address of a port that is plugged: the machine would go on with the old one."""
    roles = found.wire.resource.records.roles(found.row)
    name, vif = found.wire.attribute(Role.MAC), roles.get(Role.VIF_TYPE)
    given = wish.values.get(name) if name else None
    if not given or vif in (None, "", bodies.UNBOUND, BINDING_FAILED):
        return
    try:
        same = mac.parse(str(given)) == roles.get(Role.MAC)
    except ValueError:
        return  # the proton says what is wrong with it
    if not same:
        raise faults.Fault(
            409,
            "PortBound",
            f"Unable to complete operation on port {found.body['id']}, port is already bound, port type: {vif}, "
            f"old_mac {roles.get(Role.MAC)}, new_mac {given}.",
            "unbind it first",
        )


def _network_of(body: Body) -> str:
    network = body.get("network_id")
    if network is None:
        raise faults.bad("Failed to parse request. Required attribute 'network_id' not specified")
    if not isinstance(network, str) or not network:
        raise faults.invalid(
            f"Invalid input for network_id. Reason: '{str(network)[:100]}' is not a valid UUID.",
            "give the id of a network",
        )
    return network
