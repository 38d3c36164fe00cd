"""What a miner tells of its standing with the ledger: facts, beside what it wants."""

from cybervein_protocol.api.miner.status import LedgerDocument, ReachDocument

from cybervein_miner.chain.standing import Standing


def ledger_document(standing: Standing) -> LedgerDocument | None:
    """What the ledger has, None before the registration."""
    view, paid = standing.ledger, standing.paid
    if view is None:
        return None
    return LedgerDocument(
        url=view.url,
        group=view.group,
        owner=view.owner,
        payout=view.payout,
        registered_epoch=view.registered_epoch,
        plots_active=view.plots_active,
        plots_pending=view.plots_pending,
        space_bytes=view.space_bytes,
        bytes_per_second=view.bytes_per_second,
        bonded=view.bonded,
        bond_due=view.bond_due,
        rewards=view.rewards,
        fees=view.fees,
        penalties=view.penalties,
        per_day=paid.per_day(),
        per_day_epochs=len(paid.past),
        coin_decimals=paid.preset.coin_decimals,
    )


def reach_document(standing: Standing) -> ReachDocument:
    """Whether the super node gets through."""
    reach = standing.reach
    return ReachDocument(reached=reach.reached, url=reach.url, reason=reach.reason)
