"""Last stage and front door: PATHs in, frozen models out, or one `ModelError` with every problem.

Called by mains and commands; reads files, keeps nothing. What it returns does not depend on the
order of files in a folder, on comments or on how a file is laid out.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from gluon.errors import ModelError
from gluon.model import build, check, check_versions, find, resolve
from gluon.model.describe import describe
from gluon.model.problems import Problems
from gluon.model.types import Model

_VERSIONED = re.compile(r".*-[0-9]+\.[0-9]+").fullmatch


def load(paths: Sequence[Path], *, shape: bool = False, inside: Path | None = None) -> tuple[Model, ...]:
    """All models at `paths`: files, folders of a model, folders of those.

    `shape` also asks for the base pattern (one port, one interface, a service) as `model check`
    does. `inside`: imports of files outside of it and of the catalogue are refused. Raises `ModelError` with
    the problems of all files.
    """
    problems = Problems()
    library = find.Library(paths, problems, inside=inside)
    whole = [resolve.resolve(bundle, library) for bundle in find.bundles(paths, library)]
    for model in whole:
        check.check(model, problems)
        if shape:
            check.check_shape(model, problems)
    families = check_versions.families(whole, problems)
    problems.raise_found()
    return tuple(_model(stored, others) for stored, others in families)


def load_texts(texts: Mapping[str, str]) -> tuple[Model, ...]:
    """Models given as the texts of files by name; they import from the shipped catalogue only.

    Raises `ModelError`, whose places name the files as given.
    """
    with tempfile.TemporaryDirectory(prefix="gluon-model-") as root:
        for n, text in enumerate(texts.values()):
            folder = Path(root) / str(n)
            folder.mkdir()
            (folder / "model.yaml").write_text(
                text, encoding="utf-8"
            )  # its own name may be no name of a file
        named = {str(n): name for n, name in enumerate(texts)}
        try:
            return load([Path(root)], inside=Path(root))
        except ModelError as error:
            found = [dataclasses.replace(p, file=_as_given(p.file, root, named)) for p in error.problems]
            raise ModelError(found) from None


def _as_given(file: str, root: str, named: Mapping[str, str]) -> str:
    inside = Path(file)
    if not inside.is_relative_to(root) or inside == Path(root):
        return file if inside != Path(root) else "the model"
    return named[inside.relative_to(root).parts[0]]


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


def _model(whole: resolve.Model, others: Sequence[resolve.Model] = ()) -> Model:
    """The model; `others` are the versions that are served from its objects."""
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
        versions=tuple(build.version(whole, _model(other)) for other in others),
        digest="",
        source=whole.source,
    )
    return dataclasses.replace(model, digest=_digest(model))


def _digest(model: Model) -> str:
    text = json.dumps(describe(model), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
