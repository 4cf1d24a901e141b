"""The objects of one proton as etcd has them, and the form in which a backend may see them.

In: models and objects, in any order. Out: what there is to change in the world. Invariants: all that the world has
of a proton is of one form, in one version that the backend declared. While the model in etcd and an object name
different digests, news wait: the world stays as it was until all of them agree, then it turns at once.
Called by `changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from gluon.objects import published
from gluon.spi.backend import Ref, Stored
from gluon.versions import forms

log = structlog.get_logger(__name__)

_PORT = "port"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A model from etcd, as this backend is concerned. `form` None: as stored. `refused`: why it is not shown at all.

    An empty `digest` says that any object is of it. `port_type` is what the backend is told ports are called.
    """

    version: str = ""
    digest: str = ""
    form: forms.Form | None = None
    refused: str = ""
    port_type: str = ""
    shown_version: str = ""

    def fits(self, digest: str) -> bool:
        """Whether an object of this digest is of this model."""
        return not digest or digest == self.digest or (not self.digest and bool(self.version))

    def shown(self, stored: Stored) -> Stored | None:
        """The object as the backend sees it; None: it has no place there."""
        if self.form is None:
            return stored
        kind = self.form.types.get(stored.ref.object_type)
        if kind is None:
            return None
        body = kind.down(published.bare(stored.body))
        body |= published.beside(stored.body, body)
        return Stored(ref=Ref(stored.ref.api, kind.name, stored.ref.key), revision=stored.revision, body=body)

    def shown_secrets(self, stored: Stored, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Secret attributes as the backend calls them; a value made of others too is a whole one."""
        if self.form is None:
            return values
        kind = self.form.types.get(stored.ref.object_type)
        if kind is None:
            return {}
        names = kind.down(values).keys() - kind.down({}).keys()
        whole = kind.down({**published.bare(stored.body), **values})
        return {name: value for name, value in whole.items() if name in names}

    def shown_type(self, object_type: str) -> str:
        """What a type of the stored version is called there; its own name where it has no place."""
        kind = self.form.types.get(object_type) if self.form else None
        return kind.name if kind else object_type

    def stored_type(self, object_type: str) -> str:
        """And back."""
        types = self.form.types if self.form else {}
        return next((name for name, kind in types.items() if kind.name == object_type), object_type)


UNKNOWN = Model()


@dataclass(slots=True, kw_only=True)
class News:
    """What changes in the world: objects (None: gone) by their reference there, or, if `turned`, everything.

    `unseen` are objects of which only the status may change.
    """

    objects: dict[Ref, Stored | None] = field(default_factory=dict)
    turned: bool = False
    unseen: set[Ref] = field(default_factory=set)


class Proton:
    """`versions`: those that the backend declared (none: all)."""

    def __init__(self, api: str, versions: Sequence[str], backend: str) -> None:
        self.api = api
        self._versions = tuple(versions)
        self._backend = backend
        self._objects: dict[tuple[str, str], Stored] = {}
        self._strange: set[tuple[str, str]] = set()
        """Objects that name another digest than the model."""
        self._waiting: set[tuple[str, str]] = set()
        """News that the world has not."""
        self._told = False
        self.model = UNKNOWN
        """The newest in etcd."""
        self.seen = UNKNOWN
        """The one of which the world is."""

    @property
    def settled(self) -> bool:
        """Whether all objects are of the model."""
        return not self._strange

    @property
    def refused(self) -> str:
        """Why the backend must not see the objects as they are now."""
        return self.model.refused

    @property
    def _names(self) -> Model:
        """What is refused is spoken of as etcd calls it."""
        return UNKNOWN if self.refused else self.seen

    def revision(self, ref: Ref) -> int | None:
        """Of an object in etcd, by its reference in the world; None: there is none."""
        ref = self.stored_ref(ref)
        found = self._objects.get((ref.object_type, ref.key))
        return found.revision if found else None

    def refs(self) -> list[Ref]:
        """All objects in etcd, as etcd calls them."""
        return [found.ref for found in self._objects.values()]

    def stored_ref(self, ref: Ref) -> Ref:
        """What etcd calls an object of the world."""
        name = self._names.stored_type(ref.object_type)
        return ref if name == ref.object_type else Ref(ref.api, name, ref.key)

    def shown_ref(self, ref: Ref) -> Ref:
        """What the world calls an object of etcd."""
        name = self._names.shown_type(ref.object_type)
        return ref if name == ref.object_type else Ref(ref.api, name, ref.key)

    def shown_secrets(self, ref: Ref, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What etcd has of an object's secrets, as the world calls them."""
        ref = self.stored_ref(ref)
        found = self._objects.get((ref.object_type, ref.key))
        return self.seen.shown_secrets(found, values) if found else {}

    def take(
        self, objects: Iterable[tuple[Ref, Stored | None]], models: Iterable[Mapping[str, Any] | None]
    ) -> News:
        """Note what etcd has now, and say what of it the world may have."""
        for document in models:
            self._adopt(document)
        for ref, stored in objects:
            self._note((ref.object_type, ref.key), stored)
        news = self._news()
        self._tell()
        return news

    def all_shown(self) -> list[Stored]:
        """Everything, in the form of `seen`: after a turn."""
        shown = (self.seen.shown(stored) for stored in self._objects.values())
        return [stored for stored in shown if stored is not None]

    def _adopt(self, document: Mapping[str, Any] | None) -> None:
        self.model = read(document, self._versions, self._backend, self.api) if document else UNKNOWN
        if self.model.refused:
            log.warning("a model is beyond the backend", api=self.api, reason=self.model.refused)
        self._strange = {k for k, o in self._objects.items() if not self.model.fits(published.digest(o.body))}

    def _note(self, key: tuple[str, str], stored: Stored | None) -> None:
        if stored is None:
            self._objects.pop(key, None)
            self._strange.discard(key)
        else:
            self._objects[key] = stored
            if self.model.fits(published.digest(stored.body)):
                self._strange.discard(key)
            else:
                self._strange.add(key)
        self._waiting.add(key)

    def _news(self) -> News:
        news = News()
        if self.model.refused:
            news.unseen = {Ref(self.api, *key) for key in self._waiting}
            self._waiting.clear()  # a turn reads them all again
        elif self.settled and self.seen is not self.model:
            self.seen = self.model
            self._waiting.clear()
            news.turned = True
        else:
            for key in [k for k in self._waiting if self._may_be_seen(k)]:
                self._waiting.discard(key)
                self._show(key, news)
        return news

    def _may_be_seen(self, key: tuple[str, str]) -> bool:
        if self.settled:
            return True
        stored = self._objects.get(key)
        # A key that is gone may come again in another form: so long the world keeps it.
        return (
            stored is not None and self.seen is not UNKNOWN and self.seen.fits(published.digest(stored.body))
        )

    def _show(self, key: tuple[str, str], news: News) -> None:
        stored = self._objects.get(key)
        shown = self.seen.shown(stored) if stored else None
        if shown is not None:
            news.objects[shown.ref] = shown
        elif stored is None:
            ref = self.shown_ref(Ref(self.api, *key))
            news.objects[ref] = None

    def _tell(self) -> None:
        """One line when news begin to wait, and one when they do no more."""
        if self._told == self.settled:
            self._told = not self.settled
            if self._told:
                log.info(
                    "objects wait for others of the same model", api=self.api, differing=len(self._strange)
                )
            else:
                log.info("all objects are of one model", api=self.api, version=self.model.version)


def read(document: Mapping[str, Any], versions: Sequence[str], backend: str, api: str) -> Model:
    """A model in the version that suits best: as stored, or the newest of those that it can be shown in."""
    version = str(document.get("version") or "")
    digest = str(document.get("digest") or "")
    types = document.get("types")
    ports = [str(n) for n, t in types.items() if _kind(t) == _PORT] if isinstance(types, dict) else []
    stored = Model(version=version, digest=digest, port_type=ports[0] if ports else "", shown_version=version)
    if not version or not versions or version in versions:
        return stored
    offered = _forms(document, api)
    known = sorted((v for v in versions if v in offered), key=_number)
    if known:
        form = offered[known[-1]]
        names = [kind.name for kind in form.types.values() if kind.kind == _PORT]
        return replace(stored, form=form, port_type=names[0] if names else "", shown_version=form.version)
    more = f", and it can be shown in {', '.join(sorted(offered, key=_number))}" if offered else ""
    why = f"{backend} understands {api} in version {', '.join(versions)}, stored is {version}{more}"
    return replace(stored, refused=why)


def _forms(document: Mapping[str, Any], api: str) -> Mapping[str, forms.Form]:
    told = document.get("forms")
    try:
        return forms.forms(told) if isinstance(told, dict) else {}
    except ValueError as error:
        log.warning("cannot read how a model is shown in other versions", api=api, reason=str(error))
        return {}


def _kind(described: Any) -> str:
    return str(described.get("kind")) if isinstance(described, dict) else ""


def _number(version: str) -> tuple[tuple[int, str], ...]:
    """Versions in their order: 1.10 after 1.9."""
    return tuple((int(part) if part.isdigit() else -1, part) for part in version.split("."))
