"""GoBGP's gRPC messages, as far as an L3VPN needs them, and their translation.

`gobgp.proto` holds names and field numbers of GoBGP 3.x; `gobgp_pb2` is generated from it by
`scripts/stubs.sh`; `codec` translates routes. Only `speaker` imports this package.
"""
