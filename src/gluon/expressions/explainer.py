"""Why a rule is false: the values of the members that made it so.

In: a tree and the values that it was false with. Out: one line such as `self.mtu is 9000, self.service_id.mtu is
1500`. Of parts joined by `&&` only the false ones count, of `all` only the first item that fails. Texts are cut,
lists and objects counted, hidden members left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gluon.expressions import compiler, paths, syntax
from gluon.expressions.problems import Failed
from gluon.expressions.values import LISTS, STEPS, Env, items_of, plain

Hidden = Callable[[paths.Path], bool]
_Place = tuple[str, frozenset[paths.Path]]
"""What a value is called, and the paths of what it is or was made of, as far as hidden ones count."""

_PARTS, _LONGEST, _LINE = 6, 60, 400


class Explanation:
    """One explanation: the evaluation, and the place of each name in the object."""

    def __init__(self, env: Env, slots: Mapping[str, int], doubles: frozenset[int], hidden: Hidden) -> None:
        self.env = env
        self.slots = dict(slots)
        self.doubles = doubles
        self.hidden = hidden
        self.names: dict[str, _Place] = {name: (name, frozenset({(name,)})) for name in slots}
        self.found: dict[str, None] = {}

    def text(self, node: syntax.Node) -> str:
        """What made `node` false, or why it has no value."""
        self.blame(node)
        told = ", ".join(list(self.found)[:_PARTS])
        return told if len(told) <= _LINE else f"{told[:_LINE]}…"

    def value(self, node: syntax.Node) -> Any:
        return compiler.compiled(node, self.slots, self.doubles)(self.env)

    def fails(self, node: syntax.Node) -> bool:
        """False or without a value; a failure is worth a word of its own."""
        try:
            return self.value(node) is not True
        except Failed:
            return True

    def blame(self, node: syntax.Node) -> None:
        match node:
            case syntax.Logic(operator="&&", parts=parts):
                for part in parts:
                    if self.fails(part):
                        self.blame(part)
                return
            case syntax.Each(macro="all") if self.blame_item(node):
                return
        try:
            self.value(node)
        except Failed as why:
            self.found[str(why)] = None
        for one in _chains(node, frozenset(self.slots)):
            self.tell(one)

    def blame_item(self, node: syntax.Each) -> bool:
        """Blame the first item that fails; False where none is found."""
        try:
            over = self.value(node.over)
            items = list(items_of(over))
        except Failed:
            return False
        place = self.place(node.over)
        slot = max(self.slots.values(), default=0) + 1
        self.slots[node.variable] = slot
        for index, item in enumerate(items):
            self.env[slot] = item
            if self.fails(node.body):
                text = f"{place[0]}[{index}]" if place else node.variable
                named = text if isinstance(over, LISTS) else "a key"
                self.names[node.variable] = (named, self.sources(node.over))
                self.blame(node.body)
                return True
        del self.slots[node.variable]
        return False

    def sources(self, over: syntax.Node) -> frozenset[paths.Path]:
        """Where items come from; of what is only read to make them, what is hidden."""
        items, read = (self.resolved(found) for found in paths.items(over))
        return items | frozenset(path for path in read if self.hidden(path))

    def resolved(self, found: frozenset[paths.Path]) -> frozenset[paths.Path]:
        """Paths from the roots down, of those that begin with a variable too."""
        return frozenset(
            (*begin, *rest)
            for first, *rest in found
            for begin in (self.names[first][1] if first in self.names else ())
        )

    def place(self, node: syntax.Node) -> _Place | None:
        """Text and paths of a chain of members, with variables replaced by what they stand for."""
        match node:
            case syntax.Name(name=name):
                return self.names.get(name)
            case syntax.Member(of=of, name=name):
                outer = self.place(of)
                if outer is None:
                    return None
                return f"{outer[0]}.{name}", frozenset((*path, name) for path in outer[1])
        return None

    def tell(self, node: syntax.Node) -> None:
        place = self.place(node)
        if place is None or any(map(self.hidden, place[1])):
            return
        try:
            value = self.value(node)
        except Failed as why:
            self.found.setdefault(str(why))
            return
        self.found.setdefault(f"{place[0]} is {shown(value)}")


def _chains(node: syntax.Node, names: frozenset[str]) -> Iterator[syntax.Node]:
    """The longest chains of members that begin with one of `names`, in the order of the text."""
    if isinstance(node, syntax.Member | syntax.Name):
        base: syntax.Node = node
        while isinstance(base, syntax.Member):
            base = base.of
        if isinstance(base, syntax.Name):
            if base.name in names:
                yield node
            return
    for child in syntax.children(node):
        yield from _chains(child, names)


def shown(value: Any) -> str:
    """A value for people, short."""
    value = plain(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        text = syntax.unparse(syntax.Literal(value=value[:_LONGEST]))
        return text if len(value) <= _LONGEST else f'{text[:-1]}…"'
    if isinstance(value, LISTS):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return "an object"
    return str(value)


def explanation(
    node: syntax.Node,
    values: Mapping[str, Any],
    roots: tuple[str, ...],
    doubles: frozenset[int],
    hidden: Hidden,
) -> str:
    """Why `node` is not true of `values`; empty where no member can be named."""
    env: Env = [STEPS, *map(values.get, roots), *[None] * (compiler.slots_needed(node) + 1)]
    slots = {name: index + 1 for index, name in enumerate(roots)}
    return Explanation(env, slots, doubles, hidden).text(node)
