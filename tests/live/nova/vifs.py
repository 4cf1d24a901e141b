"""Asks the installed Nova to plug VIFs: what its libvirt driver makes of each, by os-vif or by itself.

In, as JSON on standard input: a list of `[vif_type, vif_details, vnic_type, profile]`. Out: for each `made`, the class and the
plugin of os-vif (null: libvirt's driver plugs it by itself), and `libvirt`, its configuration; or `error`. Runs under the Python that has Nova, without libvirt. Called by `test_vifs` only.
"""

import json
import os
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "true"

import os_vif  # noqa: E402
from nova import objects  # noqa: E402
from nova.conf import CONF  # noqa: E402
from nova.network import model, os_vif_util  # noqa: E402
from nova.virt.libvirt import vif  # noqa: E402

PORT = "64de92e5-528d-8fc9-95ba-e4843da89ab9"


def main() -> None:
    objects.register_all()
    os_vif.initialize()
    vif.pci_utils.get_ifname_by_pci_address = lambda *_: "eth9"  # the device is another machine's
    driver = vif.LibvirtGenericVIFDriver(host=None)
    print(json.dumps([plug(driver, *asked) for asked in json.load(sys.stdin)]))


def plug(driver: Any, kind: str, details: dict[str, Any], vnic_type: str, profile: dict[str, Any]) -> Any:
    instance = objects.Instance(
        uuid=PORT,
        project_id="p",
        display_name="machine",
        flavor=objects.Flavor(name="small", memory_mb=64, vcpus=1, extra_specs={}),
        system_metadata={},
        host="host1",
    )
    image = objects.ImageMeta.from_dict({"properties": {}})
    try:
        wanted = described(kind, details, vnic_type, profile)
        made = os_vif_util.nova_to_osvif_vif(wanted)
        told = driver.get_config(instance, wanted, image, instance.flavor, "kvm").to_xml()
    except Exception as error:  # noqa: BLE001 - whatever Nova says is the answer
        return {"error": f"{type(error).__name__}: {error}"}
    return {"made": None if made is None else [type(made).__name__, made.plugin], "libvirt": told}


def described(kind: str, details: dict[str, Any], vnic_type: str, profile: dict[str, Any]) -> Any:
    """As `nova.network.neutron` makes it of a port."""
    addresses = [model.FixedIP(address="192.0.2.5")]
    network = model.Network(
        id="c57f52f0-8ced-51bd-a8c3-96c7a941a519",
        bridge=details.get("bridge_name", CONF.neutron.ovs_bridge)[:14] if "ovs" in kind else None,
        label="blue",
        subnets=[model.Subnet(cidr="192.0.2.0/24", ips=addresses)],
        mtu=1400,
    )
    return model.VIF(
        id=PORT,
        address="fa:16:3e:00:00:01",
        network=network,
        type=kind,
        details=details,
        devname=f"tap{PORT[:11]}",
        vnic_type=vnic_type,
        profile=profile,
    )


if __name__ == "__main__":
    main()
