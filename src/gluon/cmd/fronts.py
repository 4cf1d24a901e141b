"""What answers the paths that are not the lane's, put together: Falcon's routes, the Neutron face. Called by `node`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from gluon.api import changesets, lane, posts, quotas, rates, resources, routes
from gluon.api.neutron import answers, front
from gluon.api.neutron import posts as new_ports
from gluon.api.neutron import routes as paths
from gluon.api.passing import front as passing
from gluon.api.passing import lists
from gluon.api.passing.theirs import Theirs
from gluon.api.passing.whose import Whose
from gluon.arbiter import alternates, binder
from gluon.cmd import settings as config
from gluon.cmd.protons import Protons
from gluon.neutron.face import Face
from gluon.pipe.pool import Pool
from gluon.proton import quotas as limits
from gluon.proton import service
from gluon.spi import portowners, store

Refresh = Callable[[], Awaitable[None]]


def falcon(
    protons: Protons,
    database: store.Store,
    offered: routes.Operations,
    sets: changesets.ChangeSets,
    refresh: Refresh,
) -> lane.App:
    """Gluon's own resources."""
    allowed = protons.rules.allows
    app = changesets.add(routes.build(lambda: protons.registry, offered, allowed, protons.rules), sets)
    limited = limits.Quotas(database, lambda: protons.registry)
    quotas.add(app, quotas.Quotas(limited, allowed, refresh))
    return app


def neutron(
    rest: lane.App,
    protons: Protons,
    database: store.Store,
    actions: service.Service,
    binds: binder.Binder,
    others: alternates.Alternates,
    refresh: Refresh,
    owners: Mapping[str, portowners.PortOwner],
) -> front.Front:
    """What answers Neutron's paths, and leaves all others to `rest`. `others`: bindings beside the active ones; `owners`: of
    ports that are no proton's."""
    face = Face(database, lambda: protons.registry, actions, binds, others, protons.rules.allows, owners)
    return front.Front(rest, paths.Routes(face), refresh, face)


def made(
    wanted: config.Neutron,
    answering: front.Front,
    database: store.Store,
    parts: tuple[resources.Resources, lane.Guard, lane.Observer, lane.Record | None],
) -> lane.Lane:
    """The app: alone, or in front of a Neutron. `parts`: of a `Lane`. Raises `SettingsError`."""
    found, guarding, observer, record = parts
    if not wanted.url:
        return refusing(lane.Lane(found, answering, guarding, observer, record))
    try:
        pool = Pool(
            wanted.url,
            ca_file=wanted.ca_file,
            seconds=wanted.timeout_seconds,
            connect=wanted.connect_seconds,
            most=wanted.connections,
        )
    except (ValueError, OSError) as error:
        raise config.SettingsError(f"[neutron] {error}") from error
    app = passing.Front(found, answering, guarding, observer, record)
    whose = Whose(database, answering.face)
    app.pass_to(pool, whose, lists.Lists(answering.face, whose, Theirs(pool), answering.refresh))
    return refusing(app)


def hasten(
    app: lane.Lane,
    actions: service.Service,
    answering: front.Front,
    queue: store.Queue,
    parts: tuple[lane.Guard, lane.Observer, lane.Record | None],
    limits: rates.Rates | None,
) -> None:
    """Let new objects be begun without a task; ports of the face where no Neutron is asked first. `limits`: of projects."""
    guarding, observer, record = parts
    app.posts = swift = posts.Posts(guarding, actions, observer, record)
    app.rates = swift.rates = answering.rates = limits
    if not isinstance(app, passing.Front):
        answering.posts = others = new_ports.Posts(guarding, answering.face, queue, observer, record)
        others.rates = limits
        app.face = answering


async def leave(app: object) -> None:
    """Close what it keeps open."""
    if isinstance(app, passing.Front):
        await app.leave()


def refusing(app: lane.Lane) -> lane.Lane:
    """What the lane refuses at Neutron's paths is told as Neutron tells it."""
    app.refusals = dict.fromkeys(front.ROOTS, answers.refused)
    return app
