"""The parts of the bench that decide what is printed."""

import os
import subprocess
import sys

import msgspec
import pytest

from bench import load, measure, report
from bench.measure import Figure
from bench.pgbench import literal


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert measure.percentile(values, 0.5) == 50
    assert measure.percentile(values, 0.99) == 99
    assert measure.percentile([7.0], 0.99) == 7


@pytest.mark.parametrize(("rounds", "holds"), [([3.0, 9.0, 4.0], True), ([3.0, 9.0, 6.0], False)])
def test_a_goal_is_judged_by_the_median(rounds: list[float], holds: bool) -> None:
    assert measure.at_most("x", rounds, "ms", 5).holds is holds
    assert measure.at_least("x", rounds, "ms", 5).holds is not holds


def test_cpu_time_grows_with_work_and_counts_ended_children() -> None:
    before = measure.cpu_seconds(os.getpid(), family=True)
    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    assert measure.cpu_seconds(os.getpid(), family=True) > before


def test_a_result_is_shown_with_its_goal_and_verdict() -> None:
    figures = [
        Figure(name="ratio", value=0.9, unit="×", goal="≥ 1", holds=False),
        Figure(name="rate", value=12345.6, unit="/s"),
    ]
    shown = report.table([report.Result(name="create", seconds=2.0, figures=figures)])
    assert "MISSED" in shown
    assert "12,346 /s" in shown
    assert "FAILED: no disk" in report.table([report.Result(name="get", seconds=1.0, failed="no disk")])


def test_results_are_good_only_if_every_goal_holds() -> None:
    good = Figure(name="a", value=1.0, unit="", holds=True)
    bad = Figure(name="a", value=1.0, unit="", holds=False)
    assert report.Result(name="x", seconds=1.0, figures=[good]).good
    assert not report.Result(name="x", seconds=1.0, figures=[good, bad]).good
    assert not report.Result(name="x", seconds=1.0, failed="why").good


def test_the_json_document_holds_every_sample() -> None:
    figure = measure.median("a", [1.0, 3.0, 2.0], "ms")
    written = msgspec.json.decode(report.document([report.Result(name="x", seconds=1.0, figures=[figure])]))
    assert written["benches"][0]["figures"][0]["rounds"] == [1.0, 3.0, 2.0]
    assert written["machine"]["cores"] >= 1


def test_a_literal_hides_its_colons_from_pgbench() -> None:
    assert literal('{"up":true,"name":"it\'s"}') == 'E\'{"up"\\x3atrue,"name"\\x3a"it\'\'s"}\''


def test_the_scripts_of_wrk_name_what_they_ask_for() -> None:
    assert str(load.PORT["mac_address"]) in load.create_script()
    assert '"id-2"' in load.get_script(["id-1", "id-2"])
