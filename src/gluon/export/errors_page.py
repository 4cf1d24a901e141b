"""The reference of all errors, as Markdown and as a page of the server.

In: the table of `refusals`. Out: text. `./dev docs` writes the first to `docs/reference/errors.md`; the API serves the
second at `/docs/errors`, where the `type` of each problem document leads.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gluon.export.refusals import Refusal, table
from gluon.export.tables import code, row
from gluon.export.tables import table as tabled

_INTRO = (
    "A refusal changes nothing. Its body is a problem document (RFC 9457), `application/problem+json`: `code` is stable,"
    " `detail` and `hint` are for people, `errors` has every wrong value with a JSON pointer to it, and the log has"
    " more under `request_id`. The `type` is this page with the code behind `#`; the first Gluon's answers (version 1.0)"
    " keep `about:blank`. A `503` and a `429` have `Retry-After`. Hooks of a model may give codes of their own."
)


def markdown() -> str:
    """`docs/reference/errors.md`."""
    return f"# Errors\n\n{_INTRO}\n\n" + tabled(
        ("Code", "Status", "When", "Cure", "Example of a `detail`"), map(_row, table())
    )


def _row(r: Refusal) -> str:
    return row(f'<a id="{r.code}"></a>{code(r.code)}', str(r.status), r.when, r.cure, code(r.example))


def html() -> str:
    """`/docs/errors`: no script, one style sheet of our own."""
    return "".join(_html())


def _html() -> Iterator[str]:
    yield (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Errors · Gluon</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/docs/page.css"></head><body><header><h1><a href="/docs">Gluon</a> errors</h1>'
        f"</header><main><p>{_marked(_INTRO)}</p>"
    )
    for r in table():
        yield (
            f'<section class="error" id="{r.code}"><h2><a href="#{r.code}"><code>{r.code}</code></a>'
            f" <span>{r.status}</span></h2><p>{_marked(r.when)}</p><p><b>Cure:</b> {_marked(r.cure)}</p>"
            f"<pre>{escape(r.example)}</pre></section>"
        )
    yield "</main></body></html>\n"


def _marked(text: str) -> str:
    """Text with `code` in it."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
