"""The SQL store: units in, revisions out; SQLite, PostgreSQL and MariaDB behind one contract.

`open` makes a `spi.store.Store`; nothing else here is for other rooms but `Settings` and `Stats`. All
writes of a database are serial under a writer lock, in batches (`writer`, `deciding`, `overlay`);
reads have connections of their own (`readers`); the schema is made by `install`; `sqlite`,
`postgres` and `mysql` are the only files that know a driver, and are imported for their URLs only.
"""

from gluon.store.opening import open_store as open  # noqa: A004
from gluon.store.settings import Settings
from gluon.store.sql import SqlStore
from gluon.store.stats import Histogram, Stats

__all__ = ["Histogram", "Settings", "SqlStore", "Stats", "open"]
