"""The operator as a real process, logged in as the ServiceAccount of the manifests."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cluster.api import Api
from cluster.kubectl import Kubectl
from cluster.rest import Object
from cluster.running import Cluster
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.presets import preset
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.process.founding import found
from ports import free_ports
from process import Process
from responder import FakeSuperNode, Responder
from services import Command
from waiting import until

ROOT = Path(__file__).parents[2]
API = "cybervein.io/v1alpha1"
ACCOUNT = LEASE = "cybervein-operator"
_POLICY = "ValidatingAdmissionPolicy"
_CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding", _POLICY, f"{_POLICY}Binding"}
_RIGHTS = {"ServiceAccount", "Role", "RoleBinding", *_CLUSTER_WIDE}


def rights(namespace: str) -> list[Object]:
    """What the manifests let the operator do, moved to a namespace."""
    documents = yaml.safe_load_all((ROOT / "manifests" / "operator.yaml").read_text())
    return [_moved(each, namespace) for each in documents if each and each["kind"] in _RIGHTS]


def role(namespace: str, of: str) -> list[Object]:
    """The Role of the operator of another namespace, and its binding."""
    given = [each for each in rights(namespace) if each["kind"] in {"Role", "RoleBinding"}]
    for each in given:
        for subject in each.get("subjects", ()):
            subject["namespace"] = of
    return given


def everywhere(documents: list[Object]) -> list[Object]:
    """The same rights in every namespace: Roles as ClusterRoles."""
    text = json.dumps(documents)
    for kind in ("RoleBinding", "Role"):
        text = text.replace(f'"kind": "{kind}"', f'"kind": "Cluster{kind}"')
    wide: list[Object] = json.loads(text)
    for each in wide:
        if "Cluster" in each["kind"]:
            space = each["metadata"].pop("namespace", "")
            if space:
                each["metadata"]["name"] += f"-wide-{space}"
                if "roleRef" in each:
                    each["roleRef"]["name"] += f"-wide-{space}"
        for rule in each.get("rules", ()):
            if rule["resources"] == ["namespaces"]:
                rule.pop("resourceNames")
    return wide


def _moved(document: Object, namespace: str) -> Object:
    meta = document["metadata"]
    if document["kind"] in _CLUSTER_WIDE:
        meta["name"] = f"{meta['name']}-{namespace}"
        if "roleRef" in document:
            document["roleRef"]["name"] = f"{document['roleRef']['name']}-{namespace}"
        if document["kind"].startswith(_POLICY):
            _bind(document["spec"], meta["name"], namespace)
    else:
        meta["namespace"] = namespace
    for rule in document.get("rules", ()):
        if rule["resources"] == ["namespaces"]:
            rule["resourceNames"] = [namespace]
    for subject in document.get("subjects", ()):
        subject["namespace"] = namespace
    return document


def _bind(policy: Object, name: str, namespace: str) -> None:
    """A policy is about the namespace's own ServiceAccount, a binding about its own policy."""
    for condition in policy.get("matchConditions", ()):
        account = f"'system:serviceaccount:{namespace}:{ACCOUNT}'"
        condition["expression"] = f"request.userInfo.username == {account}"
    if "policyName" in policy:
        policy["policyName"] = name


