"""The mains: settings, wiring, processes. The only readers of configuration; no logic of their own.

Each command loads only what it needs: `gluon shim` never imports the store or the API.
"""
