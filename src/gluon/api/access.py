"""Who may use a route that is no model's: all who are known, or those of the rule `operate`.

Invariant: a route that stands in no table needs `operate`. Asked by Falcon before each handler; `routes` makes the
routes, a test sees that each has its place here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import falcon
import falcon.asgi

from gluon import errors
from gluon.api import lane, pages
from gluon.spi import policy

Allowed = Callable[[str, policy.Caller], bool]
"""Whether a rule about no object is true of a caller."""

RULE = "operate"

READ = frozenset({
    "/",
    "/proton",
    "/proton/{api}",
    "/proton/{api}/{version}",
    "/{api}",
    "/{api}/{version}",
    "/gluon/v1/openapi.json",
    "/gluon/v1/protons",
    "/gluon/v1/protons/{api}/{version}/openapi.json",
    "/healthz",
    "/readyz",
    *pages.PATHS,
})  # fmt: skip
"""What all who are known may read."""
_WRITTEN = frozenset({"/gluon/v1/protons"})
"""Those of them that can be written too; the others refuse that themselves."""
_OBJECTS = frozenset({
    "/gluon/v1/changesets",
    "/gluon/v1/changesets/{id}",
    "/gluon/v1/changesets/{id}/apply",
    "/gluon/v1/changesets/{id}/undo",
    "/gluon/v1/quotas/{project:path}",
})  # fmt: skip
"""What asks the rules of each object that it shows or changes, or who may see it."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """A middleware of Falcon."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    async def process_resource(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resource: object, params: dict[str, Any]
    ) -> None:
        """Raises `Forbidden`."""
        template, caller = req.uri_template, req.scope["gluon.caller"]
        if template is None or caller is lane.NOBODY:
            return  # no path at all; or one that the guard holds open
        if template in _OBJECTS:
            return
        if template in READ and (req.method in _READING or template not in _WRITTEN):
            return
        if not self._allowed(RULE, caller):
            raise errors.Forbidden(
                f"{req.method} {template} is for operators",
                hint=f"the rule {RULE} of the policy says who is one: by default those with the role admin",
            )
