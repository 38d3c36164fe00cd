"""The `exec` plugin of a kubeconfig's user, run as kubectl runs it.

The package's own way hides what a plugin says to its user ("open this page and enter ..."), looks
for a relative command in the working directory, and tells the plugin nothing of its cluster.
"""

import asyncio
import base64
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cybervein_protocol.errors import MalformedError

_EXTENSION: Final = "client.authentication.k8s.io/exec"
_TOLD: Final = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")


class Credentials(msgspec.Struct, rename="camel", frozen=True):
    """What a plugin gave: a token, a client certificate with its key, or both."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    @property
    def usable(self) -> bool:
        """Whether it is a login."""
        return bool(self.token or (self.client_certificate_data and self.client_key_data))


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str
    status: Credentials


async def run_plugin(
    asked: Mapping[str, Any], folder: Path, cluster: Mapping[str, Any]
) -> Credentials:
    """Run `exec` of a user; `folder` is the kubeconfig's. Raises MalformedError."""
    spec: dict[str, Any] = {"interactive": _interactive(asked.get("interactiveMode"))}
    if asked.get("provideClusterInfo"):
        spec["cluster"] = _about(cluster, folder)
    info = {"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "spec": spec}
    more = {each["name"]: each["value"] for each in asked.get("env") or ()}
    program = _program(asked["command"], folder)
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *(asked.get("args") or ()),
            env={**os.environ, **more, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            stdin=None if spec["interactive"] else DEVNULL,
            stdout=PIPE,
        )
    except OSError as error:
        hint = str(asked.get("installHint") or "")
        raise MalformedError(f"exec plugin {program} does not start: {error}. {hint}") from error
    out, _ = await process.communicate()
    if process.returncode:
        raise MalformedError(f"exec plugin {program} ended with {process.returncode}; see above")
    return _read(out, program, asked["apiVersion"])


def _read(out: bytes, program: str, version: str) -> Credentials:
    try:
        given = msgspec.json.decode(out, type=_ExecCredential)
    except msgspec.DecodeError as error:
        raise MalformedError(f"exec plugin {program}: no ExecCredential: {error}") from error
    if given.api_version != version:
        raise MalformedError(
            f"exec plugin {program} speaks {given.api_version}, the kubeconfig {version}"
        )
    if not given.status.usable:
        raise MalformedError(f"exec plugin {program} gave neither a token nor a certificate")
    return given.status


def _interactive(mode: str | None) -> bool:
    """Whether the plugin may read from the terminal; without a word it may where there is one."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not terminal:
        raise MalformedError("the exec plugin of this user needs a terminal to ask in")
    return terminal and mode != "Never"


def _program(command: str, folder: Path) -> str:
    """A command with a "/" is a path, from the kubeconfig's folder on; others are on the PATH."""
    return str(folder / command) if os.sep in command else command


def _about(cluster: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A kubeconfig's cluster, with its authority and the settings that it has for the plugin."""
    about = {key: cluster[key] for key in _TOLD if key in cluster}
    authority = cluster.get("certificate-authority-data")
    if not authority and cluster.get("certificate-authority"):
        file = folder / cluster["certificate-authority"]
        authority = base64.b64encode(file.read_bytes()).decode()
    if authority:
        about["certificate-authority-data"] = authority
    for each in cluster.get("extensions") or ():
        if each.get("name") == _EXTENSION:
            about["config"] = each.get("extension")
    return about