@dataclass
class Lab:
    """A namespace with an operator of its own, and miners that a responder plays."""

    cluster: Cluster
    namespace: str
    directory: Path
    responder: Responder
    process: Process = field(init=False)
    port: int = 0
    options: tuple[str, ...] = ()
    wide: bool = False
    name: str = "operator"

    @property
    def api(self) -> Api:
        return self.cluster.api.within(self.namespace)

    @property
    def kubectl(self) -> Kubectl:
        return self.cluster.kubectl.within(self.namespace)

    def prepare(self) -> None:
        """Rights, login, and the command; nothing runs yet."""
        given = rights(self.namespace)
        self.api.apply(*(everywhere(given) if self.wide else given))
        self.log_in()

    def log_in(self) -> None:
        """The command as the ServiceAccount that is there, whoever gave it its rights."""
        kubeconfig = self.cluster.login(self.namespace, ACCOUNT)
        (self.port,) = free_ports(1)
        line = (
            *("operator", "run", "--kubeconfig", kubeconfig),
            *(() if self.wide else ("--namespace", self.namespace)),
            *("--own-namespace", self.namespace, "--image", "cybervein:test"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--log-json"),
            *("--miner-url", self.responder.miner_url),
            *("--supernode-url", self.responder.supernode_url),
            *("--polls-per-second", "50", "--poll-seconds", "0.5", "--canary-seconds", "2"),
            *self.options,
        )
        self.process = Command(f"{self.name}-{self.namespace}", line, self.directory)

    def beside(self, name: str, *options: str) -> "Lab":
        """Another operator for the same namespace, which does not run yet."""
        other = Lab(self.cluster, self.namespace, self.directory, self.responder)
        other.options, other.wide, other.name = (*self.options, *options), self.wide, name
        other.prepare()
        return other

    def holder(self, namespace: str = "") -> str:
        """Who holds the namespace's Lease."""
        found = self.cluster.api.within(namespace or self.namespace).get("lease", LEASE)
        return str(found["spec"].get("holderIdentity", "")) if found else ""

    def start(self) -> None:
        self.process.start()
        until(
            lambda: self.http("/healthz")[0] == 200,
            "the operator answers",
            diagnose=self.process.tail,
        )

    def http(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 without an answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        total = 0.0
        for line in self.http("/metrics")[1].splitlines():
            head, _, value = line.rpartition(" ")
            parts = (f'{key}="{text}"' for key, text in labels.items())
            if head.split("{")[0] == name and all(part in head for part in parts):
                total += float(value)
        return total

    def join(self, name: str = "net") -> FakeSuperNode:
        """A Network that joins one that was founded elsewhere."""
        node = self.super_node(name)
        self.api.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"{name}-file"},
                "data": {"network.json": node.document.decode()},
            },
            {
                "apiVersion": API,
                "kind": "Network",
                "metadata": {"name": name},
                "spec": {"join": {"configMap": f"{name}-file"}},
            },
        )
        return node

    def super_node(self, name: str, url: str = "https://super.example:7700") -> FakeSuperNode:
        """A super node that the responder plays, with a real genesis."""
        home = SuperNodeHome(
            self.directory / f"{self.namespace}-{name}-{len(self.responder.super_nodes)}"
        )
        numbers = preset("test")
        file = found(home, numbers, url=url, now=1_700_000_000)
        node = FakeSuperNode(home.network.read_bytes(), cid_text(file.network))
        self.responder.super_nodes[self.namespace, name] = node
        return node

    def pool(self, name: str = "home", **spec: Any) -> None:
        """Apply a MinerPool."""
        default: Object = {
            "networkRef": {"name": "net"},
            "disks": [{"name": "a", "claimTemplate": {"size": "1Gi"}}],
        }
        self.api.apply(
            {
                "apiVersion": API,
                "kind": "MinerPool",
                "metadata": {"name": name},
                "spec": default | spec,
            }
        )

    def wait(
        self,
        kind: str,
        name: str,
        met: Callable[[Object], object],
        what: str,
    ) -> Object:
        """Like the API's, with the operator's log when it never happens."""
        try:
            return self.api.wait(kind, name, met, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.process.tail()}") from error

    def ready(self, name: str, count: int) -> Object:
        """The pool once that many miners are Ready and nothing is on its way."""

        def met(found: Object) -> bool:
            status = found.get("status", {})
            return (
                status.get("readyReplicas") == count
                and status.get("replicas") == count
                and status.get("observedGeneration") == found["metadata"]["generation"]
            )

        return self.wait("minerpool", name, met, f"has {count} ready")

    def events(self, name: str) -> list[str]:
        """Reasons of the events about an object."""
        about = self.api.list("events", fields=f"involvedObject.name={name}")
        return [each["reason"] for each in about]

    @contextmanager
    def running(self) -> Iterator["Lab"]:
        self.prepare()
        with self.started():
            yield self

    @contextmanager
    def started(self) -> Iterator["Lab"]:
        """Like `running`, of one that is prepared."""
        try:
            self.start()
            yield self
        finally:
            self.process.kill()


def condition(found: Object, kind: str) -> tuple[str, str]:
    """Status and reason of a condition; ("", "") without it."""
    for each in found.get("status", {}).get("conditions", []):
        if each["type"] == kind:
            return each["status"], each["reason"]
    return "", ""


def spec_of(found: Object) -> str:
    return json.dumps(found["spec"], sort_keys=True)
