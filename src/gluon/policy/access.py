"""The rules of one object type as closures: `spi.policy.Access`.

In: a rulebook and an object type. Made once by `engine`, asked for every object of every request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gluon.model import types
from gluon.policy import checks, names
from gluon.policy.checks import Check, Compiled
from gluon.policy.rulebook import DEFAULT, Rulebook
from gluon.policy.scope import every
from gluon.spi.policy import Caller, Own, Scope, Target

_NOTHING: frozenset[str] = frozenset()
_MOST = 1000
"""Callers of whom it is kept what they may do."""
_ALL_OWN = {Scope.ALL: True, Scope.OWN: True, Scope.NOTHING: False}
"""Of which objects a rule is true, told for those of the caller's project. Else each has to be asked about."""


class Access:
    """What a rulebook says of one object type."""

    __slots__ = (
        "_actions",
        "_compiled",
        "_create",
        "_get",
        "_hiders",
        "_list",
        "_own",
        "_readers",
        "_setters",
        "guards",
    )

    def __init__(self, book: Rulebook, api: str, kind: types.ObjectType) -> None:
        default = book.compiled(DEFAULT) or checks.constant(False)
        made = {
            action: book.compiled(names.of_action(api, action, kind.singular)) or default
            for action in kind.policies
        }
        self._compiled = made
        self._get = made.get("get", default)
        self._list = made.get("list", default)
        self._create = made.get("create", checks.constant(False))
        self._own: dict[int, tuple[Caller, Own | None]] = {}
        """By the identity of a caller, who stays the same object while his token is known."""
        self._actions: dict[str, Check] = {action: one.check for action, one in made.items()}
        self._readers = self._found(book, api, kind, names.GET)
        self._hiders = _grouped(self._readers)
        self._setters = {action: self._found(book, api, kind, action) for action in names.SETTING}
        self.guards = bool(self._readers or any(self._setters.values()))

    @staticmethod
    def _found(book: Rulebook, api: str, kind: types.ObjectType, action: str) -> dict[str, Compiled]:
        """The rules that single attributes have; the key must be read, or nothing could be asked for."""
        found = {
            name: book.compiled(names.of_attribute(api, action, kind.singular, name))
            for name in kind.attributes
            if action != names.GET or name != kind.key
        }
        return {name: one for name, one in found.items() if one is not None and one.constant is not True}

    def allows(self, action: str, caller: Caller, target: Target) -> bool:
        if caller.admin:
            return True
        check = self._actions.get(action)
        return check is not None and check(caller, target)

    def listed(self, caller: Caller) -> Scope:
        if caller.admin:
            return Scope.ALL
        if self._get is self._list:
            return self._get.scope(caller)
        return every((self._get.scope(caller), self._list.scope(caller)))

    def lists(self, caller: Caller, target: Target) -> bool:
        if caller.admin:
            return True
        return self._list.check(caller, target) and self._get.check(caller, target)

    def hidden(self, caller: Caller, target: Target) -> Collection[str]:
        found = _NOTHING
        if not caller.admin:
            for check, names_ in self._hiders:
                if not check(caller, target):
                    found = found | names_ if found else names_
        return found

    def readable(self, attribute: str, caller: Caller) -> Scope:
        found = self._readers.get(attribute)
        return Scope.ALL if found is None or caller.admin else found.scope(caller)

    def scope(self, action: str, caller: Caller, attribute: str = "") -> Scope:
        if caller.admin:
            return Scope.ALL
        if attribute:
            found = (self._readers if action == names.GET else self._setters[action]).get(attribute)
            return Scope.ALL if found is None else found.scope(caller)
        found = self._compiled.get(action)
        return Scope.NOTHING if found is None else found.scope(caller)

    def own(self, caller: Caller) -> Own | None:
        known = self._own.get(id(caller))
        if known is not None and known[0] is caller:
            return known[1]
        if len(self._own) >= _MOST:
            self._own.clear()
        found = self._find_own(caller)
        self._own[id(caller)] = caller, found
        return found

    def _find_own(self, caller: Caller) -> Own | None:
        if caller.project is None or caller.admin:
            return None
        creates = _ALL_OWN.get(self._create.scope(caller))
        set_ = {name: _ALL_OWN.get(one.scope(caller)) for name, one in self._setters["create"].items()}
        read = {name: _ALL_OWN.get(one.scope(caller)) for name, one in self._readers.items()}
        if creates is None or None in set_.values() or None in read.values():
            return None
        unset = frozenset(name for name, may in set_.items() if not may)
        hidden = frozenset(name for name, may in read.items() if not may)
        return Own(creates=creates, unset=unset, hidden=hidden)

    def refused(
        self, action: str, attributes: Collection[str], caller: Caller, target: Target
    ) -> Collection[str]:
        if caller.admin:
            return _NOTHING
        return [
            name
            for name, one in self._setters[action].items()
            if name in attributes and not one.check(caller, target)
        ]

    def ruled(self, action: str) -> Collection[str]:
        return self._setters[action]


def _grouped(rules: Mapping[str, Compiled]) -> tuple[tuple[Check, frozenset[str]], ...]:
    """Attributes by their rule, which is asked once for all of them."""
    found: dict[int, tuple[Check, set[str]]] = {}
    for name, one in rules.items():
        found.setdefault(id(one.check), (one.check, set()))[1].add(name)
    return tuple((check, frozenset(names_)) for check, names_ in found.values())
