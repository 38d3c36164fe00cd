"""Every metric of the sidecar: name, type, labels, help, source, and where its values stand.

The one list: the collector walks it, docs/metrics.md is compared with it by a test, and so is the
live page. Names: prefix `cybervein_`, base units last, `_total` on counters only. Labels are few
and bounded: never a plot, shard, challenge or peer. Amounts are veins.
"""

from collections.abc import Iterable
from typing import Final

from cybervein_miner.sidecar.metric import (
    HOST,
    MINER,
    SUPER_NODE,
    Json,
    MetricSpec,
    Read,
    Sample,
    at,
    each,
    keyed,
    picked,
)

DISK: Final = ("disk", "path")


def _gauge(name: str, source: str, text: str, read: Read, *labels: str) -> MetricSpec:
    return MetricSpec(
        name=f"cybervein_{name}",
        kind="gauge",
        source=source,
        help=text,
        read=read,
        labels=labels,
    )


def _counter(name: str, source: str, text: str, read: Read, *labels: str) -> MetricSpec:
    return MetricSpec(
        name=f"cybervein_{name}_total",
        kind="counter",
        source=source,
        help=text,
        read=read,
        labels=labels,
    )


def _disk(name: str, text: str, field: str) -> MetricSpec:
    return _gauge(f"disk_{name}", MINER, text, each("disks", ("id", "path"), field), *DISK)


def _disk_states(document: Json) -> Iterable[Sample]:
    states = ("ready", "read-only", "quarantined", "missing", "foreign", "drained")
    return [
        ((disk["id"], disk["path"], state), float(disk["state"] == state))
        for disk in document.get("disks", [])
        for state in states
    ]


def _disk_no_room(document: Json) -> Iterable[Sample]:
    return [
        ((disk["id"], disk["path"], reason), float(disk["no_room"] == reason))
        for disk in document.get("disks", [])
        if "no_room" in disk
        for reason in ("full", "no inodes", "quota")
    ]


def _disk_late(document: Json) -> Iterable[Sample]:
    return [
        ((disk["id"], disk["path"]), float(bool(disk["late"])))
        for disk in document.get("disks", [])
        if "late" in disk
    ]


def _progress(document: Json) -> Iterable[Sample]:
    shares = [plot["share"] for plot in document.get("plotting_now", [])]
    return [((), sum(shares) / len(shares))] if shares else []


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
    _gauge("uptime_seconds", MINER, "Seconds since the miner started.", at("uptime_seconds")),
    _gauge("clock_skew_seconds", MINER, "How far the miner's clock is ahead of the network's.",
           at("clock_skew_seconds")),
    _gauge("registered", MINER, "1 once the ledger knows this miner.", at("registered")),
    _gauge("miner_reachable", MINER,
           "1 if the super node reaches this miner; absent until it has tried.",
           at("reach.reached")),
    _gauge("ledger_differs", MINER,
           "1 while the ledger has another value than this miner wants.", _differs, "field"),
    _gauge("draining", MINER, "1 while this miner is asked to give up all it holds.",
           at("draining")),
    _gauge("drained", MINER, "1 once the network no longer needs this miner.", at("drained")),
    _gauge("drain_remaining_shards", MINER, "Shards that still have to leave a draining miner.",
           at("drain.remaining")),
    _gauge("epoch", SUPER_NODE, "Open epoch.", at("network.epoch")),
    _gauge("epoch_end_timestamp_seconds", SUPER_NODE, "When the open epoch ends, unix time.",
           at("network.epoch_ends")),
    _gauge("space_measured_bytes", SUPER_NODE, "N: space as the ledger measures it.",
           at("miner.space_bytes")),
    _gauge("bandwidth_measured_bytes_per_second", SUPER_NODE,
           "M: bandwidth as super nodes measure it, before saturation.",
           at("miner.bytes_per_second")),
    _gauge("weight", SUPER_NODE, "N times M: this miner's weight in the next rewards.",
           at("miner.weight")),
    _gauge("plots_active", MINER, "Plots that count on the ledger and can be proved now.",
           at("proofs.counting")),
    _gauge("plots_registered", SUPER_NODE, "Plots that count on the ledger, also those away.",
           at("miner.plots_active")),
    _counter("space_proofs", MINER, "Space proofs since the miner's start, by outcome.",
             picked(accepted="counters.proofs_accepted", refused="counters.proofs_refused",
                    missed="counters.proofs_missed"), "outcome"),
    _gauge("space_proof_duration_seconds", MINER, "Time to read all plots for the last proof.",
           at("proofs.last_seconds")),
    _gauge("space_proof_epoch", MINER, "Epoch of the last accepted space proof.",
           at("proofs.last_accepted_epoch")),
    _counter("commit_responses", MINER, "Answers to commit audits since start, by outcome.",
             picked(accepted="counters.commits_accepted", refused="counters.commits_refused"),
             "outcome"),
)  # fmt: skip

