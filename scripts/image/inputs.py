"""What an image is made of: the files behind it, its version, its registry settings.

The list of files is `.dockerignore`'s, so that what decides whether to build again is exactly what
the build can see.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IGNORE = ".dockerignore"
IGNORED = {"target", "__pycache__"}

# Where a registry is reached: these variables of the builder go into the mounted settings.
REGISTRY_VARIABLE = re.compile(
    r"^(PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT)"
    r"|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INSECURE_HOST|HTTP_TIMEOUT)"
    r"|CARGO_(REGISTR|SOURCE_|HTTP_|NET_)\w*"
    r"|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$"
)
# Stands in the mounted settings of every build: whoever finds it in an image has found a leak.
REGISTRY_MARKER = "CYBERVEIN_REGISTRY_MARKER=mounted-for-one-step-never-in-a-layer"


@dataclass(frozen=True, slots=True)
class Identity:
    """Labels of an image: version, commit that last changed an input, that commit's unix time."""

    version: str
    revision: str
    created: int


def kept(ignore: str) -> list[str]:
    """Paths that the text of a `.dockerignore` lets into the build, relative to its folder."""
    return [line[1:] for line in ignore.splitlines() if line.startswith("!")]


def kept_here() -> list[str]:
    """Those of this checkout."""
    return kept((ROOT / IGNORE).read_text())


def files(root: Path = ROOT) -> list[Path]:
    """Every file of the build of `root`, sorted; without caches and compiled modules."""
    found: set[Path] = set()
    for name in kept((root / IGNORE).read_text()):
        top = root / name
        found |= {top} if top.is_file() else set(top.rglob("*"))
    return sorted(
        path
        for path in found
        if path.is_file()
        and path.suffix != ".so"
        and not IGNORED & set(path.relative_to(root).parts)
    )


def digest(*extra: str, root: Path = ROOT) -> str:
    """16 hex digits that change with any input file (name or bytes) or any of `extra`."""
    total = hashlib.sha256()
    for path in files(root):
        name, content = str(path.relative_to(root)), path.read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    for word in extra:
        total.update(f"{word}\0".encode())
    return total.hexdigest()[:16]


def dockerfile(root: Path) -> Path:
    """The Dockerfile of some sources: up to 0.2 it lay in `image/`."""
    here, before = root / "Dockerfile", root / "image" / "Dockerfile"
    return here if here.is_file() else before


def _git(*arguments: str) -> str:
    """Output of git in the checkout, empty where there is no git or no repository."""
    try:
        run = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return run.stdout.strip()


def version(root: Path) -> str:
    """The version in a checkout's pyproject.toml."""
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def identity() -> Identity:
    """Version from pyproject.toml, revision and time of the last commit that touched an input."""
    commit, _, seconds = _git("log", "-1", "--format=%H %ct", "--", *kept_here()).partition(" ")
    dirty = "-dirty" if _git("status", "--porcelain", "--", *kept_here()) else ""
    return Identity(version(ROOT), f"{commit or 'unknown'}{dirty}", int(seconds or 0))


def source() -> str:
    """Public address of the repository: `origin` where it is one, else "unknown"."""
    address = _git("remote", "get-url", "origin")
    return address if address.startswith("https://") and "@" not in address else "unknown"


def _pip_settings() -> dict[str, str]:
    """The index that the machine's pip is configured for, in files or variables."""
    try:
        run = subprocess.run(
            ["python3", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
        )
    except OSError:
        return {}
    found = re.findall(
        r"\.(index-url|extra-index-url|trusted-host)='(.*)'$", run.stdout, re.MULTILINE
    )
    return {f"PIP_{name.upper().replace('-', '_')}": value for name, value in found}


def registry_settings() -> str:
    """Lines for /run/secrets/registry: where packages come from on this machine."""
    settings = _pip_settings()
    settings |= {name: v for name, v in os.environ.items() if REGISTRY_VARIABLE.match(name)}
    if "PIP_INDEX_URL" in settings and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(settings):
        settings["UV_DEFAULT_INDEX"] = settings["PIP_INDEX_URL"]
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
    return "\n".join([REGISTRY_MARKER, *lines, ""])


def trusted_certificates() -> Path | None:
    """Certificates that this machine trusts: companies sign TLS with roots of their own."""
    chosen = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    path = Path(chosen or "/etc/ssl/certs/ca-certificates.crt")
    return path if path.is_file() else None


def cargo_settings() -> Path | None:
    """The user's cargo configuration, if there is one."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    return next(
        (home / name for name in ("config.toml", "config") if (home / name).is_file()), None
    )
