"""What nobody foresaw is a line too, and its traceback is kept for a report."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from cybervein_protocol.errors import FundsError
from cybervein_runtime.command_line import carry_out


def ended(command: Callable[[], object]) -> int:
    with pytest.raises(SystemExit) as end:
        carry_out(command)
    assert isinstance(end.value.code, int)
    return end.value.code


def fails() -> NoReturn:
    raise KeyError("a thing\nof two lines")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CYBERVEIN_DEBUG", raising=False)
    monkeypatch.setattr(sys, "argv", ["cybervein", "--json", "ls"])
    return tmp_path / "state"


def test_it_is_a_line_with_its_place_and_a_file_has_the_rest(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(fails) == 1
    output, errors = capsys.readouterr()
    assert errors.count("\n") == 1
    assert errors.startswith("error: unforeseen KeyError at command/test_unforeseen.py:")
    log = state / "cybervein" / "last-error.log"
    assert str(log) in errors
    assert "Traceback" in log.read_text()
    assert "cybervein --json ls" in log.read_text()
    assert json.loads(output) == {"error": "unforeseen", "message": errors[7:-1]}


def test_where_no_file_can_be_written_it_is_a_line_all_the_same(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.write_text("a file")
    assert ended(fails) == 1
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "--debug" in errors


@pytest.mark.usefixtures("state")
def test_a_document_that_is_there_stays_the_only_one(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # so that the process' own takes its place

    def half() -> NoReturn:
        sys.stdout.write('{"some": "result"}\n')
        raise FundsError("nothing is left")

    assert ended(half) == 3
    told = capfd.readouterr()
    assert told.out == '{"some": "result"}\n'
    assert told.err == "error: nothing is left\n"


@pytest.mark.usefixtures("state")
def test_of_several_that_failed_together_the_first_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def both() -> NoReturn:
        raise ExceptionGroup("tasks", [FundsError("the first"), ValueError("the second")])

    assert ended(both) == 3
    assert capsys.readouterr().err == "error: the first\n"
