"""The port arbiter: who owns each port, which controllers bind it where, and what came of it.

Port facts, registrations of shims and their replies enter; rows of `gluon_port`, `gluon_binding`
and `gluon_status` and wanted bindings leave, always in the unit of the proton's own rows. Knows
no backend. Imported by the API and the mains.
"""
