"""A cluster of its own for a thousand miners; the operator's lab is that of tests/operator."""

import sys
from pathlib import Path

for each in ("operator", "client"):
    sys.path.insert(0, str(Path(__file__).parents[1] / each))
sys.path.insert(0, str(Path(__file__).parent))
