"""`clouds.yaml`, found and read as openstacksdk does: the first file there is, and `secure.yaml` over it.

In: a cloud's name. Out: its settings of identity, by the names of OS_* in lower case without `OS_`. Called by `login`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gluon.client.http import ClientError

_ENDINGS = (".yaml", ".yml", ".json")
_TOP = ("auth_type", "cacert", "verify")


def folders(environment: Mapping[str, str]) -> list[Path]:
    """Where the files may be, the first that counts first."""
    base = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return [Path(), Path(base) / "openstack", Path("/etc/openstack")]


def read(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of one cloud. Raises `ClientError` naming the files and the clouds that there are."""
    places = folders(environment)
    given = environment.get("OS_CLIENT_CONFIG_FILE")
    files = [Path(given)] if given else _named("clouds", places)
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        raise ClientError(f"no clouds.yaml for cloud {name}: looked for {', '.join(map(str, files))}")
    clouds = _clouds(path)
    if name not in clouds:
        known = ", ".join(sorted(clouds)) or "none"
        raise ClientError(f"{path} has no cloud {name}; it has {known}")
    found = _flat(path, name, clouds[name])
    given = environment.get("OS_CLIENT_SECURE_FILE")
    for secure in [Path(given)] if given else _named("secure", [path.parent, *places]):
        if secure.is_file():
            found |= _flat(secure, name, _clouds(secure).get(name) or {})
            break
    return found


def _named(name: str, places: list[Path]) -> list[Path]:
    return [place / f"{name}{ending}" for place in places for ending in _ENDINGS]


def _clouds(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - most commands read no such file, and this takes time

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ClientError(f"{path}{f':{mark.line + 1}' if mark else ''}: this is no YAML") from None
    clouds = document.get("clouds") if isinstance(document, dict) else None
    if not isinstance(clouds, dict):
        raise ClientError(f"{path}: `clouds:` with a cloud by each name is missing")
    return {str(name): cloud for name, cloud in clouds.items()}


def _flat(path: Path, name: str, cloud: object) -> dict[str, str]:
    if not isinstance(cloud, dict) or not isinstance(cloud.get("auth", {}), dict):
        raise ClientError(f"{path}: cloud {name} is no mapping with `auth:` and what belongs to it")
    if "profile" in cloud:
        raise ClientError(
            f"{path}: cloud {name} has a profile, which Gluon does not read: write auth_url there"
        )
    top = {key: value for key, value in cloud.items() if key in _TOP}
    found = {
        str(key).replace("-", "_"): str(value)
        for key, value in {**top, **cloud.get("auth", {})}.items()
        if value is not None
    }
    return found | ({"cacert": os.path.expanduser(found["cacert"])} if "cacert" in found else {})  # noqa: PTH111 - a text stays one
