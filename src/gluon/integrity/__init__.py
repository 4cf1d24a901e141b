"""What must be true of a database as a whole, and whether it is: the work of `gluon db check`.

In: a `store.picture.Picture` and the models on record. Out: findings, each with its cure. It reads as one moment, beside servers, and
changes nothing; `mending` alone does, under the writer lock. Only mains import it.
"""
