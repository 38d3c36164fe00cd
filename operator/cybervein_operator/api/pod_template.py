"""What a person may add to the pods of miners and super nodes, beside what the operator says.

Only what cannot take away what a pod needs: no volumes, commands, ports or security, and no label
or variable that is the operator's. Affinity is passed on as it is: the API server judges it.
"""

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from cybervein_operator.api.fields import Subdomain, keyed, ordered, says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.placing import Affinity, TopologySpread
from cybervein_operator.api.pod_env import EnvVar
from cybervein_operator.api.pod_names import DnsConfig, DnsPolicy, HostAlias
from cybervein_operator.api.rules import Rule, no_own_keys

LABEL_VALUE: Final = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
Labels = Annotated[
    dict[str, Annotated[str, Meta(max_length=63, pattern=LABEL_VALUE)]], Meta(max_length=32)
]
Annotations = Annotated[dict[str, Annotated[str, Meta(max_length=4096)]], Meta(max_length=32)]


class PodTemplate(Part, frozen=True, kw_only=True):
    """What the pods have beside what the operator says. A change replaces them one by one."""

    RULES: ClassVar = (
        *no_own_keys(),
        Rule(
            "!has(self.dnsPolicy) || self.dnsPolicy != 'None' || "
            "(has(self.dnsConfig) && has(self.dnsConfig.nameservers))",
            "dnsPolicy None asks nobody: name servers in dnsConfig.nameservers",
            ".dnsPolicy",
        ),
    )
    labels: Annotated[Labels | None, says("Further labels of the pods.")] = None
    annotations: Annotated[Annotations | None, says("Annotations of the pods.")] = None
    env: Annotated[
        Annotated[tuple[EnvVar, ...], Meta(max_length=64)] | None,
        keyed("Variables of every container, such as those of a proxy.", "name"),
    ] = None
    affinity: Annotated[Affinity | None, says("Which nodes and neighbours, as in a pod.")] = None
    topology_spread_constraints: Annotated[
        Annotated[tuple[TopologySpread, ...], Meta(max_length=8)] | None,
        ordered("How the pods spread over zones, racks or nodes; the selector is their own."),
    ] = None
    priority_class_name: Annotated[
        Subdomain | None, says("PriorityClass of the pods; absent means the cluster's default.")
    ] = None
    runtime_class_name: Annotated[
        Subdomain | None, says("RuntimeClass of the pods; absent means the cluster's default.")
    ] = None
    host_aliases: Annotated[
        Annotated[tuple[HostAlias, ...], Meta(max_length=32)] | None,
        keyed("Further lines of /etc/hosts.", "ip"),
    ] = None
    dns_policy: Annotated[
        DnsPolicy | None, says("Whom the pods ask for names; absent means ClusterFirst.")
    ] = None
    dns_config: Annotated[DnsConfig | None, says("The resolver of the pods.")] = None
