"""Whatever is sent, the answer is one of Neutron's: never a 500, never another form."""

from __future__ import annotations

import random
import uuid
from typing import Any
from urllib.parse import quote

from tests.api.neutron.cloud import CALLERS, PROJECT, Cloud

_TIMES = 400
_NAMES = (
    "id", "name", "network_id", "tenant_id", "project_id", "mac_address", "admin_state_up", "status", "device_id",
    "device_owner", "fixed_ips", "description", "binding:vnic_type", "binding:host_id", "binding:profile",
    "binding:vif_type", "security_groups", "port_security_enabled", "tags", "host", "profile", "vnic_type", "limit",
    "marker", "sort_key", "sort_dir", "fields", "page_reverse", "shared", "colour", "subnets", "cidr", "dns_name",
)  # fmt: skip


class Sender:
    """Makes requests of what is known and of what makes no sense."""

    def __init__(self, seed: int, known: list[str]) -> None:
        self._random = random.Random(seed)
        self._words = [
            *known,
            PROJECT,
            "host1",
            "a",
            "",
            "\0",
            "x" * 300,
            "é\u2028",
            "192.0.2.3",
            "::1",
            "-1",
            "1",
            "True",
        ]

    def word(self) -> str:
        return self._random.choice(self._words)

    def value(self, depth: int = 0) -> Any:
        kind = self._random.randrange(9 if depth < 3 else 6)
        if kind < 3:
            return self.word()
        if kind < 6:
            return self._random.choice([None, True, False, 0, -1, 2**63 - 1, 1.5])
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self._random.randrange(3))]
        names = ("ip_address", "subnet_id", "a", "migrating_to", self.word())
        return {self._random.choice(names): self.value(depth + 1) for _ in range(self._random.randrange(3))}

    def body(self) -> Any:
        if self._random.random() < 0.1:
            return self.value()
        inner = {self._random.choice(_NAMES): self.value() for _ in range(self._random.randrange(5))}
        if self._random.random() < 0.5:
            inner["network_id"] = self.word()
        word = self._random.choice(["port", "port", "port", "binding", "ports", "network"])
        return {word: [inner] if word == "ports" else inner}

    def request(self) -> tuple[str, str, str, Any]:
        rolls = self._random
        parts = [
            rolls.choice(["ports", "ports", "ports", "networks", "subnets", "quotas", "security-groups", "x"])
        ]
        parts += [self.word() for _ in range(rolls.choice([0, 1, 1, 1]))]
        if len(parts) > 1 and rolls.random() < 0.3:
            parts += rolls.choice(
                [["bindings"], ["bindings", "host1"], ["bindings", "host1", "activate"], ["tags"]]
            )
        query = "&".join(
            f"{quote(rolls.choice(_NAMES))}={quote(self.word())}" for _ in range(rolls.choice([0, 0, 1, 2]))
        )
        path = "/".join(quote(part, safe="") for part in parts) + (f"?{query}" if query else "")
        method = rolls.choice(["GET", "GET", "POST", "PUT", "PUT", "DELETE", "PATCH"])
        who = rolls.choice(list(CALLERS))
        return who, method, path, self.body() if method in ("POST", "PUT") else None


async def test_no_request_is_too_much(cloud: Cloud) -> None:
    network = await cloud.l2_network("192.0.2.0/24")
    vpn = await cloud.vpn_port()
    wanted = {"port": {"network_id": network["id"], "tenant_id": PROJECT}}
    ports = [(await cloud("user", "POST", "ports", wanted))["port"]["id"] for _ in range(3)]
    known = [*ports, vpn["id"], vpn["network_id"], network["id"], *network["subnets"], str(uuid.uuid4())]
    sender = Sender(7, known)
    for _ in range(_TIMES):
        who, method, path, body = sender.request()
        answer = await cloud.ask(who, method, path, body)
        assert answer.status < 500 or answer.status == 501, (who, method, path, body, answer)
        if answer.status >= 400:
            assert set(answer.body) == {"NeutronError"}, (who, method, path, body, answer)
            assert set(answer.body["NeutronError"]) == {"type", "message", "detail"}, answer
