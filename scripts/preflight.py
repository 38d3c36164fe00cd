"""Says what this machine lacks for CyberVein, and with `--install` puts in what Debian has.

What nobody but a person can install is told in one list before anything is changed. Exit code 0
means that every needed tool is there, 1 that something is missing.

Standard library only: it runs on the system's Python before anything of the project exists.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from needs import GROUPS, Need, found, of_groups


def print_table(needs: tuple[Need, ...]) -> None:
    """One line for each need."""
    print(f"{'tool':<16}{'used for':<22}found")
    for need in needs:
        print(f"{need.name:<16}{need.used_for:<22}{found(need) or f'MISSING: {need.remedy()}'}")


def can_install(missing: list[Need]) -> bool:
    """Whether Debian's packages are all that is missing, and this user may install them."""
    return (
        all(need.debian for need in missing)
        and shutil.which("apt-get") is not None
        and os.geteuid() == 0
    )


def install(missing: list[Need]) -> None:
    """Install the Debian packages of what is missing; apt's own words only if it fails."""
    packages = sorted({package for need in missing for package in need.debian})
    print("installing Debian packages:", " ".join(packages), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
            print(f"error: {' '.join(command)} ended with {done.returncode}:\n{tail}")
            return


def tell(missing: list[Need]) -> None:
    """The one list of what is missing, and the one command for all that Debian has of it."""
    count = "1 thing is" if len(missing) == 1 else f"{len(missing)} things are"
    print(f"error: {count} missing on this machine; nothing was run")
    for need in missing:
        print(f"  {need.name:<16}{need.used_for:<22}{need.remedy()}")
    packages = sorted({package for need in missing for package in need.debian})
    if packages:
        print(f"as root, all that Debian has of it: apt-get install {' '.join(packages)}")


def provide(groups: tuple[str, ...], *, may_install: bool) -> bool:
    """Whether all needs of these groups are met, after installing what can be installed."""
    needs = of_groups(groups)
    missing = [need for need in needs if found(need) is None]
    if missing and may_install and can_install(missing):
        install(missing)
        missing = [need for need in missing if found(need) is None]
    if missing:
        tell(missing)
    return not missing


def main() -> int:
    """Look at the groups that were named, all by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--install", action="store_true", help="install missing Debian packages")
    parser.add_argument("--quiet", action="store_true", help="print only what is missing")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of: {' '.join(GROUPS)}")
    arguments = parser.parse_args()
    groups = tuple(arguments.groups) or tuple(GROUPS)
    unknown = [name for name in groups if name not in GROUPS]
    if unknown:
        parser.error(f"no such group: {' '.join(unknown)}; of: {' '.join(GROUPS)}")
    if not arguments.quiet:
        print_table(of_groups(groups))
    return 0 if provide(groups, may_install=arguments.install) else 1


if __name__ == "__main__":
    sys.exit(main())
