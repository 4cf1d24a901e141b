"""What runs inside of Neutron's own processes: Gluon's ports and networks among Neutron's.

Neutron's database holds a shadow of each: a row that Neutron lists, counts, tags and tells Nova of. Gluon has the truth, and is
asked before the shadow changes. A port of Neutron's own never touches Gluon. Imported by Neutron only.
"""
