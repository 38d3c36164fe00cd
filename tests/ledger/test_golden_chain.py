"""The committed chain: its bytes replay to its hashes, and playing it again changes no byte."""

from cybervein_protocol.encoding import node_cid
from cybervein_protocol.ledger.chain.block import decode_block
from cybervein_protocol.ledger.chain.kinds import KINDS
from cybervein_protocol.ledger.chain.replay import replay_blocks
from cybervein_protocol.ledger.units.genesis import decode_genesis
from make_golden_chain import golden, load


def test_the_golden_chain_replays() -> None:
    data = load()
    raws = [bytes.fromhex(raw) for raw in data["units"]]
    steps = list(
        replay_blocks(
            decode_genesis(bytes.fromhex(data["genesis"])),
            [decode_block(bytes.fromhex(raw)) for raw in data["blocks"]],
            {node_cid(raw): raw for raw in raws},
        )
    )
    assert [step.result.app_hash.hex() for step in steps] == data["app_hashes"]
    assert {unit.unit.kind for step in steps for unit in step.units} == set(KINDS)
    assert sum(len(step.result.voids) for step in steps) == 1


def test_playing_it_again_changes_nothing() -> None:
    data = load()
    assert golden(decode_genesis(bytes.fromhex(data["genesis"]))) == data
