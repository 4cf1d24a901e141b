"""Makes the asserts of the conformance suite tell what differs, unless it is loaded already."""

import sys

import pytest

SUITE = "gluon.testing.backend_suite"

if SUITE not in sys.modules:
    pytest.register_assert_rewrite(SUITE)
