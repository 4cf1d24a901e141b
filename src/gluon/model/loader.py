"""Last stage and front door: PATHs in, frozen models out, or one `ModelError` with every problem.

Called by mains and commands; reads files, keeps nothing. What it returns does not depend on the
order of files in a folder, on comments or on how a file is laid out.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from gluon.model import build, check, find, resolve
from gluon.model.describe import describe
from gluon.model.problems import Problems
from gluon.model.types import Model

_VERSIONED = re.compile(r".*-[0-9]+\.[0-9]+").fullmatch


def load(paths: Sequence[Path], *, shape: bool = False) -> tuple[Model, ...]:
    """All models at `paths`: files, folders of a model, folders of those.

    `shape` also asks for the base pattern (one port, one interface, a service) as `model check`
    does. Raises `ModelError` with the problems of all files.
    """
    problems = Problems()
    library = find.Library(paths, problems)
    whole = [resolve.resolve(bundle, library) for bundle in find.bundles(paths, library)]
    for model in whole:
        check.check(model, problems)
        if shape:
            check.check_shape(model, problems)
    _check_unique(whole, problems)
    problems.raise_found()
    return tuple(_model(model) for model in whole)


def load_catalog() -> tuple[Model, ...]:
    """The models that Gluon ships, each in the version that is served where nobody asks for another.

    Further versions lie beside them in folders `<name>-<version>`, and are loaded by their path.
    """
    folders = [folder for folder in sorted(find.CATALOG.iterdir()) if folder.is_dir()]
    return load([folder for folder in folders if not _VERSIONED(folder.name)])


def load_shipped() -> tuple[Model, ...]:
    """Every version of every model that Gluon ships, those of `load_catalog` first."""
    folders = [folder for folder in sorted(find.CATALOG.iterdir()) if folder.is_dir()]
    return load_catalog() + tuple(m for f in folders if _VERSIONED(f.name) for m in load([f]))


def _check_unique(models: Sequence[resolve.Model], problems: Problems) -> None:
    """One name, one model: tables and keys in etcd have no version. Names must differ as names of tables do."""
    seen: dict[str, tuple[str, str, resolve.Model]] = {}
    for model in models:
        if model.info is None or model.info.name is None or model.info.version is None:
            continue
        name, version = model.info.name, model.info.version.value
        folded = name.value.lower().replace("-", "_").replace(".", "_")
        other_name, other_version, other = seen.setdefault(folded, (name.value, version, model))
        if other is model:
            continue
        if other_name != name.value:
            problems.add(name.mark, f"the names {other_name} and {name.value} are too alike", "rename one")
        elif other_version == version:
            hint = f"the other one is in {other.source}: change the name, or leave one out"
            problems.add(name.mark, f"a second model {name.value} {version}", hint)
        else:
            hint = f"version {other_version} is in {other.source}: one version of a proton is served, leave one out"
            problems.add(model.info.version.mark, f"another version, {version}, of {name.value}", hint)


def _model(whole: resolve.Model) -> Model:
    info, file_version = whole.info, whole.file_version
    if info is None or info.name is None or info.version is None or file_version is None:
        raise AssertionError("an unchecked model")
    model = Model(
        file_version=file_version.value,
        name=info.name.value,
        version=info.version.value,
        description=info.description.value if info.description else "",
        author=MappingProxyType({key: fact.value for key, fact in sorted(info.author.items())}),
        types=build.object_types(whole),
        pools=MappingProxyType({name: build.pool(pool) for name, pool in whole.pools.items()}),
        digest="",
        source=whole.source,
    )
    return dataclasses.replace(model, digest=_digest(model))


def _digest(model: Model) -> str:
    text = json.dumps(describe(model), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
