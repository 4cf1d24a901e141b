"""Gluon in front of Neutron: what is not Gluon's is passed on untouched, lists are of both."""
