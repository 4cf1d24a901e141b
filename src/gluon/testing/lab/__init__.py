"""Hosts, switches and BGP speakers on one machine, with real packets.

`Lab` makes network namespaces play hosts and VMs (`Host`), `OvsInstance` gives a host its own Open
vSwitch, `GobgpDaemon` its own speaker; `RouteReflector` connects those. `ping`, `ask_name` and
`Capture` say what really passes. Needs root; `unmet_needs` says what is missing.
"""

from gluon.testing.lab.bgp import GobgpDaemon, RouteReflector
from gluon.testing.lab.capture import Capture
from gluon.testing.lab.host import Host
from gluon.testing.lab.lab import Lab
from gluon.testing.lab.needs import LabUnavailable, unmet_needs
from gluon.testing.lab.ovs import OvsInstance
from gluon.testing.lab.reach import NameServer, ask_name, ping

__all__ = [
    "Capture",
    "GobgpDaemon",
    "Host",
    "Lab",
    "LabUnavailable",
    "NameServer",
    "OvsInstance",
    "RouteReflector",
    "ask_name",
    "ping",
    "unmet_needs",
]
