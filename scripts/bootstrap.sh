#!/usr/bin/env bash
# Puts a pinned uv into .tools/ and syncs .venv from uv.lock, native code included.
# Running it again with nothing to do takes well under a second.
set -euo pipefail
cd "$(dirname "$0")/.."

# Companies and some machines sign TLS with roots of their own: trust the system's store.
export UV_SYSTEM_CERTS=1 UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
# What Rust's dependencies compile to is kept for every checkout: one of them is a big C library.
export CARGO_BUILD_BUILD_DIR=${CARGO_BUILD_BUILD_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/cybervein/cargo}

python=$(command -v python3.11 || command -v python3)
[ -x .venv/bin/cybervein ] || "$python" scripts/preflight.py --install --quiet build
if ! cmp -s scripts/uv-requirements.txt .tools/uv-requirements.txt; then
    "$python" -m venv --clear .tools/uv
    .tools/uv/bin/python -m pip install --quiet --require-hashes -r scripts/uv-requirements.txt
    cp scripts/uv-requirements.txt .tools/uv-requirements.txt
fi
.tools/uv/bin/uv sync --quiet --locked --all-extras --all-groups
