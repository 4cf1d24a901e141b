"""BGP/MPLS L3VPN (RFC 4364): GoBGP as speaker, Open vSwitch as data plane, one shim a host.

`desired` computes rows, `actual` reads them back, `apply` writes a delta, `backend` is the class
behind the entry point; `speaker` (BGP) and `ovs` are the two things programmed.
"""

import os

# grpc's handlers of fork end a child that is made while a call is under way, and ours only ever exec.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
