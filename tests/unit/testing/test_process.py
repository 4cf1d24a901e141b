"""Children: they die with their maker, whatever thread started them, and end by their pid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gluon.testing.folders import PrivateFolder
from gluon.testing.process import (
    Daemon,
    NotReady,
    ProcessFailed,
    alive,
    descendants,
    run,
    wait_until,
)
from gluon.testing.programs import MissingProgram, find_program

SLEEPER = ["sh", "-c", "sleep 600 & wait"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_missing_program_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)

    with pytest.raises(MissingProgram, match=r"gobgpd is not installed \(Debian package gobgpd\)"):
        find_program("gobgpd")


def test_run_that_fails_tells_what_was_said() -> None:
    with pytest.raises(ProcessFailed, match="status 3\nno such luck"):
        run(["sh", "-c", "echo no such luck; exit 3"])


def test_daemon_that_ends_at_once_is_reported_with_its_last_words(log: Path) -> None:
    daemon = Daemon(["sh", "-c", "echo bad option >&2; exit 2"], log=log)
    daemon.start()

    with pytest.raises(NotReady, match="status 2\nbad option"):
        daemon.wait_ready(lambda: False)


def test_kill9_takes_the_children_too(log: Path) -> None:
    daemon = Daemon(SLEEPER, log=log)
    daemon.start()
    wait_until(lambda: bool(descendants(daemon.pid)), "a child", limit=10)
    family = [daemon.pid, *descendants(daemon.pid)]

    daemon.kill9()

    assert not any(alive(pid) for pid in family)
    assert daemon.returncode == -signal.SIGKILL


def test_stop_ends_even_a_paused_process(log: Path) -> None:
    daemon = Daemon(["sleep", "600"], log=log)
    daemon.start()
    daemon.pause()

    daemon.stop()

    assert not daemon.running


def test_a_paused_process_does_nothing_any_more(log: Path) -> None:
    """On another core it may run on for a moment after the signal: it must not, once `pause` returns."""
    busy = "import itertools,sys,threading\nfor n in itertools.count(): sys.stdout.write(f'{n}\\n'); sys.stdout.flush()"
    daemon = Daemon([sys.executable, "-c", busy], log=log)
    daemon.start()
    for _ in range(20):
        size = log.stat().st_size
        wait_until(lambda: log.stat().st_size > size, "a word")  # noqa: B023 called before the next turn
        daemon.pause()
        said = log.stat().st_size
        for _ in range(1000):
            assert log.stat().st_size == said
        daemon.resume()
    daemon.kill9()


def test_daemon_outlives_the_thread_that_started_it(log: Path) -> None:
    daemon = Daemon(["sleep", "600"], log=log)
    thread = threading.Thread(target=daemon.start)
    thread.start()
    thread.join()
    wait_until(lambda: not thread.is_alive(), "end of the thread", limit=5)

    still_there = alive(daemon.pid)

    daemon.kill9()
    assert still_there


def test_daemon_dies_with_its_killed_maker_and_the_next_folder_sweeps_up() -> None:
    script = (
        "import time\n"
        "from gluon.testing.folders import PrivateFolder\n"
        "from gluon.testing.process import Daemon\n"
        "place = PrivateFolder('crash')\n"
        "daemon = Daemon(['sleep', '600'], log=place.path / 'log')\n"
        "daemon.start()\n"
        "print(daemon.pid, place.path, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as maker:
        assert maker.stdout is not None
        pid, folder = maker.stdout.readline().split()
        assert Path(folder).is_dir()
        maker.kill()

    wait_until(lambda: not alive(int(pid)), "death of the daemon", limit=10)
    PrivateFolder("other").remove()
    assert not Path(folder).exists()


def test_a_living_makers_folder_is_not_swept() -> None:
    first = PrivateFolder("kept")
    PrivateFolder("other").remove()

    still_there = first.path.is_dir()

    first.remove()
    assert still_there
    assert not first.path.exists()


def test_descendants_come_and_go_while_they_are_listed(log: Path) -> None:
    loop = "while :; do (sh -c 'sh -c true'); done"
    daemon = Daemon(["sh", "-c", loop], log=log)
    daemon.start()
    try:
        seen = {pid for _ in range(3000) for pid in descendants(daemon.pid)}
    finally:
        daemon.kill9()
    assert len(seen) > 10