REWARD: Final = (
    _counter("rewards_veins", SUPER_NODE, "Rewards minted for this miner since registration.",
             at("miner.rewards")),
    _counter("storage_fees_veins", SUPER_NODE, "Storage fees paid to this miner.",
             at("miner.fees")),
    _counter("penalties_veins", SUPER_NODE, "Bond lost to penalties.", at("miner.penalties")),
    _gauge("bonded_veins", SUPER_NODE, "Bond held for this miner's plots.", at("miner.bonded")),
    _gauge("bond_due_veins", SUPER_NODE, "Bond still to be filled from rewards.",
           at("miner.bond_due")),
    _gauge("payout_balance_veins", SUPER_NODE, "Balance of the payout account.",
           at("payout.balance")),
)  # fmt: skip

PLOTTING: Final = (
    _gauge("plots", MINER, "Plots on disk, by state.", keyed("plots_by_state"), "state"),
    _gauge("plots_wanted", MINER, "Plots that the policy asks for.", at("plots_wanted")),
    _gauge("plots_bytes", MINER, "Bytes of plots on disk.", at("plot_bytes")),
    _gauge("plotting", MINER, "Plots being made.", at("plotting")),
    _gauge("plotting_progress_ratio", MINER, "Mean progress of plots being made, 0 to 1.",
           _progress),
    _gauge("plotting_left_seconds", MINER,
           "Until every plot that is wanted is made; absent while nobody can tell.",
           at("plotting_left_seconds")),
    _counter("plots_made", MINER, "Plots finished since start.", at("counters.plots_made")),
    _counter("plots_made_bytes", MINER, "Bytes of plots finished since start.",
             at("counters.plot_bytes_made")),
    _counter("plots_failed", MINER, "Plots that failed since start.",
             at("counters.plots_failed")),
)  # fmt: skip

STORAGE: Final = (
    _gauge("shards", MINER, "Shards on disk, by state.",
           picked(held="shards", away="shards_away", bad="shards_bad", lost="shards_lost",
                  trash="shards_trash"),
           "state"),
    _gauge("shards_bytes", MINER, "Bytes of customers' shards held.", at("shard_bytes")),
    _gauge("bandwidth_cap_bytes_per_second", MINER,
           "Cap on shard and plot traffic; absent without one.",
           at("bandwidth_cap_bytes_per_second")),
    _gauge("shards_free_bytes", MINER, "Bytes that new shards may take.", at("free_bytes")),
    _counter("uploads", MINER, "Shards received since start, by outcome.",
             picked(stored="counters.uploads", failed="counters.upload_failures"), "outcome"),
    _counter("uploads_bytes", MINER, "Bytes of stored uploads.", at("counters.upload_bytes")),
    _counter("downloads", MINER, "Shard reads since start, by outcome.",
             picked(served="counters.downloads", failed="counters.download_failures"), "outcome"),
    _counter("downloads_bytes", MINER, "Bytes of served reads.", at("counters.download_bytes")),
    _counter("deletes", MINER, "Shards given up by their owners.", at("counters.deletes")),
    _counter("requests_refused", MINER, "Shard requests refused since start.",
             at("counters.refused")),
    _counter("bandwidth_reads_bytes", MINER, "Bytes of plots read by bandwidth tests.",
             at("counters.plot_read_bytes")),
)  # fmt: skip

