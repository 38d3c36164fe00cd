#!/usr/bin/env bash
# Builds bench/.peers, the environment of the programs that `make bench` races against.
# They are pinned by hash and never installed among the project's own dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_SYSTEM_CERTS=1 UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never

lock=bench/peers/requirements.txt
if ! cmp -s "$lock" bench/.peers/requirements.txt; then
    .tools/uv/bin/uv venv --quiet --clear --python .venv/bin/python bench/.peers
    .tools/uv/bin/uv pip sync --quiet --python bench/.peers/bin/python --require-hashes "$lock"
    cp "$lock" bench/.peers/requirements.txt
fi
