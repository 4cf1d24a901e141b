"""What tests, demo and benches run real servers and real packets with.

`servers` (private PostgreSQL, MariaDB, etcd), `lab` (namespaces as hosts, Open vSwitch, BGP),
`hypervisor` (plugs a VM as os-vif does), `fixtures` (the pytest plug-in that offers them).
Everything lives in temporary folders, on free loopback ports or in own namespaces, and ends with
the process that started it.
"""
