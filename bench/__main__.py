"""`python -m bench [NAME…] [--quick] [--database KIND] [--json FILE]`: run benches, print a table, write JSON.

The status is 0 if every bench ran and every goal held.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

from bench import report
from bench.measure import Plan, Skipped
from bench.site import KINDS

BENCHES = (
    "create",
    "governed",
    "get",
    "fair",
    "lists",
    "rejected",
    "beside",
    "memory",
    "workers",
    "bind",
    "face",
    "ports",
    "front",
    "neutron",
    "plugin",
    "instances",
    "events",
    "watch",
    "resync",
    "start",
    "models",
    "life",
    "databases",
    "pools",
    "extras",
    "validate",
    "rules",
)

_FULL = Plan(rounds=5, seconds=4.0, quick=False)
_QUICK = Plan(rounds=2, seconds=2.0, quick=True)


def main() -> int:
    """Each bench starts its own servers and ends them."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; none: all")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: within 2 minutes")
    parser.add_argument(
        "--database", choices=KINDS, default=KINDS[0], help="for fair and life; others know their own"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    wanted = parser.parse_args()
    unknown = sorted(set(wanted.names) - set(BENCHES))
    if unknown:
        parser.error(f"no bench {', '.join(unknown)}")
    plan = replace(_QUICK if wanted.quick else _FULL, database=wanted.database)
    results = []
    for name in wanted.names or BENCHES:
        result = _run(name, plan)
        print(report.table([result]), flush=True)
        results.append(result)
    if wanted.json:
        wanted.json.parent.mkdir(parents=True, exist_ok=True)
        wanted.json.write_bytes(report.document(results))
    return 0 if all(r.good for r in results) else 1


def _run(name: str, plan: Plan) -> report.Result:
    began = time.monotonic()
    try:
        figures = importlib.import_module(f"bench.{name}").run(plan)
    except Skipped as why:
        return report.Result(name=name, seconds=time.monotonic() - began, skipped=str(why))
    except Exception as error:  # noqa: BLE001 - the other benches still run
        traceback.print_exc()
        return report.Result(name=name, seconds=time.monotonic() - began, failed=str(error) or repr(error))
    return report.Result(name=name, seconds=time.monotonic() - began, figures=list(figures))


if __name__ == "__main__":
    sys.exit(main())
