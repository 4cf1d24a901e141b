"""Is this VIF something that Nova's os-vif understands? Replies of shims are hostile input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.objects import codec

TYPES = frozenset(
    {
        "ovs",
        "vhostuser",
        "tap",
        "hw_veb",
        "hostdev_physical",
        "macvtap",
        "ib_hostdev",
        "vrouter",
        "agilio_ovs",
        "802.1qbh",
    }
)
"""`vif_type` values of nova/network/model.py that a shim may answer. Never `bridge`, which makes
the hypervisor build a bridge of its own."""

MAX_DETAILS = 16 * 1024
MAX_DEPTH = 4


def problem(vif_type: str, details: Mapping[str, Any]) -> str:
    """What is wrong with a reply; empty if it can be believed."""
    if vif_type not in TYPES:
        return f"vif_type '{vif_type[:64]}' is none of {', '.join(sorted(TYPES))}"
    return problem_of_part(vif_type, details)


def problem_of_part(vif_type: str, details: Mapping[str, Any]) -> str:
    """The same for the reply of one of several controllers, which need not name a type."""
    if vif_type and vif_type not in TYPES:
        return problem(vif_type, details)
    if _depth(details) > MAX_DEPTH:
        return f"vif_details nest deeper than {MAX_DEPTH}"
    size = len(codec.encode(details))
    if size > MAX_DETAILS:
        return f"vif_details have {size} bytes, at most {MAX_DETAILS}"
    if vif_type == "ovs" and not isinstance(details.get("bridge_name", ""), str):
        return "vif_details.bridge_name is no text"
    return ""


def _depth(value: object, level: int = 0) -> int:
    if level > MAX_DEPTH:
        return level
    inner = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    )
    return max((_depth(v, level + 1) for v in inner), default=level)
