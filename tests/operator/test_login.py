"""Whoever kubectl logs in, the operator logs in: the same kubeconfig, the same pod."""

import base64
import json
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cluster.control_plane import ControlPlane
from cluster.credentials import ADMIN
from cluster.running import Cluster
from cybervein_operator.authority import make_authority, make_server
from cybervein_operator.cluster.kubeconfig import RENEWAL_SECONDS, Kubeconfig, Renewal
from cybervein_operator.cluster.login import Login, find_login, find_person, from_kubeconfig
from cybervein_protocol.errors import MalformedError

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
PLUGIN = """import json, os, sys
count = {count!r}
with open(count, "a") as told:
    told.write("x")
assert "KUBERNETES_EXEC_INFO" in os.environ
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                  "status": {status}}}))
"""


def kubeconfig(
    folder: Path, user: dict[str, Any], *, server: str = "http://127.0.0.1:1", **cluster: str
) -> Path:
    path = folder / "config"
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [
            {"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "farm"}},
            {"name": "other", "context": {"cluster": "c", "user": "u"}},
        ],
        "current-context": "x",
    }
    path.write_text(json.dumps(document))
    return path


def plugin(folder: Path, status: dict[str, str]) -> dict[str, Any]:
    """A user whose credentials come from a program; `calls` has a letter for each run."""
    script = folder / "plugin.py"
    script.write_text(PLUGIN.format(count=str(folder / "calls"), status=repr(status)))
    version = "client.authentication.k8s.io/v1"
    return {
        "exec": {
            "apiVersion": version,
            "command": sys.executable,
            "args": [str(script)],
            "env": None,
            "interactiveMode": "Never",
        }
    }


def at(folder: Path, control_plane: ControlPlane, user: dict[str, Any]) -> Path:
    authority = {"certificate-authority": str(control_plane.authority)}
    return kubeconfig(folder, user, server=control_plane.url, **authority)


async def whoami(login: Login) -> str:
    async with (
        login.session("test") as session,
        session.post(login.server + WHOAMI, json=REVIEW, headers=await login.headers()) as answer,
    ):
        document = await answer.json()
        assert answer.status == 201, document
        name: str = document["status"]["userInfo"]["username"]
        return name


@pytest.mark.kubernetes
async def test_a_token_is_a_user(control_plane: ControlPlane, tmp_path: Path) -> None:
    login = await find_login(at(tmp_path, control_plane, {"token": ADMIN.token}))
    assert (await whoami(login), login.namespace) == (ADMIN.name, "farm")


@pytest.mark.kubernetes
async def test_an_exec_plugin_is_a_user(control_plane: ControlPlane, tmp_path: Path) -> None:
    login = await find_login(at(tmp_path, control_plane, plugin(tmp_path, {"token": ADMIN.token})))
    assert await whoami(login) == ADMIN.name


