"""Every reward again, from the exported bytes alone, by code that shares nothing with the ledger.

It reads raw DAG-CBOR maps with the codec library, knows plots, verdicts, proofs and bandwidth, and
computes in fractions what the ledger computes in integers that round down. Imports of the ledger
are not allowed here (a test says so).
"""

from collections import defaultdict
from fractions import Fraction
from math import floor
from typing import Any

import dag_cbor
from blake3 import blake3

Node = dict[str, Any]
"""A decoded map of the wire format."""


class Miner:
    """What one miner showed, epoch by epoch."""

    def __init__(self) -> None:
        self.estimates: dict[int, int] = {}
        self.bandwidth: int | None = None
        self.counts_from: dict[bytes, int] = {}
        self.pending: dict[bytes, list[bytes]] = {}


class Recomputation:
    """Feed it blocks in order; `rewards[epoch][miner]` has veins for every closed epoch."""

    def __init__(self, genesis: bytes) -> None:
        self.preset: Node = dag_cbor.decode(genesis)["preset"]
        self.miners: dict[bytes, Miner] = defaultdict(Miner)
        self.batch_of: dict[bytes, bytes] = {}
        self.owner_of: dict[bytes, bytes] = {}
        self.rewards: dict[int, dict[bytes, int]] = {}

    def block(self, block: bytes, units: dict[bytes, bytes]) -> None:
        """One block and its units by the bytes of their CIDs."""
        node = dag_cbor.decode(block)
        voids = {bytes(void["unit"]) for void in node["voids"]}
        for cid in map(bytes, node["units"]):
            if cid not in voids:
                self._unit(cid, dag_cbor.decode(units[cid]))

    def _unit(self, cid: bytes, unit: Node) -> None:  # noqa: C901 -- one case per kind
        body, issuer = unit["body"], unit["issuer"]
        match unit["kind"]:
            case "miner.register":
                self.miners[issuer] = Miner()
            case "plot.batch":
                self._batch(cid, issuer, body)
            case "plot.verdict":
                self._verdict(body)
            case "plot.retire":
                for mu in body["plots"]:
                    del self.miners[issuer].counts_from[mu]
            case "space.result":
                for entry in body["results"]:
                    self.miners[entry["miner"]].estimates[body["epoch"]] = entry["estimate"]
            case "bandwidth.result":
                for entry in body["results"]:
                    self._bandwidth(self.miners[entry["miner"]], entry["bytes_per_second"])
            case "epoch.close":
                self._close(body["epoch"])

    def _batch(self, cid: bytes, issuer: bytes, body: Node) -> None:
        shape = bytes((self.preset["plot_rows_log2"], self.preset["plot_layers"]))
        mus = [
            blake3(
                issuer + plot["index"].to_bytes(8, "little") + shape,
                derive_key_context="cybervein 2026-11 plot seed",
            ).digest()
            for plot in body["plots"]
        ]
        self.owner_of[cid] = issuer
        self.miners[issuer].pending[cid] = mus
        self.batch_of.update(dict.fromkeys(mus, cid))

    def _verdict(self, body: Node) -> None:
        cid = bytes(body["batch"])
        miner = self.miners[self.owner_of[cid]]
        if body["passed"]:
            for mu in miner.pending.pop(cid):
                miner.counts_from[mu] = body["epoch"] + 1
            return
        miner.pending.pop(cid, None)
        for mu in [mu for mu in miner.counts_from if self.batch_of[mu] == cid]:
            del miner.counts_from[mu]

    def _bandwidth(self, miner: Miner, sample: int) -> None:
        capped = min(sample, self.preset["bandwidth_saturation_bytes_per_second"])
        if miner.bandwidth is None:
            miner.bandwidth = capped
        else:
            step = Fraction(capped - miner.bandwidth, 2 ** self.preset["bandwidth_average_shift"])
            miner.bandwidth += floor(step)

    def _close(self, epoch: int) -> None:
        weights = {key: self._weight(miner, epoch) for key, miner in self.miners.items()}
        total = sum(weights.values())
        per_mille = 1000 - self.preset["winner_per_mille"]
        pool = floor(Fraction(self.preset["emission_veins_per_epoch"] * per_mille, 1000))
        self.rewards[epoch] = {
            key: floor(Fraction(pool * weight, total)) for key, weight in weights.items() if weight
        }

    def _weight(self, miner: Miner, epoch: int) -> int:
        if not miner.estimates.get(epoch):
            return 0
        window = self.preset["space_window_epochs"]
        seen = sum(miner.estimates.get(past, 0) for past in range(epoch - window + 1, epoch + 1))
        registered = sum(start <= epoch for start in miner.counts_from.values())
        plot_bytes = 512 * 2 ** self.preset["plot_rows_log2"]
        space = floor(min(Fraction(seen, window), Fraction(registered)) * plot_bytes)
        speed = min(miner.bandwidth or 0, self.preset["bandwidth_saturation_bytes_per_second"])
        weight = floor(Fraction(space * speed, plot_bytes))
        return weight if weight >= self.preset["weight_threshold"] else 0
