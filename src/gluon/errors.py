"""The errors of Gluon, one type per meaning.

    GluonError
    ├── WrongSetting          what the operator has set cannot be used
    ├── ModelError            a model file is wrong; carries every problem with file:line:column
    ├── Rejected              a request is refused; nothing was written
    │   ├── Invalid           400, with every field problem
    │   ├── Unauthorized      401, nobody knows who asks
    │   ├── Forbidden         403
    │   ├── NotFound          404
    │   ├── Expired           410, a place in history that is gone: list again
    │   ├── Conflict          409, taken or still referred to
    │   ├── Stale             412, If-Match does not hold
    │   ├── TooLarge          413
    │   ├── TargetTooLong     414
    │   ├── HeadTooLarge      431
    │   ├── TooMany           429, the project has made all the requests that it may
    │   ├── Reused            422, an Idempotency-Key that stands for another request
    │   └── HookFailed        503, code of the service itself failed or took too long
    ├── Unavailable           503, try again: store down, queue full
    │   ├── TooSlow           a read was ended for its time
    │   └── StaleModel        this process serves an older schema epoch than the database
    ├── OutcomeUnknown        503, the answer to COMMIT was lost and could not be settled
    ├── MigrationRefused      the stored schema cannot take the model without losing data
    ├── BusError              etcd (or the embedded bus) did not do it
    │   ├── BusUnavailable    not reachable now
    │   ├── Compacted         the wanted revision is gone: list again
    │   └── LeaseLost         the lease ended before its holder did
    ├── TryLater              a backend could not act now; the engine retries with back-off
    └── GiveUp                a backend cannot act until its input changes

`api.errors` has the one table from these to HTTP statuses. Every message is for the person who
sent the request: it never holds SQL, a token or a stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GluonError(Exception):
    """Root of all errors that Gluon raises on purpose."""


class WrongSetting(GluonError):
    """What the operator has set cannot be used; nothing was begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProblem:
    """One mistake in a model: `file:line:column` (1-based), what is wrong, how to cure it."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class ModelError(GluonError):
    """One or several model files are wrong."""

    def __init__(self, problems: Sequence[ModelProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One wrong field of a request.

    `pointer` is a JSON pointer (RFC 6901) into the body, or `""` for the body as a whole;
    `message` names field, value and rule; `hint` the cure; `legacy` is the wording of the
    original Gluon where that differs.
    """

    pointer: str
    code: str
    message: str
    hint: str = ""
    legacy: str = ""


class Rejected(GluonError):
    """A request that is refused as it stands. `code` is stable and documented; `problems`: which parts of it are why."""

    code = "rejected"
    problems: tuple[FieldProblem, ...] = ()

    def __init__(self, message: str, *, code: str = "", hint: str = "", legacy: str = "") -> None:
        super().__init__(message)
        self.code = code or self.code
        self.hint = hint
        self.legacy = legacy


class Invalid(Rejected):
    """The body or the arguments break the model's rules."""

    code = "invalid"

    def __init__(self, problems: Sequence[FieldProblem], *, legacy: str = "") -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.message, code=first.code, hint=first.hint, legacy=legacy or first.legacy)


class Unauthorized(Rejected):
    """Nobody knows who asks; `challenge` (of `WWW-Authenticate`) says how to become known."""

    code = "unauthorized"

    def __init__(self, message: str, *, hint: str = "", challenge: str = "") -> None:
        self.challenge = challenge
        super().__init__(message, hint=hint)


class Forbidden(Rejected):
    """The policy does not allow it; `problems` says which fields are the reason, if it is some."""

    code = "forbidden"

    def __init__(
        self,
        message: str,
        *,
        problems: Sequence[FieldProblem] = (),
        code: str = "",
        hint: str = "",
        legacy: str = "",
    ) -> None:
        self.problems = tuple(problems)
        super().__init__(message, code=code, hint=hint, legacy=legacy)


class NotFound(Rejected):
    """No such object for this caller."""

    code = "not_found"


class Expired(Rejected):
    """A place in history that is gone, or of another history."""

    code = "expired"


class Conflict(Rejected):
    """Something stored stands in the way."""

    code = "conflict"


class Stale(Rejected):
    """The object changed since the caller read it."""

    code = "stale"


class TooLarge(Rejected):
    """An object or body over its limit."""

    code = "too_large"


class Reused(Rejected):
    """An Idempotency-Key that stands for another request."""

    code = "idempotency_key"


class TargetTooLong(Rejected):
    """Path and query have more bytes than are read."""

    code = "target_too_long"


class HeadTooLarge(Rejected):
    """The headers have more bytes than are read, or are too many."""

    code = "head_too_large"


class TooMany(Rejected):
    """More requests than the project may make; there is room again after `retry_after` seconds."""

    code = "rate"

    def __init__(self, message: str, *, retry_after: int, hint: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(message, hint=hint)


class HookFailed(Rejected):
    """Code that a model names did not do its work; nothing was written."""

    code = "hook_failed"


class Unavailable(GluonError):
    """Not now; the caller may repeat after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooSlow(Unavailable):
    """A read took longer than reads may; it looks at more than it finds."""


class StaleModel(Unavailable):
    """The database is at another schema epoch than this process."""


class OutcomeUnknown(Unavailable):
    """A write may or may not have happened; the caller has to look."""


class MigrationRefused(GluonError):
    """The database holds what the new model has no place for. `reasons` are one line each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(self.reasons))


class BusError(GluonError):
    """The bus did not do what was asked."""


class BusUnavailable(BusError):
    """No endpoint of the bus answers now."""


class Compacted(BusError):
    """The revision that a watch asked for has been compacted away, or history changed."""


class LeaseLost(BusError):
    """The lease expired or was revoked."""


class TryLater(GluonError):
    """A backend could not act now. `after` is its wish in seconds, 0 for the engine's back-off."""

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class GiveUp(GluonError):
    """A backend cannot act on this input; only a change of the input helps.

    `reason` is one CamelCase word for the condition.
    """

    def __init__(self, message: str, *, reason: str = "Refused") -> None:
        super().__init__(message)
        self.reason = reason
