"""Customers in the cluster: each a pod with a wallet that stores a file and reads it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.api import Api
from cluster.kubectl import Kubectl
from cluster.kwok import is_ready
from cluster.rest import Object
from cluster.samples import container
from cybervein_protocol.signing import address
from cybervein_runtime.identity import Identity, identity_json
from waiting import until

from appliance.program import PROGRAM

READER = Path(__file__).with_name("reader.py")
FILE_BYTES = 3_000_017  # two hundred stripes or so, the last one short
EPOCHS = 2_000
STOP_READING = """
import os, time
os.unlink("/home/customer/reading")
while os.path.exists("/home/customer/busy"):
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class Read:
    """One whole read of the file; `wrong` is empty where every byte was right."""

    read: int
    at: float
    seconds: float
    wrong: str


@dataclass
class Customer:
    """Talks through `kubectl exec`, as the pod has no shell."""

    api: Api
    kubectl: Kubectl
    identity: Identity
    pod: str = "customer"

    @property
    def address(self) -> str:
        """Where the genesis funds go."""
        return address(self.identity.keys.public)

    def arrive(self, network: str, image: str) -> None:
        """Start the pod; `network` is the Network whose file it takes."""
        secret = {"identity.json": identity_json(self.identity).decode()}
        self.api.apply(
            _object("Secret", self.pod, stringData=secret),
            _object("ConfigMap", self.pod, data={"reader.py": READER.read_text()}),
            _pod(self.pod, network, image),
        )
        self.api.wait("pod", self.pod, is_ready, "is Ready")

    def cybervein(self, *arguments: str) -> Any:
        """A command with `--json`; raises KubectlError with what it printed."""
        text = self.kubectl("exec", self.pod, "--", "cybervein", "--json", *arguments)
        return json.loads(text)

    def program(self) -> str:
        """Which program the pod has."""
        return self.kubectl("exec", self.pod, "--", *PROGRAM).strip()

    def _python(self, script: str) -> str:
        return self.kubectl("exec", self.pod, "--", "python3", "-c", script)

    def put(self) -> None:
        """Make a file of random bytes and store it under the name `file`."""
        where = "/home/customer/original"
        self._python(f"import os; open('{where}', 'wb').write(os.urandom({FILE_BYTES}))")
        self.cybervein("put", where, "--name", "file", "--epochs", str(EPOCHS))

    def keep_reading(self) -> None:
        """Let the pod read the file over and over, and wait for the first read."""
        before = len(self.reads())
        self._python("open('/home/customer/reading', 'w')")
        until(lambda: len(self.reads()) > before, "the reader began")

    def stop_reading(self) -> None:
        """Let the read that runs be the last one, and wait for its end."""
        self._python(STOP_READING)

    def reads(self) -> list[Read]:
        """Every read so far."""
        lines = self.kubectl("logs", self.pod).splitlines()
        return [Read(**json.loads(line)) for line in lines]

    def failures(self) -> list[Read]:
        """The reads that did not bring every byte."""
        return [each for each in self.reads() if each.wrong]


def _object(kind: str, name: str, **rest: object) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **rest}


def _pod(name: str, network: str, image: str) -> Object:
    volumes: list[Object] = [
        {"name": "home", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "script", "configMap": {"name": name}},
        {"name": "wallet", "secret": {"secretName": name}},
        {"name": "network", "configMap": {"name": f"{network}-network"}},
    ]
    places = ("/home/customer", "/tmp", "/script", "/etc/customer", "/etc/network")  # noqa: S108 in the pod
    mounted = [str(volume["name"]) for volume in volumes]
    main = container(
        image,
        imagePullPolicy="Never",
        command=["python3", "/script/reader.py"],
        resources={"requests": {"cpu": "200m"}},  # miners that plot leave nothing to those without
        env=[{"name": "CYBERVEIN_HOME", "value": "/home/customer"}],
        volumeMounts=[{"name": n, "mountPath": p} for n, p in zip(mounted, places, strict=True)],
        startupProbe={
            "exec": {"command": ["python3", "-S", "-c", "open('/home/customer/prepared')"]},
            "periodSeconds": 2,
            "timeoutSeconds": 30,
            "failureThreshold": 60,
        },
    )
    spec = {
        "containers": [main],
        "volumes": volumes,
        "securityContext": {"fsGroup": 65532},
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
    }
    return _object("Pod", name, spec=spec)
