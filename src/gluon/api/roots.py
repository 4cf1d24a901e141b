"""What stands at the roots: which protons there are, in which versions, with which resources."""

from __future__ import annotations

from typing import Any

from gluon.model import types
from gluon.proton import registry

CURRENT = "CURRENT"


def models(known: registry.Registry) -> list[types.Model]:
    """Every version of every proton, the stored one of each first."""
    return [one for m in known.models for one in (m, *(v.model for v in m.versions))]


def _link(href: str) -> list[dict[str, str]]:
    return [{"href": href, "rel": "self"}]


def root(base: str) -> dict[str, Any]:
    """`/`."""
    version = {"id": "proton", "status": CURRENT, "links": _link(f"{base}/proton/")}
    return {
        "name": "Gluon API",
        "description": "Network service APIs made from models, and the arbiter of their ports.",
        "versions": [version],
        "default_version": version,
    }


def protons(base: str, known: registry.Registry) -> dict[str, Any]:
    """`/proton/`."""
    names = dict.fromkeys(m.name for m in known.models)
    return {
        "protons": [
            {"status": CURRENT, "proton_service": name, "links": _link(f"{base}/proton/{name}")}
            for name in names
        ]
    }


def proton(base: str, known: registry.Registry, api: str) -> dict[str, Any] | None:
    """`/proton/<api>/`."""
    versions = [
        {
            "proton_service": m.name,
            "version_id": f"v{m.version}",
            "status": state,
            "links": _link(f"{base}/proton/{m.name}/v{m.version}"),
        }
        for m, state in _versions(known, api)
    ]
    return {"default_version": versions[0], "versions": versions} if versions else None


def _versions(known: registry.Registry, api: str) -> list[tuple[types.Model, str]]:
    """Every version of a proton, the stored one first, and what it is."""
    found: list[tuple[types.Model, str]] = []
    for m in known.models:
        if m.name == api:
            found += [(m, CURRENT), *((v.model, v.state.value) for v in m.versions)]
    return found


def version(base: str, known: registry.Registry, api: str, version_id: str) -> dict[str, Any] | None:
    """`/proton/<api>/v<version>/`."""
    state = next((state for m, state in _versions(known, api) if version_id == f"v{m.version}"), None)
    if state is None:
        return None
    plurals = known.by_path.get((api, version_id)) or known.editions[api, version_id]
    return {
        "resources": [
            {
                "resource_name": plural,
                "proton_service": api,
                "version_id": version_id,
                "status": state,
                "links": _link(f"{base}/proton/{api}/{version_id}/{plural}"),
            }
            for plural in plurals
        ]
    }
