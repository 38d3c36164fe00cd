"""`epoch.close`: pays for what was held and contributed, ends what is due, draws the next beacon.

Miners are settled in the order of their keys; nothing depends on it, as each is paid by its own
weight over the sum of all.
"""

from typing import ClassVar

from msgspec.structs import replace

from cybervein_protocol.encoding import U63
from cybervein_protocol.ledger.accounts.fees import storage_fee
from cybervein_protocol.ledger.accounts.money import count, credit
from cybervein_protocol.ledger.epochs.beacon import next_beacon
from cybervein_protocol.ledger.epochs.tau import close_tau
from cybervein_protocol.ledger.mining.bodies import NO_ANSWER
from cybervein_protocol.ledger.mining.bonds import bond_due, free, pay_fee
from cybervein_protocol.ledger.mining.contribution import reward_share, space_bytes, weight
from cybervein_protocol.ledger.mining.verdicts import void_batch
from cybervein_protocol.ledger.state.rows import (
    BATCHES,
    DEALS,
    DUES,
    EPOCHS,
    HEAD,
    HEAD_ID,
    MINERS,
    EpochRow,
    MinerRow,
    epoch_id,
)
from cybervein_protocol.ledger.storage.deals import DEAL_DUE, end
from cybervein_protocol.ledger.units.body import Body, VrfProof
from cybervein_protocol.ledger.units.events import Contribution, EpochClosed
from cybervein_protocol.ledger.units.run import Run, head
from cybervein_protocol.names import Veins


class EpochClose(Body):
    """`epoch.close`: settles `epoch` and, by its VRF proof, sets the next beacon."""

    kind: ClassVar[str] = "epoch.close"
    epoch: U63
    vrf_proof: VrfProof


def close(run: Run, body: EpochClose) -> None:
    """Settle the running epoch and begin the next. Raises ConflictError or ProofError."""
    run.check_epoch(body.epoch)
    was = head(run.state)
    beacon = next_beacon(run.super_nodes[run.issuer].vrf, was.beacon, body.epoch, body.vrf_proof)
    contributions = _settle_miners(run)
    closed = EpochClosed(
        epoch=body.epoch,
        beacon=was.beacon,
        next_beacon=beacon,
        weight=sum(entry.weight for entry in contributions),
        minted=Veins(sum(entry.reward for entry in contributions)),
        contributions=contributions,
    )
    _end_due(run, body.epoch + 1)
    _begin(run, closed, body.vrf_proof)
    run.events.append(closed)


def _begin(run: Run, closed: EpochClosed, proof: bytes) -> None:
    """Write the closed epoch's row and the next one's."""
    row = EpochRow(
        beacon=closed.beacon,
        vrf_proof=proof,
        closed=head(run.state).height + 1,
        weight=closed.weight,
        minted=closed.minted,
        earners=sum(entry.reward > 0 for entry in closed.contributions),
        tau=close_tau(run.state, closed.epoch),
    )
    run.state.put(EPOCHS, epoch_id(closed.epoch), row)
    fresh = EpochRow(
        beacon=closed.next_beacon, vrf_proof=b"", closed=0, weight=0, minted=Veins(0), earners=0
    )
    run.state.put(EPOCHS, epoch_id(closed.epoch + 1), fresh)
    was = head(run.state)
    run.state.put(HEAD, HEAD_ID, replace(was, epoch=closed.epoch + 1, beacon=closed.next_beacon))


def _settle_miners(run: Run) -> list[Contribution]:
    """Every miner's fees, measurements and rewards; what each contributed and got."""
    measured = []
    for key, row in run.state.scan(MINERS):
        paid, fees = _pay_held(run, row)
        estimate = paid.space_now if paid.space_epoch == run.epoch + 1 else 0
        window = [*paid.space, estimate][-run.preset.space_window_epochs :]
        measured.append((key, replace(paid, space=window), fees))
    shares = [_weight_of(run, row) for _, row, _ in measured]
    total = sum(part for _, part in shares)
    return [
        _reward(run, entry, share, total) for entry, share in zip(measured, shares, strict=True)
    ]


def _pay_held(run: Run, row: MinerRow) -> tuple[MinerRow, Veins]:
    """(miner, gross fee): paid for all it holds if its latest audit of the epoch passed."""
    if row.audit != "passed" or row.audit_epoch != run.epoch + 1:
        return row, Veins(0)
    fee = storage_fee(row.held_kib, 1, run.preset)
    count(run.state, escrowed=-fee)
    row = pay_fee(run.state, row, fee, run.preset)
    return replace(row, acc=row.acc + run.preset.price_veins_per_kib_epoch), fee


def _weight_of(run: Run, row: MinerRow) -> tuple[int, int]:
    """(N_i in bytes, weight)."""
    space = space_bytes(row.space, row.plots_active, run.preset)
    return space, weight(space, row.bandwidth or 0, run.preset)


def _reward(
    run: Run, entry: tuple[bytes, MinerRow, Veins], share: tuple[int, int], total: int
) -> Contribution:
    """Mint one miner's reward: missing bond first, then its payout account."""
    key, row, fees = entry
    reward = reward_share(share[1], total, run.preset)
    filled = min(reward, bond_due(row, run.preset))
    count(run.state, minted=reward, bonded=filled)
    credit(run.state, row.payout, Veins(reward - filled))
    contribution = Contribution(
        miner=key,
        payout=row.payout,
        estimate=row.space[-1],
        space_bytes=share[0],
        bandwidth=row.bandwidth or 0,
        weight=share[1],
        reward=reward,
        bond_filled=filled,
        held_kib=row.held_kib,
        fees=fees,
        audit=row.audit if row.audit_epoch == run.epoch + 1 else "",
    )
    row = replace(
        row,
        bonded=row.bonded + filled,
        rewards=row.rewards + reward,
        plots_active=row.plots_active + row.plots_passed,
        plots_passed=0,
    )
    run.state.put(MINERS, key, free(run.state, row, run.preset))
    return contribution


def _end_due(run: Run, epoch: int) -> None:
    """End the deals and fail the unanswered batches whose time is up when `epoch` begins."""
    for identity, _ in run.state.scan(DUES, epoch_id(epoch)):
        run.state.delete(DUES, identity)
        mark, subject = identity[8:9], identity[9:]
        if mark == DEAL_DUE:
            _end_deal(run, subject)
        else:
            _fail_batch(run, subject)


def _end_deal(run: Run, identity: bytes) -> None:
    row = run.state.get(DEALS, identity)
    if row is not None:
        end(run, identity, row, "expired" if row.state == "active" else "unclaimed")


def _fail_batch(run: Run, identity: bytes) -> None:
    row = run.state.get(BATCHES, identity)
    if row is not None:
        void_batch(run, identity, row, NO_ANSWER)
