"""Each route that is no model's has its place: open to all who are known, or for operators."""

from typing import Any
from unittest import mock

import falcon.inspect
import pytest

from gluon import errors
from gluon.api import access, lane, routes
from gluon.proton import registry
from gluon.spi.policy import Caller

OPERATED = {
    "/gluon/v1/hosts",
    "/gluon/v1/hosts/{host:path}",
    "/gluon/v1/ports",
    "/gluon/v1/ports/{id}",
    "/gluon/v1/protons/{api}",
    "/gluon/v1/resync",
    "/gluon/v1/status",
    "/metrics",
}
"""For operators. A new route belongs here or to `access.READ`: think of who may use it."""


def test_each_route_has_its_place() -> None:
    app = routes.build(lambda: registry.Registry(()), mock.Mock(), _nobody, mock.Mock())
    found = {route.path for route in falcon.inspect.inspect_routes(app)}
    assert found - access.READ == OPERATED
    assert found >= access.READ
    assert not access.READ & OPERATED


def _nobody(rule: str, caller: Caller) -> bool:
    assert rule == "operate"
    return False


async def asked(template: str | None, method: str, caller: Caller) -> None:
    req: Any = mock.Mock(uri_template=template, method=method, scope={"gluon.caller": caller})
    await access.Access(_nobody).process_resource(req, mock.Mock(), None, {})


@pytest.mark.parametrize("template", [*sorted(OPERATED), "/of/tomorrow"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
async def test_what_is_not_for_all(template: str, method: str) -> None:
    with pytest.raises(errors.Forbidden, match="for operators"):
        await asked(template, method, Caller(user="u", roles=frozenset({"member"})))


async def test_what_is_for_all() -> None:
    caller = Caller(user="u")
    await asked("/proton", "GET", caller)
    await asked("/gluon/v1/protons", "HEAD", caller)
    await asked(None, "GET", caller)
    await asked("/metrics", "GET", lane.NOBODY)
    with pytest.raises(errors.Forbidden):
        await asked("/gluon/v1/protons", "POST", caller)
