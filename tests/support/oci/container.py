"""Containers of an unpacked image under runc, as Pod Security `restricted` would have them.

Read-only root, the image's own user, no capabilities, no new privileges, an empty /tmp: what does
not work this way would not work in the cluster either.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from cluster.tools import system_tool
from waiting import DEADLINE_SECONDS


@dataclass(frozen=True)
class Container:
    """`root` holds the image's files, `config` is the image's own configuration."""

    root: Path
    config: dict[str, Any]
    bundles: Path

    def _specification(self, arguments: tuple[str, ...], directory: Path) -> dict[str, Any]:
        run = [system_tool("runc"), "spec"]
        subprocess.run(run, cwd=directory, check=True)
        spec: dict[str, Any] = json.loads((directory / "config.json").read_text())
        user, group = self.config["User"].split(":")
        spec["root"] = {"path": str(self.root), "readonly": True}
        spec["process"] |= {
            "args": list(arguments),
            "cwd": self.config["WorkingDir"],
            "env": self.config["Env"],
            "user": {"uid": int(user), "gid": int(group)},
            "capabilities": {},
            "noNewPrivileges": True,
            "terminal": False,
        }
        scratch = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}  # noqa: S108 the container's
        spec["mounts"].append(scratch | {"options": ["nosuid", "nodev", "mode=1777"]})
        return spec

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the image to its end; its output is captured."""
        name = f"cybervein-test-{uuid4().hex[:8]}"
        directory = self.bundles / name
        directory.mkdir(parents=True)
        specification = self._specification(arguments, directory)
        (directory / "config.json").write_text(json.dumps(specification))
        return subprocess.run(
            [system_tool("runc"), "run", name],
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def cybervein(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the image's entry point with arguments."""
        return self(*self.config["Entrypoint"], *arguments)
