"""Build and runtime base of the image from Debian packages, where no registry can be reached.

Both come out of one `debootstrap` of bookworm. The build base is that system with this machine's
own Rust in /usr/local, as Debian's is too old. The runtime base is what Distroless' `python3` image
is: the packages of `runtime-packages.txt` unpacked, no shell, no package tools, no setuid files, a
user 65532.
Made once and kept in buildah's storage under a name that says what they were made of.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

SUITE = "bookworm"
BUILD_PACKAGES = "ca-certificates,gcc,libc6-dev,netbase,python3,python3-venv"
RUNTIME_PACKAGES = Path(__file__).with_name("runtime-packages.txt")
USERS = """root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin
"""
GROUPS = "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"
RUST_LIBRARIES = ("*.so*", "rustlib/*-unknown-linux-gnu")

Buildah = Callable[..., str]


def _run(*command: str | Path) -> str:
    return subprocess.run(
        [str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE
    ).stdout.strip()


def names() -> tuple[str, str]:
    """Image names of the build and the runtime base, telling what they were made of."""
    own = hashlib.sha256(Path(__file__).read_bytes() + RUNTIME_PACKAGES.read_bytes())
    runtime = own.hexdigest()[:12]
    own.update(_run("rustc", "-vV").encode())
    return (
        f"localhost/cybervein-build-base:{own.hexdigest()[:12]}",
        f"localhost/cybervein-runtime-base:{runtime}",
    )


def ensure(buildah: Buildah, scratch: Path) -> tuple[str, str]:
    """Make both bases unless they are there; `scratch` is a directory on a roomy disk."""
    build, runtime = names()
    if all(buildah("images", "--quiet", "--filter", f"reference={n}") for n in (build, runtime)):
        return build, runtime
    buildah("rmi", "--all", "--force")  # former bases, and layers on top of them
    with tempfile.TemporaryDirectory(dir=scratch, prefix="bases-") as place:
        system = Path(place) / "system"
        packages, downloads = f"--include={BUILD_PACKAGES}", scratch / "packages"
        downloads.mkdir(exist_ok=True)
        minimal = ("--variant=minbase", packages, f"--cache-dir={downloads}")
        _run("debootstrap", *minimal, SUITE, system)
        _commit(buildah, runtime, lambda root: _runtime_root(system, root))
        _commit(buildah, build, lambda root: _build_root(system, root))
    return build, runtime


def _commit(buildah: Buildah, name: str, fill: Callable[[Path], None]) -> None:
    """Make an image of one layer that `fill` writes."""
    container = buildah("from", "scratch")
    try:
        fill(Path(buildah("mount", container)))
        buildah("umount", container)
        buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", container)
        buildah("commit", "--quiet", container, name)
    finally:
        buildah("rm", container)


def _build_root(system: Path, root: Path) -> None:
    """The whole system, and this machine's Rust without what only developers use."""
    _run("cp", "-a", f"{system}/.", root)
    shutil.rmtree(root / "var/cache/apt/archives")
    sysroot, target = Path(_run("rustc", "--print", "sysroot")), root / "usr/local"
    for program in ("rustc", "cargo"):
        shutil.copy2(sysroot / "bin" / program, target / "bin" / program)
    for pattern in RUST_LIBRARIES:
        for source in (sysroot / "lib").glob(pattern):
            copy = target / "lib" / source.relative_to(sysroot / "lib")
            copy.parent.mkdir(parents=True, exist_ok=True)
            _run("cp", "-a", source, copy)


def _runtime_root(system: Path, root: Path) -> None:
    """The runtime's packages and the few files that their install scripts would have made."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in RUNTIME_PACKAGES.read_text().split():
        _unpack(package, system / "var/cache/apt/archives", root)
    for name in ("doc-base", "lintian", "man", "bug", "info", "locale"):
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    shutil.copytree(
        system / "etc/ssl/certs", root / "etc/ssl/certs", symlinks=True, dirs_exist_ok=True
    )
    for name in ("python", "python3"):
        (root / "usr/bin" / name).symlink_to("python3.11")
    (root / "etc/passwd").write_text(USERS)
    (root / "etc/group").write_text(GROUPS)
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    _run("ldconfig", "-r", root)


def _unpack(package: str, archives: Path, root: Path) -> None:
    """Unpack one package, and leave its description where scanners of images look for it."""
    archive = next(archives.glob(f"{package}_*.deb"))
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as tar:
        subprocess.run(
            ["tar", "-x", "-p", "--keep-directory-symlink", "-C", root],
            stdin=tar.stdout,
            check=True,
        )
    status = root / "var/lib/dpkg/status.d"
    status.mkdir(parents=True, exist_ok=True)
    (status / package).write_text(_run("dpkg-deb", "--field", archive) + "\n")
