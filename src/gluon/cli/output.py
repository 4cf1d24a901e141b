"""The end of a command that may have nowhere to print to."""

from __future__ import annotations

import os
import sys


def end() -> None:
    """Print what is left. What cannot be printed is not tried again when the interpreter ends, which would change the exit
    status to 120."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
