"""The Neutron face in HTTP: routes, bodies, queries and status codes. What they mean is in `gluon.neutron`."""
