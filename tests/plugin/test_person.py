"""Who asks is who the kubeconfig says, and what that person may not do is told in one sentence."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from cluster.running import Cluster
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.plugin.refusals import refusal
from cybervein_protocol.errors import UnavailableError, UnknownError
from farm import Plugin
from waiting import DEADLINE_SECONDS

AGENT = "kubectl-cybervein"


@pytest.fixture
def stranger(cluster: Cluster, farm: Plugin) -> Plugin:
    """The plug-in as a ServiceAccount without any rights."""
    cluster.kubectl.within(farm.api.namespace)("create", "serviceaccount", "stranger")
    kubeconfig = cluster.login(farm.api.namespace, "stranger")
    return Plugin(farm.api, kubeconfig, farm.directory)


def allow(farm: Plugin, *verbs: str) -> None:
    """Let the stranger do this to our resources."""
    rules = [{"apiGroups": ["cybervein.io"], "resources": ["*"], "verbs": [*verbs]}]
    rbac = "rbac.authorization.k8s.io"
    who = {"kind": "ServiceAccount", "name": "stranger", "namespace": farm.api.namespace}
    to = {"apiGroup": rbac, "kind": "Role", "name": "some"}
    head: dict[str, Any] = {"apiVersion": f"{rbac}/v1", "metadata": {"name": "some"}}
    farm.api.apply(
        head | {"kind": "Role", "rules": rules},
        head | {"kind": "RoleBinding", "roleRef": to, "subjects": [who]},
    )


def changed(kubeconfig: Path, folder: Path, **user: object) -> Path:
    """The kubeconfig with more said of its user."""
    document = json.loads(kubeconfig.read_text())
    document["users"][0]["user"] |= user
    (folder / "changed").write_text(json.dumps(document))
    return folder / "changed"


@pytest.mark.kubernetes
def test_a_forbidden_verb_is_one_sentence_with_the_words_of_the_api_server(
    stranger: Plugin,
) -> None:
    who = f"system:serviceaccount:{stranger.api.namespace}:stranger"
    text = stranger("status", code=1)
    assert text.startswith("error: you may not list ")
    assert f'User "{who}" cannot list resource' in text
    assert text.count("\n") == 1
    allow(stranger, "get", "list")
    text = stranger("drain", "pool-0", "--no-wait", code=1)
    assert "you may not change minerpools/pool: minerpools.cybervein.io" in text
    assert f'User "{who}" cannot patch resource "minerpools"' in text
    assert text.count("\n") == 1


@pytest.mark.kubernetes
def test_a_bundle_names_what_its_maker_may_not_see(stranger: Plugin) -> None:
    allow(stranger, "get", "list")
    assert "3 files, " in stranger("support-bundle", "--out", "bundle.tar.gz")
    with tarfile.open(stranger.directory / "bundle.tar.gz") as archive:
        held = archive.extractfile("cybervein-support/errors.txt")
        assert held is not None
        assert "objects/pods.json: you may not list pods: pods is forbidden" in held.read().decode()


@pytest.mark.kubernetes
def test_a_user_may_act_as_another(farm: Plugin) -> None:
    path = changed(farm.kubeconfig, farm.directory, **{"as": "guest", "as-groups": ["a", "b"]})
    text = Plugin(farm.api, path, farm.directory)("status", code=1)
    assert 'User "guest" cannot list resource' in text


@pytest.mark.kubernetes
def test_an_unknown_token_is_told(farm: Plugin) -> None:
    path = changed(farm.kubeconfig, farm.directory, token="of nobody")  # noqa: S106 -- no secret
    text = Plugin(farm.api, path, farm.directory)("status", code=1)
    assert "does not take this login (Unauthorized)" in text
    assert text.count("\n") == 1


@pytest.mark.kubernetes
def test_a_cluster_that_is_away_is_told(farm: Plugin) -> None:
    document = json.loads(farm.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (farm.directory / "away").write_text(json.dumps(document))
    text = Plugin(farm.api, farm.directory / "away", farm.directory)("status", code=4)
    assert "the cluster does not answer (Connection refused)" in text
    assert text.count("\n") == 1


@pytest.mark.kubernetes
def test_the_program_kubectl_is_not_needed(farm: Plugin) -> None:
    flags = ("--kubeconfig", farm.kubeconfig, "--context", "test")
    run = subprocess.run(
        [Path(sys.executable).with_name(AGENT), "status", "-n", farm.api.namespace, *flags],
        env={"PATH": "/nowhere", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "all 2 miners are ready" in run.stdout


def test_a_cluster_without_our_resources_says_so() -> None:
    told = refusal("list", "minerpools", 404, "404 page not found\n")
    assert isinstance(told, UnavailableError)
    assert "install the chart" in str(told)


def test_an_object_that_is_not_there_is_unknown() -> None:
    status = {"message": 'minerpools "a" not found', "details": {"name": "a"}}
    told = refusal("get", "minerpools/a", 404, json.dumps(status))
    assert isinstance(told, UnknownError)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"message": 5}', "x" * 9999])
def test_any_answer_is_a_short_sentence(body: str) -> None:
    told = refusal("read", "/api/v1/nodes", 502, body)
    assert isinstance(told, ApiError)
    assert len(str(told)) < len("x" * 600)
