"""The end of a binding that carries no traffic: where Neutron deletes its row, Gluon is asked to end it first.

Neutron has no callback for this, so its rows are watched as SQLAlchemy deletes them. Then the port is loaded, as its revision grows with it:
whose it is costs no statement. It is the same with the core plugin and with ML2. Gluon is asked inside of the transaction: a refusal
undoes it. `driver` subscribes.
"""

from __future__ import annotations

from typing import Any

from neutron.plugins.ml2 import models
from neutron_lib import constants
from oslo_context import context as contexts
from sqlalchemy import event, orm

from gluon.hosted import ids, said
from gluon.hosted.face import Face


class Endings:
    """Of one process."""

    def __init__(self, face: Face) -> None:
        self._face = face

    def subscribe(self) -> None:
        event.listen(models.PortBinding, "before_delete", self.before_delete)

    def before_delete(self, mapper: Any, connection: Any, row: Any) -> None:
        port = row.port
        if port is None or not ids.is_gluons(port.network_id) or not _is_bound(port):
            return
        # That of the request, or of the thread that keeps the shadows; SQLAlchemy knows of neither.
        context = contexts.get_current()
        if context is not None and said.follows(context):
            return
        if port not in orm.object_session(row).deleted:
            self._face.delete_binding(context, row.port_id, row.host)


def _is_bound(port: Any) -> bool:
    """One that is not has no binding at Gluon, either."""
    return any(row.host for row in port.port_bindings if row.status == constants.ACTIVE)
