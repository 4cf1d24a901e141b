"""What requests made of the OpenAPI document found once."""

import uuid

from gluon.testing.product import GluonServer

PORTS = "/proton/net-l2/v2.0/ports"


def test_a_key_that_is_none_is_refused_where_a_change_is_only_tried_too(server: GluonServer) -> None:
    body = {"project_id": str(uuid.uuid4())}
    for path in (PORTS, f"{PORTS}?dry_run=true"):
        for key in ("k" * 256, "tab\tinside", ""):
            status, answer = server.request("POST", path, body, headers={"idempotency-key": key})
            assert (status, answer["code"]) == (400, "idempotency_key")
