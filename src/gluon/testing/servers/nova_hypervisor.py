"""nova-compute with a hypervisor that has no machines, and treats their NICs as libvirt does.

`nova_hypervisor.py FOLDER --config-file FILE`: beside the fake driver of Nova it takes the same VIF types as libvirt's, waits for
Nova's event where that waits, and keeps a file `FOLDER/<port>` for each NIC that is plugged, as an agent of the host would see it.
While there is a file `FOLDER.hold` it plugs nothing, and says in it who waits.
Runs under the Python of another virtual environment, which has Nova and not Gluon. Called by `nova` only.
"""

import sys
import time
import uuid
from pathlib import Path
from typing import Any

from nova.cmd import compute as program  # first: it decides how threads are made
from nova.network import os_vif_util
from nova.virt import fake
from oslo_config import cfg

PLUGS = Path(sys.argv.pop(1))
HOLD = PLUGS.with_name(f"{PLUGS.name}.hold")
WITHOUT_OS_VIF = {
    *("iovisor", "802.1qbg", "802.1qbh", "hw_veb", "hostdev_physical"),
    *("macvtap", "midonet", "tap", "ib_hostdev"),
}


class Driver(fake.FakeDriver):  # type: ignore[misc]
    """Arguments have the places and names that Nova's manager uses."""

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        for vif in network_info or ():
            if os_vif_util.nova_to_osvif_vif(vif) is None and vif["type"] not in WITHOUT_OS_VIF:
                raise fake.exception.InternalError(f"Unexpected vif_type={vif['type']}")
            (PLUGS / vif["id"]).touch()

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        for vif in network_info or ():
            (PLUGS / vif["id"]).unlink(missing_ok=True)
            self._interfaces.pop(vif["id"], None)

    def plug_and_wait(self, instance: Any, network_info: Any) -> None:
        """An inactive VIF has to become active before the machine runs."""
        waited = [
            ("network-vif-plugged", vif["id"]) for vif in network_info or () if not vif.get("active", True)
        ]
        try:
            with self.virtapi.wait_for_instance_event(
                instance, waited, timeout=cfg.CONF.vif_plugging_timeout, error_callback=self.failed
            ):
                self.hold(instance)
                self.plug_vifs(instance, network_info)
        except Exception as error:
            self.unplug_vifs(instance, network_info)
            if isinstance(error, fake.exception.InstanceEventTimeout):
                raise fake.exception.VirtualInterfaceCreateException from error
            raise

    def hold(self, instance: Any) -> None:
        if HOLD.exists():
            HOLD.write_text(instance.uuid)
            while HOLD.exists():
                time.sleep(0.05)

    def failed(self, event_name: str, instance: Any) -> None:
        raise fake.exception.VirtualInterfaceCreateException

    def spawn(
        self, context: Any, instance: Any, *arguments: Any, network_info: Any = None, **more: Any
    ) -> None:
        self.plug_and_wait(instance, network_info)
        super().spawn(context, instance, *arguments, network_info=network_info, **more)

    def reboot(self, context: Any, instance: Any, network_info: Any, reboot_type: str, **more: Any) -> None:
        if reboot_type.lower() == "hard":
            self.unplug_vifs(instance, network_info)
            self.plug_vifs(instance, network_info)
        super().reboot(context, instance, network_info, reboot_type, **more)

    def destroy(self, context: Any, instance: Any, network_info: Any, *arguments: Any, **more: Any) -> None:
        self.unplug_vifs(instance, network_info)
        super().destroy(context, instance, network_info, *arguments, **more)

    def attach_interface(self, context: Any, instance: Any, image_meta: Any, vif: Any) -> None:
        self.plug_vifs(instance, [vif])
        super().attach_interface(context, instance, image_meta, vif)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        self.unplug_vifs(instance, [vif])
        self._interfaces.setdefault(vif["id"], vif)
        super().detach_interface(context, instance, vif)

    def migrate_disk_and_power_off(
        self, context: Any, instance: Any, dest: Any, flavor: Any, network_info: Any, *rest: Any, **more: Any
    ) -> None:
        self.unplug_vifs(instance, network_info)

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        disk_info: Any,
        network_info: Any,
        *rest: Any,
        **more: Any,
    ) -> None:
        self.plug_vifs(instance, network_info)  # without waiting, as libvirt
        super().finish_migration(context, migration, instance, disk_info, network_info, *rest, **more)

    def finish_revert_migration(
        self, context: Any, instance: Any, network_info: Any, *rest: Any, **more: Any
    ) -> None:
        self.plug_and_wait(instance, network_info)
        super().finish_revert_migration(context, instance, network_info, *rest, **more)

    def pre_live_migration(
        self, context: Any, instance: Any, disks: Any, network_info: Any, *rest: Any, **more: Any
    ) -> Any:
        """At the target."""
        self.plug_vifs(instance, network_info)
        return super().pre_live_migration(context, instance, disks, network_info, *rest, **more)

    def rollback_live_migration_at_destination(
        self, context: Any, instance: Any, network_info: Any, *rest: Any, **more: Any
    ) -> None:
        self.unplug_vifs(instance, network_info)

    def post_live_migration_at_source(self, context: Any, instance: Any, network_info: Any) -> None:
        self.unplug_vifs(instance, network_info)

    # -- a node is the same after a restart ---------------------------------------------------

    def get_available_resource(self, nodename: str) -> Any:
        return {**super().get_available_resource(nodename), "uuid": node_id(nodename)}

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {node_id(name): name for name in self.get_available_nodes()}


def node_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


if __name__ == "__main__":
    sys.modules["nova.virt.plugging"] = sys.modules["__main__"]  # drivers are looked up there only
    program.main()
