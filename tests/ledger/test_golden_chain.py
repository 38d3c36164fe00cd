"""The committed chains: their bytes replay to their hashes; playing them again changes no byte."""

import pytest
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.ledger.chain.block import decode_block
from cybervein_protocol.ledger.chain.kinds import KINDS
from cybervein_protocol.ledger.chain.replay import replay_blocks
from cybervein_protocol.ledger.units.genesis import decode_genesis
from make_golden_chain import FILES, golden, load


@pytest.mark.parametrize("name", FILES)
def test_the_golden_chain_replays(name: str) -> None:
    data = load(name)
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
    assert {step.block.v for step in steps} == set(FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_playing_it_again_changes_nothing(name: str) -> None:
    data = load(name)
    assert golden(name, decode_genesis(bytes.fromhex(data["genesis"]))) == data
