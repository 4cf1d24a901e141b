"""Can this machine hold a lab? One clear line if not.

Out: `unmet_needs`, empty if a lab can run. Called before a lab is made, by tests to skip.
"""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

from gluon.errors import GluonError
from gluon.testing.programs import missing_programs

PROGRAMS = ("ip", "setpriv", "ethtool", "ping", "tcpdump")
SWITCH = ("ovsdb-server", "ovsdb-tool", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl")
SPEAKER = ("gobgpd",)

_TRIALS = {
    ("unshare", "--mount", "true"): (
        "namespaces cannot be made here: 'unshare --mount' fails"
        " (a chroot needs its root bind-mounted on itself, a container CAP_SYS_ADMIN)"
    ),
    ("unshare", "--mount", "--net", "sh", "-c", "mount -t sysfs none /sys"): (
        "namespaces cannot be entered here: /sys cannot be mounted, so 'ip netns exec' fails"
    ),
}


class LabUnavailable(GluonError):
    """This machine cannot hold a lab; the message says why, in one line."""


def unmet_needs(*programs: str) -> str:
    """Why no lab with these programs can run here; '' if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = missing_programs(*PROGRAMS, *programs)
    if missing:
        return "; ".join(str(error) for error in missing)
    if "ovs-vswitchd" in programs and not Path("/dev/net/tun").is_char_device():
        return "there is no /dev/net/tun, and Open vSwitch needs it"
    return _namespaces_refused()


@functools.cache
def _namespaces_refused() -> str:
    """Try what `ip netns` does, in namespaces that end with the trial."""
    for command, explanation in _TRIALS.items():
        if subprocess.run(command, capture_output=True, check=False, timeout=30).returncode != 0:
            return explanation
    return ""
