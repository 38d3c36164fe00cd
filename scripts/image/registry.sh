# Sourced by each build step that downloads: takes the builder's registry settings from mounts that
# exist during that step alone, so that no layer, history entry or variable of the image has them.
#   /run/secrets/registry   KEY=value lines for a shell: PIP_INDEX_URL, UV_DEFAULT_INDEX, HTTPS_PROXY…
#   /run/secrets/cargo      a cargo config.toml (registries, source replacement)
#   /run/secrets/ca         certificates to trust besides those of the build base
set -eu
set -a
if [ -r /run/secrets/registry ]; then . /run/secrets/registry; fi
if [ -s /run/secrets/ca ]; then
    SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca CARGO_HTTP_CAINFO=/run/secrets/ca
fi
set +a
mkdir -p "$CARGO_HOME"
if [ -r /run/secrets/cargo ]; then ln -sf /run/secrets/cargo "$CARGO_HOME/config.toml"; fi
