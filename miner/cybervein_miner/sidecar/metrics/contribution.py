"""What a miner contributes: who it is, its standing with the ledger, its proofs."""

from collections.abc import Iterable
from typing import Final

from cybervein_miner.sidecar.metric import (
    MINER,
    SUPER_NODE,
    Json,
    MetricSpec,
    Sample,
    at,
    counter,
    gauge,
    picked,
)

_FACTS = ("address", "network", "version", "payout")
_DECLARED = ("url", "payout", "group", "owner")


def _info(document: Json) -> Iterable[Sample]:
    """Who is paid is the ledger's word; before the registration, the miner's."""
    known = {**document, "payout": (document.get("ledger") or document).get("payout", "")}
    return [(tuple(str(known.get(name, "")) for name in _FACTS), 1.0)]


def _differs(document: Json) -> Iterable[Sample]:
    ledger = document.get("ledger") or {}
    return [
        ((name,), float(document[name] != ledger[name])) for name in _DECLARED if name in ledger
    ]


CONTRIBUTION: Final = (
    MetricSpec(
        name="cybervein_miner_info", kind="info", source=MINER,
        help="Who mines here and who is paid.", read=_info, labels=_FACTS,
    ),
    gauge("uptime_seconds", MINER, "Seconds since the miner started.", at("uptime_seconds")),
    gauge("clock_skew_seconds", MINER, "How far the miner's clock is ahead of the network's.",
          at("clock_skew_seconds")),
    gauge("registered", MINER, "1 once the ledger knows this miner.", at("registered")),
    gauge("miner_reachable", MINER,
          "1 if the super node reaches this miner; absent until it has tried.",
          at("reach.reached")),
    gauge("ledger_differs", MINER,
          "1 while the ledger has another value than this miner wants.", _differs, "field"),
    gauge("draining", MINER, "1 while this miner is asked to give up all it holds.",
          at("draining")),
    gauge("drained", MINER, "1 once the network no longer needs this miner.", at("drained")),
    gauge("drain_remaining_shards", MINER, "Shards that still have to leave a draining miner.",
          at("drain.remaining")),
    gauge("epoch", SUPER_NODE, "Open epoch.", at("network.epoch")),
    gauge("epoch_end_timestamp_seconds", SUPER_NODE, "When the open epoch ends, unix time.",
          at("network.epoch_ends")),
    gauge("space_measured_bytes", SUPER_NODE, "N: space as the ledger measures it.",
          at("miner.space_bytes")),
    gauge("bandwidth_measured_bytes_per_second", SUPER_NODE,
          "M: bandwidth as super nodes measure it, before saturation.",
          at("miner.bytes_per_second")),
    gauge("weight", SUPER_NODE, "N times M: this miner's weight in the next rewards.",
          at("miner.weight")),
    gauge("plots_active", MINER, "Plots that count on the ledger and can be proved now.",
          at("proofs.counting")),
    gauge("plots_registered", SUPER_NODE, "Plots that count on the ledger, also those away.",
          at("miner.plots_active")),
    counter("space_proofs", MINER, "Space proofs since the miner's start, by outcome.",
            picked(accepted="counters.proofs_accepted", refused="counters.proofs_refused",
                   missed="counters.proofs_missed"), "outcome"),
    gauge("space_proof_duration_seconds", MINER, "Time to read all plots for the last proof.",
          at("proofs.last_seconds")),
    gauge("space_proof_epoch", MINER, "Epoch of the last accepted space proof.",
          at("proofs.last_accepted_epoch")),
    counter("commit_responses", MINER, "Answers to commit audits since start, by outcome.",
            picked(accepted="counters.commits_accepted", refused="counters.commits_refused"),
            "outcome"),
)  # fmt: skip
