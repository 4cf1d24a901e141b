"""The particle generator: pure functions from a model to what serves it.

Tables (of which `store` makes SQL), rows and bodies, the picture in etcd. It runs when a model is
loaded; nothing it makes is written to disk.
"""
