"""What a shim serves: which protons, in which versions, on which shard. Pure.

In: a backend's class and the wish of who starts it. Out: `Served`, and the word on a model that
the backend is too old for. Called by `engine`, `binder` and `reconcile`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gluon.objects import status
from gluon.spi.backend import API_VERSION, Backend

ANY_HOST = "*"
TOO_NEW = "ModelTooNew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`apis` maps a proton to the versions understood (none named: all)."""

    backend: str
    apis: Mapping[str, Sequence[str]]
    vnic_types: tuple[str, ...]
    deadline: float
    secrets: frozenset[str] = frozenset()
    """The protons whose secret attributes the backend asks for."""


def too_new(why: str) -> status.Condition:
    """What to say of the objects of a model that the backend cannot be shown."""
    return status.Condition(type=status.READY, status="False", reason=TOO_NEW, message=why)


def of_backend(backend: type[Backend], apis: Iterable[str], hosts: Sequence[str]) -> Served:
    """Raises `ValueError` saying what does not fit."""
    name = getattr(backend, "name", backend.__name__)
    found = getattr(backend, "api_version", None)
    if found != API_VERSION:
        raise ValueError(
            f"backend {name} is made for version {found} of our interface, this is {API_VERSION}"
        )
    chosen = tuple(apis) or tuple(backend.apis)
    unknown = [api for api in chosen if api not in backend.apis]
    if unknown:
        raise ValueError(
            f"backend {name} does not serve {', '.join(unknown)}: it serves {', '.join(backend.apis)}"
        )
    if not hosts:
        raise ValueError("a shim needs a host, or * for all")
    if ANY_HOST in hosts and (backend.per_host or len(hosts) > 1):
        why = "runs one instance a host" if backend.per_host else "serves all hosts or some, not both"
        raise ValueError(f"backend {name} {why}: name the hosts, not *")
    return Served(
        backend=name,
        apis={api: backend.apis[api] for api in chosen},
        vnic_types=tuple(backend.vnic_types),
        deadline=backend.deadline,
        secrets=frozenset(getattr(backend, "secrets", ())) & frozenset(chosen),
    )
