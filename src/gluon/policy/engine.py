"""All rules together: the built-in ones, those of the models, those of a file; `spi.policy.Policy`.

In: models, and the sources of a file. Out: an `Access` for each object type. Invariant: a file that cannot be used
changes nothing; what is asked sees all of the old rules or all of the new ones. Pure; `cmd` reads the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gluon.model import types
from gluon.policy import base, names, rulebook
from gluon.policy.access import Access
from gluon.policy.rulebook import PolicyError, Source
from gluon.spi.policy import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One state of the rules. `broken`: those that cannot be made, and are never true; `odd`: names that nobody defines
    or asks for."""

    book: rulebook.Rulebook
    kinds: Mapping[tuple[str, str], types.ObjectType]
    broken: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    made: dict[tuple[str, str], Access] = field(default_factory=dict)


class Engine:
    """Holds the rules that count now."""

    def __init__(
        self, models: Iterable[types.Model] = (), override: Mapping[str, Source] | None = None
    ) -> None:
        """Raises `PolicyError` for an `override` that cannot be used."""
        self._models = tuple(models)
        self._override: Mapping[str, Source] = {}
        self.changed: Callable[[], None] = _nobody
        """Called after another file was taken: admins may be others."""
        self.rules = _rules(self._models, {})
        if override:
            self.replace(override)

    def of(self, api: str, object_type: str) -> Access:
        try:
            return self.rules.made[api, object_type]
        except KeyError:
            return _made(self.rules, (api, object_type))

    def is_admin(self, caller: Caller) -> bool:
        """Whether the rule `context_is_admin` says so; what `Caller.admin` is made of."""
        return self.rules.book.allows(base.ADMIN, caller, {})

    def allows(self, name: str, caller: Caller) -> bool:
        """A rule about no object, such as `operate`."""
        return caller.admin or self.rules.book.allows(name, caller, {})

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the rules that are used."""
        return (*(f"{one}; it is never true" for one in self.rules.broken), *self.rules.odd)

    def adopt(self, models: Iterable[types.Model]) -> None:
        """Other models from now on."""
        given = tuple(models)
        if list(map(id, given)) != list(map(id, self._models)):
            self._models = given
            self.rules = _rules(given, self._override)

    def replace(self, override: Mapping[str, Source]) -> None:
        """Another file. Raises `PolicyError` where its rules cannot be used; then nothing changes."""
        made = _rules(self._models, override)
        before = _rules(self._models, {}).broken if made.broken else ()
        wrong = [problem for problem in made.broken if problem not in before]
        if wrong:
            raise PolicyError(wrong)
        self._override = dict(override)
        self.rules = made
        self.changed()


def _nobody() -> None:
    """Nobody to tell."""


def _made(rules: Rules, key: tuple[str, str]) -> Access:
    kind = rules.kinds.get(key) or _NO_KIND
    made = rules.made[key] = Access(rules.book, key[0], kind)
    return made


_NO_KIND = types.ObjectType(
    name="", singular="", plural="", kind=types.Kind.OTHER, attributes={}, key="", generated_key=False
)
"""Of a proton that is served no more: nobody may do anything."""


def _rules(models: tuple[types.Model, ...], override: Mapping[str, Source]) -> Rules:
    sources = base.sources()
    for model in models:
        sources.update(names.of_model(model))
    sources.update(override)
    book, broken, undefined = rulebook.tolerant(sources)
    odd = [
        f"{place}: no rule {name!r} is defined, 'default' stands for it" for name, place in undefined.items()
    ]
    if override:
        known, apis = {*base.RULES, *_asked(override, sources)}, {model.name: model for model in models}
        odd += [
            f"{source.place}: rule {name}: nothing asks for it"
            for name, source in override.items()
            if name not in known and not names.means(apis, name)
        ]
    kinds = {(m.name, kind.name): kind for m in models for kind in m.types.values()}
    return Rules(book=book, kinds=kinds, broken=tuple(broken), odd=tuple(odd))


def _asked(override: Mapping[str, Source], sources: Mapping[str, Source]) -> Iterable[str]:
    """The names of a file that rules ask for."""
    texts = {source.rule for source in sources.values() if isinstance(source.rule, str)}
    given = [source.rule for source in override.values() if not isinstance(source.rule, str)]
    return {name for rule in (*texts, *given) for name in rulebook.named(rule)}
