"""The backend `fake`: L3VPNs and layer 2 networks in memory that behaves, where there is no Open vSwitch.

In: the desired state. Out: forwarding facts of a `FakeNetwork`, which answers "does A reach B?".
Used by `gluon up`, by tests and by the demo without root.
"""
