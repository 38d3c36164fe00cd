"""Possession audits, as the ledger has them and as the miner answered."""

from typing import Final

from cybervein_miner.sidecar.metric import MINER, SUPER_NODE, at, counter, gauge, keyed, picked

AUDITS: Final = (
    counter("audits", SUPER_NODE, "Possession audits on the ledger, by outcome.",
            keyed("miner.audits"), "outcome"),
    counter("audits_chunks", SUPER_NODE, "Chunks in audits on the ledger: asked and good.",
            picked(challenged="miner.chunks_challenged", good="miner.chunks_good"), "result"),
    counter("audits_answered", MINER, "Audits answered since start.", at("counters.audits")),
    counter("audits_chunks_lost", MINER, "Chunks admitted as lost since start.",
            at("counters.audit_chunks_lost")),
    gauge("audit_epoch", SUPER_NODE, "Epoch of the last possession audit.",
          at("miner.last_audit_epoch")),
)  # fmt: skip
