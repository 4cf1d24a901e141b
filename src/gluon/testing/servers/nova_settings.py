"""The settings files of a private Nova and its Placement. Pure: text out of where everything is. Called by `nova`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CATALOG = """\
region_name = one
valid_interfaces = public
"""

_NOVA = """\
[DEFAULT]
my_ip = 127.0.0.1
state_path = {folder}
transport_url = {rabbit}
compute_driver = plugging.Driver
vif_plugging_timeout = {plug_timeout}
vif_plugging_is_fatal = true
rpc_response_timeout = 120
report_interval = 3
update_resources_interval = 5
running_deleted_instance_poll_interval = 0
image_cache_manager_interval = 0
{host}
[api]
auth_strategy = keystone
[api_database]
connection = {database}nova_api
[database]
connection = {database}nova
[keystone_authtoken]
www_authenticate_uri = {keystone}
service_token_roles_required = true
{user}
[placement]
{user}
[neutron]
{user}
[service_user]
send_service_user_token = true
{user}
[glance]
valid_interfaces = public
region_name = one
[compute]
live_migration_wait_for_vif_plug = true
[quota]
instances = -1
cores = -1
[oslo_concurrency]
lock_path = {folder}/locks
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 2
[filter_scheduler]
build_failure_weight_multiplier = 0
[conductor]
workers = 1
[vnc]
enabled = false
"""

_PLACEMENT = """\
[placement_database]
connection = {database}placement
sync_on_startup = true
[api]
auth_strategy = keystone
[keystone_authtoken]
www_authenticate_uri = {keystone}
{user}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the parts are, and what Nova's user is to Keystone. `database` ends where a database's name begins."""

    keystone: str
    section: Mapping[str, str]
    rabbit: str
    database: str
    plug_timeout: int


def of_nova(places: Places, folder: Path, *, host: str = "") -> str:
    """`nova.conf` of one host's compute service, or of all else."""
    return _NOVA.format(
        folder=folder,
        rabbit=places.rabbit,
        plug_timeout=places.plug_timeout,
        host=f"host = {host}\n" if host else "",
        database=places.database,
        keystone=places.keystone,
        user=_user(places),
    )


def of_placement(places: Places) -> str:
    """`placement.conf`."""
    return _PLACEMENT.format(database=places.database, keystone=places.keystone, user=_user(places))


def node_id(host: str) -> str:
    """Of the one node of a host: the same after a restart."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, host))


def _user(places: Places) -> str:
    return "".join(f"{name} = {value}\n" for name, value in places.section.items()) + _CATALOG
