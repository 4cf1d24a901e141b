"""Makes the asserts of the conformance suite tell what differs."""

import pytest

pytest.register_assert_rewrite("gluon.testing.backend_suite")
