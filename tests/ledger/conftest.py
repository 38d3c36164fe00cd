"""Lets the tests here share `ledger_chain` and `recompute_rewards`, which lie beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
