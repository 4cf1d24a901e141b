"""Change of a model: what differs, what that asks of stored objects, and the way there without a pause.

`diff` classifies the differences of two models, `plan` makes steps of them, `runner` takes the steps on
a database that is in use, `convert` makes the new row of a stored one. Pure but for `runner`, which works
through `spi`. Called by the commands `gluon model diff` and `gluon db`, and by a server that starts.
"""
