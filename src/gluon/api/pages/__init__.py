"""The page that shows what the API can do, from its OpenAPI documents, without anything of another server.

In: nothing. Out: replies with HTML, CSS and a script of our own, and headers that allow no other. They are no secret and
have no data: who looks at them brings the token with which the page reads the documents. Called by `routes`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gluon.api import message

FOLDER = Path(__file__).parent
PATHS = ("/docs", "/docs/errors", "/docs/page.css", "/docs/page.js")
"""Open to everybody."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)
_KINDS = {
    "/docs": ("index.html", b"text/html; charset=utf-8"),
    "/docs/page.css": ("page.css", b"text/css; charset=utf-8"),
    "/docs/page.js": ("page.js", b"text/javascript; charset=utf-8"),
}


@cache
def _content(path: str) -> tuple[bytes, bytes]:
    if path == "/docs/errors":
        from gluon.export import errors_page

        return errors_page.html().encode(), b"text/html; charset=utf-8"
    name, kind = _KINDS[path]
    return (FOLDER / name).read_bytes(), kind


def of(path: str) -> message.Reply:
    """What stands at one of `PATHS`."""
    content, kind = _content(path)
    return message.Reply(200, content, kind, list(HEADERS))
