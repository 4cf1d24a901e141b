"""The one table from errors to HTTP, and the body of every error answer.

Bodies are problem details (RFC 9457) with a stable `code`, all field errors at once and the
request id. For protons of version 1.0 the original's `faultcode`, `faultstring` (its wording for the
first error) and `debuginfo` stand beside them. No answer holds SQL, a token or a stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from gluon import errors
from gluon.api import bodies, message
from gluon.objects import codec

PROBLEM = b"application/problem+json"
EXPLAINED = "/docs/errors"

STATUSES: tuple[tuple[type[errors.GluonError], int, str], ...] = (
    (errors.Invalid, 400, "The request breaks the model's rules"),
    (errors.Unauthorized, 401, "Who asks is not known"),
    (errors.Forbidden, 403, "The policy does not allow this"),
    (errors.NotFound, 404, "No such object"),
    (errors.Expired, 410, "No longer there; list again"),
    (errors.Conflict, 409, "Something stored stands in the way"),
    (errors.Stale, 412, "The object changed since it was read"),
    (errors.TooLarge, 413, "Too large"),
    (errors.TargetTooLong, 414, "Too long"),
    (errors.TooMany, 429, "Too many requests"),
    (errors.HeadTooLarge, 431, "Too large"),
    (errors.Reused, 422, "The key stands for another request"),
    (errors.HookFailed, 503, "The service's own code failed"),
    (errors.Rejected, 400, "The request is refused"),
    (errors.Unavailable, 503, "Not now; try again"),
    (errors.BusError, 503, "Not now; try again"),
)
"""Error, status, title; the first that fits counts. Anything else is a 500 without details."""


_LATER = "send the request again, after the seconds of Retry-After; if it stays so, tell the operator"
_LOOK = "look whether it was written before it is sent again"
_JSON = "send one JSON object in UTF-8: numbers within 64 bits, no NaN, no lone surrogate, nothing nested without end"


class Unsupported(errors.Rejected):
    """415: the body is no JSON by its own word."""

    code = "unsupported_media_type"


class NotAcceptable(errors.Rejected):
    """406: none of the forms that the client takes is served."""

    code = "not_acceptable"


def reply(
    error: Exception, headers: Mapping[bytes, bytes], request_id: str, *, modern: bool = False
) -> message.Reply:
    """The answer to a request with these headers that raised `error`; `modern`: for a proton after 1.0."""
    status, title = _status(error)
    detail, code, hint, legacy = "internal error; the log has it under this request id", "internal", "", ""
    problems: list[dict[str, Any]] = []
    if isinstance(error, errors.Rejected):
        detail, code, hint, legacy = str(error), error.code, error.hint, error.legacy
        problems = [
            {"pointer": p.pointer, "code": p.code, "detail": p.message, "hint": p.hint}
            for p in error.problems
        ]
    elif status == 503:
        detail, code, hint = str(error), "unavailable", _LATER
        if isinstance(error, errors.OutcomeUnknown):
            hint = _LOOK
    kind = PROBLEM if modern or _wants_problem(headers) else message.JSON
    body = {
        "type": type_of(code) if kind is PROBLEM else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        "request_id": request_id,
        "errors": problems,
    }
    if not modern:
        fault = "Client" if status < 500 else "Server"
        body |= {"faultcode": fault, "faultstring": legacy or detail, "debuginfo": None}
    answer = message.Reply(status, codec.encode(body), kind)
    if isinstance(error, errors.Unauthorized) and error.challenge:
        answer.headers.append((b"www-authenticate", error.challenge.encode()))
    if status in (429, 503):
        after = error.retry_after if isinstance(error, errors.Unavailable | errors.TooMany) else 1
        answer.headers.append((b"retry-after", str(after).encode()))
    return answer


def type_of(code: str) -> str:
    """Where a code is explained, relative to whatever was asked for."""
    return f"{EXPLAINED}#{code}"


def _status(error: Exception) -> tuple[int, str]:
    if isinstance(error, Unsupported):
        return 415, "Only JSON is understood"
    if isinstance(error, NotAcceptable):
        return 406, "No such form"
    for kind, status, title in STATUSES:
        if isinstance(error, kind):
            return status, title
    return 500, "Internal error"


def _wants_problem(headers: Mapping[bytes, bytes]) -> bool:
    return PROBLEM in headers.get(b"accept", b"").lower()


_PLAIN = {
    404: ("No such path", "no_such_path"),
    405: ("Not possible here", "method_not_allowed"),
    406: ("No such form", "not_acceptable"),
}
"""Titles and codes of what the original answers in plain text."""


def plain(status: int, text: str, request: message.Request, *, allow: str = "") -> message.Reply:
    """404, 405 and 406 of 1.0 are plain text, as the original's, unless problem details are asked for."""
    headers = [(b"allow", allow.encode())] if allow else []
    if request.modern or _wants_problem(request.headers):
        title, code = _PLAIN.get(status, ("The request is refused", "rejected"))
        body = {
            "type": type_of(code),
            "title": title,
            "status": status,
            "detail": text,
            "code": code,
            "hint": f"possible: {allow}" if allow else "",
            "request_id": request.id,
            "errors": [],
        }
        return message.Reply(status, codec.encode(body), PROBLEM, headers)
    return message.Reply(status, text.encode() + b"\n", message.TEXT, headers)


def json_body(request: message.Request, *others: bytes) -> dict[str, Any]:
    """The JSON object of a request; `others`: further content types that will do. Raises `Unsupported` or `Invalid`."""
    given = request.headers.get(b"content-type", b"")
    if given != message.JSON:
        _check_type(given, others)
    return decoded(request.body)


def decoded(body: bytes) -> dict[str, Any]:
    """A body that is a JSON object. Raises `Invalid`."""
    if not body.strip():
        raise _bad_body("the body is empty", "send a JSON object", 'Missing argument: "body"')
    try:
        value = codec.decode(body)
    except (ValueError, RecursionError) as error:
        raise _bad_body(
            f"the body is no JSON: {error}", _JSON, "Request is not in valid JSON format"
        ) from error
    if not isinstance(value, dict):
        raise _bad_body(
            f"the body is a JSON {_kind(value)}, not an object",
            "send a JSON object of attributes",
            "Request is not in valid JSON format",
        )
    bodies.check(body, value)
    return value


def _check_type(given: bytes, others: Sequence[bytes]) -> None:
    kind = given.split(b";", 1)[0].strip().lower()
    if kind != message.JSON and kind not in others:
        shown = kind.decode("latin-1") or "none"
        raise Unsupported(
            f"content type '{shown}' is not understood",
            hint="send Content-Type: application/json",
            legacy=f"Unknown mimetype: {shown}",
        )


def _bad_body(text: str, hint: str, legacy: str) -> errors.Invalid:
    return errors.Invalid(
        [errors.FieldProblem(pointer="", code="body", message=text, hint=hint, legacy=legacy)]
    )


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def no_arguments(request: message.Request) -> None:
    """1.0 resources take no query arguments. Raises `Invalid` naming the first."""
    if request.query:
        name = unquote_plus(request.query.split(b"&", 1)[0].split(b"=", 1)[0].decode("latin-1"))[:100]
        raise errors.Invalid(
            [
                errors.FieldProblem(
                    pointer="",
                    code="argument",
                    message=f"unknown query argument '{name}'",
                    hint="this resource takes none",
                    legacy=f'Unknown argument: "{name}"',
                )
            ]
        )
