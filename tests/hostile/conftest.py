"""Lets the tests here share the modules that lie beside them, and `discovery`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "architecture")]
