"""A kubeconfig's user as `kubernetes.aio` loads it, renewed while the process runs.

Where the package's own way differs from kubectl's, this is kubectl's (ADR 58): of several files the
first names the context, a user may act `as` another one, an `exec` plugin may talk to its user, an
ID token is renewed over verified TLS with the authority that the kubeconfig names, and what the
identity provider gave is written back where the file can be written.
"""

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import structlog
import yaml
from cybervein_protocol.errors import MalformedError
from cybervein_runtime.reasons import peer_reason, system_reason
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.kube_config import ConfigNode, FileOrData, KubeConfigLoader
from kubernetes.aio.config.kube_config import KubeConfigMerger as Files

from cybervein_operator.cluster.exec_plugin import run_plugin

RENEWAL_SECONDS: Final = 60.0
_SPARE: Final = timedelta(minutes=5)
UNUSABLE: Final = (
    ConfigException, OSError, yaml.YAMLError, aiohttp.ClientError, KeyError, TypeError, ValueError,
    AttributeError,
)  # fmt: skip
"""What the loader raises for files, plugins and identity providers that are not as they should."""
_log = structlog.get_logger()


def wrong(error: Exception) -> str:
    """What is wrong with a kubeconfig; from a parser's own words nobody learns anything."""
    if isinstance(error, aiohttp.ClientError):
        return peer_reason(error)
    if isinstance(error, OSError):
        return system_reason(error)
    told = isinstance(error, ConfigException | MalformedError)
    return str(error) if told else "it is not the YAML of a kubeconfig"


class Kubeconfig(KubeConfigLoader):  # type: ignore[misc]  # its types are not followed
    """One context of one file, or of several joined by ":"."""

    def __init__(self, paths: str, context: str) -> None:
        files = Files(paths)
        self._expires: datetime | None = None
        super().__init__(
            files.config,
            context or _first_context(files),
            config_base_path=None,
            config_persister=files.save_changes,
        )

    @property
    def namespace(self) -> str:
        """Of the context."""
        return str(self.current_context["context"].get("namespace") or "default")

    @property
    def acts_as(self) -> list[tuple[str, str]]:
        """Headers that ask the API server to take the user for another one."""
        user = self._user.value if self._user is not None else {}
        extra = user.get("as-user-extra") or {}
        asked = [("User", user.get("as")), ("Uid", user.get("as-uid"))]
        asked += [("Group", each) for each in user.get("as-groups") or ()]
        asked += [(f"Extra-{quote(key, safe='')}", each) for key in extra for each in extra[key]]
        return [(f"Impersonate-{name}", str(value)) for name, value in asked if value]

    async def load_from_exec_plugin(self) -> bool:
        """The package calls this where the user has an `exec` plugin. Raises MalformedError."""
        if self._expires is not None and self._expires > datetime.now(UTC) + _SPARE:
            return True
        asked, cluster = self._user["exec"].value, self._cluster.value
        given = await run_plugin(asked, Path(self._get_base_path(self._user.path)), cluster)
        self._expires = given.expiration_timestamp
        if given.token:
            self.token = f"Bearer {given.token}"
        if given.client_certificate_data:
            self.cert_file = _as_file(given.client_certificate_data)
            self.key_file = _as_file(given.client_key_data)
        return True

    async def _refresh_oidc(self, provider: ConfigNode) -> None:
        """The package calls this when there is no ID token that lasts five more minutes."""
        given = provider["config"]
        if "refresh-token" not in given:
            raise ConfigException("oidc: the ID token has expired, and there is no refresh-token")
        authority = FileOrData(
            given,
            "idp-certificate-authority",
            file_base_path=self._get_base_path(provider.path),
        ).as_file()
        answer = await _renewed(given.value, authority)
        given.value["id-token"] = answer["id_token"]
        given.value["refresh-token"] = answer.get("refresh_token", given["refresh-token"])
        with suppress(OSError):  # a mounted Secret cannot be written
            self._config_persister()


def _as_file(pem: str) -> str:
    """TLS takes certificates from files alone; the package removes this one at the end."""
    return str(FileOrData({"pem-data": pem}, "pem", base64_file_content=False).as_file())


def _first_context(files: Files) -> str | None:
    """In the package the last file wins, even one that has none: that would be another cluster."""
    named = (files.config_files[path].get("current-context") for path in files.paths)
    return next((str(each) for each in named if each), None)


async def _renewed(given: dict[str, str], authority: str | None) -> dict[str, str]:
    """What the identity provider's token endpoint answers to a refresh token (RFC 6749, 6)."""
    trust = ssl.create_default_context(cafile=authority)
    about = f"{given['idp-issuer-url'].rstrip('/')}/.well-known/openid-configuration"
    who = aiohttp.encode_basic_auth(given["client-id"], given.get("client-secret", ""))
    asked = {"grant_type": "refresh_token", "refresh_token": given["refresh-token"]}
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(
        connector=connector, raise_for_status=True, trust_env=True
    ) as session:
        async with session.get(about) as answer:
            endpoint = (await answer.json())["token_endpoint"]
        async with session.post(endpoint, data=asked, headers={"Authorization": who}) as answer:
            found: dict[str, str] = await answer.json()
            return found


class Renewal:
    """Asks the loader again, at most once a minute; what cannot be renewed is used as it is.

    The loader itself knows when: it runs a plugin again five minutes before its credentials expire
    (each time if they tell no time), and reads a token's file each time.
    """

    def __init__(self, loader: Any, clock: Callable[[], float] = time.monotonic) -> None:  # noqa: ANN401 -- see Kubeconfig
        self._loader, self._clock = loader, clock
        self._due = clock() + RENEWAL_SECONDS

    def hasten(self) -> None:
        """What we have was refused: ask at the next call."""
        self._due = self._clock()

    async def __call__(self, found: Configuration) -> None:
        """The hook of a Configuration: called before each request."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + RENEWAL_SECONDS
        try:
            await self._loader.load_and_set(found)
        except (*UNUSABLE, MalformedError) as error:
            _log.warning(
                "login could not be renewed; the one before is used",
                error=wrong(error),
            )
