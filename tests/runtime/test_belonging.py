"""A data directory belongs to one network: another one's file is refused, and both are named."""

from pathlib import Path

import pytest
from cybervein_protocol.encoding import cid_text, encode, node_cid
from cybervein_protocol.errors import ForbiddenError, MalformedError
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.units.unit import make_unit
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.belonging import belong

OURS, THEIRS = node_cid(b"\xa0"), node_cid(b"\xa1\x61a\x01")


def a_unit_of_ours() -> bytes:
    body = Transfer(to=b"t" * 32, amount=Veins(1), memo="")
    key, parents = KeyPair(b"k" * 32), [OURS, THEIRS]
    return encode(make_unit(OURS, body, parents=parents, key=key, nonce=0, fee=Veins(0)))


def test_the_first_network_stays(tmp_path: Path) -> None:
    belong(tmp_path, OURS, "ledger")
    belong(tmp_path, OURS, "ledger")
    wanted = f"the ledger there is of network {cid_text(OURS)}, this .* {cid_text(THEIRS)}; give"
    with pytest.raises(ForbiddenError, match=wanted):
        belong(tmp_path, THEIRS, "ledger")


def test_a_store_of_an_earlier_release_tells_by_a_unit_that_it_holds(tmp_path: Path) -> None:
    units = [b"damaged", a_unit_of_ours()]
    with pytest.raises(ForbiddenError, match="another directory"):
        belong(tmp_path, THEIRS, "catalogue", lambda: units)
    assert list(tmp_path.iterdir()) == []
    belong(tmp_path, OURS, "catalogue", lambda: units)
    assert (tmp_path / "network.cid").read_text() == f"{cid_text(OURS)}\n"


def test_a_damaged_note_is_named_and_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "network.cid").write_text("nonsense")
    with pytest.raises(MalformedError, match=str(tmp_path / r"network\.cid")):
        belong(tmp_path, OURS, "ledger")
    assert (tmp_path / "network.cid").read_text() == "nonsense"
