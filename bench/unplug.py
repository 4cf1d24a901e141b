"""Takes Gluon out of a Neutron that runs, and puts it back: whatever the core plugin `gluon` adds to the way of a request.

Runs inside of Neutron, which loads it before itself and serves it at `/guest`; `bench.plugin` asks. What `gluon.hosted` subscribes to is
noted while it starts. The threads that follow Gluon, and its objects in memory, stay. Counts of functions are those of one thread: it is for
one worker with one.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from types import FrameType
from typing import Any

import sqlalchemy.event
from neutron_lib.callbacks import registry
from neutron_lib.db import model_query
from neutron_lib.plugins import directory
from paste import urlmap

_ROOM = "gluon.hosted."
_NAME = "gluon"
"""Of the driver, of the network type and of the threads."""


class _Noted:
    """What of Gluon's is given to some functions of Neutron's libraries, until `end`."""

    def __init__(self) -> None:
        self.steps: list[tuple[Callable[[], object], Callable[[], object]]] = []
        """How each is put in, and how it is taken out."""
        self._were: list[tuple[Any, str, Any]] = []
        self._note(registry, "subscribe", _unsubscribe)
        self._note(sqlalchemy.event, "listen", sqlalchemy.event.remove)
        self._note(model_query, "register_hook", _remove_hook)

    def _note(self, module: Any, name: str, undo: Callable[..., object]) -> None:
        do = getattr(module, name)

        def noting(*given: Any, **named: Any) -> None:
            do(*given, **named)
            if any(_is_ours(one) for one in (*given, *named.values())):
                self.steps.append((partial(do, *given, **named), partial(undo, *given)))

        self._were.append((module, name, do))
        setattr(module, name, noting)

    def end(self) -> None:
        for module, name, was in self._were:
            setattr(module, name, was)


def _is_ours(value: object) -> bool:
    return str(getattr(value, "__module__", "")).startswith(_ROOM)


def _unsubscribe(callback: object, resource: str, event: str, *_: object) -> None:
    registry.unsubscribe(callback, resource, event)


def _remove_hook(model: object, name: str) -> None:
    del model_query._model_query_hooks[model][name]


class _Gluon:
    """What there is of it in a process that has started. In a Neutron that is ML2's alone, nothing."""

    def __init__(self, noted: _Noted) -> None:
        noted.end()
        self._steps = noted.steps
        self._core = directory.get_plugin()
        self._kind = self._core.__class__
        self._types = self._core.type_manager.drivers
        self._drivers = self._core.mechanism_manager.mech_drivers
        self._ordered = self._core.mechanism_manager.ordered_mech_drivers
        self._type, self._driver = self._types.get(_NAME), self._drivers.get(_NAME)
        self._is_there = _is_ours(self._kind)
        self._is_in = True

    def put(self, wanted: bool) -> None:
        """Always out and in, in one order or the other: what a change itself makes slower is the same after each."""
        if self._is_there:
            for _ in range(2 if wanted == self._is_in else 1):
                self._change()

    def _change(self) -> None:
        if self._is_in:
            self._core.__class__ = self._kind.__mro__[1]
            del self._types[_NAME], self._drivers[_NAME]
            self._ordered.remove(self._driver)
        else:
            self._core.__class__ = self._kind
            self._types[_NAME], self._drivers[_NAME] = self._type, self._driver
            self._ordered.append(self._driver)
        self._is_in = not self._is_in
        for do, undo in self._steps:
            (do if self._is_in else undo)()


class _Counts:
    """Of this thread: calls of functions, and bytecode instructions, which are the same however full the machine is."""

    def __init__(self) -> None:
        self.calls = 0
        self.ours = 0
        self.instructions = 0

    def count(self, wanted: bool) -> None:
        sys.setprofile(self._see if wanted else None)
        sys.settrace(self._enter if wanted else None)

    def _see(self, frame: FrameType, event: str, argument: object) -> None:
        self.calls += event in {"call", "c_call"}
        self.ours += event == "call" and str(frame.f_globals.get("__name__")).startswith(_ROOM)

    def _enter(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return self._step

    def _step(self, frame: FrameType, event: str, argument: object) -> Any:
        self.instructions += event == "opcode"
        return self._step


class _Depth:
    """How many frames lie below Neutron. Python 3.11 keeps frames in pieces of 16 KB: where a piece ends inside of a loop, each call there maps
    a new one and gives it back, 10 µs. One frame more moves that place, so a plugin seems dear or cheap at each depth by chance."""

    def __init__(self) -> None:
        self.frames = 0
        inner = urlmap.URLMap.__call__

        def below(frames: int, *given: Any) -> Any:
            return below(frames - 1, *given) if frames else inner(*given)

        urlmap.URLMap.__call__ = lambda *given: below(self.frames, *given)


class Guest:
    """Paths: `with` and `without`, `count` and `rest`, `depth/NUMBER`. Each answer tells the CPU seconds of the process when the request came and when
    it was done, those of the threads that follow Gluon, and the calls of functions that were counted."""

    def __init__(self) -> None:
        self._noted = _Noted()
        self._depth = _Depth()
        self._gluon: _Gluon | None = None
        self._counts = _Counts()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        came = time.process_time()
        self._gluon = self._gluon or _Gluon(self._noted)
        match environ["PATH_INFO"].strip("/").split("/"):
            case ["depth", frames]:
                self._depth.frames = int(frames)
            case ["with" | "without" as wanted]:
                self._gluon.put(wanted == "with")
            case ["count" | "rest" as wanted]:
                self._counts.count(wanted == "count")
        said = {**vars(self._counts), "following": _following(), "came": came}
        start_response("200 OK", [("content-type", "application/json")])
        return [json.dumps({**said, "done": time.process_time()}).encode()]


def _following() -> float:
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident is not None and thread.name.startswith(f"{_NAME}-")
    )


def app_factory(_: object, **__: object) -> Guest:
    """As Paste asks for it."""
    return Guest()
