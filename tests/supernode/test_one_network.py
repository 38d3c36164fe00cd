"""A super node's directory is of one network: another network.json is refused before it serves."""

from pathlib import Path

import pytest
import write_stores
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ForbiddenError
from cybervein_protocol.ledger.units.genesis import network_id
from cybervein_protocol.presets import TEST
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.process.founding import DEFAULT_URL, found
from cybervein_supernode.process.running import run
from dumps import restore


async def test_a_ledger_of_another_network_is_refused_and_left_alone(tmp_path: Path) -> None:
    home = SuperNodeHome(tmp_path)
    file = found(home, TEST, url=DEFAULT_URL, now=1)
    ledger = restore("0.2.0", "ledger", tmp_path)
    before = ledger.read_bytes()
    theirs = cid_text(network_id(write_stores.GENESIS))
    with pytest.raises(ForbiddenError, match=f"ledger.*{theirs}.*{cid_text(file.network)}"):
        await run(home, host="127.0.0.1", port=0, public_url=None)
    assert ledger.read_bytes() == before
    assert not home.run_file.exists()
