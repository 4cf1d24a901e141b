"""Which VIFs of shims are believed: what Nova can plug, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest

from gluon.arbiter import vif
from gluon.testing import vifs


def test_each_type_has_a_sample() -> None:
    assert {sample.vif_type for sample in vifs.GOOD} == vif.TYPES


@pytest.mark.parametrize("sample", vifs.GOOD)
def test_what_nova_plugs_is_believed(sample: vifs.Sample) -> None:
    assert vif.problem(sample.vif_type, sample.details, sample.vnic_type) == ""
    assert vif.problem_of_part(sample.vif_type, sample.details) == ""


@pytest.mark.parametrize(("sample", "words"), vifs.BAD)
def test_what_nova_would_refuse_is_refused(sample: vifs.Sample, words: str) -> None:
    assert words in vif.problem(sample.vif_type, sample.details, sample.vnic_type)


def test_what_ironic_plugs_is_for_its_ports_only() -> None:
    sample = vifs.BAREMETAL
    assert vif.problem(sample.vif_type, sample.details, sample.vnic_type) == ""
    assert "baremetal" in vif.problem(sample.vif_type, sample.details, "normal")


@pytest.mark.parametrize("sample", [one for one in vifs.GOOD if vif.KINDS[one.vif_type].needs])
def test_a_detail_that_is_needed_may_not_be_missing(sample: vifs.Sample) -> None:
    for name in vif.KINDS[sample.vif_type].needs:
        rest = without(sample.details, name)
        assert f"need {name}" in vif.problem(sample.vif_type, rest, sample.vnic_type)


def test_one_of_several_controllers_may_leave_the_rest_to_others() -> None:
    assert vif.problem_of_part("hw_veb", {}) == ""
    assert vif.problem_of_part("", {"vlan": 5}) == ""
    assert "is none of" in vif.problem_of_part("bridge", {})


def without(details: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in details.items() if key != name}
