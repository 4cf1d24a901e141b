"""Which extensions of Neutron the face has: one list for all ports, as Nova keeps it for ten minutes.

An alias stands here only if what it promises holds for every proton: forms of web pages ask for whatever there is an extension for.
"""

from __future__ import annotations

from typing import Any

_NAMES = {
    "agent": ("agent", "Agents, of which there are none."),
    "availability_zone": ("Availability Zone", "Shown, empty."),
    "binding": ("Port Binding", "Where a port is bound, and how it is plugged."),
    "binding-extended": ("Port Bindings Extended", "Several bindings of a port, for live migration."),
    "empty-string-filtering": ("Empty String Filtering Extension", "Filters by the empty text."),
    "external-net": ("Neutron external network", "Shown, false."),
    "filter-validation": ("Filter parameters validation", "Unknown filters are refused."),
    "ip_allocation": ("IP Allocation", "Whether a port has addresses."),
    "ip-substring-filtering": ("IP address substring filtering", "Filters by parts of addresses."),
    "net-mtu": ("Network MTU", "The largest packet of a network."),
    "pagination": ("Pagination support", "Pages of lists."),
    "project-id": ("project_id field enabled", "Beside tenant_id."),
    "provider": ("Provider Network", "Shown, null."),
    "quotas": ("Quota management support", "Shown, unlimited: protons have quotas of their own."),
    "revision-if-match": (
        "If-Match constraints based on revision_number",
        "Of ports, but for those of other owners.",
    ),
    "security-group": ("security-group", "Lists of them, empty."),
    "sorting": ("Sorting support", "Lists in an order."),
    "standard-attr-description": ("standard-attr-description", "Where a proton has one."),
    "standard-attr-revisions": ("Resource revision numbers", "A number that grows with each change."),
    "standard-attr-timestamp": ("Resource timestamps", "When a resource was made and changed."),
}


def shown(alias: str) -> dict[str, Any]:
    name, description = _NAMES[alias]
    return {
        "alias": alias,
        "name": name,
        "description": description,
        "links": [],
        "updated": "2026-01-01T00:00:00-00:00",
    }


ALIASES = tuple(_NAMES)
