# One image for every role: miner, sidecar, super node, operator and client.
#
#   docker build -t cybervein .
#
# The bases are arguments. The build base needs Rust 1.89 or newer; the runtime base needs Debian's
# Python 3.11 in /usr/bin, and neither shell nor package tools. See docs/image.md.
ARG BUILD_BASE=docker.io/library/rust:1.95-slim-bookworm
ARG RUNTIME_BASE=gcr.io/distroless/python3-debian12:nonroot

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY scripts/image/registry.sh /registry.sh
COPY scripts/uv-requirements.txt /src/scripts/

# Settings of the steps below; the stage, and they with it, are thrown away.
ENV CARGO_HOME=/cache/cargo \
    CARGO_TARGET_DIR=/target \
    UV_CACHE_DIR=/cache/uv \
    UV_LINK_MODE=copy \
    UV_PYTHON=/usr/bin/python3.11 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/cybervein \
    UV_COMPILE_BYTECODE=1 \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH

# 1. Tools: Python and a linker where the base has none, and uv, pinned by hashes.
RUN --mount=type=secret,id=registry --mount=type=secret,id=ca --mount=type=cache,target=/cache \
    . /registry.sh; \
    if ! { test -x /usr/bin/python3.11 && python3 -c 'import ensurepip' && command -v cc; } > /dev/null; then \
        apt-get update -qq; \
        apt-get install -qq -y --no-install-recommends python3 python3-venv gcc libc6-dev; \
    fi; \
    /usr/bin/python3.11 -m venv /uv; \
    /uv/bin/pip install --quiet --no-cache-dir --require-hashes -r scripts/uv-requirements.txt

# 2. Other people's packages, from the lock file: this layer changes with it alone.
COPY pyproject.toml uv.lock LICENSE README.md ./
COPY native/pyproject.toml native/
RUN --mount=type=secret,id=registry --mount=type=secret,id=ca --mount=type=cache,target=/cache \
    . /registry.sh; \
    /uv/bin/uv sync --quiet --frozen --no-dev --all-extras --no-install-workspace

# 3. Native code, with Cargo.lock (`locked` in native/pyproject.toml). Only downloads are cached
# between builds: cargo and uv compare times of files, and those of a checkout say nothing.
COPY native native
RUN --mount=type=secret,id=registry --mount=type=secret,id=cargo --mount=type=secret,id=ca \
    --mount=type=cache,target=/cache \
    . /registry.sh; \
    /uv/bin/uv sync --quiet --frozen --no-dev --all-extras --no-editable --no-install-project \
        --refresh-package cybervein-native; \
    rm -rf /target

# 4. Our own Python.
COPY protocol protocol
COPY runtime runtime
COPY miner miner
COPY supernode supernode
COPY client client
COPY command command
COPY up up
COPY operator operator
RUN --mount=type=secret,id=registry --mount=type=secret,id=ca --mount=type=cache,target=/cache \
    . /registry.sh; \
    /uv/bin/uv sync --quiet --frozen --no-dev --all-extras --no-editable \
        --refresh-package cybervein; \
    rm -f /opt/cybervein/.lock /opt/cybervein/bin/activate* /opt/cybervein/bin/*.bat; \
    /opt/cybervein/bin/cybervein --version

# 5. Bytecode of the standard library, which bases of unpacked packages come without. Checked by
# hash: where a runtime base has another file, Python compiles that one itself.
RUN mkdir -p /stdlib/usr/lib; \
    cp -r /usr/lib/python3.11 /stdlib/usr/lib/; \
    cd /stdlib/usr/lib/python3.11; \
    rm -rf ensurepip lib2to3 distutils pydoc_data; \
    find . -name __pycache__ -prune -exec rm -r {} +; \
    python3 -m compileall -q --invalidation-mode checked-hash -s /stdlib /stdlib; \
    find /stdlib ! -type d ! -name '*.pyc' -delete; \
    find /stdlib -type d -empty -delete


FROM ${RUNTIME_BASE}
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
ARG CREATED=
LABEL org.opencontainers.image.title="CyberVein" \
      org.opencontainers.image.description="Proof-of-contribution storage mining: miner, sidecar, super node, operator and client" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}"
COPY LICENSE /licenses/LICENSE
COPY --from=build /stdlib /
COPY --from=build /opt/cybervein /opt/cybervein

# Everything is written to volumes; HOME is the one directory that each pod has as an emptyDir.
ENV PATH=/opt/cybervein/bin:/usr/bin \
    HOME=/tmp \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CYBERVEIN_NATIVE=require
USER 65532:65532
WORKDIR /tmp
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/cybervein/bin/cybervein"]
CMD ["--help"]
