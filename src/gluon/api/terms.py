"""The terms that a client puts to a change: `?dry_run=true`, the header `Idempotency-Key`.

In: a request, and how its answer is made of the unit's result. Out: `terms.Terms`, None for most. Called by `resources`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

from gluon import errors
from gluon.api import errors as answers
from gluon.api import message
from gluon.proton import terms
from gluon.spi import policy

HEADER = b"idempotency-key"
DRY_RUN = "dry_run"
_REPLAYED = (b"idempotency-replayed", b"true")
_WORD = re.compile(rb'[\x21\x23-\x7e]{1,255}|"[\x20\x21\x23-\x7e]{1,255}"').fullmatch
_TRUTH = {"true": True, "false": False}

Answers = Callable[[Any], message.Reply]


def of(
    request: message.Request, answer: Answers, *, own: Collection[str] = (), tried: bool = True
) -> terms.Terms | None:
    """Raises `Invalid` for a query or a key that is none. `own`: arguments that somebody else reads; `tried`: the
    change can be tried."""
    known = {DRY_RUN} if tried and request.modern else set()
    dry_run = _arguments(request, known, own).get(DRY_RUN)
    if dry_run is not None and dry_run not in _TRUTH:
        raise _wrong("argument", f"dry_run is true or false, not '{dry_run[:40]}'", "say dry_run=true")
    word = request.headers.get(HEADER)
    kept = None if word is None else once(request, word, answer)
    if dry_run is not None and _TRUTH[dry_run]:
        return terms.Terms(dry_run=True)
    return None if kept is None else terms.Terms(once=kept)


def _arguments(request: message.Request, known: Collection[str], own: Collection[str]) -> dict[str, str]:
    """The query arguments but for `own`, each once. Raises `Invalid` for one that is not known."""
    if not (known or own):
        answers.no_arguments(request)
    found: dict[str, str] = {}
    for name, value in _pairs(request):
        if name in own:
            continue
        if name in known and name not in found:
            found[name] = value
            continue
        said = "is given twice" if name in known else "is not known"
        raise _wrong(
            "argument",
            f"query argument '{name[:100]}' {said}",
            f"known here: {', '.join(sorted({*known, *own}))}",
        )
    return found


def _pairs(request: message.Request) -> list[tuple[str, str]]:
    return parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)


def keys(request: message.Request, name: str) -> list[str]:
    """The keys of objects in the argument `name`, which may be repeated. Raises `Invalid` where there is none."""
    found = list(dict.fromkeys(value for argument, value in _pairs(request) if argument == name))
    if not found:
        raise _wrong("required", f"no {name} says what to delete", f"give {name}=<key>, as often as you like")
    return found


def replayed(answer: terms.Answer) -> message.Reply:
    """What was answered before, and that it was."""
    tag = [(b"etag", b'"%d"' % answer.tag)] if answer.tag else []
    return message.Reply(answer.status, answer.body, headers=[*tag, _REPLAYED])


def word_of(given: bytes) -> str:
    """What an `Idempotency-Key` says. Raises `Invalid`."""
    if _WORD(given) is None:
        shown = given.decode("latin-1")[:40]
        raise _wrong(
            "idempotency_key", f"Idempotency-Key '{shown}' is none", "send 1 to 255 visible ASCII characters"
        )
    return given.strip(b'"').decode("ascii")


def ports_once(caller: policy.Caller, given: bytes, body: bytes) -> terms.Once:
    """The same for new ports of the Neutron face, whatever its path. A key is a project's there, as the ids that are made of it are; no
    answer is kept, as the ports are shown as they are then."""
    whose = f"ports\0{caller.project or ''}"
    return terms.Once(
        owner=hashlib.blake2b(whose.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        key=word_of(given),
        digest=hashlib.blake2b(body, digest_size=16).hexdigest(),
        answer=lambda _: terms.Answer(status=201),
    )


def once(request: message.Request, word: bytes, answer: Answers) -> terms.Once:
    """What an Idempotency-Key asks for. Raises `Invalid` for what is none."""
    key = word_of(word)

    def told(result: Any) -> terms.Answer:
        reply = answer(result)
        tag = next((int(value.strip(b'"')) for name, value in reply.headers if name == b"etag"), 0)
        return terms.Answer(status=reply.status, tag=tag, body=reply.body)

    caller = request.caller
    whose = f"{caller.user}\0{caller.project or ''}"
    whole = b"\0".join(
        [
            request.method.encode(),
            "/".join(request.path).encode("utf-8", "surrogatepass"),
            request.query,
            request.body,
        ]
    )
    return terms.Once(
        owner=hashlib.blake2b(whose.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        key=key,
        digest=hashlib.blake2b(whole, digest_size=16).hexdigest(),
        answer=told,
    )


def _wrong(code: str, text: str, hint: str) -> errors.Invalid:
    return errors.Invalid([errors.FieldProblem(pointer="", code=code, message=text, hint=hint)])