@pytest.mark.kubernetes
async def test_an_exec_plugin_may_give_a_certificate(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    certificate, key = (each.decode() for each in control_plane.certificate(ADMIN))
    status = {"clientCertificateData": certificate, "clientKeyData": key}
    login = await find_login(at(tmp_path, control_plane, plugin(tmp_path, status)))
    assert await whoami(login) == ADMIN.name


@pytest.mark.kubernetes
@pytest.mark.parametrize("inline", [True, False])
async def test_a_client_certificate_is_a_user(
    control_plane: ControlPlane, tmp_path: Path, *, inline: bool
) -> None:
    user = dict[str, str]()
    for name, pem in zip(
        ("client-certificate", "client-key"), control_plane.certificate(ADMIN), strict=True
    ):
        (tmp_path / name).write_bytes(pem)
        data = {f"{name}-data": base64.b64encode(pem).decode()}
        user |= data if inline else {name: name}  # a relative path is the kubeconfig's neighbour
    assert await whoami(await find_login(at(tmp_path, control_plane, user))) == ADMIN.name


@pytest.mark.kubernetes
async def test_a_pod_is_its_service_account(
    cluster: Cluster, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    admin = cluster.kubectl.within(namespace)
    admin("create", "serviceaccount", "operator")
    token = admin("create", "token", "operator", "--duration=1h").strip()
    (tmp_path / "token").write_text(token)
    (tmp_path / "ca.crt").write_bytes(control_plane.authority.read_bytes())
    (tmp_path / "namespace").write_text(namespace)
    address = {
        "KUBERNETES_SERVICE_HOST": control_plane.settings.address,
        "KUBERNETES_SERVICE_PORT": str(control_plane.port),
    }
    login = await find_login(environ=address, pod=tmp_path)
    assert await whoami(login) == f"system:serviceaccount:{namespace}:operator"
    assert login.namespace == namespace


@pytest.mark.kubernetes
async def test_kopf_gets_the_same_credentials(control_plane: ControlPlane, tmp_path: Path) -> None:
    login = await find_login(at(tmp_path, control_plane, plugin(tmp_path, {"token": ADMIN.token})))
    told = await login.for_kopf()
    connector = aiohttp.TCPConnector(ssl=told.as_ssl_context())
    async with (
        aiohttp.ClientSession(connector=connector, headers=told.as_http_headers()) as session,
        session.post(told.server + WHOAMI, json=REVIEW) as answer,
    ):
        document = await answer.json()
    assert document["status"]["userInfo"]["username"] == ADMIN.name
    assert told.default_namespace == "farm"


async def renewed(path: Path, then: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """Headers at once and a minute later, `then` having been written to the token's file."""
    now = [0.0]
    loader = Kubeconfig(str(path), "")
    login = await from_kubeconfig(str(path))
    await loader.load_and_set(login._found)
    login._found.refresh_api_key_hook = Renewal(loader, lambda: now[0])
    before = await login.headers()
    if then:
        (path.parent / "token").write_text(then)
    assert await login.headers() == before
    now[0] = RENEWAL_SECONDS
    return before, await login.headers()


async def test_a_tokens_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    before, after = await renewed(kubeconfig(tmp_path, {"tokenFile": "token"}), "second")
    assert (before, after) == (
        {"Authorization": "Bearer first"},
        {"Authorization": "Bearer second"},
    )


@pytest.mark.parametrize(("minutes", "runs"), [(4, 3), (60, 2)])
async def test_a_plugin_runs_again_shortly_before_its_credentials_expire(
    tmp_path: Path, minutes: int, runs: int
) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    user = plugin(tmp_path, {"token": "t", "expirationTimestamp": until})
    await renewed(kubeconfig(tmp_path, user))
    assert len((tmp_path / "calls").read_text()) == runs  # two logins, and the renewal


async def test_what_cannot_be_renewed_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    path = kubeconfig(tmp_path, {"tokenFile": "token"})
    login = await from_kubeconfig(str(path))
    (tmp_path / "token").unlink()
    told = await login.for_kopf()  # it was refused: the file is read at once
    assert told.token == "first"  # noqa: S105 -- no secret


async def test_a_context_is_chosen_by_name_and_files_are_joined(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    path = kubeconfig(tmp_path, {"token": "t"})
    more = kubeconfig(tmp_path / "more", {"token": "u"})
    login = await from_kubeconfig(f"{path}:{more}", "other")
    assert (login.namespace, await login.headers()) == ("default", {"Authorization": "Bearer t"})


async def test_the_first_file_that_names_a_context_is_believed(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    first = kubeconfig(tmp_path, {"token": "t"})
    last = kubeconfig(tmp_path / "more", {"token": "u"})
    for current in ("other", ""):
        last.write_text(json.dumps(json.loads(last.read_text()) | {"current-context": current}))
        assert (await from_kubeconfig(f"{first}:{last}")).namespace == "farm"


async def test_a_person_is_who_the_home_says_and_only_then_the_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("token", "namespace"):
        (tmp_path / name).write_text("pod")
    (tmp_path / "ca.crt").write_bytes(make_authority("c", datetime.now(UTC)).certificate)
    monkeypatch.setenv("HOME", str(tmp_path))
    pod = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
    assert (await find_person(environ=pod, pod=tmp_path)).namespace == "pod"
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube", {"token": "t"})
    assert (await find_person(environ=pod, pod=tmp_path)).namespace == "farm"
    assert (await find_person(None, "other", environ=pod, pod=tmp_path)).namespace == "default"
    assert (await find_login(environ=pod, pod=tmp_path)).namespace == "pod"


async def test_a_password_is_told_too(tmp_path: Path) -> None:
    login = await from_kubeconfig(str(kubeconfig(tmp_path, {"username": "me", "password": "word"})))
    told = await login.for_kopf()
    assert told.as_http_headers() == {"Authorization": "Basic bWU6d29yZA=="}


async def test_a_plugin_that_fails_is_told(tmp_path: Path) -> None:
    user = plugin(tmp_path, {"nothing": "of use"})
    with pytest.raises(MalformedError, match="gave neither a token nor a certificate"):
        await from_kubeconfig(str(kubeconfig(tmp_path, user)))


def script(folder: Path, *lines: str, **more: object) -> dict[str, Any]:
    """A user whose plugin is a shell script beside the kubeconfig."""
    (folder / "log-in").write_text("\n".join(("#!/bin/sh", *lines)))
    (folder / "log-in").chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": "./log-in"} | more}


WORD = {"name": "WORD", "value": "from-env"}
GIVE = """printf '{"apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "%s"}}' """


async def test_a_plugin_lies_beside_its_kubeconfig_and_talks_to_its_user(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    user = script(tmp_path, "echo open this page >&2", GIVE + "$WORD", env=[WORD])
    login = await from_kubeconfig(str(kubeconfig(tmp_path, user)))
    assert await login.headers() == {"Authorization": "Bearer from-env"}
    assert capfd.readouterr().err == "open this page\n"


async def test_a_plugin_is_told_of_its_cluster_where_it_asks_for_that(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("authority")
    lines = (f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/told', GIVE + "t")
    user = script(tmp_path, *lines, provideClusterInfo=True)
    await from_kubeconfig(
        str(kubeconfig(tmp_path, user, **{"certificate-authority": "ca", "proxy-url": "http://p"}))
    )
    told = json.loads((tmp_path / "told").read_text())["spec"]
    assert told["cluster"] == {
        "server": "http://127.0.0.1:1",
        "proxy-url": "http://p",
        "certificate-authority-data": base64.b64encode(b"authority").decode(),
    }


@pytest.mark.parametrize(
    ("line", "more", "told"),
    [
        ("exit 3", {}, "ended with 3"),
        ("echo nothing", {}, "no ExecCredential"),
        (GIVE + "t", {"apiVersion": "other/v1"}, "speaks client.authentication.k8s.io/v1"),
        (GIVE + "t", {"interactiveMode": "Always"}, "needs a terminal"),
        ("", {"command": "no-such-program", "installHint": "Get it."}, "does not start.*Get it"),
    ],
)
async def test_a_plugin_that_gives_no_login_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    more: dict[str, object],
    told: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(MalformedError, match=told):
        await from_kubeconfig(str(kubeconfig(tmp_path, script(tmp_path, line, **more))))


@pytest.mark.parametrize("text", ["", "[]", "{", "clusters: []\n"])
async def test_what_is_no_kubeconfig_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(MalformedError, match="is not a kubeconfig"):
        await from_kubeconfig(str(tmp_path / "config"))


async def test_nobody_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(MalformedError, match="--kubeconfig FILE"):
        await find_login(environ={}, pod=tmp_path)


def id_token(name: str, expires: datetime) -> str:
    parts = ({"alg": "none"}, {"sub": name, "exp": int(expires.timestamp())})
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts]
    return ".".join([*(each.rstrip("=") for each in encoded), "c2ln"])


class Provider:
    """An identity provider: who renews gets an ID token for an hour and another refresh token."""

    def __init__(self) -> None:
        self.url, self.asked = "", list[dict[str, str]]()

    async def about(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"token_endpoint": f"{self.url}/token"})

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked.append({key: str(value) for key, value in form.items()})
        later = datetime.now(UTC) + timedelta(hours=1)
        return web.json_response({"id_token": id_token("new", later), "refresh_token": "second"})


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    authority = make_authority("idp", datetime.now(UTC))
    made = make_server(authority, ["127.0.0.1"], datetime.now(UTC))
    for name, pem in (
        ("idp.pem", authority.certificate),
        ("server.pem", made.certificate + made.key),
    ):
        (tmp_path / name).write_bytes(pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    found, app = Provider(), web.Application()
    app.router.add_get("/.well-known/openid-configuration", found.about)
    app.router.add_post("/token", found.token)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    found.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def oidc(provider: Provider, token: str, **more: str) -> dict[str, Any]:
    given = {"client-id": "cli", "idp-issuer-url": provider.url, "id-token": token}
    return {"auth-provider": {"name": "oidc", "config": given | more}}


async def test_an_id_token_that_lasts_is_used(tmp_path: Path, provider: Provider) -> None:
    token = id_token("me", datetime.now(UTC) + timedelta(hours=1))
    login = await from_kubeconfig(str(kubeconfig(tmp_path, oidc(provider, token))))
    assert await login.headers() == {"Authorization": f"Bearer {token}"}
    assert not provider.asked


async def test_an_id_token_is_renewed_and_the_renewal_is_kept(
    tmp_path: Path, provider: Provider
) -> None:
    old = id_token("me", datetime.now(UTC) - timedelta(hours=1))
    more = {"refresh-token": "first", "idp-certificate-authority": "idp.pem"}
    path = str(kubeconfig(tmp_path, oidc(provider, old, **more)))
    first = await (await from_kubeconfig(path)).headers()
    assert first["Authorization"] not in {"", f"Bearer {old}"}
    assert provider.asked == [{"grant_type": "refresh_token", "refresh_token": "first"}]
    assert await (await from_kubeconfig(path)).headers() == first  # kept in the file
    assert len(provider.asked) == 1


async def test_a_refresh_token_goes_to_nobody_without_a_trusted_certificate(
    tmp_path: Path, provider: Provider
) -> None:
    old = id_token("me", datetime.now(UTC) - timedelta(hours=1))
    user = oidc(provider, old, **{"refresh-token": "first"})
    with pytest.raises(MalformedError, match="certificate"):
        await from_kubeconfig(str(kubeconfig(tmp_path, user)))
    assert not provider.asked
