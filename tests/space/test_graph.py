"""The graph: bijections without pattern, and an expander as good as random permutations."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from cybervein_protocol.space.graph import chain_parent, neighbours, parents, permute
from cybervein_protocol.space.shape import DEGREE, PlotShape
from hypothesis import given
from hypothesis import strategies as st

SCRIPT = Path(__file__).parents[2] / "docs" / "security_numbers.py"
_spec = importlib.util.spec_from_file_location("security_numbers", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
security_numbers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(security_numbers)


@pytest.mark.parametrize("b", [4, 5, 9, 10, 13])
@pytest.mark.parametrize("d", range(DEGREE))
def test_each_permutation_reaches_every_row_once(b: int, d: int) -> None:
    assert sorted(permute(d, i, b) for i in range(1 << b)) == list(range(1 << b))


@given(st.integers(4, 32), st.data())
def test_parents_are_rows_of_the_plot(b: int, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, (1 << b) - 1))
    assert all(0 <= parent < 1 << b for parent in parents(i, b))
    assert set(neighbours(i, b)) == {i, chain_parent(i, b), *parents(i, b)}


def test_row_zero_is_chained_to_the_last_row() -> None:
    assert chain_parent(0, 10) == 1023
    assert chain_parent(1, 10) == 0


@pytest.mark.parametrize("b", [10, 11, 12])
def test_the_second_singular_value_is_at_the_ramanujan_bound(b: int) -> None:
    assert 4.885 < security_numbers.second_singular_value(b) < 4.9


def test_the_lanczos_iteration_finds_a_known_value(monkeypatch: pytest.MonkeyPatch) -> None:
    # seven equal rotations: every singular value is 7, and so is the second
    monkeypatch.setattr(security_numbers, "parents", lambda i, b: [(i + 1) % (1 << b)] * 7)
    assert security_numbers.second_singular_value(6, steps=1) == pytest.approx(7)


def test_one_missing_row_depends_on_most_of_the_plot() -> None:
    assert security_numbers.recomputed_share(PlotShape(8, 8), [100]) > 0.8


@pytest.mark.both_codes  # the graph has no native half
def test_the_security_page_has_the_computed_numbers() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], check=False)
    assert done.returncode == 0, "run: python docs/security_numbers.py"
