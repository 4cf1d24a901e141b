"""The rules that are there before any model or file: names that users of Neutron know. A file may give them anew.

`project_id` and `tenant_id` of an object are both its project.
"""

from __future__ import annotations

from collections.abc import Mapping

from gluon.policy.rulebook import DEFAULT, Source

ADMIN = "context_is_admin"
"""Who may do everything."""
PLACE = "built in"

RULES: Mapping[str, tuple[str, str]] = {
    ADMIN: ("role:admin", "who may do everything, whatever other rules say"),
    "admin_only": (f"rule:{ADMIN}", "the same by another name"),
    "admin": (f"rule:{ADMIN}", "the same by another name"),
    "service_api": ("role:service", "other services, such as Nova"),
    "context_is_advsvc": ("role:advsvc", "services that make ports for users, as Neutron knows them"),
    "admin_or_service": (f"rule:{ADMIN} or rule:service_api", "operators and other services"),
    "owner": ("project_id:%(project_id)s", "callers of the object's project, whatever role they have there"),
    "admin_or_owner": (f"rule:{ADMIN} or rule:owner", "what models of version 1.0 say"),
    "project_reader": ("role:reader and rule:owner", "readers of the object's project"),
    "project_member": ("role:member and rule:owner", "members of the object's project"),
    "project_manager": ("role:manager and rule:owner", "managers of the object's project"),
    "admin_or_project_reader": (f"rule:{ADMIN} or rule:project_reader or rule:project_member", "who may look"),
    "admin_or_project_member": (f"rule:{ADMIN} or rule:project_member", "who may write"),
    "admin_or_project_manager": (f"rule:{ADMIN} or rule:project_manager", "who may do more than members"),
    "admin_or_network_owner": (f"rule:{ADMIN}", "of Neutron; no object here belongs to a network's owner"),
    "admin_owner_or_network_owner": ("rule:admin_or_owner", "of Neutron"),
    "regular_user": ("@", "everyone who is authenticated"),
    "operate": (f"rule:{ADMIN}", "who may look at the server itself and steer it: everything under /gluon/v1"),
    DEFAULT: ("!", "stands for each rule that nobody defines"),
}  # fmt: skip
"""By name: the rule, and whom it means."""


def sources() -> dict[str, Source]:
    return {name: Source(rule=rule, place=PLACE) for name, (rule, _) in RULES.items()}
