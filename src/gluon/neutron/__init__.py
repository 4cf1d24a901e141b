"""Neutron's objects made of those of protons, and changes of them turned into changes of protons.

Networks are services, subnets their prefixes, ports the ports of all protons. Nothing is stored here that a proton has
not; no HTTP, no SQL. Called by `api.neutron`.
"""
