"""First stage: the text of one model file in, a tree of nodes with their places out.

The tree is made from YAML events without recursion, so that neither depth nor aliases can hurt:
depth, size and the size after aliases are bounded, keys are unique texts, and no tag makes a
Python object. Called by `declare`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from gluon.model.problems import Mark, Problems

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 50
MAX_NODES = 200_000
"""Of one file, aliases counted as often as they are used."""

_TAG = "tag:yaml.org,2002:"
_RESOLVER: Any = yaml.resolver.Resolver()
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """Text as written, and what YAML 1.1 takes it for: `str`, `int`, `float`, `bool`, `null`, …

    `style` is empty for a plain one, else its quote, `|` or `>`; `raw` is all that stands in the file.
    """

    mark: Mark
    text: str
    tag: str
    style: str = ""
    raw: str = ""
    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    mark: Mark
    items: tuple[Node, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    mark: Mark
    entries: tuple[tuple[Scalar, Node], ...]
    size: int


Node = Scalar | Sequence | Mapping


@dataclass(slots=True, kw_only=True)
class _Open:
    """A collection whose end has not come yet."""

    mark: Mark
    mapping: bool
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    size: int = 1


class _Refused(Exception):
    """Reading cannot go on; the problem is noted already."""


def parse(text: str, file: str, problems: Problems) -> Node | None:
    """The root node of `text`, or None where there is none or reading had to stop."""
    if len(text) > MAX_BYTES:
        problems.add(Mark(file=file), f"the file is larger than {MAX_BYTES // 1024} KiB", "split it")
        return None
    try:
        return _Builder(file, problems).build(text)
    except _Refused:
        return None
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(file=file, line=place.line + 1, column=place.column + 1) if place else Mark(file=file)
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        tab = (
            place is not None
            and text.splitlines()[place.line : place.line + 1]
            and "\t" in text.splitlines()[place.line][: place.column + 1]
        )
        hint = "check indentation, colons and quotes"
        if tab:
            hint = "indent with blanks, not with tabs"
        elif (error.problem or "").startswith("mapping values are not allowed"):
            hint = "a text with ': ' in it needs quotes; else check indentation"
        problems.add(mark, f"this is not YAML: {what}", hint)
        return None
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        mark = Mark(file=file, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
        problems.add(mark, f"a character is not allowed in YAML: {error.reason}")
        return None


class _Builder:
    """Puts nodes together while events come in."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._root: Node | None = None
        self._text = ""

    def build(self, text: str) -> Node | None:
        documents, self._text = 0, text
        for event in self._events(text):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(self._mark(event), "a second document starts here", "use one file for each")
            elif isinstance(event, yaml.ScalarEvent):
                self._add(self._scalar(event), event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._aliased(event), None)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        return self._root

    @staticmethod
    def _events(text: str) -> Iterator[yaml.Event]:
        events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        return events

    def _mark(self, event: yaml.Event) -> Mark:
        at = event.start_mark
        if at is None:
            return Mark(file=self._file)
        return Mark(file=self._file, line=at.line + 1, column=at.column + 1)

    def _refuse(self, mark: Mark, message: str, hint: str = "") -> None:
        self._problems.add(mark, message, hint)
        raise _Refused

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, given: str) -> str:
        """The short name of an event's tag; a tag that is not YAML's own is refused."""
        tag = event.tag
        if tag is None or tag == "!":
            return given
        name = str(tag).removeprefix(_TAG)
        if name not in {"str", "int", "float", "bool", "null", "map", "seq", "timestamp"}:
            self._problems.add(self._mark(event), f"the tag {tag!r} is not allowed", "leave the tag out")
            return given
        return name

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        plain = bool(event.implicit[0])
        resolved = "str"
        if plain:
            resolved = str(_RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))).removeprefix(_TAG)
        tag = self._tag(event, resolved)
        style = "" if plain else str(event.style or "")
        return Scalar(mark=self._mark(event), text=event.value, tag=tag, style=style, raw=self._raw(event))

    def _raw(self, event: yaml.ScalarEvent) -> str:
        if event.start_mark is None or event.end_mark is None:
            return str(event.value)
        return self._text[event.start_mark.index : event.end_mark.index]

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        anchor = str(event.anchor)
        node = self._anchors.get(anchor)
        if node is None:
            why = (
                "stands inside the node it repeats" if anchor in self._anchors else "has no anchor before it"
            )
            self._refuse(self._mark(event), f"the alias *{anchor} {why}")
            raise _Refused
        return node

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        mark = self._mark(event)
        if len(self._open) >= MAX_DEPTH:
            self._refuse(mark, f"nodes are nested more than {MAX_DEPTH} deep")
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._tag(event, "map" if mapping else "seq")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(mark=mark, mapping=mapping, anchor=event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        node: Node
        if done.mapping:
            node = Mapping(mark=done.mark, entries=self._entries(done), size=done.size)
        else:
            node = Sequence(mark=done.mark, items=tuple(done.children), size=done.size)
        self._add(node, done.anchor)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        parent.children.append(node)
        parent.size += node.size
        if parent.size > MAX_NODES:
            self._refuse(node.mark, f"the file has more than {MAX_NODES} nodes once its aliases are followed")

    def _entries(self, done: _Open) -> tuple[tuple[Scalar, Node], ...]:
        """The entries of a mapping; `<<` brings in those of other mappings that are not given here."""
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._problems.add(key.mark, "a key must be a plain name")
            elif key.tag == "merge":
                for entry in self._merge(value):
                    merged.setdefault(entry[0].text, entry)
            elif key.text in own:
                first = own[key.text][0].mark
                self._problems.add(
                    key.mark,
                    f"the key {key.text!r} is given twice",
                    f"it stands in line {first.line} already",
                )
            else:
                own[key.text] = (key, value)
        return tuple({**merged, **own}.values())

    def _merge(self, value: Node) -> Iterator[tuple[Scalar, Node]]:
        sources = value.items if isinstance(value, Sequence) else (value,)
        for source in sources:
            if isinstance(source, Mapping):
                yield from source.entries
            else:
                self._problems.add(source.mark, "'<<' takes mappings only")
