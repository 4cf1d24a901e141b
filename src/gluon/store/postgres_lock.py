"""The writer lock of PostgreSQL in SQL: an advisory lock, and the state that is read under it.

Two ways to write. *Locked*: one statement takes the lock for the session and reads the state, the write takes it over for its
transaction. *Following*: a batch is decided by what the one before has left, which costs no trip, and its write takes the lock if
that is free and the state is still the same. Invariant: under no lock, or by another state than is there, nothing is written, nor is the
sequence moved, which no rollback sets back: `done` is null then. Called by `postgres_session`.
"""

from __future__ import annotations

_LOCK = 0x676C756F6E
"""Its number ("gluon" in ASCII); advisory locks are one set a database."""
BEGIN = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
CLOCK = "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
ALONE = f"SELECT pg_try_advisory_lock({_LOCK + 1})"
"""Another lock, of who upgrades."""
_LAST = "COALESCE(pg_sequence_last_value('gluon_revision'), 0)"
STATE = f"SELECT epoch, incarnation, {_LAST}, {CLOCK} FROM gluon_writer WHERE id = 1"
_LIMITED = "set_config('idle_session_timeout', $1, false)"
"""A holder that says nothing is ended."""
_UNLIMITED = "set_config('idle_session_timeout', '0', false)"
TAKE = f"""
    SELECT got, epoch, incarnation, CASE WHEN got THEN {_LAST} END, {CLOCK}
    FROM (SELECT pg_try_advisory_lock({_LOCK}) AS got, {_LIMITED} OFFSET 0) AS lock, gluon_writer
    WHERE id = 1"""
"""The lock, if it is free, and the state as it was just before."""
WAIT = f"SELECT pg_advisory_lock({_LOCK})"
GIVE = f"SELECT pg_advisory_unlock_all(), {_UNLIMITED}"
SWAP = f"""
    SELECT {CLOCK} AS now, CASE WHEN pg_try_advisory_xact_lock({_LOCK}) AND pg_advisory_unlock({_LOCK}) AND EXISTS (
        SELECT 1 FROM gluon_writer WHERE id = 1 AND epoch = ?::int8 AND incarnation = ?::varchar)
    THEN setval('gluon_revision', ?::int8) END AS done, {_UNLIMITED} AS unlimited"""
"""The lock of the session lasts until the transaction has ended, and the state is still what was read."""
_SAME = f"""
    EXISTS (SELECT 1 FROM gluon_writer WHERE id = 1 AND epoch = ?::int8 AND incarnation = ?::varchar
    AND CASE WHEN pg_try_advisory_xact_lock({_LOCK}) THEN {_LAST} = ?::int8 ELSE false END FOR SHARE)"""
"""First the lock, then the look at the sequence: who moves it has the lock. A statement sees what was committed before it began, and
so before it had the lock; FOR SHARE looks at the row as it is now, which is another one after an installer."""
FOLLOW = f"SELECT {CLOCK} AS now, CASE WHEN {_SAME} THEN setval('gluon_revision', ?::int8) END AS done"
BEGUN = f"SELECT 1 WHERE {_SAME}"
"""For a transaction that will end by `FOLLOW`."""
AGREES = f"""
    SELECT 1 FROM gluon_writer WHERE id = 1 AND epoch = ?::int8 AND incarnation = ?::varchar AND {_LAST} = ?::int8"""
"""What was read since is of this state: for those that are told something and write nothing."""
