"""What a shim's backend must do: the whole border between the shim engine and a data plane.

The engine holds the desired state (a `World`), tells the backend which *scopes* to look at, and
does the comparing, ordering, retrying, electing and reporting. A scope is the backend's own unit
of reconciliation (one VPN, say): its rows are computed as a whole. A backend raises only
`TryLater` (the engine repeats with back-off) and `GiveUp` (until the input changes).

Three laws: the result depends on the current desired state and facts only; events only say
"look"; a full rescan right after any event changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from gluon.objects import status

API_VERSION = 1
"""Backends carry it as `api_version`; one without it is reported and skipped."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names one object of a proton."""

    api: str
    object_type: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One object as published: `body` holds the attributes of the version that the backend is shown."""

    ref: Ref
    revision: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortBinding:
    """A wanted binding of `port` to `host`, with the port itself (None: not arrived yet)."""

    ref: Ref
    host: str
    wanted: status.WantedBinding
    port: Stored | None


class World(Protocol):
    """The desired state, as of now. Reads are by index; nothing here may be changed."""

    @property
    def version(self) -> int:
        """Another number after each change: what was made from the same world need not be made again."""

    def model_version(self, api: str) -> str:
        """The version that all objects of a proton are shown in, one that the backend declared: the stored one, or
        one that they can be turned into; "" while it is not known."""

    def get(self, ref: Ref) -> Stored | None: ...

    def secrets(self, ref: Ref) -> Mapping[str, Any] | None:
        """The secret attributes of an object as it is here, by name; None: they are not here (yet).

        Only of protons that the backend names in `secrets`. Those of an older or newer object are not shown: who needs
        them raises `TryLater`, or makes its rows without; the object's scopes are looked at again when they come.
        """

    def all(self, api: str, object_type: str) -> Sequence[Stored]:
        """Ordered by key."""

    def where(self, api: str, object_type: str, attribute: str, value: Any) -> Sequence[Stored]:
        """The objects whose `attribute` equals `value`, ordered by key (indexed on first use).

        UUIDs are equal in any notation: bodies hold them as they were written.
        """

    def binding(self, ref: Ref, host: str) -> PortBinding | None: ...

    def bindings(self, api: str, host: str | None = None) -> Iterable[PortBinding]:
        """All wanted bindings of a proton's ports (to one host), ordered by port; each is made when it is asked for."""

    def bindings_of(self, ref: Ref) -> Sequence[PortBinding]:
        """All wanted bindings of one port, ordered by host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vif:
    """What the hypervisor plugs into: `ovs` with `{"bridge_name": …}` and so on. The type is empty where a controller of
    another level names it."""

    vif_type: str
    details: Mapping[str, Any]


Rows = Mapping[str, Any]
"""A backend's own rows by a text key of its own; values compare by `==`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What to do, per row key: `make` and `change` to these values, `remove` these (old values)."""

    make: Rows = field(default_factory=dict)
    change: Rows = field(default_factory=dict)
    remove: Rows = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.make or self.change or self.remove)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStatus:
    """What a backend says of one object. `up` matters for ports: plugged, programmed, announced. `plugged`: the hosts on
    which a port's VIF is there, which matters for bindings that carry no traffic yet: such a one is ready when the controllers of all
    its levels say so."""

    conditions: tuple[status.Condition, ...] = ()
    up: bool = False
    plugged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a backend is made from: the shard it serves (`*` or a host) and its own options."""

    controller: str
    host: str
    options: Mapping[str, Any] = field(default_factory=dict)


Look = Callable[[str | None], None]
"""`look(scope)`: this scope needs a look; `look(None)`: everything does, read back first."""


class Backend(Protocol):
    """One data plane on one shard. The class is an entry point of group `gluon.backends`.

    Class attributes: `api_version`, `name`, `apis` (proton to model versions understood),
    `vnic_types` (empty: all), `per_host` (True: one instance a host; False: one serves `*` too),
    `deadline` in seconds for a bind; it may have `secrets`: the protons whose secret attributes it is to see.
    Made with one `Setting`; making it does no I/O.
    """

    api_version: ClassVar[int]
    name: ClassVar[str]
    apis: ClassVar[Mapping[str, tuple[str, ...]]]
    vnic_types: ClassVar[tuple[str, ...]]
    per_host: ClassVar[bool]
    deadline: ClassVar[float]

    def __init__(self, setting: Setting) -> None: ...

    async def start(self, look: Look) -> None:
        """Connect, begin to follow the outside (plugs, routes, daemons that restart).

        Returns once `actual` can be asked; raises `TryLater`. From now on `look` may be called.
        """

    async def stop(self) -> None:
        """End what `start` began. What is programmed stays programmed."""

    def bind(self, world: World, binding: PortBinding) -> Vif:
        """The answer for one port binding, at once and without I/O; the same input gives the same
        answer. Raises `GiveUp` to refuse, `TryLater` if not ready to say."""

    def scopes(self, world: World, ref: Ref) -> frozenset[str]:
        """The scopes whose rows may depend on `ref`. Pure. Asked before and after a change, so
        that an object that went is seen through the old world."""

    def all_scopes(self, world: World) -> Iterable[str]:
        """Every scope that has rows in this world on this shard; some may come twice, or have none. Pure.

        Where there may be thousands, a generator: replies to bindings go out between two of them. What changes meanwhile
        is asked for by `scopes`.
        """

    def members(self, world: World, scope: str) -> frozenset[Ref]:
        """The objects whose status may change with the rows of `scope`, or after `look(scope)`. Pure.

        The engine asks for their `status` after it has reconciled the scope.
        """

    def desired(self, world: World, scope: str) -> Rows:
        """The rows that `scope` should have: pure in the world and the backend's facts."""

    async def actual(self) -> Mapping[str, Rows]:
        """All rows marked as ours, by scope, read from the data plane. Raises `TryLater`."""

    async def apply(self, delta: Delta) -> None:
        """Write the delta: referenced things first, removals last. Raises `TryLater` after a
        partial failure; the engine then reads `actual` again."""

    def status(self, world: World, ref: Ref) -> ObjectStatus | None:
        """What to report of an object after the latest `apply`; None: no concern of this shard."""
