"""What the journal says of a port to those who follow its use: entries `PortNotice` of `gluon`, by `codec`.

Written with the change, read by adapters that tell others (`nova`). A notice says where to look; what is so now says the port.
"""

from __future__ import annotations

import msgspec

PORT = "PortNotice"
"""Entry type (under `journal.GLUON`); its key is the port's id."""


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A port as it was or is. `plugged`: a host other than its own where the target of a live migration is ready."""

    id: str
    device_id: str = ""
    device_owner: str = ""
    status: str = ""
    host: str = ""
    plugged: str = ""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A port as it is now. `plugged`: hosts other than its own where the target of a live migration is ready."""

    id: str
    device_id: str
    device_owner: str
    status: str
    host: str
    plugged: frozenset[str] = frozenset()


decode = msgspec.json.Decoder(Notice).decode
"""A notice from the text of an entry."""
