"""How Gluon looks over HTTP: the generated resources, the roots, health, and the words for errors.

One ASGI app: a lane for the resources of protons (the hot path) and Falcon for all other routes.
Both call handlers of one form, `handle(request) -> Reply`. Holds no rule of the domain.
"""
