"""One site for each test that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from gluon.testing.lab import Lab, needs, unmet_needs
from tests.packet.bgp_mpls.site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """Daemons, backends and reflector run; no VPN yet."""
    if why := unmet_needs(*needs.SWITCH, *needs.SPEAKER):
        pytest.skip(why)
    with Lab() as lab, closing(Site(lab)) as made:
        made.start()
        yield made
