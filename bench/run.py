"""Runs the races, prints their table and writes bench/results.json.

A race is a module in bench/races/ with `def race() -> list[dict[str, object]]`: rows of `race`,
`unit`, `ours`, `peer_name`, `peer`, `ratio`; a ratio above 1 means that ours is better. A race that
cannot run fails loudly and leaves the other rows alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
COLUMNS = {"race", "unit", "ours", "peer_name", "peer", "ratio"}

Row = dict[str, object]


def names() -> list[str]:
    """The races there are, by module name."""
    return sorted(path.stem for path in (HERE / "races").glob("[a-z]*.py"))


def run_race(name: str) -> list[Row]:
    """Import one race and run it. Raises ValueError for a row of another shape."""
    spec = importlib.util.spec_from_file_location(f"races_{name}", HERE / "races" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ValueError(f"race {name!r}: not a module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows: list[Row] = module.race()
    for row in rows:
        if not row.keys() >= COLUMNS:
            raise ValueError(f"race {name!r}: row {row} lacks {sorted(COLUMNS - row.keys())}")
    return [{"module": name, **row} for row in rows]


def merge(old: list[Row], new: list[Row]) -> list[Row]:
    """The results with the rows of the races that ran now in place of their older ones."""
    ran = {row["module"] for row in new}
    kept = [row for row in old if row.get("module") not in ran]
    return sorted(kept + new, key=lambda row: (str(row["module"]), str(row["race"])))


def print_table(rows: list[Row]) -> None:
    """One line for each row; numbers with three significant digits."""
    print(f"\n{'race':<44}{'unit':<14}{'ours':>10}  {'peer':<26}{'':>10}{'ratio':>10}")
    for row in rows:
        figures = [_number(row[name]) for name in ("ours", "peer", "ratio")]
        print(
            f"{row['race']!s:<44}{row['unit']!s:<14}{figures[0]:>10}  "
            f"{row['peer_name']!s:<26}{figures[1]:>10}{figures[2]:>10}"
        )


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def load_results() -> list[Row]:
    """Rows of the last run, none if there was none."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def main() -> int:
    """Run all races or one; exit code 1 if a race failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--race", choices=names(), help="run this one alone")
    chosen = parser.parse_args().race
    os.environ.setdefault("CYBERVEIN_NATIVE", "require")
    sys.path.insert(0, str(HERE))
    rows, failed = [], []
    for name in [chosen] if chosen else names():
        began = time.monotonic()
        print(f"=== race {name} ===", flush=True)
        try:
            rows += run_race(name)
        except Exception:  # noqa: BLE001 -- one broken race must not hide the others
            traceback.print_exc()
            failed.append(name)
        print(f"    {time.monotonic() - began:.0f} s", flush=True)
    print_table(rows)
    RESULTS.write_text(json.dumps(merge(load_results(), rows), indent=1) + "\n")
    if failed:
        print(f"\nerror: these races failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
