"""The tables of the engines, which every database of Gluon has beside those of its models.

Called by `node`, and by the commands that bring a database to other models or look at one.
"""

from __future__ import annotations

from gluon.arbiter import tables as arbiter_tables
from gluon.nova import place
from gluon.proton import tables as proton_tables
from gluon.publisher import aftermath, turns

TABLES = (*arbiter_tables.TABLES, *proton_tables.TABLES, aftermath.TABLE, turns.TABLE, place.TABLE)
