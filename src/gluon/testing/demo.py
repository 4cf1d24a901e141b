"""`./dev demo`: two VPNs with the same addresses over two hosts, and who reaches whom.

As root with real packets (Open vSwitch, GoBGP, etcd); else on the embedded bus and the fake
backend. Everything is made by `protonclient`, as a user would. Exit status 0 only if all is as it
must be.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time

from gluon.errors import GluonError
from gluon.testing import demo_fake, demo_packets
from gluon.testing.demo_case import DemoFailed
from gluon.testing.lab import needs, unmet_needs


def main() -> int:
    """0 all held, 1 something did not, 2 it could not run."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="Two VPNs with the same addresses.")
    parser.add_argument("--keep", action="store_true", help="leave it running for a look, until Ctrl-C")
    parser.add_argument("--fake", action="store_true", help="no packets, even as root")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    why = "asked for" if options.fake else unmet_needs(*needs.SWITCH, *needs.SPEAKER, "etcd")
    try:
        if why:
            print(f"No packets here ({why}): the fake backend computes who reaches whom.\n")
            demo_fake.run(keep=options.keep)
        else:
            demo_packets.run(keep=options.keep)
    except DemoFailed as error:
        print(f"\nNOT as it must be: {error}", file=sys.stderr)
        return 1
    except GluonError as error:
        print(f"\nThe demo could not run: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"\nAll is as it must be ({time.monotonic() - began:.1f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
