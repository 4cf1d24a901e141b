"""The table of VIFs that a backend may answer, judged by the installed Nova: its os-vif and its libvirt driver."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gluon.arbiter import vif
from gluon.testing import vifs
from gluon.testing.servers import nova

POORER = [
    replace(sample, details={key: value for key, value in sample.details.items() if key != name})
    for sample in vifs.GOOD
    for name in vif.KINDS[sample.vif_type].needs
]
"""Each without a detail that its type needs."""
REFUSED = [
    vifs.Sample(vif_type=kind) for kind in sorted({sample.vif_type for sample, _ in vifs.BAD} - vif.TYPES)
]
Answers = Callable[[vifs.Sample], dict[str, Any]]


@pytest.fixture(scope="module")
def said() -> Answers:
    """What Nova made of a sample, or its error. It is started once: that takes it longer than all the answers."""
    if reason := nova.missing():
        pytest.skip(reason)
    samples = [*vifs.GOOD, *POORER, *REFUSED]
    asked = [[one.vif_type, one.details, one.vnic_type, one.profile] for one in samples]
    done = subprocess.run(
        [str(nova.PYTHON), "-I", str(Path(__file__).with_name("vifs.py"))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return lambda sample: answers[samples.index(sample)]


@pytest.mark.parametrize("sample", vifs.GOOD, ids=str)
def test_nova_plugs_what_a_backend_may_answer(sample: vifs.Sample, said: Answers) -> None:
    assert vif.problem(sample.vif_type, sample.details, sample.vnic_type) == ""
    answer = said(sample)
    assert "error" not in answer, answer
    assert answer["made"] == (list(sample.made) if sample.made else None)


TOLD = {
    "ovs": '<source bridge="br-gluon"',
    "vhostuser": 'path="/run/vpp/one.sock"',
    "hw_veb": '<tag id="100"/>',
    "macvtap": '<source dev="eth0.7" mode="bridge"/>',
    "802.1qbh": '<parameters profileid="gold"/>',
    "tap": 'managed="no"',
}


@pytest.mark.parametrize("kind", TOLD)
def test_libvirt_is_told_where_the_traffic_goes(kind: str, said: Answers) -> None:
    first = next(sample for sample in vifs.GOOD if sample.vif_type == kind)
    assert TOLD[kind] in said(first)["libvirt"]


@pytest.mark.parametrize("sample", POORER, ids=str)
def test_nova_fails_without_a_detail_that_is_needed(sample: vifs.Sample, said: Answers) -> None:
    assert vif.problem(sample.vif_type, sample.details, sample.vnic_type)
    assert "error" in said(sample)


@pytest.mark.parametrize("sample", REFUSED, ids=str)
def test_nova_refuses_the_types_that_are_refused(sample: vifs.Sample, said: Answers) -> None:
    assert vif.problem(sample.vif_type, sample.details, sample.vnic_type)
    assert "error" in said(sample)
