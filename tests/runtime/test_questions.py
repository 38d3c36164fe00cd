"""Questions of a command: asked on standard error; standard output is the result's alone."""

import io
import sys

import pytest
from cybervein_protocol.errors import MalformedError
from cybervein_runtime.console import confirm


@pytest.mark.parametrize("answer", ["y\n", "Yes\n", " y"])
def test_only_a_yes_lets_a_command_continue(
    answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    confirm("Remove it?", yes=False)
    assert capsys.readouterr() == ("", "Remove it? [y/N]: ")


@pytest.mark.parametrize("answer", ["\n", "n\n", "yesterday\n"])
def test_any_other_answer_ends_it(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    with pytest.raises(MalformedError, match="nothing was done"):
        confirm("Remove it?", yes=False)


@pytest.mark.parametrize("closed", [None, io.StringIO()])
def test_where_nobody_can_answer_the_option_is_named(
    closed: io.StringIO | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", closed)
    with pytest.raises(MalformedError, match="--yes asks nothing"):
        confirm("Remove it?", yes=False)
    assert capsys.readouterr().out == ""
    confirm("Remove it?", yes=True)
    assert capsys.readouterr() == ("", "")
