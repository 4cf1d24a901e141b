#!/bin/sh
# Regenerates the *_pb2.py and *_pb2.pyi beside every .proto under src/gluon; they are committed.
#
# Generated code must not be newer than the protobuf it runs on, and pyproject.toml promises protobuf 6.33 and later.
# So the compiler is the oldest one whose code that range accepts, in a temporary folder, whatever is in .venv.
set -eu
cd "$(dirname "$0")/.."
tools=1.80.0
python=${PYTHON:-python3}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check "grpcio-tools==$tools" setuptools
find src/gluon -name '*.proto' -exec \
    "$folder/bin/python" -m grpc_tools.protoc --proto_path=src --python_out=src --pyi_out=src {} +
