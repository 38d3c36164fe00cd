"""Receipts: a miner's signed word that it holds a shard of a deal.

A receipt is signed only after the shard is durable. It names the deal, not the order: the ledger
keeps the signature alone (`ShardEntry.receipt`) and must rebuild the signed record from the row.
"""

from typing import Final

from multiformats import CID

from cybervein_protocol.encoding import U8, U63, Bytes32, Bytes64, Record, decode
from cybervein_protocol.messages.deals import ShardEntry
from cybervein_protocol.messages.fields import Version
from cybervein_protocol.signing import KeyPair, sign_record, verify_record

CONTEXT: Final = "cybervein receipt v1"
RECEIPT_BYTES_MAX: Final = 1024


class Receipt(Record):
    """`miner` holds the `size` bytes of `root` as shard `index` of `segment` of `deal`."""

    v: Version
    network: CID
    deal: CID
    segment: U63
    index: U8
    root: Bytes32
    size: U63
    miner: Bytes32
    sig: Bytes64


def sign_receipt(  # noqa: PLR0913 -- a receipt's fields, by name
    key: KeyPair, *, network: CID, deal: CID, segment: int, index: int, root: bytes, size: int
) -> Receipt:
    """The receipt of the miner whose identity is `key`."""
    receipt = Receipt(
        v=1,
        network=network,
        deal=deal,
        segment=segment,
        index=index,
        root=root,
        size=size,
        miner=key.public,
        sig=bytes(64),
    )
    return sign_record(CONTEXT, receipt, key)


def verify_receipt(receipt: Receipt) -> None:
    """Raise SignatureError unless the receipt is signed by the miner it names."""
    what = f"receipt for shard {receipt.root.hex()[:16]}"
    verify_record(CONTEXT, receipt, receipt.miner, what)


def receipt_of_entry(
    entry: ShardEntry, *, network: CID, deal: CID, segment: int, index: int
) -> Receipt:
    """The receipt whose signature a `deal.commit` or `shard.moved` carries; verify it next."""
    return Receipt(
        v=1,
        network=network,
        deal=deal,
        segment=segment,
        index=index,
        root=entry.root,
        size=entry.size,
        miner=entry.miner,
        sig=entry.receipt,
    )


def decode_receipt(data: bytes) -> Receipt:
    """The receipt in a miner's answer to PUT. Raises MalformedError or LimitError."""
    return decode(data, Receipt, "receipt", RECEIPT_BYTES_MAX)
