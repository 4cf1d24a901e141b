"""Gluon, asked from inside of Neutron: the caller's own token where there is one, else the credentials of `[gluon]`.

In: paths and bodies of Gluon's Neutron face. Out: decoded answers; refusals and silence as exceptions of neutron_lib. Threads share
it. A connection is kept while it is younger than what the server keeps; only requests that may be repeated go over an old one.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from keystoneauth1 import exceptions as auth_exceptions
from keystoneauth1 import loading
from neutron_lib import exceptions
from oslo_config import cfg
from oslo_log import log

from gluon.client.http import ApiError, Client, ClientError
from gluon.hosted import faults, ids, settings

LOG = log.getLogger(__name__)

Body = dict[str, Any]

_IDLE_SECONDS = 2.0
_KEPT = 16
_SILENT_SECONDS = 40.0
"""A watch says something every 15 seconds."""
_PAGE = 500
_AGAIN_SECONDS = (0.2, 0.8, 2.0)
"""For the time in which another process of Gluon takes over."""
_TAKE_BACK_SECONDS, _TAKE_BACK_TIMES = 5.0, 120


class Face:
    """One of a process."""

    def __init__(self) -> None:
        settings.register()
        conf = cfg.CONF[settings.SECTION]
        self._url = conf.url.rstrip("/")
        self._timeout = conf.answer_timeout
        self._auth = loading.load_auth_from_conf_options(cfg.CONF, settings.SECTION)
        self._session = (
            loading.load_session_from_conf_options(cfg.CONF, settings.SECTION, auth=self._auth)
            if self._auth
            else None
        )
        self._idle: list[tuple[float, Client]] = []
        self._lock = threading.Lock()

    def own_token(self) -> str:
        """Of the credentials of `[gluon]`; empty without."""
        if self._session is None:
            return ""
        try:
            return str(self._session.get_token() or "")
        except auth_exceptions.ClientException as error:
            raise exceptions.ServiceUnavailable from error

    def ask(
        self, context: Any, method: str, path: str, body: Any = None, *, own: bool = False, once: str = ""
    ) -> Any:
        """`context`: whose request it is; one without a token, such as a periodic task's, is Neutron's own, as with `own`. `once`: the
        word by which a request that is repeated is known."""
        token = "" if own else str(getattr(context, "auth_token", None) or "")
        headers = {"idempotency-key": once} if once else {}
        request_id = getattr(context, "request_id", None)
        if request_id:
            headers["x-openstack-request-id"] = str(request_id)
        for last in (False, True):
            if given := token or self.own_token():
                headers["x-auth-token"] = given
            try:
                return self._send(method, path, body, headers)
            except ApiError as error:
                if last or token or error.status != 401 or self._session is None:
                    raise faults.made(error) from error
                self._session.invalidate()
            except ClientError as error:
                raise faults.made(error) from error
        return None

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        kept = self._taken()
        client = kept or Client(self._url, timeout=self._timeout)
        try:
            answer = client.request(method, path, body, headers=headers)
        except ApiError:
            self._give_back(client)
            raise
        except ClientError:
            # The server may have been started again since: what may be asked twice is.
            if kept is None or (method == "POST" and "idempotency-key" not in headers):
                raise
            return self._send(method, path, body, headers)
        self._give_back(client)
        return answer

    def _taken(self) -> Client | None:
        oldest = time.monotonic() - _IDLE_SECONDS
        with self._lock:
            while self._idle:
                since, client = self._idle.pop()
                if since >= oldest:
                    return client
                client.close()
        return None

    def _give_back(self, client: Client) -> None:
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append((time.monotonic(), client))
                return
        client.close()

    # -- what is asked ------------------------------------------------------------------------------

    def port(self, context: Any, id: str, *, own: bool = False) -> Body:
        found: Body = self.ask(context, "GET", f"/v2.0/ports/{id}", own=own)["port"]
        return found

    def create_port(self, context: Any, body: Body) -> Body:
        """Asked again where the answer was lost: Gluon knows the request, and may have made the port."""
        once = uuid.uuid4().hex
        for pause in (*_AGAIN_SECONDS, 0.0):
            try:
                made: Body = self.ask(context, "POST", "/v2.0/ports", {"port": body}, once=once)["port"]
            except exceptions.ServiceUnavailable as error:
                if not _is_lost(error.__cause__):
                    raise
                if not pause or isinstance(error.__cause__.__cause__, TimeoutError):
                    self._take_back(ids.of_port(self._project(context), once))
                    raise
                time.sleep(pause)
            else:
                return made
        raise AssertionError

    def _project(self, context: Any) -> str:
        """Of whom Gluon took a request to be."""
        if getattr(context, "auth_token", None):
            return str(context.project_id or "")
        if self._session is None:
            return ""
        try:
            return str(self._session.get_project_id() or "")
        except auth_exceptions.ClientException as error:
            raise exceptions.ServiceUnavailable from error

    def _take_back(self, id: str) -> None:
        """Whoever asked for this port was told that there is none."""

        def delete() -> None:
            for _ in range(_TAKE_BACK_TIMES):
                time.sleep(_TAKE_BACK_SECONDS)
                try:
                    self.delete_port(None, id, own=True)
                except exceptions.NeutronException:
                    continue
                return
            LOG.error("port %s may have been made at Gluon, whose answer was lost", id)

        threading.Thread(target=delete, name="gluon-take-back", daemon=True).start()

    def update_port(self, context: Any, id: str, body: Body) -> Body:
        changed: Body = self.ask(context, "PUT", f"/v2.0/ports/{id}", {"port": body})["port"]
        return changed

    def delete_port(self, context: Any, id: str, *, own: bool = False) -> None:
        """One that is gone already is no fault."""
        try:
            self.ask(context, "DELETE", f"/v2.0/ports/{id}", own=own)
        except exceptions.NotFound:
            return

    def create_binding(self, context: Any, port: str, body: Body) -> Body:
        """One that is there already is taken: Neutron knows of none, or it would not ask."""
        path = f"/v2.0/ports/{port}/bindings"
        try:
            made: Body = self.ask(context, "POST", path, {"binding": body})["binding"]
        except exceptions.Conflict:
            made = self.ask(context, "GET", f"{path}/{_segment(body['host'])}")["binding"]
        return made

    def activate(self, context: Any, port: str, host: str) -> None:
        """One that is active already is no fault: Neutron asks again where its own transaction is tried again."""
        try:
            self.ask(context, "PUT", f"/v2.0/ports/{port}/bindings/{_segment(host)}/activate")
        except exceptions.Conflict as error:
            if not faults.is_active_already(error):
                raise

    def delete_binding(self, context: Any, port: str, host: str) -> None:
        try:
            self.ask(context, "DELETE", f"/v2.0/ports/{port}/bindings/{_segment(host)}")
        except exceptions.NotFound:
            return

    def bound_hosts(self, port: str) -> set[str]:
        found = self.ask(None, "GET", f"/v2.0/ports/{port}/bindings", own=True)["bindings"]
        return {one["host"] for one in found}

    def pages(self, collection: str, more: str = "") -> Iterator[list[Body]]:
        """Every object of a collection, asked for as Neutron itself. `more`: of the query."""
        marker = ""
        while True:
            path = f"/v2.0/{collection}?sort_key=id&limit={_PAGE}{more}{marker}"
            found = self.ask(None, "GET", path, own=True)[collection]
            yield found
            if len(found) < _PAGE:
                return
            marker = f"&marker={found[-1]['id']}"

    def some(self, collection: str, ids: list[str]) -> list[Body]:
        """Those of these ids that there are."""
        found: list[Body] = []
        for start in range(0, len(ids), 100):
            query = "&".join(f"id={one}" for one in ids[start : start + 100])
            found += self.ask(None, "GET", f"/v2.0/{collection}?{query}", own=True)[collection]
        return found

    def protons(self) -> list[Body]:
        """As they are described now."""
        found: list[Body] = self.ask(None, "GET", "/gluon/v1/protons", own=True)["protons"]
        return found

    def watch(self) -> Iterator[Body]:
        """Events of all protons from now on. Raises `ClientError`."""
        headers = {"x-auth-token": token} if (token := self.own_token()) else {}
        with Client(self._url, timeout=_SILENT_SECONDS) as client:
            yield from client.lines("/gluon/v1/watch", headers=headers)


def _is_lost(error: BaseException | None) -> bool:
    """Gluon may have done what its answer would have told of."""
    if isinstance(error, ApiError):
        return error.status in (502, 504)  # of what stands before it
    return isinstance(error, ClientError) and not isinstance(error.__cause__, ConnectionRefusedError)


def _segment(host: str) -> str:
    """What clients name, as one part of a path."""
    return quote(host, safe="")
