"""Gluon: network service APIs from YAML models, and the arbiter of their ports.

The rooms and their order are in ARCHITECTURE.md; `.importlinter` checks them.
"""
