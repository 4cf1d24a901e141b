"""Pools: values that are given inside a unit, and nowhere else.

How an engine uses them. `TABLES` belong to the tables that `Store.install` is given. In `decide`:

    session = pools.Session(view, project=row["_project"])      # one for the whole unit
    vni = session.take(supply, holder)                          # the body left it out
    ip = session.take_of(supply, part, holder)                  # one of a part: `supply.space.families`, `.within("10.0.0.0/24")`
    vni = session.wish(supply, body["vni"], holder, "/vni")     # the body gives it
    session.expect(pool_id, values)                             # many at once, before they are wished for or released
    session.release(pool_id, row["vni"], holder, pool.rest)     # deleted, or replaced by another value
    session.adopt(supply, row["vni"], holder, project)          # it was stored before the attribute had the pool
    session.respace(supply)                                     # the attributes behind `from`, `exclude` change
    session.drop(pool_id)                                       # the object that has the pool is deleted
    session.flush(changes)                                      # last: all writes at once

* A `Supply` says which pool and which values. Of the model: `of_model(api, pool)`, once when it is loaded.
  Of an object: `of_object(api, type, key, pool, sources, exclude)` with the texts that the paths `from`
  and `exclude` lead to (of the object as it will be after the unit) and the ranges among `exclude`.
  Both raise `ValueError` for a text that is no range. Spaces are kept, so making one again is cheap.
* `holder` is one text for one attribute of one object, the same at release: `Port/<key>/address`; an
  element of a list may share the list's. In use by nobody else: a second wish of the same holder is refused,
  so wish only for values that changed. To replace a value: release the old one, then wish or take.
* Values are as attributes hold them: `int` for integer types, else text in normal form. `wish` takes any form.
* Declare `reads(pool_id)` for a take, `reads(pool_id, value)` for a wish (in normal form) or a release.
* A release of what is not held, or whose pool was dropped, does nothing; order of release and drop is free.
* After `Conflict` or `Invalid` the unit must be rejected: the session may be half done.

What is given: values never given before, in the order of the ranges; once more than `KEPT` released ones
wait, or none is left, the one that was released first, when its rest is over. A wish takes a resting
value too. Ranges that change while objects exist: `respace` refuses to leave out a value in use. If a
model's ranges change, the first take notices: values outside stay with their holders and vanish with them.
"""

from gluon.pools.anew import Anew, sound
from gluon.pools.session import KEPT, Session, take_next
from gluon.pools.state import held
from gluon.pools.supply import (
    Supply,
    codec_of,
    model_pool_id,
    object_pool_id,
    of_model,
    of_object,
    reads,
    space,
)
from gluon.pools.tables import TABLES

__all__ = [
    "KEPT",
    "TABLES",
    "Anew",
    "Session",
    "Supply",
    "codec_of",
    "held",
    "model_pool_id",
    "object_pool_id",
    "of_model",
    "of_object",
    "reads",
    "sound",
    "space",
    "take_next",
]
