"""What shims say, and what is made of it.

`Report` is the value of a `/status/…` key: reply to bindings and status of an object in one.
`Registration` is the value of a `/gluon/shim/…` key. `WantedBinding` is the value of a
`/gluon/binding/…` key, the only thing a shim needs to know of the arbiter. All are hostile input
to the side that reads them: decode with `decode_report` and friends, which raise `ValueError`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MAX_REPORT = 64 * 1024
"""Most bytes of a report that is believed."""

MAX_CONTROLLER = 64
MAX_HOST = 255

READY = "Ready"
PROGRAMMED = "Programmed"
NORMAL = "normal"
"""The `vnic_type` of a port that says none."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As in Kubernetes: `type` and `reason` are CamelCase words, `since` UTC ISO 8601."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str = ""
    message: str = ""
    since: str = ""


class BindingReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer for one host. Either `vif_type` (and details) or `refused` (the reason, with `message`).

    `up`: the VIF is plugged, flows are in and routes announced. `ready`: of a binding that is not active, the VIF is plugged.
    `failed`: why what was bound cannot be served as things are, with `message`; the answer stands all the same.
    """

    epoch: int
    vif_type: str = ""
    vif_details: dict[str, Any] = {}
    refused: str = ""
    message: str = ""
    up: bool = False
    ready: bool = False
    failed: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Value of `/status/<controller>/<shard>/<api>/<ObjectType>/<key>`."""

    observed_revision: int
    conditions: tuple[Condition, ...] = ()
    bindings: dict[str, BindingReport] = {}


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Value of `/gluon/shim/<controller>/<instance>`.

    `apis` maps a proton's name to the model versions understood (empty: all); `hosts` are the
    shards served, or `["*"]`; `vnic_types` empty means all; `deadline` in seconds; `refused` says, for each proton
    whose objects cannot be shown in a version that is understood, why.
    """

    controller: str
    instance: str
    backend: str
    apis: dict[str, tuple[str, ...]]
    hosts: tuple[str, ...]
    vnic_types: tuple[str, ...] = ()
    level: int = 0
    deadline: float = 30.0
    refused: dict[str, str] = {}

    def too_long(self) -> str:
        """Which name is longer than there is room for, or empty text."""
        if len(self.controller) > MAX_CONTROLLER:
            return f"the controller's name has {len(self.controller)} characters, at most {MAX_CONTROLLER}"
        long = next((host for host in self.hosts if len(host) > MAX_HOST), None)
        return "" if long is None else f"host '{long[:64]}…' has {len(long)} characters, at most {MAX_HOST}"


class WantedBinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Value of `/gluon/binding/<api>/<port>/<host>`. `controllers` are those assigned, by level."""

    epoch: int
    revision: int
    active: bool = True
    vnic_type: str = NORMAL
    profile: dict[str, Any] = {}
    device_id: str = ""
    controllers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Equal bindings are equal bytes: msgspec leaves out what *is* the default, not what equals it."""
        if self.vnic_type == NORMAL:
            msgspec.structs.force_setattr(self, "vnic_type", NORMAL)


_report = msgspec.json.Decoder(Report)
_registration = msgspec.json.Decoder(Registration)
_binding = msgspec.json.Decoder(WantedBinding)


def decode_report(data: bytes) -> Report:
    """Raises `ValueError` if it is no report or over `MAX_REPORT` bytes."""
    if len(data) > MAX_REPORT:
        raise ValueError(f"report of {len(data)} bytes, at most {MAX_REPORT} are read")
    return _report.decode(data)


def decode_believed(data: bytes) -> Report:
    """A report that was believed and written down again, perhaps with more digits."""
    return _report.decode(data)


def decode_registration(data: bytes) -> Registration:
    """Raises `ValueError`."""
    return _registration.decode(data)


def decode_binding(data: bytes) -> WantedBinding:
    """Raises `ValueError`."""
    return _binding.decode(data)
