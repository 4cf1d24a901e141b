"""The network type `gluon` of ML2: of networks that are services of protons, and of their only segment.

Out: `GluonType`, loaded by Neutron's type manager. Nobody makes such a network through Neutron.
"""

from __future__ import annotations

from typing import Any

from neutron_lib import exceptions
from neutron_lib.plugins.ml2 import api

NAME = "gluon"


class GluonType(api.ML2TypeDriver):  # type: ignore[misc]
    """Has no segments to give."""

    def get_type(self) -> str:
        return NAME

    def initialize(self) -> None:
        """Nothing is kept of segments."""

    def initialize_network_segment_range_support(self) -> None:
        """There are no ranges."""

    def update_network_segment_range_allocations(self) -> None:
        """There are none."""

    def get_network_segment_ranges(self) -> None:
        """There are none."""

    def is_partial_segment(self, segment: Any) -> bool:
        return False

    def validate_provider_segment(self, segment: Any) -> None:
        raise exceptions.InvalidInput(
            error_message="a network of type gluon is a service of a proton: make it there"
        )

    def reserve_provider_segment(self, context: Any, segment: Any, filters: Any = None) -> Any:
        return segment

    def allocate_tenant_segment(self, context: Any, filters: Any = None) -> None:
        return None

    def allocate_project_segment(self, context: Any, filters: Any = None) -> None:
        return None

    def release_segment(self, context: Any, segment: Any) -> None:
        """Nothing was taken."""

    def get_mtu(self, physical_network: Any = None) -> int:
        return 0