AUDITS: Final = (
    _counter("audits", SUPER_NODE, "Possession audits on the ledger, by outcome.",
             keyed("miner.audits"), "outcome"),
    _counter("audits_chunks", SUPER_NODE, "Chunks in audits on the ledger: asked and good.",
             picked(challenged="miner.chunks_challenged", good="miner.chunks_good"), "result"),
    _counter("audits_answered", MINER, "Audits answered since start.", at("counters.audits")),
    _counter("audits_chunks_lost", MINER, "Chunks admitted as lost since start.",
             at("counters.audit_chunks_lost")),
    _gauge("audit_epoch", SUPER_NODE, "Epoch of the last possession audit.",
           at("miner.last_audit_epoch")),
)  # fmt: skip

DISKS: Final = (
    _gauge("disk_state", MINER, "1 for the state that a disk is in.", _disk_states,
           *DISK, "state"),
    _disk("capacity_bytes", "Size of the filesystem.", "capacity_bytes"),
    _disk("free_bytes", "Free bytes of the filesystem.", "free_bytes"),
    _disk("floor_bytes", "Bytes that the miner keeps free.", "floor_bytes"),
    _disk("available_bytes", "Free above the floor and not promised.", "available_bytes"),
    _disk("plots_bytes", "Bytes of plots.", "plot_bytes"),
    _disk("shards_bytes", "Bytes of shards.", "shard_bytes"),
    _disk("shards_bad", "Shards that failed verification.", "shards_bad"),
    _disk("leaving", "1 while the disk is being removed.", "leaving"),
    _gauge("disk_remaining_bytes", MINER, "Bytes of shards that still keep a leaving disk.",
           each("disks", ("id", "path"), "remaining.bytes"), *DISK),
    _gauge("disk_remaining_shards", MINER, "Shards that still keep a leaving disk.",
           each("disks", ("id", "path"), "remaining.shards"), *DISK),
    _disk("trash_bytes", "Bytes of deleted shards that wait.", "trash_bytes"),
    _gauge("disk_no_room", MINER, "1 for the reason why the disk takes nothing more.",
           _disk_no_room, *DISK, "reason"),
    _gauge("disk_late", MINER, "1 while the disk answers too late for proofs, or not at all.",
           _disk_late, *DISK),
    _disk("io_errors", "I/O errors since the disk was last checked.", "io_errors"),
    _counter("host_disk_read_bytes", HOST, "Bytes read, by block device.",
             each("disks", ("device",), "read_bytes"), "device"),
    _counter("host_disk_written_bytes", HOST, "Bytes written, by block device.",
             each("disks", ("device",), "written_bytes"), "device"),
    _counter("host_disk_busy_seconds", HOST, "Time busy, by block device.",
             each("disks", ("device",), "busy_seconds"), "device"),
)  # fmt: skip

NETWORK: Final = (
    _counter("host_network_received_bytes", HOST, "Bytes received, by interface.",
             each("nics", ("interface",), "received_bytes"), "interface"),
    _counter("host_network_sent_bytes", HOST, "Bytes sent, by interface.",
             each("nics", ("interface",), "sent_bytes"), "interface"),
    _counter("host_network_errors", HOST, "Errors and drops, by interface.",
             each("nics", ("interface",), "errors"), "interface"),
    _gauge("host_network_speed_bytes_per_second", HOST, "Link speed, by interface.",
           each("nics", ("interface",), "speed_bytes_per_second"), "interface"),
)  # fmt: skip

UP: Final = MetricSpec(
    name="cybervein_up", kind="gauge", source="", help="1 if the source answered this scrape.",
    read=lambda _: [], labels=("source",),
)  # fmt: skip
DURATION: Final = MetricSpec(
    name="cybervein_source_duration_seconds", kind="gauge", source="",
    help="Time the source took to answer.", read=lambda _: [], labels=("source",),
)  # fmt: skip

METRICS: Final = (*CONTRIBUTION, *REWARD, *PLOTTING, *STORAGE, *AUDITS, *DISKS, *NETWORK)
ALL: Final = (UP, DURATION, *METRICS)
