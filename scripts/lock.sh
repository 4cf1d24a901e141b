#!/bin/sh
# Writes requirements.lock from pyproject.toml: every extra, every hash, no host. What is locked stays as it is;
# --upgrade moves all, --upgrade-package NAME one. Python 3.11 is the oldest that has to be served.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/uv pip compile -q pyproject.toml --all-extras --universal --python-version 3.11 \
    --generate-hashes --no-header --no-annotate -o requirements.lock "$@"
