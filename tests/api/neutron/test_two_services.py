"""A proton with two kinds of services: the one that a port was bound to first is its network."""

from pathlib import Path

from tests.api.neutron.cloud import CALLERS, PROJECT
from tests.api.personas import World, world

_MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-two, version: "1.0", description: Two kinds of services, author: {name: Tests}}
objects:
  Port:
    extends: BasePort
    description: A port.
    api: {name: port, plural_name: ports}
  Interface:
    extends: BaseInterface
    description: Its traffic.
    api: {name: interface, plural_name: interfaces, parent: Port, parent_key: port_id}
    attributes:
      port_id: {type: Port, on_delete: cascade}
"""
_SERVICE = """
  {name}:
    extends: BaseService
    description: A service.
    api: {{name: {low}, plural_name: {low}s}}
    attributes:
      prefixes: {{type: list, default: [], items: {{type: cidr}}, description: Its prefixes.}}
    neutron: {{subnets: prefixes}}
  {name}Binding:
    extends: BaseServiceBinding
    description: An interface in it.
    api: {{name: {low}binding, plural_name: {low}bindings}}
    attributes:
      interface_id: {{type: Interface, on_delete: cascade}}
      service_id: {{type: {name}}}
      address: {{type: ip, description: The address there.}}
"""
_ROOT = "/proton/net-two/v1.0"
_FACE = "/networking/v2.0"


async def _bound(running: World, port: str, kind: str, service: str, address: str) -> None:
    body = {"project_id": PROJECT, "interface_id": port, "service_id": service, "address": address}
    await running.made("nova", f"{_ROOT}/{kind}bindings", body)


async def _seen(running: World, device: str) -> dict[str, tuple[str, list[str]]]:
    """Names of networks, and addresses, of the ports of a machine, by their own names."""
    found = (await running.ask("nova", "GET", f"{_FACE}/ports?device_id={device}")).body["ports"]
    networks = (await running.ask("nova", "GET", f"{_FACE}/networks")).body["networks"]
    names = {one["id"]: one["name"] for one in networks}
    return {
        one["name"]: (names.get(one["network_id"], ""), [a["ip_address"] for a in one["fixed_ips"]])
        for one in found
    }


async def test_the_first_binding_says_the_network(tmp_path: Path) -> None:
    folder = tmp_path / "net-two"
    folder.mkdir()
    kinds = "".join(_SERVICE.format(name=name, low=name.lower()) for name in ("Lan", "Vpn"))
    (folder / "api.yaml").write_text(_MODEL + kinds, encoding="utf-8")
    device = "5f0e6a7c-3c56-4d2e-9d5b-8a1f3f6f2b12"
    async with world(tmp_path, [folder], others=CALLERS) as running:
        services = {}
        for kind, prefix in (("lan", "192.0.2.0/24"), ("vpn", "198.51.100.0/24")):
            body = {"project_id": PROJECT, "name": kind, "prefixes": [prefix]}
            services[kind] = (await running.made("nova", f"{_ROOT}/{kind}s", body))["id"]
        ports = {
            name: (
                await running.made(
                    "nova", f"{_ROOT}/ports", {"project_id": PROJECT, "name": name, "device_id": device}
                )
            )["id"]
            for name in ("a", "b", "c", "d")
        }
        await _bound(running, ports["a"], "lan", services["lan"], "192.0.2.1")
        await _bound(running, ports["a"], "vpn", services["vpn"], "198.51.100.1")
        await _bound(running, ports["b"], "vpn", services["vpn"], "198.51.100.2")
        await _bound(running, ports["b"], "lan", services["lan"], "192.0.2.2")
        await _bound(running, ports["c"], "vpn", services["vpn"], "198.51.100.3")
        assert await _seen(running, device) == {
            "a": ("lan", ["192.0.2.1"]),
            "b": ("vpn", ["198.51.100.2"]),
            "c": ("vpn", ["198.51.100.3"]),
            "d": ("", []),
        }
