"""Which pool, and which values it has: made of the model's words for an engine that takes from it.

In: a pool of the model and the texts that its object's attributes hold. Out: a `Supply`, and the
look-ups that a unit should declare. Pure; spaces of equal texts are made once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from gluon.model import types
from gluon.pools import tables
from gluon.spi import store
from gluon.values import identifier, route_target
from gluon.values.space import Addresses, Codec, Communities, Macs, Numbers, Space

Community = type[route_target.RouteTarget] | type[route_target.RouteDistinguisher]

_F = types.Format
_INT32 = 1 << 31
_LONGEST_TEMPLATE = 80
_SPACES: dict[types.Format | None, identifier.Space] = {
    _F.VLAN: identifier.VLAN, _F.VNI: identifier.VNI, _F.ASN: identifier.ASN,
    _F.MPLS_LABEL: identifier.MPLS_LABEL,
}  # fmt: skip
_FAMILIES: dict[types.Format | None, int | None] = {_F.IP: None, _F.IPV4: 4, _F.IPV6: 6}
_KINDS: dict[types.Format | None, Community] = {
    _F.ROUTE_TARGET: route_target.RouteTarget,
    _F.ROUTE_DISTINGUISHER: route_target.RouteDistinguisher,
}


class Supply(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as a session uses it. `name` is what errors call it; `rest` in seconds; `open`: values outside of `space` may be
    wished for."""

    id: str
    name: str
    space: Space
    rest: int = 30
    open: bool = False


def codec_of(pool: types.Pool) -> Codec:
    """How values of a pool are written. Raises `ValueError`."""
    form = pool.format
    if pool.template is not None and len(pool.template) > _LONGEST_TEMPLATE:
        raise ValueError(f"the template is longer than {_LONGEST_TEMPLATE} characters")
    if form in _SPACES:
        kind = _SPACES[form]
        return Numbers(kind.low, kind.high, template=pool.template, parse=kind.parse)
    if form in _FAMILIES:
        return Addresses(_FAMILIES[form])
    if form is _F.MAC:
        return Macs()
    if form in _KINDS and pool.template is None:
        return Communities(_KINDS[form])
    if pool.template is not None:
        return Numbers(0, template=pool.template)
    if form is _F.INT32:
        return Numbers(-_INT32, _INT32 - 1)
    return Numbers()


@lru_cache(4096)
def _space(pool: types.Pool, sources: tuple[str, ...], exclude: tuple[str, ...]) -> Space:
    codec = codec_of(pool)
    space = Space.of(codec, (*pool.ranges, *sources), exclude)
    if pool.template is not None and pool.format in _KINDS:
        kind = _KINDS[pool.format]
        for end in {n for interval in space.intervals for n in interval}:
            text = str(codec.value(end))
            if str(kind.parse(text)) != text:
                raise ValueError(f"{text!r} is not in the normal form, {kind.parse(text)}")
    return space


def space(pool: types.Pool, sources: Sequence[str] = (), exclude: Sequence[str] = ()) -> Space:
    """All values of a pool: its ranges, then `sources` in their order, without `exclude`.

    `exclude` holds ranges only: who calls has put values in place of paths. Raises `ValueError` that
    names the text which is no range of this type.
    """
    return _space(pool, tuple(sources), tuple(exclude))


def of_model(api: str, pool: types.Pool) -> Supply:
    """A pool of the model itself. Raises `ValueError`."""
    return Supply(
        id=model_pool_id(api, pool.name),
        name=f"pool {pool.name}",
        space=space(pool, (), pool.exclude),
        rest=pool.rest,
        open=pool.open,
    )


def of_object(
    api: str,
    object_type: str,
    key: object,
    pool: types.Pool,
    sources: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Supply:
    """The pool of one object; `sources` and `exclude` as for `space`. Raises `ValueError`."""
    return Supply(
        id=object_pool_id(api, object_type, key, pool.name),
        name=f"pool {pool.name} of {object_type} {key}",
        space=space(pool, sources, exclude),
        rest=pool.rest,
        open=pool.open,
    )


def model_pool_id(api: str, pool: str) -> str:
    """The id of a pool of the model."""
    return _fitting(f"{api}/{pool}")


def object_pool_id(api: str, object_type: str, key: object, pool: str) -> str:
    """The id of an object's pool. Only the key may hold a slash, so no two pools share an id."""
    return _fitting(f"{api}/{object_type}/{key}/{pool}")


def _fitting(text: str) -> str:
    if len(text) <= tables.ID_LENGTH:
        return text
    mark = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{text[: tables.ID_LENGTH - 33]}#{mark}"


def reads(pool: str, *values: store.Value) -> list[store.Lookup]:
    """What to declare: for a take the pool alone; for a wish or a release the value too, in normal form."""
    found = [store.Lookup(tables.POOL, ("id",), (pool,))]
    return found + [store.Lookup(tables.VALUE, ("pool", "value"), (pool, str(v))) for v in values]
